//! Filters and links of lists of any API: reference servers with a fault in front of them.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use mecforge_mock::Options;
use serde_json::{Value, json};

use crate::notifications::{run, verdicts};
use crate::server::serve;

/// What is wrong with the platform's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// All objects come, whatever is asked for.
    Ignores,
    /// Of several values the first alone counts.
    FirstValue,
    /// The last object that fits is left out.
    LeavesOut,
    /// Objects whose value begins with the one that is asked for come too.
    Prefix,
    /// It knows the parameter by its name in lower case alone, as another edition of a document has it.
    LowerCase,
    /// The links of listed objects lead nowhere.
    DeadLinks,
    /// They lead to the first object of the list.
    SwappedLinks,
    /// The links that objects themselves show lead nowhere.
    DeadSelf,
}

fn platform(profile: &str, wrong: Wrong) -> SocketAddr {
    let apis = mecforge_conformance::profile::find(profile).unwrap();
    let apis = apis.into_iter().map(|(api, _)| Arc::new(api)).collect();
    let options = Options {
        callbacks: true,
        ..Options::default()
    };
    let layer = axum::middleware::from_fn_with_state(wrong, between);
    serve(mecforge_mock::router(apis, options).unwrap().layer(layer))
}

/// The first list in a body.
fn list(body: &mut Value) -> Option<&mut Vec<Value>> {
    match body {
        Value::Array(items) => Some(items),
        Value::Object(members) => members.values_mut().find_map(list),
        _ => None,
    }
}

/// The answer with links that are wrong.
async fn linked(wrong: Wrong, answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let Ok(mut body) = serde_json::from_slice::<Value>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    match list(&mut body) {
        Some(items) => {
            let first = items.first().cloned();
            for item in items {
                match (wrong, item.get("href").is_some()) {
                    (Wrong::DeadLinks, true) => {
                        item["href"] = json!(item["href"].as_str().unwrap().to_owned() + "0")
                    }
                    (Wrong::DeadLinks, false) => {
                        item["_links"]["self"]["href"] = json!(PATH.to_owned() + "/nothing")
                    }
                    (Wrong::SwappedLinks, false) => {
                        item["_links"] = first.as_ref().unwrap()["_links"].clone()
                    }
                    _ => {}
                }
            }
        }
        None if wrong == Wrong::DeadSelf && parts.status.is_success() => {
            body["_links"]["self"]["href"] = json!(PATH.to_owned() + "/nothing");
        }
        None => {}
    }
    parts.headers.remove("content-length");
    Response::from_parts(parts, Body::from(body.to_string()))
}

/// The list whose links are wrong.
const PATH: &str = "/app_lcm/v1/app_instances";

async fn between(State(wrong): State<Wrong>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if matches!(wrong, Wrong::DeadLinks | Wrong::SwappedLinks | Wrong::DeadSelf)
        && request.method() == Method::GET
    {
        return linked(wrong, next.run(request).await).await;
    }
    let Some(query) = request.uri().query().map(str::to_owned) else {
        return next.run(request).await;
    };
    let (name, value) = query.split_once('=').unwrap();
    let short = value.split(['&', ',']).next().unwrap();
    let first = format!("{path}?{name}={short}");
    match wrong {
        Wrong::Ignores | Wrong::Prefix => *request.uri_mut() = path.parse().unwrap(),
        Wrong::LowerCase if name.chars().all(|letter| letter.is_ascii_lowercase()) => {
            *request.uri_mut() = format!("{path}?subscriptionType={value}").parse().unwrap();
        }
        Wrong::LowerCase => *request.uri_mut() = path.parse().unwrap(),
        Wrong::FirstValue => *request.uri_mut() = first.parse().unwrap(),
        _ => {}
    }
    let (mut parts, body) = next.run(request).await.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let Ok(mut body) = serde_json::from_slice::<Value>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    if let Some(items) = list(&mut body) {
        match wrong {
            Wrong::LeavesOut => drop(items.pop()),
            Wrong::Prefix => items.retain(|item| {
                let mut texts = item.as_object().unwrap().values().filter_map(Value::as_str);
                texts.any(|text| {
                    query
                        .split('&')
                        .any(|pair| text.starts_with(pair.split_once('=').unwrap().1))
                })
            }),
            _ => {}
        }
    }
    parts.headers.remove("content-length");
    Response::from_parts(parts, Body::from(body.to_string()))
}

/// The verdicts of the check, and the text of the run.
fn judged(profile: &str, wrong: Wrong, operation: &str) -> (Vec<String>, String) {
    judged_by("filters-select", profile, wrong, operation)
}

fn judged_by(check: &str, profile: &str, wrong: Wrong, operation: &str) -> (Vec<String>, String) {
    let address = platform(profile, wrong);
    let (_, text, report) = run(address, profile, &[check], &["--only", operation]);
    (verdicts(&report, check), text)
}

#[test]
fn right_filters_pass() {
    for (profile, operation) in [
        ("mec013-v3.1.1", "op=GET /queries/zones"),
        ("mec013-v3.1.1", "op=GET /subscriptions/users"),
        ("mec021-v2.2.1", "op=GET /subscriptions"),
        ("mec015-v2.2.1", "op=GET /mts_sessions"),
    ] {
        let (verdicts, text) = judged(profile, Wrong::Nothing, operation);
        assert!(!verdicts.is_empty(), "{text}");
        assert!(
            verdicts.iter().all(|verdict| verdict == "pass"),
            "{verdicts:?} {text}"
        );
    }
}

#[test]
fn each_fault_of_a_filter_is_found() {
    for (profile, operation, faults) in [
        (
            "mec013-v3.1.1",
            "op=GET /queries/zones",
            &[Wrong::Ignores, Wrong::LeavesOut, Wrong::Prefix][..],
        ),
        (
            "mec021-v2.2.1",
            "op=GET /subscriptions",
            &[Wrong::Ignores, Wrong::LeavesOut][..],
        ),
        (
            "mec015-v2.2.1",
            "op=GET /mts_sessions",
            &[Wrong::Ignores, Wrong::LeavesOut, Wrong::FirstValue][..],
        ),
    ] {
        for wrong in faults {
            let (verdicts, text) = judged(profile, *wrong, operation);
            assert!(
                verdicts.iter().any(|verdict| verdict.starts_with("\"fail\"")),
                "{wrong:?} {verdicts:?} {text}"
            );
        }
    }
}

/// Of one list, the check passes without a fault and fails with each of these.
fn tells(check: &str, profile: &str, operation: &str, faults: &[Wrong]) {
    for wrong in [Wrong::Nothing].iter().chain(faults) {
        let (verdicts, text) = judged_by(check, profile, *wrong, operation);
        let expected = match wrong {
            Wrong::Nothing => "pass",
            _ => "\"fail\": see the findings",
        };
        assert_eq!(verdicts, [expected], "{profile} {wrong:?} {text}");
    }
}

#[test]
fn expressions_are_tried() {
    for (profile, operation) in [
        ("mec021-v2.2.1", "op=GET /app_mobility_services"),
        ("mec010-v3.1.1", "op=GET /app_instances"),
        ("mec033-v3.1.1", "op=GET /registered_devices"),
    ] {
        let faults = [Wrong::Ignores, Wrong::LeavesOut];
        tells("filters-by-attributes", profile, operation, &faults);
    }
}

#[test]
fn links_of_lists_are_followed() {
    let check = "listed-links-lead";
    let faults = [Wrong::DeadLinks, Wrong::SwappedLinks, Wrong::DeadSelf];
    tells(check, "mec010-v3.1.1", "op=GET /app_instances", &faults);
    tells(
        check,
        "mec012-v2.2.1",
        "op=GET /subscriptions",
        &[Wrong::DeadLinks],
    );
}

#[test]
fn a_parameter_of_another_edition_is_not_blamed() {
    let (verdicts, text) = judged("mec021-v2.2.1", Wrong::LowerCase, "op=GET /subscriptions");
    assert!(
        verdicts[0].starts_with("\"inconclusive\": the platform filters by"),
        "{verdicts:?} {text}"
    );
}
