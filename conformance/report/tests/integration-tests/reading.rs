//! The JSON form and its schema: what is written is valid, what lacks a member is not, and what is no report says so.

use mecforge_report::{Report, SCHEMA, json, read, read_file};
use serde_json::Value;

use crate::sample;

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn value(report: &Report) -> Value {
    serde_json::from_str(&json(report)).unwrap()
}

/// An empty report has a format all the same.
fn empty() -> Report {
    Report {
        format: mecforge_report::FORMAT.to_owned(),
        ..Report::default()
    }
}

#[test]
fn reports_are_valid() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    for report in [empty(), sample::report()] {
        let errors: Vec<String> = validator
            .iter_errors(&value(&report))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn a_report_without_one_of_its_members_is_not_valid() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let whole = value(&sample::report());
    let mut pointers = Vec::new();
    members(&whole, String::new(), &mut pointers);
    assert!(pointers.len() > 300);
    for (parent, name) in pointers {
        let mut lacking = whole.clone();
        lacking
            .pointer_mut(&parent)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(&name);
        assert!(!validator.is_valid(&lacking), "{parent} lacks {name}");
    }
}

/// Every member of every object, but for the maps of counts, which are open.
fn members(value: &Value, pointer: String, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (name, member) in object {
                if pointer != "/summary/findings" && pointer != "/summary/requirements" {
                    found.push((pointer.clone(), name.clone()));
                }
                members(member, format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                members(item, format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn the_schema_describes_every_member() {
    let mut closed = schema();
    close(&mut closed);
    let validator = jsonschema::draft202012::new(&closed).unwrap();
    let whole = value(&sample::report());
    let errors: Vec<String> = validator
        .iter_errors(&whole)
        .map(|error| error.to_string())
        .collect();
    assert!(
        errors.is_empty(),
        "the model has members that the schema lacks: {errors:#?}"
    );
    for object in std::iter::once(&closed).chain(closed["$defs"].as_object().unwrap().values()) {
        for (name, property) in object
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            assert!(
                property["description"]
                    .as_str()
                    .is_some_and(|words| words.len() > 4),
                "{name}"
            );
        }
    }
}

/// Forbids in every object what the schema does not name.
fn close(schema: &mut Value) {
    if let Some(object) = schema.as_object_mut() {
        if object.get("type") == Some(&Value::from("object")) && object.contains_key("properties") {
            object.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
        object.values_mut().for_each(close);
    }
}

#[test]
fn what_is_no_report_says_where_and_what_to_do() {
    let cases = [
        (
            "",
            "line 1, column 0: EOF while parsing a value; give a report.json that `mec-conformance run --report-dir` wrote",
        ),
        (
            "{\n  \"format\": 1\n}",
            "line 2, column 13: invalid type: integer `1`, expected a string; give a report.json that `mec-conformance run --report-dir` wrote",
        ),
        (
            "{}",
            "line 1, column 2: missing field `format`; give a report.json that `mec-conformance run --report-dir` wrote",
        ),
        (
            "{\"format\": \"2.0\"}",
            "line 1: the report has format \"2.0\", and this release reads 1.0; read it with the release that wrote it, or run the suite again",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(read(text).unwrap_err().to_string(), message);
    }
    assert!(
        read("{\"format\": \"1.7\"}")
            .unwrap_err()
            .to_string()
            .contains("missing field"),
        "1.7 is readable"
    );
}

#[test]
fn a_file_that_is_no_report_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let absent = read_file(&path).unwrap_err();
    assert!(
        absent.to_string().contains("report.json: cannot be read as text"),
        "{absent}"
    );
    std::fs::write(&path, "[]").unwrap();
    let wrong = read_file(&path).unwrap_err();
    assert!(
        wrong.to_string().contains("report.json: line 1, column"),
        "{wrong}"
    );
    std::fs::write(&path, json(&sample::report())).unwrap();
    assert_eq!(read_file(&path).unwrap(), sample::report());
}
