//! The reference server of MEC 011 with a fault in front of it: in what it answers, or in what it delivers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use mecforge_mock::Options;
use mecforge_transport::{Client, Settings, TargetUrl};
use serde_json::{Value, json};

use crate::server::serve;

/// What is wrong with the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Nothing,
    /// What happens within 300 ms is told in one notification, which is right.
    Coalesces,
    /// The same, and each reference stands there twice.
    CoalescesTwice,
    /// Each receiver gets five notifications.
    FiveOnly,
    /// Each 50th to a receiver is lost.
    LosesFiftieth,
    /// Each 20th of all is sent twice.
    TwentiethTwice,
    /// Who deletes a subscription loses the one before it as well.
    TakesAlong,
    /// The registration of a service that is INACTIVE is not told.
    InactiveUntold,
    /// No notification is sent.
    Silent,
    /// Each is sent twice.
    Twice,
    /// The state is always ACTIVE.
    State,
    /// As plain text.
    AsText,
    /// Without its links.
    Unlinked,
    /// Every second one is held back until the next was sent.
    Reordered,
    /// To the callback without its query.
    QueryCut,
    /// One receiver at a time.
    OneByOne,
    /// `filteringCriteria` are ignored.
    Unfiltered,
    /// Deleted subscriptions stay in force.
    StaysSubscribed,
    /// Silent services are told as ACTIVE.
    NeverSuspended,
    /// Services are told as SUSPENDED as soon as they want heartbeats.
    AlwaysSuspended,
    /// Heartbeats are answered and forgotten.
    ForgetsHeartbeats,
    /// The liveness tells another interval.
    OtherInterval,
    /// The clock stands still.
    FrozenClock,
    /// The clock is two hours ahead.
    ClockAhead,
    /// There are no timing capabilities.
    NoCapabilities,
    /// A subscription is made of any body, also of a notification.
    TakesAnything,
    /// Callbacks at the platform itself are refused.
    RefusesItself,
    /// The time of heartbeats is an hour ahead.
    HeartbeatsAhead,
    /// The liveness of removed services can still be read.
    LivenessStays,
    /// Every heartbeat is notified.
    NotifiesHeartbeats,
    /// So is a replacement that changes nothing.
    NotifiesSame,
    /// Of the values of a criterion the first one counts.
    FirstValueOnly,
    /// Categories are compared by their names.
    CategoriesByName,
}

struct Platform {
    wrong: Wrong,
    base: Mutex<String>,
    callbacks: Mutex<Vec<String>>,
    held: Mutex<Vec<(String, Bytes)>>,
    /// What is told together, by its receiver.
    together: Mutex<BTreeMap<String, Vec<Value>>>,
    /// How many notifications there were, of all and by their receivers.
    counts: Mutex<(usize, BTreeMap<String, usize>)>,
    /// Paths and receivers of subscriptions.
    made: Mutex<Vec<(String, String)>>,
    /// Receivers that get nothing any more.
    muted: Mutex<Vec<String>>,
    turn: tokio::sync::Mutex<()>,
    clock: Mutex<Option<Value>>,
    /// Paths of services that were removed.
    removed: Mutex<Vec<String>>,
    /// The last bodies of services, by their paths.
    services: Mutex<BTreeMap<String, Value>>,
}

/// The reference server of any profile, right but for the notifications that it may not send.
pub(crate) fn reference(profile: &str, callbacks: bool) -> SocketAddr {
    let apis = mecforge_conformance::profile::find(profile).unwrap();
    let apis = apis.into_iter().map(|(api, _)| Arc::new(api)).collect();
    let options = Options {
        callbacks,
        ..Options::default()
    };
    serve(mecforge_mock::router(apis, options).unwrap())
}

/// Starts the platform with a fault.
pub(crate) fn platform(wrong: Wrong) -> SocketAddr {
    let apis = mecforge_conformance::profile::find("mec011-v3.1.1").unwrap();
    let apis = apis.into_iter().map(|(api, _)| Arc::new(api)).collect();
    let options = Options {
        callbacks: true,
        ..Options::default()
    };
    let platform = Arc::new(Platform {
        wrong,
        base: Mutex::default(),
        callbacks: Mutex::default(),
        held: Mutex::default(),
        together: Mutex::default(),
        counts: Mutex::default(),
        made: Mutex::default(),
        muted: Mutex::default(),
        turn: tokio::sync::Mutex::default(),
        clock: Mutex::default(),
        removed: Mutex::default(),
        services: Mutex::default(),
    });
    let couriers = Router::new().fallback(courier).with_state(Arc::clone(&platform));
    *platform.base.lock().unwrap() = format!("http://{}", serve(couriers));
    let layer = axum::middleware::from_fn_with_state(Arc::clone(&platform), between);
    serve(mecforge_mock::router(apis, options).unwrap().layer(layer))
}

/// Sends a notification to a receiver; the status of its answer.
pub(crate) async fn send(callback: &str, media_type: &str, body: Bytes) -> StatusCode {
    let at = callback
        .match_indices('/')
        .nth(2)
        .map_or(callback.len(), |(at, _)| at);
    let client = Client::new(Settings::new(TargetUrl::parse(&callback[..at]).unwrap())).unwrap();
    let mut request = mecforge_transport::Request::new("POST", &callback[at..]);
    request
        .headers
        .push(("Content-Type".to_owned(), media_type.to_owned()));
    request.body = Some(body);
    match client.send(&request).await.outcome {
        Ok(answer) => StatusCode::from_u16(answer.status).unwrap(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Takes a notification from the reference server and hands it on.
async fn courier(State(platform): State<Arc<Platform>>, request: Request) -> StatusCode {
    let number: usize = request.uri().path()[1..].parse().unwrap();
    let mut callback = platform.callbacks.lock().unwrap()[number].clone();
    let bytes = to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let mut body: Value = serde_json::from_slice(&bytes).unwrap();
    let mut media_type = "application/json";
    let (all, own) = counted(&platform, &callback);
    let added = |state: &str| {
        let reference = &body["serviceReferences"][0];
        reference["changeType"] == "ADDED" && reference["state"] == state
    };
    match platform.wrong {
        Wrong::FiveOnly if own > 5 => return StatusCode::NO_CONTENT,
        Wrong::LosesFiftieth if own % 50 == 0 => return StatusCode::NO_CONTENT,
        Wrong::TakesAlong if platform.muted.lock().unwrap().contains(&callback) => {
            return StatusCode::NO_CONTENT;
        }
        Wrong::InactiveUntold if added("INACTIVE") => return StatusCode::NO_CONTENT,
        Wrong::TwentiethTwice if all % 20 == 0 => drop(send(&callback, media_type, bytes.clone()).await),
        Wrong::Silent => return StatusCode::NO_CONTENT,
        Wrong::State => body["serviceReferences"][0]["state"] = json!("ACTIVE"),
        Wrong::AsText => media_type = "text/plain",
        Wrong::Unlinked => drop(body.as_object_mut().unwrap().remove("_links")),
        Wrong::QueryCut => callback.truncate(callback.find('?').unwrap_or(callback.len())),
        _ => {}
    }
    let bytes = Bytes::from(body.to_string());
    match platform.wrong {
        Wrong::Coalesces | Wrong::CoalescesTwice => {
            collect(platform, callback, body);
            return StatusCode::NO_CONTENT;
        }
        Wrong::Twice => drop(send(&callback, media_type, bytes.clone()).await),
        Wrong::OneByOne => {
            tokio::spawn(async move {
                let _turn = platform.turn.lock().await;
                send(&callback, media_type, bytes).await;
            });
            return StatusCode::NO_CONTENT;
        }
        Wrong::Reordered => {
            let held = {
                let mut held = platform.held.lock().unwrap();
                let at = held.iter().position(|(other, _)| *other == callback);
                match at {
                    Some(at) => Some(held.remove(at)),
                    None => {
                        held.push((callback.clone(), bytes.clone()));
                        None
                    }
                }
            };
            if let Some((callback, late)) = held {
                send(&callback, media_type, bytes).await;
                send(&callback, media_type, late).await;
            }
            return StatusCode::NO_CONTENT;
        }
        _ => {}
    }
    send(&callback, media_type, bytes).await
}

/// Counts a notification: the number among all, and among those to its receiver.
fn counted(platform: &Platform, callback: &str) -> (usize, usize) {
    let mut counts = platform.counts.lock().unwrap();
    counts.0 += 1;
    let all = counts.0;
    let own = counts.1.entry(callback.to_owned()).or_default();
    *own += 1;
    (all, *own)
}

/// Of a subscription that is deleted, the one before it in the same list is muted as well.
fn mute(platform: &Platform, deleted: &str) {
    let mut made = platform.made.lock().unwrap();
    let Some(at) = made.iter().position(|(own, _)| own == deleted) else {
        return;
    };
    made.remove(at);
    let list = |own: &str| own.rsplit_once('/').unwrap().0.to_owned();
    let before = made[..at].iter().rfind(|(own, _)| list(own) == list(deleted));
    if let Some((_, callback)) = before {
        platform.muted.lock().unwrap().push(callback.clone());
    }
}

/// Lets a notification wait for others to the same receiver.
fn collect(platform: Arc<Platform>, callback: String, mut body: Value) {
    let references = body["serviceReferences"].as_array_mut().unwrap();
    if platform.wrong == Wrong::CoalescesTwice {
        references.extend(references.clone());
    }
    let mut together = platform.together.lock().unwrap();
    if let Some(waiting) = together.get_mut(&callback) {
        return waiting.append(references);
    }
    together.insert(callback.clone(), std::mem::take(references));
    drop(together);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            {
                let mut together = platform.together.lock().unwrap();
                let waiting = std::mem::take(together.get_mut(&callback).unwrap());
                if waiting.is_empty() {
                    together.remove(&callback);
                    return;
                }
                body["serviceReferences"] = Value::Array(waiting);
            }
            let bytes = Bytes::from(body.to_string());
            if send(&callback, "application/json", bytes.clone()).await == StatusCode::SERVICE_UNAVAILABLE {
                send(&callback, "application/json", bytes).await;
            }
        }
    });
}

/// Puts a courier's address into subscriptions, and changes what a fault changes.
async fn between(State(platform): State<Arc<Platform>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let mut bytes = to_bytes(body, usize::MAX).await.unwrap();
    let wrong = platform.wrong;
    let itself = parts.headers.get("host").and_then(|host| host.to_str().ok());
    let itself = format!("\"callbackReference\":\"http://{}/", itself.unwrap_or_default());
    if wrong == Wrong::RefusesItself && String::from_utf8_lossy(&bytes).contains(&itself) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    if parts.method == Method::POST && path.contains("service_mgmt") && path.ends_with("/subscriptions") {
        if wrong == Wrong::TakesAnything && String::from_utf8_lossy(&bytes).contains("notificationType") {
            let body = json!({
                "subscriptionType": "SerAvailabilityNotificationSubscription",
                "callbackReference": "http://192.0.2.9/nobody"
            });
            bytes = Bytes::from(body.to_string());
        }
        bytes = subscribing(&platform, bytes);
        parts.headers.remove("content-length");
    }
    if parts.method == Method::DELETE && path.contains("/subscriptions/") && wrong == Wrong::StaysSubscribed {
        return StatusCode::NO_CONTENT.into_response();
    }
    if parts.method == Method::DELETE && wrong == Wrong::TakesAlong {
        mute(&platform, &path);
    }
    if path.ends_with("/timing_caps") && wrong == Wrong::NoCapabilities {
        return StatusCode::NOT_FOUND.into_response();
    }
    if parts.method == Method::PATCH && wrong == Wrong::ForgetsHeartbeats {
        return StatusCode::NO_CONTENT.into_response();
    }
    let sent = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    if let Some(answer) = liveness(&platform, &parts) {
        return answer;
    }
    let method = parts.method.clone();
    let answer = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    let (mut parts, body) = answer.into_parts();
    let mut bytes = to_bytes(body, usize::MAX).await.unwrap();
    if let (true, Ok(mut body)) = (parts.status.is_success(), serde_json::from_slice(&bytes)) {
        restore(&platform, &mut body);
        if let (true, Some(callback)) = (method == Method::POST, body["callbackReference"].as_str()) {
            let own = body["_links"]["self"]["href"].as_str().unwrap();
            let own = own[own.find(&path).unwrap()..].to_owned();
            platform.made.lock().unwrap().push((own, callback.to_owned()));
        }
        changed(&platform, &method, &path, (&sent, &body)).await;
        if method == Method::GET {
            spoil(&platform, &path, &mut body);
        }
        bytes = Bytes::from(body.to_string());
        parts.headers.remove("content-length");
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// The liveness of a service that was removed.
fn liveness(platform: &Platform, parts: &Parts) -> Option<Response> {
    let path = parts.uri.path().to_owned();
    let mut removed = platform.removed.lock().unwrap();
    if parts.method == Method::DELETE && path.contains("/services/") {
        removed.push(path.clone());
    }
    let stays = platform.wrong == Wrong::LivenessStays && parts.method == Method::GET;
    let of_removed = path
        .strip_suffix("/liveness")
        .is_some_and(|service| removed.iter().any(|other| other == service));
    let body = json!({"state": "ACTIVE", "interval": 60, "timeStamp": {"seconds": 1, "nanoSeconds": 0}});
    (stays && of_removed).then(|| axum::Json(body).into_response())
}

/// Sends the notifications of what has not changed.
async fn changed(platform: &Platform, method: &Method, path: &str, (sent, answered): (&Value, &Value)) {
    let service = path.trim_end_matches("/liveness").to_owned();
    if path.ends_with("/services") && *method == Method::POST {
        let own = format!(
            "{path}/{}",
            answered["serInstanceId"].as_str().unwrap_or_default()
        );
        platform.services.lock().unwrap().insert(own, sent.clone());
    }
    if !path.contains("/services/") {
        return;
    }
    let last = match *method == Method::PUT {
        true => platform
            .services
            .lock()
            .unwrap()
            .insert(service.clone(), sent.clone()),
        false => platform.services.lock().unwrap().get(&service).cloned(),
    };
    let Some(last) = last else { return };
    let told = match platform.wrong {
        Wrong::NotifiesHeartbeats => *method == Method::PATCH,
        Wrong::NotifiesSame => *method == Method::PUT && last == *sent,
        _ => false,
    };
    if !told {
        return;
    }
    let identifier = service.rsplit('/').next().unwrap();
    let reference = json!({
        "link": {"href": service}, "serName": last["serName"], "serInstanceId": identifier,
        "state": "ACTIVE", "changeType": "ATTRIBUTES_CHANGED"
    });
    let body = json!({
        "notificationType": "SerAvailabilityNotification",
        "serviceReferences": [reference], "_links": {"subscription": {"href": "/nobody"}}
    });
    let callbacks = platform.callbacks.lock().unwrap().clone();
    for callback in callbacks {
        send(&callback, "application/json", Bytes::from(body.to_string())).await;
    }
}

/// Makes criteria what a fault understands of them.
fn understood(wrong: Wrong, criteria: &mut Value) {
    match wrong {
        Wrong::FirstValueOnly => {
            for (_, values) in criteria.as_object_mut().unwrap() {
                if let Some(values) = values.as_array_mut() {
                    values.truncate(1);
                }
            }
        }
        // All categories of the suite have one name.
        Wrong::CategoriesByName => drop(criteria.as_object_mut().unwrap().remove("serCategories")),
        _ => {}
    }
}

fn subscribing(platform: &Platform, bytes: Bytes) -> Bytes {
    let Ok(mut body) = serde_json::from_slice::<Value>(&bytes) else {
        return bytes;
    };
    let callback = body["callbackReference"].as_str().map(str::to_owned);
    let Some(callback) = callback.filter(|callback| callback.starts_with("http://127.0.0.1")) else {
        return bytes;
    };
    let mut callbacks = platform.callbacks.lock().unwrap();
    body["callbackReference"] = json!(format!("{}/{}", platform.base.lock().unwrap(), callbacks.len()));
    callbacks.push(callback);
    if body["filteringCriteria"].is_object() {
        understood(platform.wrong, &mut body["filteringCriteria"]);
    }
    if platform.wrong == Wrong::Unfiltered {
        body.as_object_mut().unwrap().remove("filteringCriteria");
    }
    Bytes::from(body.to_string())
}

/// Puts the receivers' addresses back.
fn restore(platform: &Platform, body: &mut Value) {
    let base = platform.base.lock().unwrap().clone();
    let Some(Value::String(callback)) = body.get_mut("callbackReference") else {
        return;
    };
    if let Some(number) = callback.strip_prefix(&format!("{base}/")) {
        *callback = platform.callbacks.lock().unwrap()[number.parse::<usize>().unwrap()].clone();
    }
}

fn spoil(platform: &Platform, path: &str, body: &mut Value) {
    match platform.wrong {
        Wrong::NeverSuspended if body["state"] == "SUSPENDED" => body["state"] = json!("ACTIVE"),
        Wrong::AlwaysSuspended if path.ends_with("/liveness") => body["state"] = json!("SUSPENDED"),
        Wrong::OtherInterval if path.ends_with("/liveness") => body["interval"] = json!(77),
        Wrong::HeartbeatsAhead if path.ends_with("/liveness") => {
            let seconds = &mut body["timeStamp"]["seconds"];
            *seconds = json!(seconds.as_u64().unwrap() + 3_600);
        }
        Wrong::FrozenClock if path.ends_with("/current_time") => {
            *body = platform.clock.lock().unwrap().get_or_insert(body.clone()).clone();
        }
        Wrong::ClockAhead if path.ends_with("/current_time") => {
            body["seconds"] = json!(body["seconds"].as_u64().unwrap() + 7_200);
        }
        _ => {}
    }
}
