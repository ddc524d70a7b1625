//! Documents of others: the suite finds nothing wrong with servers that are right, the reference server among them, finds
//! what is wrong, and says one clear sentence of documents that can't be used.

use serde_json::Value;

use crate::others::{self, Fault, MANNERS, Manner};
use crate::reference::conforms;
use crate::server::suite;

/// The documents.
const DOCUMENTS: [&str; 6] = [
    "petshop.yaml",
    "sensors.yaml",
    "drawings.yaml",
    "rooms.yaml",
    "orders.yaml",
    "functions.json",
];

#[test]
fn documents_of_others_conform_to_themselves() {
    for (name, seed) in DOCUMENTS.iter().zip(["31", "32", "33", "34", "35", "36"]) {
        let path = others::document(name);
        conforms(&["--document", path.to_str().unwrap()], seed);
    }
}

/// ETSI's NFV documents are in several files and directories; they are not part of the repository.
#[test]
fn documents_of_etsi_nfv_conform_to_themselves_where_they_are() {
    let shared = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/etsi-forge/nfv");
    let folder = shared.join("SOL002-SOL003/v5.3.1/src/SOL003");
    for name in ["VNFLifecycleManagement", "VNFPerformanceManagement"] {
        let path = folder.join(name).join(format!("{name}.yaml"));
        if path.is_file() {
            conforms(&["--document", path.to_str().unwrap()], "37");
        }
    }
}

/// Tests a server that was written by hand; exit code, what was printed, the report.
fn tested(manner: Manner, fault: Fault, seed: &str, more: [&str; 2]) -> (i32, String, Value) {
    let target = format!("http://{}", others::start(manner, fault));
    let path = others::document(manner.document());
    let reports = tempfile::tempdir().unwrap();
    let output = suite(&[
        "run",
        "--target",
        &target,
        "--document",
        path.to_str().unwrap(),
        "--header",
        if manner.has_key() {
            "X-Api-Key: secret-of-the-test"
        } else {
            "X-Test: foreign"
        },
        "--seed",
        seed,
        more[0],
        more[1],
        "--jobs",
        "4",
        "--timeout",
        "60",
        "--report-dir",
        reports.path().to_str().unwrap(),
    ]);
    let report = std::fs::read_to_string(reports.path().join("report.json")).unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (
        output.status.code().unwrap(),
        text,
        serde_json::from_str(&report).unwrap(),
    )
}

#[test]
fn servers_of_others_that_are_right_conform() {
    for (manner, seed) in MANNERS.into_iter().zip(["41", "42", "43", "44", "45"]) {
        let (code, text, report) = tested(manner, Fault::None, seed, ["--cases", "1200"]);
        let found = report["findings"].as_array().unwrap();
        let errors = found
            .iter()
            .filter(|finding| finding["severity"] == "error")
            .count();
        assert_eq!((errors, code), (0, 0), "{}: {text}", manner.document());
        // Who gives a key is told that identifiers follow each other, which is right.
        assert!(
            found.is_empty() || manner.has_key(),
            "{}: {text}",
            manner.document()
        );
    }
}

#[test]
fn servers_of_others_that_are_wrong_are_found_out() {
    let faults = [
        (0, Fault::ChangesText, "op=POST /pets", "keeps-what-is-sent"),
        (1, Fault::LacksIdentifier, "op=POST /sensors", "response-schema"),
        (
            2,
            Fault::AcceptsAnything,
            "check=refuses-invalid",
            "refuses-invalid",
        ),
        (3, Fault::KeepsRemoved, "check=delete-removes", "delete-removes"),
        (0, Fault::OtherErrors, "op=GET /pets/{petId}", "response-schema"),
    ];
    for (manner, fault, only, check) in faults {
        let (code, text, report) = tested(MANNERS[manner], fault, "51", ["--only", only]);
        let found = report["findings"].as_array().unwrap();
        let named = found
            .iter()
            .any(|one| one["check"] == check && one["severity"] == "error");
        assert!(named && code == 1, "{fault:?}: {text}");
    }
}

#[test]
fn what_the_suite_can_not_send_is_said() {
    let (_, text, report) = tested(MANNERS[4], Fault::None, "61", ["--only", "check=accepts-valid"]);
    for key in [
        "POST /session",
        "POST /orders/{order}/files",
        "PUT /orders/{order}/receipt",
    ] {
        let all = report["requirements"].as_array().unwrap();
        let of_body = all
            .iter()
            .find(|one| one["operation"] == key && one["check"] == "accepts-valid");
        let of_body = of_body.unwrap_or_else(|| panic!("{key}: {text}"));
        assert_eq!(of_body["verdict"], "inconclusive", "{key}: {of_body}");
        let reason = of_body["reason"].as_str().unwrap();
        assert!(reason.contains("makes bodies of JSON alone"), "{key}: {reason}");
    }
}

/// The head of a document, and one operation whose answer has a schema.
fn with_schema(schema: &str, rest: &str) -> String {
    format!(
        "openapi: 3.1.0\ninfo: {{title: a, version: '1'}}\npaths:\n  /a:\n    get:\n      responses:\n        '200': {{description: x, content: {{application/json: {{schema: {schema}}}}}}}\n{rest}"
    )
}

/// Documents that can't be used: name, text, and what is said of each.
fn unusable() -> Vec<(&'static str, String, Vec<&'static str>)> {
    let circle = "components:\n  schemas:\n    A: {allOf: [{$ref: '#/components/schemas/B'}]}\n    B: {allOf: [{$ref: '#/components/schemas/A'}]}\n";
    let head = "openapi: 3.0.0\ninfo: {title: a, version: '1'}\npaths:";
    vec![
        ("empty.yaml", String::new(), vec!["empty.yaml", "is empty"]),
        (
            "page.html",
            "\n<!DOCTYPE html><html></html>".to_owned(),
            vec!["page.html", "HTML"],
        ),
        (
            "broken.yaml",
            "openapi: 3.0.0\n  info: [".to_owned(),
            vec!["broken.yaml:2:", "no YAML"],
        ),
        (
            "broken.json",
            "{\"openapi\": \"3.0.0\",".to_owned(),
            vec!["broken.json:1:"],
        ),
        (
            "list.json",
            "[1, 2]".to_owned(),
            vec!["list.json:1:1", "no mapping"],
        ),
        (
            "other.yaml",
            "asyncapi: 2.0.0\n".to_owned(),
            vec!["other.yaml:1:1", "OpenAPI document"],
        ),
        (
            "version.yaml",
            "openapi: 4.0.0\npaths: {}\n".to_owned(),
            vec!["version.yaml:1:", "4.0.0"],
        ),
        (
            "nothing.yaml",
            format!("{head} {{}}\n"),
            vec!["nothing.yaml", "no paths"],
        ),
        (
            "kind.yaml",
            format!("{head}\n  /a:\n    get: 5\n"),
            vec!["kind.yaml:5:", "/paths/~1a/get"],
        ),
        (
            "status.yaml",
            format!("{head}\n  /a:\n    get: {{responses: {{'2000': {{description: x}}}}}}\n"),
            vec!["status.yaml", "/paths/~1a/get/responses", "2000"],
        ),
        (
            "reference.yaml",
            with_schema("{$ref: '#/components/schemas/Nothing'}", ""),
            vec!["reference.yaml:7:", "leads nowhere"],
        ),
        (
            "file.yaml",
            with_schema("{$ref: 'absent.yaml#/A'}", ""),
            vec!["file.yaml:7:", "absent.yaml"],
        ),
        (
            "far.yaml",
            with_schema("{$ref: 'https://example.com/a.json'}", ""),
            vec!["far.yaml:7:", "another machine"],
        ),
        (
            "circle.yaml",
            with_schema("{$ref: '#/components/schemas/A'}", circle),
            vec!["circle.yaml:", "in a circle"],
        ),
        (
            "type.yaml",
            with_schema("{type: strin}", ""),
            vec!["type.yaml", "GET /a", "names no JSON type"],
        ),
        (
            "pattern.yaml",
            with_schema("{type: string, pattern: '(['}", ""),
            vec!["pattern.yaml", "GET /a", "regular expression"],
        ),
        (
            "variable.yaml",
            format!("{}servers: [{{url: 'http://a/{{b}}'}}]\n", with_schema("{}", "")),
            vec!["variable.yaml", "/servers/0/variables", "`b`"],
        ),
        (
            "deep.yaml",
            format!("{head} {}{}\n", "[".repeat(5000), "]".repeat(5000)),
            vec!["deep.yaml:3:", "nested"],
        ),
        (
            "gigantic.yaml",
            "#".repeat((16 << 20) + 1),
            vec!["gigantic.yaml", "at most"],
        ),
        (
            "many.yaml",
            format!(
                "{head}\n{}",
                (0..5001)
                    .map(|at| format!("  /p{at}: {{get: {{responses: {{}}}}}}\n"))
                    .collect::<String>()
            ),
            vec!["many.yaml", "5000 operations"],
        ),
    ]
}

#[test]
fn documents_that_can_not_be_used_are_one_clear_sentence_and_exit_2() {
    let directory = tempfile::tempdir().unwrap();
    for (name, text, wanted) in unusable() {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap();
        for command in [
            ["run", "--target", "http://127.0.0.1:9"],
            ["mock", "--listen", "127.0.0.1:0"],
        ] {
            let output = suite(&[command[0], command[1], command[2], "--document", path]);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{name}: {said}");
            assert!(output.stdout.is_empty(), "{name}");
            for words in &wanted {
                assert!(said.contains(words), "{name}: {words:?} in {said}");
            }
            assert!(said.lines().count() <= 4 && said.len() < 700, "{name}: {said}");
        }
    }
}

#[test]
fn a_file_that_is_not_there_and_a_directory_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let absent = directory.path().join("absent.yaml");
    for (path, words) in [
        (absent.as_path(), "check the path"),
        (directory.path(), "is a directory"),
    ] {
        let output = suite(&[
            "run",
            "--target",
            "http://127.0.0.1:9",
            "--document",
            path.to_str().unwrap(),
        ]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words) && said.lines().count() == 1, "{said}");
    }
}
