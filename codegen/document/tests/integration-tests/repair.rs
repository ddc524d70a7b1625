//! Stage `repair`: small documents with one class of defect each, and what becomes of them.

use std::collections::BTreeSet;

use mecforge_document::{Finding, load, repair};

use crate::load::{fixtures, list};

/// Repairs the text of a fixture; the result as JSON, and the findings.
fn repaired(name: &str, text: &str) -> (String, Vec<Finding>) {
    let mut document = load::load_text(name, text).unwrap();
    let findings = repair::repair(&mut document);
    (serde_json::to_string_pretty(&document.root).unwrap(), findings)
}

/// The findings, one a line, those that widen marked.
pub(crate) fn marked(findings: &[Finding]) -> String {
    let line = |finding: &Finding| format!("{}{finding}\n", if finding.widened { "widened: " } else { "" });
    findings.iter().map(line).collect()
}

#[test]
fn fixtures_become_what_their_golden_files_say() {
    let fixtures = fixtures("repair");
    assert!(fixtures.len() >= 17, "fixtures are missing");
    for path in fixtures {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let (json, mut findings) = repaired(&name, &std::fs::read_to_string(&path).unwrap());
        // Most schemas of the fixtures stand alone; one fixture of its own shows this class.
        findings.retain(|finding| finding.class != "unreferenced-schema");
        expectorate::assert_contents(
            path.with_extension("out"),
            &format!("{json}\n\n{}", marked(&findings)),
        );
    }
}

#[test]
fn a_repaired_document_has_nothing_left_to_repair() {
    for path in fixtures("repair") {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let (json, _) = repaired(&name, &std::fs::read_to_string(&path).unwrap());
        let (again, findings) = repaired("again.json", &json);
        assert_eq!(json, again, "{name}");
        let reported = [
            "unreferenced-schema",
            "untyped-schema",
            "no-success-response",
            "no-responses",
        ];
        let left: Vec<&Finding> = findings
            .iter()
            .filter(|finding| !reported.contains(&finding.class.as_str()))
            .collect();
        assert!(left.is_empty(), "{name}: {}", list(&left));
    }
}

#[test]
fn every_class_has_a_fixture() {
    let mut classes = BTreeSet::new();
    for path in fixtures("repair") {
        let (_, findings) = repaired("x.yaml", &std::fs::read_to_string(&path).unwrap());
        classes.extend(findings.into_iter().map(|finding| finding.class));
    }
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/repair");
    for entry in std::fs::read_dir(source).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
        let Some(named) = head.strip_prefix("//! Class") else {
            continue;
        };
        let names = named.split(':').next().unwrap();
        for class in names.split('`').skip(1).step_by(2) {
            assert!(
                classes.contains(class),
                "no fixture has a defect of class {class}"
            );
        }
    }
}

#[test]
fn a_sound_document_is_left_alone() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/repair/sound.json")).unwrap();
    let (json, findings) = repaired("sound.json", &text);
    assert_eq!(marked(&findings), "");
    assert_eq!(json.trim_end(), text.trim_end());
}

#[test]
fn schemas_that_nothing_refers_to_are_reported() {
    let text = "openapi: 3.1.0\npaths: {}\ncomponents:\n  schemas:\n    A: {$ref: '#/components/schemas/B'}\n    B: {}\n";
    let (_, findings) = repaired("x.yaml", text);
    let expected = "x.yaml:5: #/components/schemas/A: unreferenced-schema: nothing refers to this schema; \
                    kept, as a type of its own\n";
    assert_eq!(marked(&findings), expected);
}
