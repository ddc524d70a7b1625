//! Filters of lists of services: a right registry conforms in both readings of `is_local=false`, each fault is found.

use serde_json::Value;

use crate::registry::{DOCUMENT, Fault, registry};
use crate::server::test_document;

fn run(fault: Fault) -> (String, Value) {
    let address = format!("http://{}", registry(fault));
    let checks = [
        "filters-combine",
        "empty-list-is-a-list",
        "refuses-exclusive-parameters",
        "filter-values-are-whole",
    ];
    let only: Vec<_> = checks.iter().map(|check| format!("check={check}")).collect();
    let mut more = vec!["--app-instance-id", "one,two"];
    for check in &only {
        more.extend(["--only", check.as_str()]);
    }
    let (_, text, report) = test_document(&address, "mec011-service-management.json", DOCUMENT, &more);
    (text, report)
}

fn verdict(report: &Value, check: &str) -> Vec<String> {
    let requirements = report["requirements"].as_array().unwrap();
    let of = requirements.iter().filter(|one| one["check"] == check);
    of.map(|one| one["verdict"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn both_readings_of_local_conform_and_are_named() {
    for (fault, observed) in [
        (Fault::None, "is_local=false gives local and remote services"),
        (Fault::RemoteOnly, "is_local=false gives remote services alone"),
    ] {
        let (text, report) = run(fault);
        assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{text}");
        assert_eq!(report["flaky"].as_array().unwrap().len(), 0, "{text}");
        assert_eq!(verdict(&report, "filters-combine"), ["pass", "pass"], "{text}");
        assert_eq!(
            verdict(&report, "empty-list-is-a-list"),
            ["pass", "pass"],
            "{text}"
        );
        assert_eq!(
            verdict(&report, "refuses-exclusive-parameters"),
            ["pass", "pass"],
            "{text}"
        );
        assert_eq!(
            verdict(&report, "filter-values-are-whole"),
            ["pass", "pass"],
            "{text}"
        );
        let contradictions = report["contradictions"].as_array().unwrap();
        assert!(
            contradictions
                .iter()
                .any(|one| one["id"] == "is-local-false" && one["observed"] == observed),
            "{contradictions:?}"
        );
    }
}

#[test]
fn each_fault_of_filters_is_found_by_its_check() {
    for (fault, check) in [
        (Fault::OrForAnd, "filters-combine"),
        (Fault::FirstValueOnly, "filters-combine"),
        (Fault::AbsentFitsAll, "filters-combine"),
        (Fault::IgnoresLocality, "filters-combine"),
        (Fault::EmptyIsNotFound, "empty-list-is-a-list"),
        (Fault::TakesExclusive, "refuses-exclusive-parameters"),
        (Fault::SplitsAtCommas, "filter-values-are-whole"),
    ] {
        let (text, report) = run(fault);
        let findings = report["findings"].as_array().unwrap();
        assert!(
            findings.iter().any(|finding| finding["check"] == check),
            "{fault:?}: {text}"
        );
    }
}

#[test]
fn a_registry_that_ignores_what_is_not_declared_is_warned_and_the_contradiction_is_named() {
    let check = "refuses-unknown-parameter";
    let address = format!("http://{}", registry(Fault::None));
    let more = [
        "--app-instance-id",
        "one,two",
        "--only",
        "check=refuses-unknown-parameter",
    ];
    let (code, text, report) = test_document(&address, "mec011-service-management.json", DOCUMENT, &more);
    assert_eq!(code, 0, "{text}");
    let findings = report["findings"].as_array().unwrap();
    let own: Vec<_> = findings
        .iter()
        .filter(|finding| finding["check"] == check)
        .collect();
    assert_eq!(own.len(), 2, "{text}");
    assert!(
        own.iter().all(|finding| finding["severity"] == "warning"),
        "{text}"
    );
    let contradictions = report["contradictions"].as_array().unwrap();
    let named = contradictions
        .iter()
        .find(|one| one["id"] == "undeclared-parameters")
        .unwrap();
    assert_eq!(
        named["observed"], "an undeclared query parameter is accepted (200)",
        "{text}"
    );
}
