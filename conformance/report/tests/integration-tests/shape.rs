//! JUnit, SARIF and HAR have the shape that their readers demand, and lose nothing.

use mecforge_report::{End, Report, Result, har, junit, sarif};
use serde_json::{Value, json};

use crate::sample;

/// The attributes and elements that Jenkins' schema has for each element.
const JUNIT: [(&str, &[&str], &[&str]); 7] = [
    (
        "testsuites",
        &[
            "name", "time", "tests", "failures", "disabled", "errors", "skipped",
        ],
        &["testsuite"],
    ),
    (
        "testsuite",
        &[
            "name",
            "tests",
            "failures",
            "errors",
            "time",
            "disabled",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
        ],
        &["properties", "testcase", "system-out", "system-err"],
    ),
    (
        "testcase",
        &["name", "assertions", "time", "classname", "status"],
        &["skipped", "error", "failure", "system-out", "system-err"],
    ),
    ("failure", &["type", "message"], &[]),
    ("error", &["type", "message"], &[]),
    ("skipped", &["message"], &[]),
    ("system-out", &[], &[]),
];

#[test]
fn junit_has_the_form_of_jenkins_and_counts_right() {
    let text = junit(&sample::report());
    let document = roxmltree::Document::parse(&text).unwrap();
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        let (_, attributes, children) = JUNIT.iter().find(|(known, _, _)| *known == name).unwrap();
        assert!(
            node.attributes()
                .all(|attribute| attributes.contains(&attribute.name())),
            "{name}"
        );
        let elements = || node.children().filter(roxmltree::Node::is_element);
        assert!(
            elements().all(|child| children.contains(&child.tag_name().name())),
            "{name}"
        );
        let cases = || node.descendants().filter(|inner| inner.has_tag_name("testcase"));
        let with = |tag: &str| {
            cases()
                .filter(|case| case.children().any(|child| child.has_tag_name(tag)))
                .count()
        };
        if name == "testsuite" || name == "testsuites" {
            let count = |attribute: &str| node.attribute(attribute).unwrap().parse::<usize>().unwrap();
            assert_eq!(count("tests"), cases().count());
            let counts = ["failures", "errors", "skipped"].map(count);
            assert_eq!(counts, ["failure", "error", "skipped"].map(with));
        }
    }
}

fn root_counts(report: &Report) -> [String; 3] {
    let text = junit(report);
    let document = roxmltree::Document::parse(&text).unwrap();
    ["failures", "errors", "skipped"].map(|name| document.root_element().attribute(name).unwrap().to_owned())
}

#[test]
fn junit_fails_where_the_run_does() {
    // Two errors and a test purpose; the warning is no failure.
    assert_eq!(root_counts(&sample::report()), ["3", "0", "6"]);
    let mut report = sample::report();
    report.requirements.clear();
    assert_eq!(
        root_counts(&report),
        ["3", "0", "3"],
        "findings that no requirement names are not lost"
    );
    let report = Report {
        run: mecforge_report::Run {
            end: End::Untestable,
            ..mecforge_report::Run::default()
        },
        ..Report::default()
    };
    assert_eq!(report.summary.result, Result::Inconclusive);
    assert_eq!(
        root_counts(&report),
        ["0", "1", "0"],
        "nothing tested is an error, not an empty success"
    );
}

#[test]
fn junit_keeps_curl_and_flaky() {
    let text = junit(&sample::report());
    assert!(text.contains("curl -sS -X POST"));
    assert!(text.contains("flaky, seen once and not again: F-5e0c1a77"));
}

#[test]
fn sarif_has_what_readers_demand() {
    // The required parts of the OASIS schema and of GitHub's list, in our own words.
    let text = json!({ "type": "object", "required": ["text"], "properties": { "text": { "type": "string", "minLength": 1 } } });
    let level = json!({ "enum": ["none", "note", "warning", "error"] });
    let schema = json!({
        "type": "object", "required": ["$schema", "version", "runs"],
        "properties": { "version": { "const": "2.1.0" }, "runs": { "items": {
            "required": ["tool", "results", "invocations"],
            "properties": {
                "tool": { "required": ["driver"], "properties": { "driver": { "required": ["name", "rules"], "properties": { "rules": {
                    "uniqueItems": true,
                    "items": { "required": ["id"], "properties": { "shortDescription": text, "help": text, "defaultConfiguration": { "properties": { "level": level } } } },
                } } } } },
                "automationDetails": { "required": ["id"] },
                "invocations": { "items": { "required": ["executionSuccessful"] } },
                "artifacts": { "items": { "required": ["location"] } },
                "results": { "items": {
                    "required": ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
                    "properties": {
                        "level": level,
                        "kind": { "enum": ["fail", "review"] },
                        "message": text,
                        "occurrenceCount": { "type": "integer", "minimum": 1 },
                        "partialFingerprints": { "additionalProperties": { "type": "string" } },
                        "suppressions": { "items": { "required": ["kind"], "properties": { "kind": { "enum": ["inSource", "external"] } } } },
                        "locations": { "minItems": 1, "items": { "required": ["physicalLocation", "logicalLocations"], "properties": {
                            "physicalLocation": { "required": ["artifactLocation", "region"], "properties": { "region": { "required": ["startLine"] } } },
                        } } },
                    },
                    "if": { "not": { "properties": { "kind": { "const": "fail" } } } },
                    "then": { "properties": { "level": { "const": "none" } } },
                } },
            },
        } } },
    });
    let log: Value = serde_json::from_str(&sarif(&sample::report())).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 5, "findings, expected and flaky ones");
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    assert_eq!(
        results[0]["locations"][0]["logicalLocations"][1]["fullyQualifiedName"],
        "/paths/~1applications~1{appInstanceId}~1services/post"
    );
}

#[test]
fn har_has_the_shape_of_1_2() {
    let fields = json!({ "type": "array", "items": { "required": ["name", "value"] } });
    let schema = json!({ "required": ["log"], "properties": { "log": {
        "required": ["version", "creator", "entries"],
        "properties": {
            "version": { "const": "1.2" },
            "creator": { "required": ["name", "version"] },
            "pages": { "items": { "required": ["startedDateTime", "id", "title", "pageTimings"] } },
            "entries": { "items": {
                "required": ["startedDateTime", "time", "request", "response", "cache", "timings"],
                "properties": {
                    "time": { "type": "number", "minimum": 0 },
                    "timings": { "required": ["send", "wait", "receive"] },
                    "request": {
                        "required": ["method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"],
                        "properties": { "headers": fields, "queryString": fields, "postData": { "required": ["mimeType", "text"] } },
                    },
                    "response": {
                        "required": ["status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize", "bodySize"],
                        "properties": { "headers": fields, "content": { "required": ["size", "mimeType"] } },
                    },
                },
            } },
        },
    } } });
    let archive: Value = serde_json::from_str(&har(&sample::report())).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&archive)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let entries = archive["log"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2 + 2 + 1 + 1 + 2 + 1);
    assert_eq!(entries[0]["comment"], "set-up F-3f2a9c1b");
    assert_eq!(entries[2]["response"]["_error"], "connection reset by the target");
    assert_eq!(
        entries[0]["request"]["queryString"],
        json!([{ "name": "scope", "value": "a" }, { "name": "x", "value": "" }])
    );
    assert_eq!(
        entries[0]["request"]["postData"]["comment"],
        "cut: 14 of 4096 bytes"
    );
}
