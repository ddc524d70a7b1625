//! Heartbeats, expiry and clocks.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::behaviour::{Handler, after_success, before, handler, resources, with, within};
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::{Place, Scope, scopes};
use crate::upstream::NoAnswer;

const HEARTBEAT: Scope = &[("PATCH", Place::Liveness)];
const LIVENESS: Scope = &[("GET", Place::Liveness), ("PATCH", Place::Liveness)];
const CLOCK: Scope = &[("GET", Place::CurrentTime)];
const CAPABILITIES: Scope = &[("GET", Place::TimingCaps)];

pub(super) fn faults() -> Vec<Fault> {
    let mut faults = heartbeats();
    faults.extend(clocks());
    faults
}

fn heartbeats() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Time, id, clause, operations, what, handler)
    };
    vec![
        fault(
            "time/heartbeat-not-recorded",
            "8.2.10.3.3",
            "PATCH liveness",
            "A heartbeat is answered and forgotten",
            within(HEARTBEAT, swallowed),
        ),
        fault(
            "time/heartbeat-time-not-updated",
            "8.1.2.4",
            "GET, PATCH liveness",
            "The time of the last heartbeat is always that of the first reading",
            after_success(LIVENESS, |answer, request, context| {
                if let Some(mut body) = answer.json() {
                    let key = format!("time {}", request.path());
                    match context.recall(&key) {
                        Some(first) => body["timeStamp"] = first,
                        None => drop(context.remember(&key, body["timeStamp"].clone())),
                    }
                    answer.set_json(&body);
                }
            }),
        ),
        fault(
            "time/heartbeat-by-reading",
            "8.2.10.3.1",
            "GET liveness",
            "Reading the liveness counts as a heartbeat",
            within(&[("GET", Place::Liveness)], |request, context| async move {
                let mut beat = request.clone();
                beat.parts.method = http::Method::PATCH;
                beat.parts.headers.insert(
                    http::header::CONTENT_TYPE,
                    http::HeaderValue::from_static("application/json"),
                );
                beat.set_json(&json!({"state": "ACTIVE"}));
                context.pass(beat).await?;
                context.pass(request).await
            }),
        ),
        fault(
            "time/never-suspended",
            "8.1.2.4",
            "GET services, liveness",
            "A service that has fallen silent stays ACTIVE",
            after_success(
                &[
                    ("GET", Place::Services),
                    ("GET", Place::OwnServices),
                    ("GET", Place::Service),
                    ("GET", Place::OwnService),
                    ("GET", Place::Liveness),
                ],
                |answer, _, _| {
                    answer.each_resource(|each| {
                        if each["state"] == "SUSPENDED" {
                            each["state"] = json!("ACTIVE");
                        }
                    });
                },
            ),
        ),
        fault(
            "time/suspended-too-early",
            "8.1.2.4",
            "GET liveness",
            "A service counts as silent after a third of its interval",
            after_success(&[("GET", Place::Liveness)], |answer, _, _| {
                if let Some(mut body) = answer.json()
                    && let (Some(last), Some(interval)) = (
                        body.pointer("/timeStamp/seconds").and_then(Value::as_u64),
                        body["interval"].as_u64(),
                    )
                    && now() > last + interval / 3
                {
                    body["state"] = json!("SUSPENDED");
                    answer.set_json(&body);
                }
            }),
        ),
        fault(
            "time/not-active-again",
            "8.2.10.3.3",
            "PATCH liveness",
            "A heartbeat does not make a suspended service active again",
            within(HEARTBEAT, |request, context| async move {
                let state = context.read(request.path(), &request).await.unwrap_or_default();
                if state["state"] == "SUSPENDED" {
                    return Ok(Answer::json_with(200, &state));
                }
                context.pass(request).await
            }),
        ),
        fault(
            "time/interval-differs",
            "8.1.2.4",
            "GET liveness",
            "The interval of the liveness is not the one of the service",
            resources(
                &[("GET", Place::Liveness)],
                with("/interval", |interval| {
                    json!(interval.as_u64().unwrap_or_default() + 1)
                }),
            ),
        ),
        fault(
            "time/interval-always-60",
            "8.1.2.2",
            "POST, PUT services",
            "Every interval becomes 60 s in the answer, whatever is granted",
            resources(scopes::SERVICE_WRITES, with("/livenessInterval", |_| json!(60))),
        ),
        fault(
            "time/liveness-without-interval",
            "8.1.2.2",
            "GET one service",
            "Services are read without the interval that was granted",
            resources(scopes::ONE_SERVICE, crate::behaviour::without("livenessInterval")),
        ),
        fault(
            "time/liveness-state-differs",
            "8.1.2.4",
            "GET liveness",
            "The liveness is always ACTIVE, whatever the service is",
            resources(&[("GET", Place::Liveness)], with("/state", |_| json!("ACTIVE"))),
        ),
        fault(
            "time/patch-is-405",
            "8.2.10.3.3",
            "PATCH liveness",
            "Heartbeats are taken with PUT only",
            handler(|request, context| async move {
                if request.is_in(HEARTBEAT) {
                    let mut answer = Answer::problem(405, &request, "PATCH is not offered here");
                    answer.set_header("allow", "GET, PUT");
                    return Ok(answer);
                }
                context.pass(request).await
            }),
        ),
        fault(
            "time/liveness-for-all",
            "8.1.2.2",
            "GET liveness",
            "A liveness can be read of services that send no heartbeats",
            handler(for_all),
        ),
        fault(
            "time/interval-0-granted",
            "8.1.2.2",
            "GET, PATCH liveness",
            "An interval of 0 is told",
            resources(LIVENESS, with("/interval", |_| json!(0))),
        ),
    ]
}

/// The time in seconds since 1970.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

async fn swallowed(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let right =
        request.json().is_some_and(|body| body["state"] == "ACTIVE") && request.header("if-match").is_none();
    match context.read(request.path(), &request).await {
        Some(state) if right => Ok(Answer::json_with(200, &state)),
        _ => context.pass(request).await,
    }
}

async fn for_all(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let answer = context.pass(request.clone()).await?;
    if answer.status() == 404 && request.is("GET", Place::Liveness) {
        let service = request.path().trim_end_matches("/liveness").to_owned();
        if context.read(&service, &request).await.is_some() {
            let body =
                json!({"state": "ACTIVE", "timeStamp": {"seconds": now(), "nanoSeconds": 0}, "interval": 60});
            return Ok(Answer::json_with(200, &body));
        }
    }
    Ok(answer)
}

fn clocks() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Time, id, clause, operations, what, handler)
    };
    vec![
        fault(
            "time/clock-frozen",
            "7.2.6.3.1",
            "GET current_time",
            "The current time stands still",
            after_success(CLOCK, |answer, _, context| match context.kept("clock") {
                Some(first) => *answer = first,
                None => drop(context.keep("clock", answer.clone())),
            }),
        ),
        fault(
            "time/clock-runs-back",
            "7.2.6.3.1",
            "GET current_time",
            "Each reading of the current time is ten seconds before the last",
            after_success(CLOCK, |answer, _, context| {
                let back = 10 * context.count("back");
                answer.each_resource(|time| {
                    time["seconds"] = json!(time["seconds"].as_u64().unwrap_or_default().saturating_sub(back))
                });
            }),
        ),
        fault(
            "time/clock-off-by-hours",
            "7.1.2.5",
            "GET current_time",
            "The current time is that of another time zone",
            resources(
                CLOCK,
                with("/seconds", |seconds| {
                    json!(seconds.as_u64().unwrap_or_default() + 7200)
                }),
            ),
        ),
        fault(
            "time/clock-in-milliseconds",
            "7.1.2.5",
            "GET current_time",
            "The seconds are milliseconds",
            resources(
                CLOCK,
                with("/seconds", |seconds| {
                    json!(seconds.as_u64().unwrap_or_default() * 1000)
                }),
            ),
        ),
        fault(
            "time/clock-since-1900",
            "7.1.2.5",
            "GET current_time",
            "The seconds count from 1900, as NTP does",
            resources(
                CLOCK,
                with("/seconds", |seconds| {
                    json!(seconds.as_u64().unwrap_or_default() + 2_208_988_800)
                }),
            ),
        ),
        fault(
            "time/capabilities-time-0",
            "7.1.2.4",
            "GET timing_caps",
            "The time in the timing capabilities is 1970",
            resources(
                CAPABILITIES,
                with("/timeStamp", |_| json!({"seconds": 0, "nanoSeconds": 0})),
            ),
        ),
        fault(
            "time/capabilities-seconds-negative",
            "7.1.2.4",
            "GET timing_caps",
            "The seconds in the timing capabilities are negative",
            resources(CAPABILITIES, with("/timeStamp/seconds", |_| json!(-5))),
        ),
        fault(
            "time/capabilities-404",
            "7.2.5.3.1",
            "GET timing_caps",
            "There are no timing capabilities",
            within(CAPABILITIES, |request, _| async move {
                Ok(Answer::problem(404, &request, "no timing capabilities"))
            }),
        ),
        fault(
            "time/capabilities-wrong-server",
            "7.1.2.4",
            "GET timing_caps",
            "An NTP server in the timing capabilities has a polling interval of 64",
            resources(
                CAPABILITIES,
                with("/ntpServers", |_| {
                    json!([{
                        "ntpServerAddrType": "IP_ADDRESS", "ntpServerAddr": "192.0.2.1", "minPollingInterval": 64, "maxPollingInterval": 1024,
                        "localPriority": 1, "authenticationOption": "NONE",
                    }])
                }),
            ),
        ),
        fault(
            "time/query-of-clock-ignored",
            "7.2.6.3.1",
            "GET current_time",
            "Query parameters of the current time are ignored, though it has none",
            before(CLOCK, |request, _| request.set_query(&[])),
        ),
    ]
}
