//! Subscriptions in a member that is named as their type: the reference server of MEC 013 with somebody in front of it who
//! does one thing otherwise, which is right, or wrong and found by the check that is there for it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use mecforge_mock::Options;
use serde_json::{Map, Value, json};

use crate::notifications::{run, verdicts};
use crate::server::serve;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// What is over is gone at once.
    Expires,
    /// Of a callback and a WebSocket, the callback is kept.
    CallbackOnly,
    /// That a test is asked for is not kept.
    ForgetsTest,
    /// A removal of what is gone is a success.
    RemovesAgain,
    /// A fault: what is replaced keeps what the new one does not have.
    Merges,
    /// A fault: it does so in the objects of what is replaced alone.
    MergesInside,
    /// A fault: any address is taken.
    TakesAnyAddress,
    /// A fault: links in lists have one type for all.
    ListsOneType,
}

struct Platform {
    way: Way,
    over: Mutex<BTreeSet<String>>,
    kept: Mutex<BTreeMap<String, Value>>,
}

fn platform(way: Way) -> SocketAddr {
    let apis = mecforge_conformance::profile::find("mec013-v3.1.1").unwrap();
    let apis = apis.into_iter().map(|(api, _)| Arc::new(api)).collect();
    let platform = Arc::new(Platform {
        way,
        over: Mutex::default(),
        kept: Mutex::default(),
    });
    let layer = axum::middleware::from_fn_with_state(platform, between);
    serve(
        mecforge_mock::router(apis, Options::default())
            .unwrap()
            .layer(layer),
    )
}

/// The subscription in a body, with the name of the member that it is in.
fn subscription(body: &mut Value) -> Option<(String, &mut Map<String, Value>)> {
    let members = body.as_object_mut().filter(|members| members.len() == 1)?;
    let (name, inner) = members.iter_mut().next()?;
    Some((name.clone(), inner.as_object_mut()?))
}

impl Platform {
    /// What somebody who merges makes of a replacement.
    fn merge(&self, path: &str, given: &mut Value) {
        let mut kept = self.kept.lock().unwrap().get(path).cloned().unwrap_or_default();
        let (Some((_, old)), Some((_, new))) = (subscription(&mut kept), subscription(given)) else {
            return;
        };
        for (name, value) in old.iter().filter(|(name, _)| *name != "_links") {
            match (self.way, new.get_mut(name)) {
                (Way::Merges, None) => {
                    new.insert(name.clone(), value.clone());
                }
                (Way::MergesInside, Some(Value::Object(inner))) if value.is_object() => {
                    for (name, value) in value.as_object().unwrap() {
                        inner.entry(name.clone()).or_insert_with(|| value.clone());
                    }
                }
                _ => {}
            }
        }
    }

    fn shown(&self, body: &mut Value) {
        if let Some(links) = body
            .pointer_mut("/notificationSubscriptionList/subscription")
            .and_then(Value::as_array_mut)
            .filter(|_| self.way == Way::ListsOneType)
        {
            for link in links {
                link["subscriptionType"] = json!("ZoneStatusSubscription");
            }
        }
        let Some((_, members)) = subscription(body) else {
            return;
        };
        match self.way {
            Way::CallbackOnly if members.contains_key("callbackReference") => {
                members.remove("websockNotifConfig");
            }
            Way::ForgetsTest => {
                members.remove("requestTestNotification");
            }
            _ => {}
        }
    }
}

/// Whether a deadline is over that was given with a subscription.
fn is_over(given: &mut Value) -> bool {
    let deadline =
        subscription(given).and_then(|(_, members)| members.get("expiryDeadline")?.get("seconds")?.as_u64());
    deadline.is_some_and(|seconds| seconds < 2_000_000_000)
}

async fn between(State(platform): State<Arc<Platform>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let method = parts.method.clone();
    if platform.over.lock().unwrap().contains(&path) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mut bytes = to_bytes(body, usize::MAX).await.unwrap();
    let mut given: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if given.is_object() {
        if method == Method::PUT {
            platform.merge(&path, &mut given);
        }
        if let Some((_, members)) = subscription(&mut given)
            && platform.way == Way::TakesAnyAddress
            && members.contains_key("callbackReference")
        {
            members.insert("callbackReference".to_owned(), json!("http://192.0.2.1/any"));
        }
        bytes = given.to_string().into();
        parts.headers.remove("content-length");
    }
    let answer = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    let (mut parts, body) = answer.into_parts();
    if method == Method::DELETE && parts.status == StatusCode::NOT_FOUND && platform.way == Way::RemovesAgain
    {
        return StatusCode::NO_CONTENT.into_response();
    }
    let mut bytes = to_bytes(body, usize::MAX).await.unwrap();
    if let Ok(mut body) = serde_json::from_slice::<Value>(&bytes)
        && parts.status.is_success()
    {
        let location = parts
            .headers
            .get("location")
            .and_then(|location| location.to_str().ok());
        let place = location.map_or(path, |location| match location.split_once("://") {
            Some((_, rest)) => rest[rest.find('/').unwrap()..].to_owned(),
            None => location.to_owned(),
        });
        if method != Method::GET && platform.way == Way::Expires && is_over(&mut given) {
            platform.over.lock().unwrap().insert(place.clone());
        }
        platform.shown(&mut body);
        platform.kept.lock().unwrap().insert(place, body.clone());
        bytes = body.to_string().into();
        parts.headers.remove("content-length");
    }
    Response::from_parts(parts, Body::from(bytes))
}

#[test]
fn who_does_it_otherwise_and_right_conforms() {
    let checks = [
        "put-replaces",
        "delete-removes",
        "delete-tells-what-is-gone",
        "reads-equal-model",
        "list-agrees",
        "callbacks-are-http",
    ];
    for way in [
        Way::Expires,
        Way::CallbackOnly,
        Way::ForgetsTest,
        Way::RemovesAgain,
    ] {
        let checks = if way == Way::RemovesAgain {
            &checks[..3]
        } else {
            &checks[..5]
        };
        let (code, text, report) = run(platform(way), "mec013-v3.1.1", checks, &["--time", "20s"]);
        assert_eq!(code, 0, "{way:?}: {text}");
        let findings = report["findings"].as_array().unwrap();
        let told = |finding: &Value| {
            finding["check"] == "delete-tells-what-is-gone" && finding["severity"] == "warning"
        };
        assert!(findings.iter().all(told), "{way:?}: {text}");
        assert_eq!(findings.is_empty(), way != Way::RemovesAgain, "{way:?}: {text}");
        // A machine with much to do ends before all four kinds of subscriptions were tried.
        let passed = verdicts(&report, "put-replaces");
        let holds = passed.iter().any(|verdict| verdict == "pass");
        assert!(holds, "{way:?}: {passed:?}");
    }
}

#[test]
fn each_fault_in_a_wrapper_is_found_by_its_check() {
    let faults = [
        (Way::Merges, "put-replaces", "merges instead of replacing"),
        (Way::MergesInside, "put-replaces", "merges instead of replacing"),
        (Way::TakesAnyAddress, "callbacks-are-http", "is accepted"),
        (Way::ListsOneType, "list-agrees", "another subscriptionType"),
        (Way::ListsOneType, "reads-equal-model", "another subscriptionType"),
    ];
    for (way, check, title) in faults {
        let (code, text, report) = run(platform(way), "mec013-v3.1.1", &[check], &["--time", "20s"]);
        assert_eq!(code, 1, "{way:?}, {check}: {text}");
        let findings = report["findings"].as_array().unwrap();
        let told =
            |finding: &Value| finding["check"] == check && finding["title"].as_str().unwrap().contains(title);
        assert!(findings.iter().any(told), "{way:?}, {check}: {text}");
    }
}
