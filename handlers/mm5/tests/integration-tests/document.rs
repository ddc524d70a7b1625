//! The document: committed, equal to the code, and as strict as the code.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use mecforge_runtime::Decode;
use serde_json::{Value, json};

use crate::platform::{dns, traffic};

#[test]
fn the_committed_document_is_what_the_code_says() {
    expectorate::assert_contents("openapi.json", &mecforge_mm5::document());
}

/// A judge of a schema of the document.
fn judge(name: &str) -> jsonschema::Validator {
    let mut document: Value = serde_json::from_str(&mecforge_mm5::document()).unwrap();
    document["$ref"] = json!(format!("#/components/schemas/{name}"));
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&document)
        .unwrap()
}

/// Judges an answer of our own API by what the document says of it.
#[track_caller]
pub(crate) fn judge_answer(method: &str, path: &str, status: u16, body: &Value) {
    static DOCUMENT: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(&mecforge_mm5::document()).unwrap());
    static JUDGES: LazyLock<Mutex<HashMap<String, Arc<jsonschema::Validator>>>> =
        LazyLock::new(Mutex::default);
    let path: Vec<&str> = path.split('?').next().unwrap().split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        template.len() == path.len()
            && template
                .iter()
                .zip(&path)
                .all(|(one, other)| one.starts_with('{') || one == other)
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let item = paths.iter().find(|(template, _)| fits(template));
    let operation = item.map_or(&Value::Null, |(_, item)| &item[method.to_lowercase()]);
    if operation.is_null() {
        assert!(
            status == 404 || status == 405,
            "{method} {path:?} is not in the document"
        );
        return;
    }
    let declared = operation["responses"].get(status.to_string());
    let Some(declared) = declared.or_else(|| operation["responses"].get("default").filter(|_| status >= 400))
    else {
        assert_eq!(status, 304, "{method} {path:?} declares no {status}");
        return;
    };
    let media_type = if status >= 400 {
        "application/problem+json"
    } else {
        "application/json"
    };
    let mut schema = declared["content"][media_type]["schema"].clone();
    assert_eq!(schema.is_null(), body.is_null(), "{method} {path:?} {status}");
    if schema.is_null() {
        return;
    }
    let mut judges = JUDGES.lock().unwrap();
    let judge = judges.entry(schema.to_string()).or_insert_with(|| {
        schema["components"] = DOCUMENT["components"].clone();
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        Arc::new(options.build(&schema).unwrap())
    });
    let judge = judge.clone();
    drop(judges);
    let errors: Vec<_> = judge.iter_errors(body).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0], "{method} {path:?} {status}: {body}");
}

#[track_caller]
fn agree<T: Decode>(name: &str, bodies: &[(Value, bool)]) {
    let judge = judge(name);
    for (body, valid) in bodies {
        let decoded = mecforge_runtime::from_slice::<T>(body.to_string().as_bytes());
        assert_eq!(decoded.is_ok(), *valid, "{body}: {:?}", decoded.err());
        assert_eq!(judge.is_valid(body), *valid, "the document about {body}");
    }
}

#[test]
fn document_and_code_agree_on_bodies() {
    let of = |name: &str, value: Value| {
        let mut body = json!({"appName": "n"});
        body[name] = value;
        body
    };
    let service = |count: usize| json!(vec![json!({"serName": "s", "version": "1"}); count]);
    let mut forward = traffic("t", 1);
    forward["action"] = json!("FORWARD_DECAPSULATED");
    agree::<mecforge_mm5::Configuration>(
        "Configuration",
        &[
            (json!({"appName": "n"}), true),
            (json!({}), false),
            (json!([]), false),
            (of("appName", json!("")), false),
            (of("appName", json!("n".repeat(128))), true),
            (of("appName", json!("n".repeat(129))), false),
            (of("appSupportMp1", json!(true)), true),
            (of("appSupportMp1", json!("true")), false),
            (of("requiredServices", service(64)), true),
            (of("requiredServices", service(65)), false),
            (of("optionalServices", json!([{"serName": "s"}])), false),
            (of("producedServices", service(64)), true),
            (of("producedServices", service(65)), false),
            (
                of(
                    "producedServices",
                    json!([{"serName": "s", "version": "1", "x": 1}]),
                ),
                false,
            ),
            (
                of(
                    "producedServices",
                    json!([{"serName": "s", "version": "1",
                    "serCategory": {"href": "/c", "id": "1", "name": "c", "version": "1"}}]),
                ),
                true,
            ),
            (of("dnsRules", json!([dns("d", "a.example")])), true),
            (of("dnsRules", json!([{}])), false),
            (of("dnsRules", json!(null)), false),
            (of("trafficRules", json!([traffic("t", 0)])), true),
            (of("trafficRules", json!([traffic("t", 256)])), false),
            (of("trafficRules", json!([forward])), false),
            (of("rules", json!([])), false),
        ],
    );
    let of = |name: &str, value: Value| {
        let mut body = json!({"callbackUri": "http://x/"});
        body[name] = value;
        body
    };
    agree::<mecforge_mm5::EventSubscriptionRequest>(
        "EventSubscriptionRequest",
        &[
            (json!({"callbackUri": "http://x/"}), true),
            (json!({}), false),
            (of("callbackUri", json!("/x")), false),
            (
                of("callbackUri", json!(format!("http://x/{}", "x".repeat(2040)))),
                false,
            ),
            (of("eventTypes", json!([])), false),
            (of("eventTypes", json!(["DRIFT", "EVENTS_LOST"])), true),
            (of("eventTypes", json!(["DRIFTING"])), false),
            (of("eventTypes", json!(null)), false),
            (of("appInstanceIds", json!(["a"])), true),
            (of("appInstanceIds", json!([])), false),
            (of("appInstanceIds", json!(vec!["a"; 101])), false),
            (of("x", json!(1)), false),
        ],
    );
}
