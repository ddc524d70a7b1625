//! What says the same of several operations is told once, and nothing is lost.

use mecforge_report::{Report, Severity, TextOptions, html, text};

use crate::sample;

/// The sample with its first warning at six more operations, and once with another title.
fn report() -> Report {
    let mut report = sample::report();
    let mut warnings = report.findings.iter();
    let warning = warnings.rfind(|finding| finding.severity == Severity::Warning);
    let warning = warning.unwrap().clone();
    for number in 0..6 {
        let mut other = warning.clone();
        other.id = format!("F-0000000{number}");
        other.operation = Some(format!("GET /things/{number}"));
        report.findings.push(other);
    }
    let mut different = warning;
    different.id = "F-99999999".to_owned();
    different.title = "another title".to_owned();
    report.findings.push(different);
    report
}

#[test]
fn text_tells_one_and_where_the_others_are() {
    let text = text(&report(), &TextOptions::default());
    assert_eq!(text.matches("405 comes without Allow").count(), 1);
    assert!(text.contains("the same at 6 more:\n    F-00000000 at GET /things/0 ("));
    assert!(text.contains("F-00000005 at GET /things/5"));
    assert_eq!(text.matches("another title").count(), 1);
}

#[test]
fn html_folds_the_others_with_all_that_is_known_of_them() {
    let page = html(&report());
    assert!(page.contains("The same at 6 more"));
    for number in 0..6 {
        assert_eq!(page.matches(&format!("id=\"F-0000000{number}\"")).count(), 1);
    }
    assert_eq!(
        page.matches("<article").count(),
        sample::report().findings.len() + 1
    );
}
