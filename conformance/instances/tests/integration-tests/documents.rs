//! Every schema of every generated document: what is called valid must be accepted, what is called invalid refused.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use mecforge_instances::{Direction, Options, Schema};
use serde_json::{Value, json};

/// The documents, by the name of their crate.
pub(crate) fn documents() -> Vec<(String, Arc<Value>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../generated");
    let mut found: Vec<(String, Arc<Value>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("openapi.json").is_file())
        .map(|path| {
            let text = std::fs::read_to_string(path.join("openapi.json")).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, Arc::new(serde_json::from_str(&text).unwrap()))
        })
        .collect();
    found.sort_by(|left, right| left.0.cmp(&right.0));
    found
}

/// The pointers of all schemas of bodies and parameters, each with its direction; references are followed once.
pub(crate) fn schemas(document: &Value) -> BTreeSet<(String, bool)> {
    let mut found = BTreeSet::new();
    search(document, String::new(), false, &mut found);
    found
}

fn search(value: &Value, place: String, response: bool, found: &mut BTreeSet<(String, bool)>) {
    let Value::Object(object) = value else {
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            search(item, format!("{place}/{index}"), response, found);
        }
        return;
    };
    for (name, inner) in object {
        let here = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
        if name == "schema" {
            let target = inner
                .get("$ref")
                .and_then(Value::as_str)
                .map(|reference| reference[1..].to_owned());
            found.insert((target.unwrap_or(here), response));
        } else if name != "schemas" {
            search(inner, here, response || name == "responses", found);
        }
    }
}

/// The judge, independent of the code under test: the whole document with a reference in front.
pub(crate) fn judge(document: &Value, pointer: &str) -> jsonschema::Validator {
    let mut whole = document.clone();
    let fragment = pointer
        .replace('{', "%7B")
        .replace('}', "%7D")
        .replace(' ', "%20")
        .replace('#', "%23");
    whole
        .as_object_mut()
        .unwrap()
        .insert("$ref".to_owned(), json!(format!("#{fragment}")));
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&whole)
        .unwrap()
}

/// Checks one schema; gives the numbers of valid and invalid cases.
fn check(name: &str, document: &Arc<Value>, pointer: &str, direction: Direction) -> (usize, usize) {
    let options = Options {
        direction,
        ..Options::default()
    };
    let schema = Schema::with_options(document, pointer, &options).unwrap();
    let judge = judge(document, pointer);
    let place = format!("{name} {pointer}");
    let minimal = schema
        .minimal()
        .unwrap_or_else(|| panic!("{place}: no minimal instance"));
    let full = schema
        .full()
        .unwrap_or_else(|| panic!("{place}: no full instance"));
    assert!(judge.is_valid(&minimal), "{place}: {minimal}");
    assert!(judge.is_valid(&full), "{place}: {full}");
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..20 {
        let random = schema
            .random(&mut rng)
            .unwrap_or_else(|| panic!("{place}: no random instance"));
        assert!(judge.is_valid(&random), "{place}: {random}");
    }
    let valid = schema.valid_cases();
    for case in &valid {
        assert!(judge.is_valid(&case.value), "{place}: {}", case.what);
    }
    let invalid = schema.invalid_cases(&full);
    let known: BTreeSet<String> = schema
        .constraints()
        .into_iter()
        .map(|constraint| constraint.schema_pointer)
        .collect();
    for case in &invalid {
        assert!(!judge.is_valid(&case.value), "{place}: {}", case.what);
        assert!(
            known.contains(&case.schema_pointer),
            "{place}: {} is no constraint",
            case.schema_pointer
        );
    }
    (valid.len(), invalid.len())
}

#[test]
fn every_instance_of_every_document_is_what_it_is_called() {
    let documents = documents();
    assert_eq!(documents.len(), 19);
    let work: Vec<(String, Arc<Value>, String, bool)> = documents
        .iter()
        .flat_map(|(name, document)| {
            schemas(document)
                .into_iter()
                .map(|(pointer, response)| (name.clone(), Arc::clone(document), pointer, response))
        })
        .collect();
    let halves: Vec<Vec<_>> = (0..2)
        .map(|half| work.iter().skip(half).step_by(2).cloned().collect())
        .collect();
    let threads: Vec<_> = halves
        .into_iter()
        .map(|half| {
            std::thread::spawn(move || {
                let mut sum = (0, 0);
                for (name, document, pointer, response) in half {
                    let direction = if response {
                        Direction::Response
                    } else {
                        Direction::Request
                    };
                    let started = std::time::Instant::now();
                    let (valid, invalid) = check(&name, &document, &pointer, direction);
                    let spent = started.elapsed();
                    assert!(spent.as_secs() < 60, "{name} {pointer} took {spent:?}");
                    sum = (sum.0 + valid, sum.1 + invalid);
                }
                sum
            })
        })
        .collect();
    let sums: Vec<(usize, usize)> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let (valid, invalid) = sums
        .iter()
        .fold((0, 0), |sum, half| (sum.0 + half.0, sum.1 + half.1));
    assert!(
        valid > 10_000 && invalid > 10_000,
        "{valid} valid and {invalid} invalid cases"
    );
}

/// Where alternatives and conditions play no part, the independent judge too sees one broken keyword at one place.
#[test]
fn the_judge_sees_one_broken_rule() {
    let mut checked = 0;
    for (name, document) in documents()
        .into_iter()
        .filter(|(name, _)| name.starts_with("mec011"))
    {
        for (pointer, _) in schemas(&document).into_iter().filter(|(_, response)| !response) {
            let schema = Schema::new(&document, &pointer).unwrap();
            let judge = judge(&document, &pointer);
            for case in schema.invalid_cases(&schema.minimal().unwrap()) {
                let errors: BTreeSet<(String, String)> = judge
                    .iter_errors(&case.value)
                    .map(|error| {
                        (
                            error.instance_path().to_string(),
                            error.kind().keyword().to_owned(),
                        )
                    })
                    .collect();
                let knotted = errors
                    .iter()
                    .any(|(_, keyword)| ["anyOf", "oneOf", "not", "falseSchema"].contains(&keyword.as_str()));
                let place = format!("{name} {pointer}: {}: {errors:?}", case.what);
                if knotted {
                    continue;
                }
                checked += 1;
                let places: BTreeSet<&str> = errors.iter().map(|(place, _)| place.as_str()).collect();
                assert_eq!(places.len(), 1, "{place}");
                let beside = |keyword: &str| {
                    keyword == case.keyword || (case.keyword == "type" && matches!(keyword, "enum" | "const"))
                };
                assert!(errors.iter().all(|(_, keyword)| beside(keyword)), "{place}");
            }
        }
    }
    assert!(checked > 500, "{checked}");
}

/// Rules that no instance can break alone, with the reason.
const NOT_ALONE: &[(&str, &str)] = &[];

#[test]
fn every_constraint_of_mec_011s_requests_is_satisfied_and_broken() {
    let mut lacking = Vec::new();
    for (name, document) in documents()
        .into_iter()
        .filter(|(name, _)| name.starts_with("mec011"))
    {
        for (pointer, _) in schemas(&document).into_iter().filter(|(_, response)| !response) {
            let schema = Schema::new(&document, &pointer).unwrap();
            let base = schema.minimal().unwrap();
            let mut satisfied = BTreeSet::new();
            for case in schema.valid_cases() {
                satisfied.extend(schema.satisfied(&case.value));
            }
            let broken: BTreeSet<String> = schema
                .invalid_cases(&base)
                .into_iter()
                .map(|case| case.schema_pointer)
                .collect();
            for constraint in schema.constraints() {
                let rule = constraint.schema_pointer;
                let listed = NOT_ALONE.iter().any(|(known, _)| *known == rule);
                if !satisfied.contains(&rule) {
                    lacking.push(format!("{name}: {rule} is never satisfied"));
                }
                if broken.contains(&rule) == listed {
                    lacking.push(format!(
                        "{name}: {rule} {}",
                        if listed {
                            "is broken after all"
                        } else {
                            "is never broken"
                        }
                    ));
                }
            }
        }
    }
    lacking.sort();
    lacking.dedup();
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

#[test]
fn the_limits_of_mec_011s_requests_are_hit_exactly() {
    let mut checked = 0;
    for (_, document) in documents()
        .into_iter()
        .filter(|(name, _)| name.starts_with("mec011"))
    {
        for (pointer, _) in schemas(&document).into_iter().filter(|(_, response)| !response) {
            let schema = Schema::new(&document, &pointer).unwrap();
            let cases = schema.valid_cases();
            for constraint in schema.constraints() {
                let limit = document
                    .pointer(&constraint.schema_pointer)
                    .and_then(Value::as_u64);
                let Some(limit) = limit else { continue };
                checked += 1;
                let hit = cases
                    .iter()
                    .filter(|case| case.schema_pointer == constraint.schema_pointer)
                    .any(|case| match case.value.pointer(&case.instance_pointer) {
                        Some(Value::String(text)) => text.chars().count() as u64 == limit,
                        Some(Value::Array(items)) => items.len() as u64 == limit,
                        Some(Value::Number(number)) => number.as_u64() == Some(limit),
                        _ => false,
                    });
                assert!(hit, "{pointer}: {} is not hit", constraint.schema_pointer);
            }
        }
    }
    assert!(checked > 10, "{checked}");
}
