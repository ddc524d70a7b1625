//! Sequences, parallel requests and pages: a right server conforms, each fault is found by the check that is there for it.

use serde_json::Value;

use crate::boxes::{DOCUMENT, Fault, boxes};
use crate::server::test_document;

fn run(fault: Fault, paged: bool, more: &[&str]) -> (i32, String, Value) {
    let address = format!("http://{}", boxes(fault, paged));
    test_document(&address, "boxes.json", DOCUMENT, more)
}

/// What the server is right in; it is not in all of HTTP.
const CHECKS: [&str; 12] = [
    "reads-equal-model",
    "identifiers-are-not-reused",
    "parallel-requests-have-an-order",
    "one-writer-wins",
    "parallel-creations",
    "parallel-removal",
    "pages-are-disjoint",
    "put-replaces",
    "delete-removes",
    "location",
    "preconditions",
    "keeps-what-is-sent",
];

fn only(checks: &[&str]) -> Vec<String> {
    let words = |check: &&str| ["--only".to_owned(), format!("check={check}")];
    checks.iter().flat_map(words).collect()
}

fn borrow(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

fn found<'report>(report: &'report Value, check: &str) -> Option<&'report Value> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["check"] == check)
}

#[test]
fn a_right_server_with_entity_tags_conforms() {
    let (code, text, report) = run(Fault::None, false, &borrow(&only(&CHECKS)));
    assert_eq!(code, 0, "{text}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{text}");
    assert_eq!(report["flaky"].as_array().unwrap().len(), 0, "{text}");
    let transitions = report["coverage"]["transitions"].as_array().unwrap();
    let done = |from: &str, action: &str, to: &str| {
        let is = |one: &&Value| one["from"] == from && one["action"] == action && one["to"] == to;
        assert!(
            transitions.iter().any(|one| is(&one)),
            "{from} {action} {to}: {transitions:?}"
        );
    };
    done("absent", "POST", "exists");
    done("exists", "PUT", "exists");
    done("exists", "PATCH", "exists");
    done("exists", "DELETE", "deleted");
    done("deleted", "GET", "deleted");
    done("deleted", "PUT", "deleted");
}

#[test]
fn identifiers_that_addresses_write_otherwise_are_the_same() {
    let checks = [&CHECKS[..], &["list-agrees"]].concat();
    let item = r##""items": {"$ref": "#/components/schemas/Box"}"##;
    let link =
        r#""items": {"type": "object", "required": ["href"], "properties": {"href": {"type": "string"}}}"#;
    for fault in [Fault::PeculiarIdentifiers, Fault::PeculiarLinks] {
        let address = format!("http://{}", boxes(fault, false));
        let document = match fault {
            Fault::PeculiarLinks => DOCUMENT.replace(item, link),
            _ => DOCUMENT.to_owned(),
        };
        let (code, text, report) = test_document(&address, "boxes.json", &document, &borrow(&only(&checks)));
        assert_eq!(code, 0, "{fault:?}: {text}");
        assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{text}");
        let requirements = report["requirements"].as_array().unwrap();
        for check in ["reads-equal-model", "parallel-creations", "list-agrees"] {
            let mut all = requirements.iter().filter(|one| one["check"] == check);
            assert!(
                all.any(|one| one["verdict"] == "pass"),
                "{fault:?} {check}: {text}"
            );
        }
    }
}

#[test]
fn an_object_that_changes_by_itself_is_not_changed_by_what_is_refused() {
    let only = [
        "--only",
        "check=refusal-changes-nothing",
        "--only",
        "check=no-server-error",
    ];
    let (code, text, report) = run(Fault::Settles, false, &only);
    assert_eq!(code, 0, "{text}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{text}");
}

#[test]
fn a_right_server_with_pages_conforms() {
    let (code, text, report) = run(Fault::None, true, &borrow(&only(&CHECKS)));
    assert_eq!(code, 0, "{text}");
    assert_eq!(report["flaky"].as_array().unwrap().len(), 0, "{text}");
    let requirements = report["requirements"].as_array().unwrap();
    let pages = requirements
        .iter()
        .find(|one| one["check"] == "pages-are-disjoint")
        .unwrap();
    assert_eq!(pages["verdict"], "pass", "{pages}");
}

#[test]
fn each_fault_of_sequences_and_races_is_found_by_its_check() {
    let faults = [
        (Fault::LosesThirdUpdate, "reads-equal-model", false),
        (Fault::ListsFirst, "reads-equal-model", false),
        (Fault::PatchLost, "reads-equal-model", false),
        (Fault::PatchReplaces, "reads-equal-model", false),
        (Fault::Revives, "reads-equal-model", false),
        (Fault::ReusesIdentifiers, "identifiers-are-not-reused", false),
        (Fault::SeveralWritersWin, "one-writer-wins", false),
        (Fault::SharesIdentifiers, "parallel-creations", false),
        (Fault::AnswersEarly, "parallel-requests-have-an-order", false),
        (Fault::RemovesTwice, "parallel-removal", false),
        (Fault::PagesOverlap, "pages-are-disjoint", true),
        (Fault::PagesWithoutEnd, "pages-are-disjoint", true),
    ];
    for (fault, check, paged) in faults {
        // What is reported on the way belongs to the case that finds it.
        let only = match check {
            "identifiers-are-not-reused" => vec!["--only", "check=reads-equal-model", "--only"],
            _ => vec!["--only"],
        };
        let own = format!("check={check}");
        let only: Vec<_> = only.into_iter().chain([own.as_str()]).collect();
        let (_, text, report) = run(fault, paged, &only);
        assert!(found(&report, check).is_some(), "{fault:?}, {check}: {text}");
    }
}

#[test]
fn who_gives_identifiers_again_is_warned_and_not_blamed() {
    let (code, text, report) = run(Fault::ReusesIdentifiers, false, &borrow(&only(&CHECKS)));
    assert_eq!(code, 0, "{text}");
    let findings = report["findings"].as_array().unwrap();
    let reused = |finding: &Value| finding["check"] == "identifiers-are-not-reused";
    assert!(!findings.is_empty() && findings.iter().all(reused), "{text}");
}

#[test]
fn the_shortest_sequence_is_the_evidence() {
    let (code, text, report) = run(
        Fault::LosesThirdUpdate,
        false,
        &["--only", "check=reads-equal-model"],
    );
    assert_eq!(code, 1, "{text}");
    let finding = found(&report, "reads-equal-model").unwrap();
    assert_eq!(finding["minimised"], true, "{finding}");
    let evidence = finding["evidence"].as_array().unwrap();
    let methods: Vec<_> = evidence
        .iter()
        .map(|one| one["request"]["method"].as_str().unwrap())
        .collect();
    assert_eq!(methods, ["POST", "PUT", "PUT", "PUT", "GET"], "{text}");
    assert_eq!(finding["curl"].as_str().unwrap().lines().count(), 5);
}
