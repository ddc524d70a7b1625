//! What counts as better and as worse.

use mecforge_report::{Direction, Report, Result, Verdict, compare};

use crate::sample;

/// The sample a release later: one finding mended, one new, one not tested again.
pub(crate) fn later() -> Report {
    let mut report = sample::report();
    report.run.seed = 43;
    report.run.started_at = "2026-11-22T13:05:09Z".to_owned();
    report.findings.retain(|finding| finding.id == "F-3f2a9c1b");
    let mut new = sample::no_allow();
    new.id = "F-99999999".to_owned();
    new.title = "A deleted service is read again".to_owned();
    report.findings.push(new);
    report.summary.findings.insert("error".to_owned(), 1);
    // The filter was tested again and holds; the methods were not tested again.
    report.requirements[3].verdict = Verdict::Pass;
    report.requirements[3].reason = None;
    report.requirements[4].verdict = Verdict::Inconclusive;
    report.requirements[4].reason = Some("the connection was refused".to_owned());
    report.requirements[2].verdict = Verdict::Inconclusive;
    report.requirements[2].reason = Some("no service could be made".to_owned());
    report.test_purposes[0].verdict = Verdict::Fail;
    report.test_purposes[0].reason = Some("404 instead of 200".to_owned());
    report.test_purposes[1].verdict = Verdict::Pass;
    report.test_purposes[1].reason = None;
    report.coverage.operations[0].statuses[2].count = 0;
    report
}

fn ids(list: &[mecforge_report::FindingChange]) -> Vec<&str> {
    list.iter().map(|change| change.id.as_str()).collect()
}

#[test]
fn the_same_run_twice_is_no_change() {
    let comparison = compare(&sample::report(), &sample::report());
    assert!(!comparison.is_worse() && !comparison.is_better());
    assert!(
        comparison.notes.iter().all(|note| note.contains("not complete")),
        "{:?}",
        comparison.notes
    );
    assert_eq!(comparison.still_there.len(), 3);
}

#[test]
fn findings_are_told_apart() {
    let comparison = compare(&sample::report(), &later());
    assert_eq!(ids(&comparison.new), ["F-99999999"]);
    assert_eq!(ids(&comparison.fixed), ["F-77aa01fe"]);
    assert_eq!(ids(&comparison.still_there), ["F-3f2a9c1b"]);
    assert_eq!(ids(&comparison.not_tested_again), ["F-c0ffee00"]);
    assert_eq!(comparison.statuses_lost.len(), 1);
    assert!(
        comparison
            .notes
            .iter()
            .any(|note| note == "Seed: 42 before, 43 after")
    );
    assert!(comparison.is_worse() && comparison.is_better());
}

#[test]
fn a_pass_that_cannot_be_told_any_more_is_worse() {
    let mut after = sample::report();
    after.requirements[2].verdict = Verdict::Inconclusive;
    let comparison = compare(&sample::report(), &after);
    assert_eq!(comparison.requirements[0].direction, Direction::Worse);
    assert!(comparison.is_worse());
    after.requirements.remove(2);
    assert!(
        compare(&sample::report(), &after).is_worse(),
        "a requirement that is gone"
    );
    after = sample::report();
    after.requirements[2].verdict = Verdict::NotApplicable;
    assert!(
        !compare(&sample::report(), &after).is_worse(),
        "a feature that is not claimed any more"
    );
}

#[test]
fn a_run_that_tested_nothing_is_worse_and_fixes_nothing() {
    let mut after = sample::report();
    after.findings.clear();
    after.requirements.clear();
    after.summary.result = Result::Inconclusive;
    let comparison = compare(&sample::report(), &after);
    assert!(comparison.fixed.is_empty());
    assert_eq!(comparison.not_tested_again.len(), 3);
    assert!(comparison.is_worse());
}

#[test]
fn another_profile_is_noted_and_does_not_blame() {
    let mut after = sample::report();
    after.findings.clear();
    after.requirements.clear();
    after.test_purposes.clear();
    after.run.apis.clear();
    after.run.profiles = vec!["mec012-v2.2.1".to_owned()];
    let comparison = compare(&sample::report(), &after);
    assert!(comparison.notes.iter().any(|note| note.starts_with("Profiles: ")));
    assert!(!comparison.is_worse());
}

#[test]
fn a_finding_that_turns_flaky_is_still_there() {
    let mut after = sample::report();
    let finding = after.findings.remove(0);
    after.flaky.push(finding);
    let comparison = compare(&sample::report(), &after);
    assert_eq!(comparison.still_there[0].remark.as_deref(), Some("now flaky"));
    assert!(comparison.fixed.is_empty());
}
