//! Subscriptions that are changed, and that end: the reference server of MEC 012 with a fault in front of it, each found
//! by the check that is there for it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use mecforge_mock::Options;
use serde_json::{Value, json};

use crate::courier::send;
use crate::notifications::{run, verdicts};
use crate::server::serve;

/// What is wrong with the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// After a change the first address is notified.
    KeepsOldAddress,
    /// After a change both are.
    UsesBoth,
    /// A change is answered, and not kept.
    ForgetsChange,
    /// A change sends no test.
    NoTestAfterChange,
    /// Nobody is told before the end.
    NoAnnouncement,
    /// It is told two seconds after the end.
    LateAnnouncement,
    /// Without its links.
    UnlinkedAnnouncement,
    /// With another deadline.
    OtherDeadline,
    /// Every notification goes to the callback address without its query.
    NoQuery,
}

struct Platform {
    wrong: Wrong,
    base: Mutex<String>,
    /// The addresses that subscribers gave, by the number that is in their place.
    callbacks: Mutex<Vec<String>>,
    /// The number that the last change had.
    changed: Mutex<Option<usize>>,
}

fn platform(wrong: Wrong) -> SocketAddr {
    let apis = mecforge_conformance::profile::find("mec012-v2.2.1").unwrap();
    let apis = apis.into_iter().map(|(api, _)| Arc::new(api)).collect();
    let options = Options {
        callbacks: true,
        ..Options::default()
    };
    let platform = Arc::new(Platform {
        wrong,
        base: Mutex::default(),
        callbacks: Mutex::default(),
        changed: Mutex::default(),
    });
    let couriers = Router::new().fallback(deliver).with_state(Arc::clone(&platform));
    *platform.base.lock().unwrap() = format!("http://{}", serve(couriers));
    let layer = axum::middleware::from_fn_with_state(Arc::clone(&platform), between);
    serve(mecforge_mock::router(apis, options).unwrap().layer(layer))
}

/// Takes a notification from the reference server and hands it on.
async fn deliver(State(platform): State<Arc<Platform>>, request: Request) -> StatusCode {
    let number: usize = request.uri().path()[1..].parse().unwrap();
    let bytes = to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let mut body: Value = serde_json::from_slice(&bytes).unwrap();
    let callbacks = platform.callbacks.lock().unwrap().clone();
    let mut to = vec![callbacks[number].clone()];
    let is_changed = *platform.changed.lock().unwrap() == Some(number);
    let ends = body["notificationType"] == "ExpiryNotification";
    match platform.wrong {
        Wrong::NoQuery => to[0] = to[0].split('?').next().unwrap().to_owned(),
        Wrong::KeepsOldAddress if is_changed => to[0] = callbacks[number - 1].clone(),
        Wrong::UsesBoth if is_changed => to.push(callbacks[number - 1].clone()),
        Wrong::NoAnnouncement if ends => return StatusCode::NO_CONTENT,
        Wrong::LateAnnouncement if ends => {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(6)).await;
                send(&to[0], "application/json", bytes).await;
            });
            return StatusCode::NO_CONTENT;
        }
        Wrong::UnlinkedAnnouncement if ends => drop(body.as_object_mut().unwrap().remove("_links")),
        Wrong::OtherDeadline if ends => {
            let told = body["expiryDeadline"]["seconds"].as_u64().unwrap();
            body["expiryDeadline"]["seconds"] = json!(told + 100);
        }
        _ => {}
    }
    for callback in to {
        send(&callback, "application/json", Bytes::from(body.to_string())).await;
    }
    StatusCode::NO_CONTENT
}

/// Puts a courier's address into subscriptions, and changes what a fault changes.
async fn between(State(platform): State<Arc<Platform>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let mut given: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let changes = parts.method == Method::PUT;
    if let Some(callback) = given["callbackReference"].as_str().map(str::to_owned) {
        let mut callbacks = platform.callbacks.lock().unwrap();
        given["callbackReference"] = json!(format!("{}/{}", platform.base.lock().unwrap(), callbacks.len()));
        if changes {
            *platform.changed.lock().unwrap() = Some(callbacks.len());
        }
        callbacks.push(callback);
    }
    if changes && platform.wrong == Wrong::NoTestAfterChange {
        given.as_object_mut().unwrap().remove("requestTestNotification");
    }
    let forgets = changes && platform.wrong == Wrong::ForgetsChange;
    let mut sent = Body::empty();
    match given.is_object() {
        true if forgets => parts.method = Method::GET,
        true => sent = Body::from(given.to_string()),
        false => {}
    }
    parts.headers.remove("content-length");
    let answer = next.run(Request::from_parts(parts, sent)).await;
    let (mut parts, body) = answer.into_parts();
    let mut bytes = to_bytes(body, usize::MAX).await.unwrap();
    if let Ok(mut body) = serde_json::from_slice::<Value>(&bytes)
        && let Some(callback) = body["callbackReference"].as_str()
    {
        let number = callback.rsplit('/').next().unwrap().parse::<usize>();
        let callbacks = platform.callbacks.lock().unwrap();
        let shown = match number {
            _ if forgets => callbacks.last(),
            Ok(number) => callbacks.get(number),
            Err(_) => None,
        };
        body["callbackReference"] = json!(shown.unwrap());
        bytes = Bytes::from(body.to_string());
        parts.headers.remove("content-length");
    }
    Response::from_parts(parts, Body::from(bytes))
}

#[test]
fn a_right_platform_passes_through_the_courier() {
    let checks = ["subscription-changed", "notification-before-expiry"];
    let (code, text, report) = run(platform(Wrong::Nothing), "mec012-v2.2.1", &checks, &[]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{text}");
    for check in [
        checks[0],
        checks[1],
        "notification-follows-change",
        "notification-schema",
    ] {
        assert_eq!(verdicts(&report, check), ["pass"], "{check}: {text}");
    }
}

#[test]
fn each_fault_is_found_by_its_check() {
    let changed = "subscription-changed";
    let before = "notification-before-expiry";
    let faults = [
        (
            Wrong::KeepsOldAddress,
            changed,
            changed,
            "old callback address is notified",
        ),
        (
            Wrong::UsesBoth,
            changed,
            changed,
            "old callback address is notified",
        ),
        (
            Wrong::ForgetsChange,
            changed,
            changed,
            "not what was put at /callbackReference",
        ),
        (
            Wrong::NoTestAfterChange,
            changed,
            "notification-follows-change",
            "no notification comes",
        ),
        (
            Wrong::NoQuery,
            "notification-test",
            "notification-address",
            "another address",
        ),
        (Wrong::NoAnnouncement, before, before, "no notification comes"),
        (Wrong::LateAnnouncement, before, before, "comes after it"),
        (
            Wrong::UnlinkedAnnouncement,
            before,
            "notification-schema",
            "breaks its schema",
        ),
        (
            Wrong::OtherDeadline,
            before,
            "notification-content",
            "not that of the subscription",
        ),
    ];
    let warnings = [before, "notification-follows-change"];
    std::thread::scope(|scope| {
        for (wrong, check, found, title) in faults {
            scope.spawn(move || {
                // A late notification needs time to come.
                let patience = if wrong == Wrong::LateAnnouncement {
                    "15s"
                } else {
                    "3s"
                };
                let more = ["--patience", patience];
                let (code, text, report) = run(platform(wrong), "mec012-v2.2.1", &[check, found], &more);
                let code_of_finding = if warnings.contains(&found) { 0 } else { 1 };
                assert_eq!(code, code_of_finding, "{wrong:?}: {text}");
                let findings = report["findings"].as_array().unwrap();
                let told = |finding: &&Value| {
                    finding["check"] == found && finding["title"].as_str().unwrap().contains(title)
                };
                assert!(findings.iter().any(|finding| told(&finding)), "{wrong:?}: {text}");
            });
        }
    });
}

#[test]
fn what_cant_be_changed_is_not_tested() {
    let address = crate::courier::reference("mec011-v3.1.1", true);
    let (code, text, report) = run(
        address,
        "mec011-service-management",
        &["subscription-changed"],
        &[],
    );
    assert_ne!(code, 1, "{text}");
    let verdicts = verdicts(&report, "subscription-changed");
    assert_eq!(verdicts.len(), 1, "{text}");
    assert!(verdicts[0].contains("no PUT for subscriptions"), "{verdicts:?}");
}
