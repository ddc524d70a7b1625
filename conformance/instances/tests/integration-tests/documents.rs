//! Every schema of every generated document: what is called valid must be accepted, what is called invalid refused.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use mecforge_instances::{Direction, INVALID_CASES, Limited, Options, Schema, VALID_CASES};
use serde_json::{Value, json};

use crate::statistics::Statistics;

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
fn check(
    name: &str,
    document: &Arc<Value>,
    pointer: &str,
    direction: Direction,
    statistics: &mut Statistics,
) -> (usize, usize) {
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
    let Limited {
        cases: valid,
        truncated,
    } = schema.valid_cases_within(VALID_CASES);
    let limited = schema.invalid_cases_within(&full, INVALID_CASES);
    statistics.root(&schema, [truncated, limited.truncated]);
    let (mut rng, mut broken) = (fastrand::Rng::with_seed(1), fastrand::Rng::with_seed(1));
    for _ in 0..20 {
        let random = schema
            .random(&mut rng)
            .unwrap_or_else(|| panic!("{place}: no random instance"));
        assert!(judge.is_valid(&random), "{place}: {random}");
        statistics.valid(pointer, &random);
        for case in schema.random_invalid(&random, &mut broken, 4) {
            assert!(!judge.is_valid(&case.value), "{place}: {}", case.what);
        }
    }

    for case in &valid {
        assert!(judge.is_valid(&case.value), "{place}: {}", case.what);
        statistics.valid(pointer, &case.value);
    }
    let invalid = limited.cases;
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
        statistics.invalid(case);
    }
    (valid.len(), invalid.len())
}

/// Checks every second document's schemas, beginning with one; the numbers of cases, and what was reached.
fn checked(documents: &[(String, Arc<Value>)]) -> (usize, usize, Vec<(String, Statistics)>) {
    let (mut valid, mut invalid, mut all) = (0, 0, Vec::new());
    for (name, document) in documents {
        let mut statistics = Statistics::of(document);
        for (pointer, response) in schemas(document) {
            let direction = match response {
                true => Direction::Response,
                false => Direction::Request,
            };
            let (more, broken) = check(name, document, &pointer, direction, &mut statistics);
            (valid, invalid) = (valid + more, invalid + broken);
        }
        all.push((name.clone(), statistics));
    }
    (valid, invalid, all)
}

const BY_CHANCE: &str = "inside of an alternative that is not the first, or of lists in objects in lists: the combinations are made where the smallest instance leads, and come there with random instances";

/// What is not reached though no cases were cut off: document, schema, and why.
const LISTED: &[(&str, &str, &str)] = &[
    ("mec010-app-lifecycle-management", "AppProducts", BY_CHANCE),
    ("mec010-app-lifecycle-management", "Versions", BY_CHANCE),
    (
        "mec010-app-lifecycle-management",
        "OperateAppRequest",
        "its conditions tie stopType to two other properties: what breaks one of these rules breaks another too",
    ),
    ("mec011-app-support@v2.1.1", "DestinationInterface", BY_CHANCE),
    (
        "mec011-service-management",
        "SerAvailabilityNotificationSubscription",
        "filteringCriteria has to have exactly one of four members, which few combinations have",
    ),
    ("mec012-radio-network-information", "FilterCriteria", BY_CHANCE),
    (
        "mec012-radio-network-information",
        "S1BearerSubscriptionCriteria",
        BY_CHANCE,
    ),
    (
        "mec013-location",
        "LocationInfo",
        "its conditions list values of shape, and so does the property: a value that none has breaks several lists",
    ),
    (
        "mec013-location",
        "Velocity",
        "its conditions list values of velocityType, and so does the property: a value that none has breaks several lists",
    ),
    ("mec028-wlan-information", "ChannelLoadConfig", BY_CHANCE),
    ("mec028-wlan-information", "NotificationEvent1", BY_CHANCE),
    ("mec028-wlan-information", "NeighborReportConfig", "NEIGHBOR"),
    (
        "mec029-fixed-access-information",
        "AniAlarmNotification",
        BY_CHANCE,
    ),
    (
        "mec029-fixed-access-information",
        "FilterCriteriaOnuAlarm",
        BY_CHANCE,
    ),
    (
        "mec029-fixed-access-information",
        "OnuAlarmNotification",
        BY_CHANCE,
    ),
    (
        "mec030-v2x-information",
        "ProvChgUuUniSubscription",
        "it has a callback address or a WebSocket; the smallest instance with the latter has the former too",
    ),
    ("mec030-v2x-information", "ProvChgUuMbmsNotification", BY_CHANCE),
    ("mec030-v2x-information", "ProvChgUuUniNotification", BY_CHANCE),
];

#[test]
fn every_instance_of_every_document_is_what_it_is_called_and_every_boundary_is_hit() {
    let documents = documents();
    assert_eq!(documents.len(), 19);
    // The greatest documents take as long as all others.
    let (one, other): (Vec<_>, Vec<_>) = documents.into_iter().enumerate().partition(|(at, _)| at % 2 == 0);
    let halves = [one, other].map(|half| {
        let half: Vec<_> = half.into_iter().map(|(_, document)| document).collect();
        std::thread::spawn(move || checked(&half))
    });
    let (mut valid, mut invalid, mut lacking, mut pairs) = (0, 0, BTreeSet::new(), [0, 0]);
    for half in halves {
        let (more, broken, all) = half.join().unwrap();
        (valid, invalid) = (valid + more, invalid + broken);
        for (name, statistics) in all {
            let (here, [all, missing]) = statistics.lacking();
            pairs = [pairs[0] + all, pairs[1] + missing];
            lacking.extend(
                here.into_iter()
                    .map(|(what, rule)| format!("{name} {what}: {rule}")),
            );
        }
    }
    assert!(
        valid > 10_000 && invalid > 10_000,
        "{valid} valid and {invalid} invalid cases"
    );
    let [all, missing] = pairs;
    assert!(
        all > 1_500 && missing * 5 < all,
        "{missing} of {all} pairs are not shown in all four ways"
    );
    let mut used = BTreeSet::new();
    lacking.retain(|line| {
        let listed = LISTED.iter().position(|(document, place, _)| {
            let (found, rule) = line.split_once(": ").unwrap();
            found.starts_with(&format!("{document} "))
                && rule.starts_with(&format!("/components/schemas/{place}"))
        });
        used.extend(listed);
        listed.is_none()
    });
    let lines: Vec<_> = lacking.iter().map(String::as_str).collect();
    assert!(lacking.is_empty(), "{}", lines.join("\n"));
    let superfluous: Vec<_> = (0..LISTED.len())
        .filter(|at| !used.contains(at))
        .map(|at| LISTED[at].1)
        .collect();
    assert!(superfluous.is_empty(), "is reached after all: {superfluous:?}");
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
