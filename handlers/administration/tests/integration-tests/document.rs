//! The API's document: kept as a file, and true of what the API answers.

use std::path::Path;

use http::Method;
use mecforge_contracts::keys;
use serde_json::{Value, json};

use crate::asking::request;
use crate::world::{World, dns_rule, service, traffic_rule};

#[test]
fn the_document_is_the_file() {
    let document = mecforge_administration::document().to_pretty_json().unwrap() + "\n";
    expectorate::assert_contents(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json"),
        &document,
    );
}

/// A judge of what an operation answers with `200`.
fn judge(document: &Value, path: &str, method: &str) -> jsonschema::Validator {
    judge_of(document, path, method, "application/json")
}

/// A judge of the data of events.
pub(crate) fn judge_of_events() -> jsonschema::Validator {
    let document = serde_json::to_value(mecforge_administration::document()).unwrap();
    judge_of(&document, "/events", "get", "text/event-stream")
}

fn judge_of(document: &Value, path: &str, method: &str, media_type: &str) -> jsonschema::Validator {
    let pointer = |text: &str| text.replace('~', "~0").replace('/', "~1");
    let place = format!(
        "/paths/{}/{method}/responses/200/content/{}/schema",
        pointer(path),
        pointer(media_type)
    );
    let schema = document.pointer(&place).unwrap_or_else(|| panic!("no {place}"));
    let whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": document["components"],
        "allOf": [schema],
    });
    jsonschema::validator_for(&whole).unwrap()
}

#[tokio::test]
async fn answers_are_as_the_document_says() {
    let world = World::with_defaults();
    let document = serde_json::to_value(mecforge_administration::document()).unwrap();
    let subscription = keys::subscription("service-availability", "a", "1");
    world.put(&subscription, json!({})).await;
    world.put(&keys::application("a"), json!({"appName": "n"})).await;
    world
        .put(&keys::service("a", "s"), service("one", "ACTIVE"))
        .await;
    world
        .put(
            &keys::dns_rule("a", "d"),
            dns_rule("d", "a.example.com", "ACTIVE"),
        )
        .await;
    world
        .put(&keys::traffic_rule("a", "t"), traffic_rule("t", 1, "ACTIVE"))
        .await;
    world.queue(&subscription, "n1").await;
    world.give_up(&subscription, "n2", 1_800_000_000_000).await;
    let mut judged = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        if path == "/events" || item.get("get").is_none() {
            continue;
        }
        let segment = subscription.replace('/', "%2F");
        let target = path.replace("{subscription}", &segment).replace("{id}", "n2");
        let answer = world.get(&target).await;
        if let Some(items) = answer.get("items") {
            assert_eq!(
                items.as_array().map(Vec::len),
                Some(if path == "/applications" { 2 } else { 1 }),
                "{path}"
            );
        }
        let errors: Vec<String> = judge(&document, path, "get")
            .iter_errors(&answer)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{path}: {errors:?}");
        judged += 1;
    }
    assert_eq!(judged, 12);
    let answer = world.change(Method::POST, "/dead-letters/replay").await;
    assert!(judge(&document, "/dead-letters/replay", "post").is_valid(&answer));
    assert!(!judge(&document, "/dead-letters/replay", "post").is_valid(&json!({"count": "1"})));
}

#[test]
fn the_kinds_that_can_be_asked_for_are_those_that_there_are() {
    let document = serde_json::to_value(mecforge_administration::document()).unwrap();
    let kinds = &document["paths"]["/events"]["get"]["parameters"][0];
    assert_eq!(
        (&kinds["style"], &kinds["explode"]),
        (&json!("form"), &json!(false))
    );
    let whole = json!({"components": document["components"], "allOf": [kinds["schema"]]});
    let judge = jsonschema::validator_for(&whole).unwrap();
    assert!(judge.is_valid(&json!(["service", "dnsRule"])));
    assert!(!judge.is_valid(&json!(["cat"])) && !judge.is_valid(&json!([])));
}

#[tokio::test]
async fn every_operation_of_the_document_is_there() {
    let world = World::with_defaults();
    let document = serde_json::to_value(mecforge_administration::document()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let target = path.replace(['{', '}'], "");
            let request = request(method.clone(), &target)
                .body(axum::body::Body::empty())
                .unwrap();
            let status = world.send(request).await.status();
            assert_ne!(status, 405, "{method} {path}");
            let absent = world.get("/openapi.json").await["paths"][path].is_null();
            assert!(!absent, "{path}");
        }
    }
}
