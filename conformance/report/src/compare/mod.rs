//! What got better or worse between two runs.
//!
//! The rule of it: silence is no success. A finding counts as fixed only where its requirement was tested again and
//! its fault was not seen; a requirement that passed and can't be told any more is worse, not unchanged.

mod forms;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::model::{Finding, Report, Result, Severity, Verdict};
use crate::wording::sentence;

/// One of the two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Start, RFC 3339, UTC.
    pub started_at: String,
    /// The address that was tested.
    pub target: String,
    /// The profiles.
    pub profiles: Vec<String>,
    /// The seed.
    pub seed: u64,
    /// Cases that were judged.
    pub cases: u64,
    /// The result.
    pub result: Result,
    /// Why.
    pub sentence: String,
}

/// A finding of one or both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingChange {
    /// Its id.
    pub id: String,
    /// The check.
    pub check: String,
    /// The API.
    pub api: String,
    /// The operation; none where it is about the whole API.
    pub operation: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub title: String,
    /// What else is to know of the change, for example that it is flaky in one of the runs.
    pub remark: Option<String>,
}

/// Whether a change is to the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// It held and does not any more, or nobody knows any more whether it holds.
    Worse,
    /// It did not hold, or nobody knew, and now it holds.
    Better,
    /// It changed, and says nothing about the target.
    Neither,
}

/// A verdict that changed: of a requirement or a test purpose.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The check, or the test purpose.
    pub what: String,
    /// The API and the operation, or the standard of the test purpose.
    pub place: String,
    /// Verdict of the first run; none where it had none.
    pub before: Option<Verdict>,
    /// Verdict of the second run; none where it has none.
    pub after: Option<Verdict>,
    /// Whether this is to the better.
    pub direction: Direction,
    /// The reason that the second run gives; the first one's where the second has no verdict.
    pub reason: Option<String>,
}

/// What changed between two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The first run.
    pub before: Side,
    /// The second run.
    pub after: Side,
    /// In what the runs themselves differ: target, profiles, seed, releases, how they ended. Differences of the
    /// target and those of the runs can't be told apart where there are any.
    pub notes: Vec<String>,
    /// Findings of the first run whose requirement was tested again and which were not seen.
    pub fixed: Vec<FindingChange>,
    /// Findings of the second run alone.
    pub new: Vec<FindingChange>,
    /// Findings of both runs.
    pub still_there: Vec<FindingChange>,
    /// Findings of the first run whose requirement was not tested again: neither fixed nor still there.
    pub not_tested_again: Vec<FindingChange>,
    /// Requirements whose verdict changed, worse ones first.
    pub requirements: Vec<Change>,
    /// Test purposes whose verdict changed, worse ones first.
    pub test_purposes: Vec<Change>,
    /// Statuses of operations that were reached in the first run and not in the second.
    pub statuses_lost: Vec<String>,
}

impl Comparison {
    /// Whether the second run is worse: a new finding, a requirement or test purpose that passed and does not pass
    /// any more (for want of a test as well), or a worse result.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        let worse = |changes: &[Change]| changes.iter().any(|change| change.direction == Direction::Worse);
        !self.new.is_empty()
            || worse(&self.requirements)
            || worse(&self.test_purposes)
            || rank(self.after.result) > rank(self.before.result)
    }

    /// Whether anything got better.
    #[must_use]
    pub fn is_better(&self) -> bool {
        let better = |changes: &[Change]| changes.iter().any(|change| change.direction == Direction::Better);
        !self.fixed.is_empty() || better(&self.requirements) || better(&self.test_purposes)
    }
}

/// Results from best to worst: an inconclusive run is no failure, and no success either.
fn rank(result: Result) -> u8 {
    match result {
        Result::Conforms => 0,
        Result::Inconclusive => 1,
        Result::Fails => 2,
    }
}

/// Compares two runs: `before` first, `after` second.
#[must_use]
pub fn compare(before: &Report, after: &Report) -> Comparison {
    let scope = Scope::new(before, after);
    let verdicts = requirement_verdicts(after);
    let later = standing(after);
    let earlier = standing(before);
    let mut comparison = Comparison {
        before: side(before),
        after: side(after),
        notes: notes(before, after),
        fixed: Vec::new(),
        new: Vec::new(),
        still_there: Vec::new(),
        not_tested_again: Vec::new(),
        requirements: changes(&requirements(before), &requirements(after), &scope),
        test_purposes: changes(&test_purposes(before), &test_purposes(after), &scope),
        statuses_lost: statuses_lost(before, after),
    };
    for finding in &before.findings {
        let remark = later
            .get(finding.id.as_str())
            .map(|standing| standing.remark("now"));
        let list = match remark {
            Some(_) => &mut comparison.still_there,
            None if was_tested(&verdicts, finding) => &mut comparison.fixed,
            None => &mut comparison.not_tested_again,
        };
        list.push(finding_change(finding, remark.flatten()));
    }
    for finding in &after.findings {
        match earlier.get(finding.id.as_str()) {
            // Told above.
            Some(Standing::Counts) => {}
            Some(other) => comparison
                .still_there
                .push(finding_change(finding, other.remark("before"))),
            None => comparison.new.push(finding_change(finding, None)),
        }
    }
    comparison
}

fn side(report: &Report) -> Side {
    Side {
        started_at: report.run.started_at.clone(),
        target: report.run.target.clone(),
        profiles: report.run.profiles.clone(),
        seed: report.run.seed,
        cases: report.run.cases,
        result: report.summary.result,
        sentence: sentence(&report.summary).to_owned(),
    }
}

/// In which list of its report a finding is.
#[derive(Clone, Copy)]
enum Standing {
    Counts,
    Expected,
    Flaky,
}

impl Standing {
    fn remark(self, when: &str) -> Option<String> {
        match self {
            Standing::Counts => None,
            Standing::Expected => Some(format!("{when} expected")),
            Standing::Flaky => Some(format!("{when} flaky")),
        }
    }
}

fn standing(report: &Report) -> BTreeMap<&str, Standing> {
    let flaky = report
        .flaky
        .iter()
        .map(|finding| (finding.id.as_str(), Standing::Flaky));
    let expected = report
        .expected
        .iter()
        .map(|known| (known.finding.id.as_str(), Standing::Expected));
    let counting = report
        .findings
        .iter()
        .map(|finding| (finding.id.as_str(), Standing::Counts));
    // Later entries win: what counts counts, whatever else it is.
    flaky.chain(expected).chain(counting).collect()
}

fn finding_change(finding: &Finding, remark: Option<String>) -> FindingChange {
    FindingChange {
        id: finding.id.clone(),
        check: finding.check.clone(),
        api: finding.api.clone(),
        operation: finding.operation.clone(),
        severity: finding.severity,
        title: finding.title.clone(),
        remark,
    }
}

type Place<'a> = (&'a str, &'a str, Option<&'a str>);

fn requirement_verdicts(report: &Report) -> BTreeMap<Place<'_>, Verdict> {
    report
        .requirements
        .iter()
        .map(|entry| {
            (
                (
                    entry.check.as_str(),
                    entry.api.as_str(),
                    entry.operation.as_deref(),
                ),
                entry.verdict,
            )
        })
        .collect()
}

/// Whether the requirement of a finding was judged.
fn was_tested(verdicts: &BTreeMap<Place<'_>, Verdict>, finding: &Finding) -> bool {
    let place = (
        finding.check.as_str(),
        finding.api.as_str(),
        finding.operation.as_deref(),
    );
    matches!(
        verdicts.get(&place),
        Some(Verdict::Pass | Verdict::Fail | Verdict::Waived)
    )
}

/// A verdict with what identifies it and what explains it.
struct Judged<'a> {
    what: &'a str,
    place: String,
    /// The API that it belongs to; none for test purposes.
    api: Option<&'a str>,
    verdict: Verdict,
    reason: Option<&'a String>,
}

fn requirements(report: &Report) -> Vec<Judged<'_>> {
    let judged = report.requirements.iter().map(|entry| Judged {
        what: &entry.check,
        place: format!(
            "{} · {}",
            entry.api,
            entry.operation.as_deref().unwrap_or("whole API")
        ),
        api: Some(&entry.api),
        verdict: entry.verdict,
        reason: entry.reason.as_ref(),
    });
    judged.collect()
}

fn test_purposes(report: &Report) -> Vec<Judged<'_>> {
    let judged = report.test_purposes.iter().map(|purpose| Judged {
        what: &purpose.id,
        place: purpose.standard.clone(),
        api: None,
        verdict: purpose.verdict,
        reason: purpose.reason.as_ref(),
    });
    judged.collect()
}

/// What the second run was asked to test.
struct Scope<'a> {
    same_profiles: bool,
    apis: BTreeSet<&'a str>,
    asked_for_purposes: bool,
}

impl<'a> Scope<'a> {
    fn new(before: &Report, after: &'a Report) -> Scope<'a> {
        Scope {
            same_profiles: before.run.profiles == after.run.profiles,
            apis: after.run.apis.iter().map(|api| api.id.as_str()).collect(),
            asked_for_purposes: !after.test_purposes.is_empty(),
        }
    }

    /// Whether the second run should have judged this.
    fn covers(&self, judged: &Judged<'_>) -> bool {
        match judged.api {
            Some(api) => self.same_profiles || self.apis.contains(api),
            None => self.asked_for_purposes,
        }
    }
}

fn changes(before: &[Judged<'_>], after: &[Judged<'_>], scope: &Scope<'_>) -> Vec<Change> {
    let key = |judged: &Judged<'_>| (judged.what.to_owned(), judged.place.clone());
    let later: BTreeMap<_, _> = after.iter().map(|judged| (key(judged), judged)).collect();
    let earlier: BTreeSet<_> = before.iter().map(key).collect();
    let mut changes: Vec<Change> = Vec::new();
    for judged in before {
        let now = later.get(&key(judged)).copied();
        let verdict = now.map(|now| now.verdict);
        if verdict == Some(judged.verdict) {
            continue;
        }
        let direction = match verdict {
            None if !scope.covers(judged) => Direction::Neither,
            verdict => direction(Some(judged.verdict), verdict),
        };
        changes.push(change(
            judged,
            Some(judged.verdict),
            verdict,
            direction,
            now.unwrap_or(judged),
        ));
    }
    for judged in after.iter().filter(|judged| !earlier.contains(&key(judged))) {
        let direction = direction(None, Some(judged.verdict));
        changes.push(change(judged, None, Some(judged.verdict), direction, judged));
    }
    changes.sort_by(|left, right| (left.direction, &left.what).cmp(&(right.direction, &right.what)));
    changes
}

fn change(
    judged: &Judged<'_>,
    before: Option<Verdict>,
    after: Option<Verdict>,
    direction: Direction,
    explained: &Judged<'_>,
) -> Change {
    Change {
        what: judged.what.to_owned(),
        place: judged.place.clone(),
        before,
        after,
        direction,
        reason: explained.reason.cloned(),
    }
}

fn direction(before: Option<Verdict>, after: Option<Verdict>) -> Direction {
    use Verdict::{Fail, Inconclusive, NotApplicable, Pass, Waived};
    match (before, after) {
        // What the vendor no longer claims is not tested any more: a change of the statement, not of the target.
        (Some(Pass), Some(NotApplicable)) => Direction::Neither,
        (Some(Pass), Some(Fail | Inconclusive | Waived) | None) => Direction::Worse,
        (Some(Inconclusive | NotApplicable | Waived) | None, Some(Fail)) => Direction::Worse,
        (Some(Fail | Inconclusive | Waived), Some(Pass)) => Direction::Better,
        _ => Direction::Neither,
    }
}

fn notes(before: &Report, after: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    let mut differs = |what: &str, before: &str, after: &str| {
        if before != after {
            notes.push(format!("{what}: {before} before, {after} after"));
        }
    };
    differs("Target", &before.run.target, &after.run.target);
    differs(
        "Profiles",
        &before.run.profiles.join(", "),
        &after.run.profiles.join(", "),
    );
    differs("Seed", &before.run.seed.to_string(), &after.run.seed.to_string());
    let release = |report: &Report| format!("{} {}", report.tool.name, report.tool.version);
    differs("Suite", &release(before), &release(after));
    let server = |report: &Report| report.run.server.clone().unwrap_or_else(|| "unnamed".to_owned());
    differs("Server", &server(before), &server(after));
    differs(
        "Cases",
        &before.run.cases.to_string(),
        &after.run.cases.to_string(),
    );
    for (name, report) in [("first", before), ("second", after)] {
        if let Some(remark) = report.run.end.remark() {
            notes.push(format!("The {name} run is not complete. {remark}"));
        }
    }
    notes
}

fn statuses_lost(before: &Report, after: &Report) -> Vec<String> {
    fn reached(report: &Report) -> BTreeSet<(&str, &str, &str)> {
        let operations = report.coverage.operations.iter();
        operations
            .flat_map(|entry| {
                let statuses = entry
                    .statuses
                    .iter()
                    .filter(|status| status.declared && status.count > 0);
                statuses.map(|status| {
                    (
                        entry.api.as_str(),
                        entry.operation.as_str(),
                        status.status.as_str(),
                    )
                })
            })
            .collect()
    }
    let lost = reached(before)
        .difference(&reached(after))
        .copied()
        .collect::<Vec<_>>();
    lost.into_iter()
        .map(|(api, operation, status)| format!("{operation} → {status} ({api})"))
        .collect()
}
