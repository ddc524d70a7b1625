//! MEC 011 by its other witness: bodies that our v3.1.1 crates write, judged by ETSI's v2.1.1 documents, and the other
//! way round. A wrong repair of v3.1.1 can't hide here, because v2.1.1 is written by hand and only upgraded.
//!
//! Every fault that a judge finds is a difference that [`DIFFERENCES`] lists and explains; every entry is met.

use std::collections::{BTreeMap, BTreeSet};

use mecforge_document::upgrade;
use mecforge_runtime::strategy::Case;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::documents;
use crate::v2_differences::{DIFFERENCES, Way};

/// Values drawn for each body and direction.
const VALUES: usize = 120;

/// An API of MEC 011 in both releases.
struct Pair {
    newest: Value,
    newest_cases: Vec<Case>,
    /// ETSI's document, upgraded and otherwise as it was written.
    earlier: Value,
    /// Our crate of it, only for drawing values.
    earlier_repaired: Value,
    earlier_cases: Vec<Case>,
}

fn pairs() -> Vec<Pair> {
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    vec![
        Pair {
            newest: parse(mec011_service_management::DOCUMENT),
            newest_cases: mec011_service_management::strategies::cases(),
            earlier: upgraded("mec011-service-management@v2.1.1"),
            earlier_repaired: parse(mec011_service_management_v2_1_1::DOCUMENT),
            earlier_cases: mec011_service_management_v2_1_1::strategies::cases(),
        },
        Pair {
            newest: parse(mec011_app_support::DOCUMENT),
            newest_cases: mec011_app_support::strategies::cases(),
            earlier: upgraded("mec011-app-support@v2.1.1"),
            earlier_repaired: parse(mec011_app_support_v2_1_1::DOCUMENT),
            earlier_cases: mec011_app_support_v2_1_1::strategies::cases(),
        },
    ]
}

fn upgraded(name: &str) -> Value {
    let mut document = documents::load(name);
    upgrade::upgrade(&mut document).unwrap();
    document.root.to_json()
}

/// The JSON schema of each body, by method, path and `request` or status.
fn bodies(document: &Value) -> BTreeMap<String, Value> {
    let mut bodies = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item
            .as_object()
            .unwrap()
            .iter()
            .filter(|(key, _)| *key != "parameters")
        {
            let mut insert = |name: &str, holder: &Value| {
                let schema = &resolved(document, holder)["content"]["application/json"]["schema"];
                if !schema.is_null() {
                    bodies.insert(format!("{method} {path} {name}"), schema.clone());
                }
            };
            insert("request", &operation["requestBody"]);
            for (status, response) in operation["responses"].as_object().unwrap() {
                insert(status, response);
            }
        }
    }
    bodies
}

fn resolved<'document>(document: &'document Value, node: &'document Value) -> &'document Value {
    match node["$ref"].as_str() {
        Some(target) => resolved(
            document,
            document.pointer(target.trim_start_matches('#')).unwrap(),
        ),
        None => node,
    }
}

/// The name of the schema that a body is, or is a list of; and whether it is a list.
fn named(schema: &Value) -> Option<(&str, bool)> {
    let name = |schema: &'_ Value| {
        schema["$ref"]
            .as_str()
            .and_then(|target| target.rsplit_once('/').map(|(start, _)| start.len() + 1))
    };
    match (name(schema), name(&schema["items"])) {
        (Some(start), _) => Some((&schema["$ref"].as_str()?[start..], false)),
        (None, Some(start)) => Some((&schema["items"]["$ref"].as_str()?[start..], true)),
        (None, None) => None,
    }
}

fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
    options.should_validate_formats(true).build(&schema).unwrap()
}

/// The places, with `*` for indices, and keywords of all faults.
fn faults(validator: &jsonschema::Validator, value: &Value) -> BTreeSet<(String, String)> {
    let pattern = |place: String| {
        let tokens = place.split('/').map(|token| {
            if token.parse::<usize>().is_ok() {
                "*"
            } else {
                token
            }
        });
        tokens.collect::<Vec<_>>().join("/")
    };
    let keyword = |path: String| {
        let mut tokens = path.rsplit('/').filter(|token| token.parse::<usize>().is_err());
        tokens.next().unwrap_or_default().to_owned()
    };
    let faults = validator.iter_errors(value);
    faults
        .map(|fault| {
            (
                pattern(fault.instance_path().to_string()),
                keyword(fault.schema_path().to_string()),
            )
        })
        .collect()
}

/// Draws values of a body of one release and judges them by the other; the faults with an example of each.
fn differences(way: Way) -> BTreeMap<(String, String, String), String> {
    let mut found = BTreeMap::new();
    let mut compared = 0;
    for pair in pairs() {
        let (drawn_from, cases, judge) = match way {
            Way::Back => (&pair.newest, &pair.newest_cases, &pair.earlier),
            Way::Forth => (&pair.earlier_repaired, &pair.earlier_cases, &pair.newest),
        };
        let (drawn, judged) = (bodies(drawn_from), bodies(judge));
        for (body, schema) in &drawn {
            let (Some(other), Some((name, is_list))) = (judged.get(body), named(schema)) else {
                continue;
            };
            let case = cases.iter().find(|case| case.name == name).unwrap();
            let validator = validator(judge, other);
            compared += 1;
            let mut runner = TestRunner::new_with_rng(
                Config {
                    max_local_rejects: 1_000_000,
                    ..Config::default()
                },
                TestRng::deterministic_rng(RngAlgorithm::ChaCha),
            );
            let strategy = (case.values)();
            for _ in 0..VALUES {
                let value = strategy.new_tree(&mut runner).unwrap().current();
                let value = if is_list { json!([value]) } else { value };
                for (place, keyword) in faults(&validator, &value) {
                    let place = if is_list {
                        place.trim_start_matches("/*").to_owned()
                    } else {
                        place
                    };
                    found
                        .entry((name.to_owned(), place, keyword))
                        .or_insert_with(|| format!("{body}: {value}"));
                }
            }
        }
    }
    assert!(compared > 20, "only {compared} bodies are in both releases");
    found
}

/// The two lists are equal: no difference without a reason, no reason without a difference.
#[track_caller]
fn check(way: Way) {
    let mut explained = BTreeMap::new();
    for entry in DIFFERENCES.iter().filter(|entry| entry.way == way) {
        for body in entry.bodies {
            for place in entry.places {
                let key = ((*body).to_owned(), (*place).to_owned(), entry.keyword.to_owned());
                assert!(
                    explained.insert(key, entry.reason).is_none(),
                    "{body} {place} {} is listed twice",
                    entry.keyword
                );
            }
        }
    }
    let found = differences(way);
    let unexplained = found.iter().filter(|(key, _)| !explained.contains_key(*key));
    let unexplained = unexplained.map(|(key, example)| format!("no reason for {key:?}: {example}"));
    let stale = explained.iter().filter(|(key, _)| !found.contains_key(*key));
    let stale = stale.map(|(key, reason)| format!("no difference {key:?}: {reason}"));
    let lines = unexplained.chain(stale).collect::<Vec<_>>();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

#[test]
fn what_v3_sends_is_valid_for_v2_but_for_known_differences() {
    check(Way::Back);
}

#[test]
fn what_v2_sends_is_valid_for_v3_but_for_known_differences() {
    check(Way::Forth);
}

/// A registration as a client of v2.1.1 writes it by hand, in both documents.
#[test]
fn a_registration_written_for_v2_is_one_for_v3() {
    let pairs = pairs();
    let body = "post /applications/{appInstanceId}/services request";
    let registration = json!({
        "serName": "weather", "version": "1.0", "state": "ACTIVE", "serializer": "JSON",
        "serCategory": {"href": "http://catalogue.example/1", "id": "1", "name": "Weather", "version": "1"},
        "transportInfo": {
            "id": "t1", "name": "REST", "type": "REST_HTTP", "protocol": "HTTP", "version": "2.0",
            "endpoint": {"uris": ["http://weather.example/"]},
            "security": {"oAuth2Info": {"grantTypes": ["OAUTH2_CLIENT_CREDENTIALS"], "tokenEndpoint": "http://mep.example/token"}},
        },
        "scopeOfLocality": "MEC_HOST", "consumedLocalOnly": true, "isLocal": true,
    });
    let without_name = {
        let mut registration = registration.clone();
        registration.as_object_mut().unwrap().remove("serName");
        registration
    };
    for document in [&pairs[0].newest, &pairs[0].earlier] {
        let validator = validator(document, &bodies(document)[body]);
        assert_eq!(faults(&validator, &registration), BTreeSet::new());
        assert_eq!(
            faults(&validator, &without_name),
            BTreeSet::from([(String::new(), "required".to_owned())])
        );
    }
}
