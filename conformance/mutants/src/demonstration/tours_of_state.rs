//! Tours of what has a life: rules, registrations, strangers, crowds and clocks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde_json::{Value, json};

use super::session::Session;
use super::tours::{ALL, OWN, SUBSCRIPTIONS, SUPPORT, service, small};
use super::tours_of_subscriptions::{ENDS, watch};
use crate::client::Call;

/// DNS and traffic rules.
pub(super) async fn rules(session: &mut Session) {
    for (kind, id) in [("dns_rules", "dnsRuleId"), ("traffic_rules", "trafficRuleId")] {
        let list = format!("{SUPPORT}/applications/mutant-1/{kind}");
        let rules = session
            .ask("GET", &list, None)
            .await
            .and_then(|answer| answer.json())
            .unwrap_or_default();
        session
            .ask("GET", &format!("{SUPPORT}/applications/mutant-2/{kind}"), None)
            .await;
        session
            .ask("GET", &format!("{SUPPORT}/applications/nobody/{kind}"), None)
            .await;
        session.ask("GET", &format!("{list}/unknown"), None).await;
        session.ask("DELETE", &format!("{list}/rule-1"), None).await;
        session.ask("POST", &list, Some(&json!({"a": 1}))).await;
        for rule in rules.as_array().into_iter().flatten() {
            let path = format!("{list}/{}", rule[id].as_str().unwrap_or("rule-1"));
            session.ask("GET", &path, None).await;
            let mut active = rule.clone();
            active["state"] = json!("ACTIVE");
            active["unknown"] = json!(1);
            session.ask("PUT", &path, Some(&active)).await;
            session.ask("GET", &list, None).await;
            session.ask("GET", &path, None).await;
            session.ask("PUT", &path, Some(rule)).await;
            session.ask("GET", &path, None).await;
            session.ask("PUT", &format!("{list}/unknown"), Some(rule)).await;
            broken(session, &path, rule).await;
            let tag = session
                .ask("GET", &path, None)
                .await
                .and_then(|answer| answer.header("etag").map(str::to_owned))
                .unwrap_or_default();
            for condition in ["\"other\"", tag.as_str(), "*"] {
                let call = Call {
                    method: "PUT",
                    path: &path,
                    headers: &[("if-match", condition)],
                    body: Bytes::from(rule.to_string()),
                };
                let answer = session.client.send(call).await;
                session.transcript.answer("conditional PUT", answer.as_ref());
            }
        }
        session.ask("GET", &list, None).await;
    }
}

/// Each property of a rule away, or wrong.
async fn broken(session: &mut Session, path: &str, rule: &Value) {
    for name in rule.as_object().into_iter().flatten().map(|(name, _)| name) {
        let mut without = rule.clone();
        crate::behaviour::without_named(&mut without, name);
        session.ask("PUT", path, Some(&without)).await;
        for wrong in [json!("wrong"), json!(-1), json!(256), json!(true), json!([])] {
            let mut body = rule.clone();
            body[name] = wrong;
            session.ask("PUT", path, Some(&body)).await;
        }
    }
}

/// Registrations and readiness.
pub(super) async fn registrations(session: &mut Session) {
    let list = format!("{SUPPORT}/registrations");
    let full = json!({
        "appName": "tour", "appInstanceId": "tour-1", "appProvider": "p", "endpoint": {"uris": ["http://a.invalid/"]},
        "appCategory": {"href": "/c", "id": "c1", "name": "cars", "version": "1"},
        "appServiceRequired": [{"serName": "s", "version": "1"}], "appFeatureOptional": [{"featureName": "f", "version": "1"}],
    });
    let place = session.make(&list, &full).await;
    session.ask("GET", &place, None).await;
    session.ask("POST", &list, Some(&full)).await;
    session.ask("GET", &list, None).await;
    let mut unnamed = full.clone();
    crate::behaviour::without_named(&mut unnamed, "appInstanceId");
    session.ask("POST", &list, Some(&unnamed)).await;
    let put = |name: &str, value: Value| {
        let mut body = full.clone();
        if value.is_null() {
            crate::behaviour::without_named(&mut body, name);
        } else {
            body[name] = value;
        }
        body
    };
    for body in [
        put("appProvider", json!("q")),
        put("appProvider", Value::Null),
        put("appInstanceId", json!("tour-9")),
        put("appName", Value::Null),
        put("appName", json!(1)),
        put("endpoint", Value::Null),
        put("isInsByMec", json!("no")),
        put("appServiceRequired", json!([{"serName": "s"}])),
    ] {
        session.ask("PUT", &place, Some(&body)).await;
        session.ask("GET", &place, None).await;
    }
    session
        .ask(
            "PUT",
            &format!("{list}/nobody"),
            Some(&put("appInstanceId", json!("nobody"))),
        )
        .await;
    let of = format!("{SUPPORT}/applications/tour-1");
    for body in [
        json!({"indication": "READY"}),
        json!({"indication": "READY"}),
        json!({"indication": "SOON"}),
        json!({}),
    ] {
        session
            .ask("POST", &format!("{of}/confirm_ready"), Some(&body))
            .await;
    }
    session
        .send(
            "POST",
            &format!("{of}/confirm_ready"),
            &[("content-type", "application/json")],
            Bytes::new(),
        )
        .await;
    session
        .ask(
            "POST",
            &format!("{SUPPORT}/applications/nobody/confirm_ready"),
            Some(&json!({"indication": "READY"})),
        )
        .await;
    for action in ["TERMINATING", "SLEEPING"] {
        session
            .ask(
                "POST",
                &format!("{of}/confirm_termination"),
                Some(&json!({"operationAction": action})),
            )
            .await;
    }
    let service = session
        .make(
            "/mec_service_mgmt/v1/applications/tour-1/services",
            &small("theirs"),
        )
        .await;
    let public = service.replace("/applications/tour-1", "");
    session.ask("GET", &public, None).await;
    session.ask("DELETE", &place, None).await;
    for path in [&place, &service, &public] {
        session.ask("GET", path, None).await;
    }
    session.ask("DELETE", &place, None).await;
}

/// Two application instances, and one that does not exist.
pub(super) async fn strangers(session: &mut Session) {
    let path = session.make(OWN, &service("mine", json!({}))).await;
    let place = session
        .make(SUBSCRIPTIONS, &watch("http://127.0.0.1:9/", None))
        .await;
    let end = json!({"subscriptionType": "AppTerminationNotificationSubscription", "callbackReference": "http://127.0.0.1:9/", "appInstanceId": "mutant-1"});
    session.make(ENDS, &end).await;
    session.ask("GET", OWN, None).await;
    session.ask("GET", SUBSCRIPTIONS, None).await;
    for stranger in ["mutant-2", "nobody"] {
        let theirs = |path: &str| path.replace("mutant-1", stranger);
        for at in [OWN, SUBSCRIPTIONS, ENDS, path.as_str(), place.as_str()] {
            session.ask("GET", &theirs(at), None).await;
        }
        let liveness = theirs(&format!("{path}/liveness"));
        session.ask("GET", &liveness, None).await;
        session
            .ask("PATCH", &liveness, Some(&json!({"state": "ACTIVE"})))
            .await;
        session
            .ask("POST", &theirs(OWN), Some(&small("of a stranger")))
            .await;
        session.ask("PUT", &theirs(&path), Some(&small("taken"))).await;
        session.ask("DELETE", &theirs(&path), None).await;
        session.ask("DELETE", &theirs(&place), None).await;
        for kind in ["dns_rules", "traffic_rules"] {
            session
                .ask("GET", &format!("{SUPPORT}/applications/mutant-1/{kind}"), None)
                .await;
            session
                .ask("GET", &format!("{SUPPORT}/applications/{stranger}/{kind}"), None)
                .await;
        }
    }
    session.ask("GET", &path, None).await;
}

/// Requests at the same time: how many got which status, and whether identifiers are shared.
pub(super) async fn crowd(session: &mut Session) {
    let path = session.make(OWN, &service("contended", json!({}))).await;
    let tag = session
        .client
        .json("GET", &path, None)
        .await
        .and_then(|answer| answer.header("etag").map(str::to_owned))
        .unwrap_or_default();
    let rule = format!("{SUPPORT}/applications/mutant-1/dns_rules/rule-1");
    let state = session.client.json("GET", &rule, None).await;
    let rule_tag = state
        .as_ref()
        .and_then(|answer| answer.header("etag").map(str::to_owned))
        .unwrap_or_default();
    let mut body = state.and_then(|answer| answer.json()).unwrap_or_default();
    body["state"] = json!("ACTIVE");
    crowded(session, "PUT", &path, &tag, |_| {
        service("contended", json!({"version": "x"}))
    })
    .await;
    crowded(session, "PUT", &rule, &rule_tag, |_| body.clone()).await;
    for _ in 0..3 {
        crowded(session, "PUT", &path, "", |number| {
            service("contended", json!({"version": number.to_string()}))
        })
        .await;
        let read = session
            .client
            .json("GET", &path, None)
            .await
            .and_then(|answer| answer.json())
            .unwrap_or_default();
        let again = session
            .client
            .json(
                "PUT",
                &path,
                Some(&service("contended", json!({"version": "last"}))),
            )
            .await;
        let now = session
            .client
            .json("GET", &path, None)
            .await
            .and_then(|answer| answer.json())
            .unwrap_or_default();
        session.transcript.note(&format!(
            "{} then {:?} then {}",
            read["version"] != "2.5",
            again.map(|answer| answer.status()),
            now["version"]
        ));
    }
    crowded(session, "POST", OWN, "", |number| {
        small(&format!("crowd {number}"))
    })
    .await;
    crowded(session, "POST", SUBSCRIPTIONS, "", |_| {
        watch("http://127.0.0.1:9/", None)
    })
    .await;
    crowded(session, "DELETE", &path, "", |_| Value::Null).await;
}

/// Six requests at once. One on its own first, where a version is written, shows what a late one does.
async fn crowded(
    session: &mut Session,
    method: &'static str,
    path: &str,
    condition: &str,
    body: impl Fn(usize) -> Value,
) {
    let mut running = tokio::task::JoinSet::new();
    for number in 0..6 {
        let (client, path, condition, body) = (
            session.client,
            path.to_owned(),
            condition.to_owned(),
            body(number),
        );
        running.spawn(async move {
            let headers = [("if-match", condition.as_str())];
            let body = if body.is_null() {
                Bytes::new()
            } else {
                Bytes::from(body.to_string())
            };
            let headers = if condition.is_empty() {
                &headers[..0]
            } else {
                &headers[..]
            };
            let answer = client
                .send(Call {
                    method,
                    path: &path,
                    headers,
                    body: body.clone(),
                })
                .await;
            answer.map(|answer| {
                (
                    answer.status(),
                    answer
                        .header("location")
                        .or(answer.header("etag"))
                        .map(str::to_owned),
                )
            })
        });
    }
    let answers = running.join_all().await;
    let mut statuses: Vec<_> = answers
        .iter()
        .map(|answer| answer.as_ref().map(|(status, _)| *status))
        .collect();
    statuses.sort_unstable();
    let mut places: Vec<_> = answers
        .iter()
        .flatten()
        .filter_map(|(_, place)| place.clone())
        .collect();
    let count = places.len();
    places.sort_unstable();
    places.dedup();
    session.transcript.note(&format!(
        "six {method}: {statuses:?}, {count} places, {} different",
        places.len()
    ));
}

/// The clock, and heartbeats.
pub(super) async fn clocks(session: &mut Session) {
    let clock = format!("{SUPPORT}/timing/current_time");
    let seconds = |value: Option<Value>| {
        value
            .and_then(|body| body["seconds"].as_u64())
            .unwrap_or_default()
    };
    let first = seconds(
        session
            .ask("GET", &clock, None)
            .await
            .and_then(|answer| answer.json()),
    );
    session
        .ask("GET", &format!("{SUPPORT}/timing/timing_caps"), None)
        .await;
    session.ask("GET", &format!("{clock}?unknown=1"), None).await;
    let path = session.make(OWN, &service("beating", json!({}))).await;
    let silent = session.make(OWN, &small("silent")).await;
    session.ask("GET", &path, None).await;
    session.ask("GET", &format!("{silent}/liveness"), None).await;
    let liveness = format!("{path}/liveness");
    let before = beat(session, "GET", &liveness).await;
    let tag = session
        .client
        .json("GET", &liveness, None)
        .await
        .and_then(|answer| answer.header("etag").map(str::to_owned))
        .unwrap_or_default();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let read = beat(session, "GET", &liveness).await;
    let beaten = beat(session, "PATCH", &liveness).await;
    let after = beat(session, "GET", &liveness).await;
    session.transcript.note(&format!(
        "reading beats: {}, beating beats: {} {}",
        read > before,
        beaten > before,
        after > before
    ));
    let stale = Call {
        method: "PATCH",
        path: &liveness,
        headers: &[("if-match", &tag)],
        body: Bytes::from("{\"state\":\"ACTIVE\"}"),
    };
    let answer = session.client.send(stale).await;
    session
        .transcript
        .answer("heartbeat with an old tag", answer.as_ref());
    for body in [
        json!({"state": "INACTIVE"}),
        json!({"state": "mec-conformance"}),
        json!({}),
        json!({"state": 1}),
    ] {
        session.ask("PATCH", &liveness, Some(&body)).await;
    }
    let last = seconds(
        session
            .ask("GET", &clock, None)
            .await
            .and_then(|answer| answer.json()),
    );
    session.transcript.note(&format!(
        "the clock goes on: {}, and is right: {}",
        last > first,
        last.abs_diff(now()) < 3
    ));
    session
        .ask(
            "PUT",
            &path,
            Some(&service("beating", json!({"state": "INACTIVE"}))),
        )
        .await;
    session.ask("GET", &liveness, None).await;
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The time of the last heartbeat, in nanoseconds.
async fn beat(session: &mut Session, method: &str, path: &str) -> u64 {
    let body = (method == "PATCH").then(|| json!({"state": "ACTIVE"}));
    let answer = session
        .ask(method, path, body.as_ref())
        .await
        .and_then(|answer| answer.json())
        .unwrap_or_default();
    let member = |name: &str| answer["timeStamp"][name].as_u64().unwrap_or_default();
    member("seconds") * 1_000_000_000 + member("nanoSeconds")
}

/// A service that falls silent and is heard of again. It takes as long as the shortest interval.
pub(super) async fn silence(session: &mut Session) {
    let path = session
        .make(OWN, &service("silent", json!({"livenessInterval": 5})))
        .await;
    let liveness = format!("{path}/liveness");
    tokio::time::sleep(Duration::from_secs(4)).await;
    session.ask("GET", &liveness, None).await;
    let late = session
        .make(OWN, &service("late", json!({"livenessInterval": 5})))
        .await;
    tokio::time::sleep(Duration::from_millis(3500)).await;
    for at in [liveness.as_str(), path.as_str(), OWN, ALL, late.as_str()] {
        session.ask("GET", at, None).await;
    }
    session
        .ask("PATCH", &liveness, Some(&json!({"state": "ACTIVE"})))
        .await;
    session.ask("GET", &path, None).await;
}
