//! Answers that are late, broken off, or 5xx.

use std::time::Duration;

use serde_json::Value;

use crate::behaviour::{Handler, after, handler, within};
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::{Place, scopes};
use crate::upstream::NoAnswer;
use crate::wire::Raw;

pub(super) fn faults() -> Vec<Fault> {
    let fault = |id, operations, what, handler: Handler| {
        fault(Class::Robustness, id, "RFC 9110 15.6", operations, what, handler)
    };
    let failing = |found: fn(&Request) -> bool| {
        handler(move |request: Request, context: Context| async move {
            if found(&request) {
                return Ok(Answer::problem(500, &request, "internal error"));
            }
            context.pass(request).await
        })
    };
    vec![
        fault(
            "robustness/500-sometimes",
            "all",
            "One request in fifty is answered with 500",
            handler(|request: Request, context: Context| async move {
                if context.one_in(50) {
                    return Ok(Answer::problem(500, &request, "internal error"));
                }
                context.pass(request).await
            }),
        ),
        fault(
            "robustness/connection-lost-sometimes",
            "all",
            "One request in fifty is not answered: the connection is closed",
            handler(|request, context: Context| async move {
                if context.one_in(50) {
                    return Err(NoAnswer::OnPurpose);
                }
                context.pass(request).await
            }),
        ),
        fault(
            "robustness/hangs-sometimes",
            "all",
            "One request in a hundred is answered after two minutes",
            handler(|request, context: Context| async move {
                if context.one_in(100) {
                    tokio::time::sleep(Duration::from_secs(120)).await;
                }
                context.pass(request).await
            }),
        ),
        fault(
            "robustness/hangs-on-delete",
            "DELETE",
            "Removals are never answered",
            within(scopes::REMOVALS, |request, context| async move {
                tokio::time::sleep(Duration::from_secs(600)).await;
                context.pass(request).await
            }),
        ),
        fault(
            "robustness/500-on-unicode",
            "POST, PUT",
            "Characters beyond ASCII in a body are 500",
            failing(|request| !request.body.is_ascii()),
        ),
        fault(
            "robustness/500-on-emoji",
            "POST, PUT",
            "Characters beyond the basic plane are 500",
            failing(|request| {
                request
                    .json()
                    .is_some_and(|body| body.to_string().chars().any(|each| u32::from(each) > 0xFFFF))
            }),
        ),
        fault(
            "robustness/500-on-long-string",
            "POST, PUT",
            "A string of more than 1000 characters is 500",
            failing(|request| request.json().is_some_and(|body| longest(&body) > 1000)),
        ),
        fault(
            "robustness/500-on-deep-json",
            "POST, PUT",
            "JSON deeper than sixteen levels is 500",
            failing(|request| depth(&request.body) > 16),
        ),
        fault(
            "robustness/500-on-null",
            "POST, PUT",
            "null where something else is expected is 500",
            failing(|request| {
                request.json().is_some_and(|body| {
                    body.as_object()
                        .is_some_and(|members| members.values().any(Value::is_null))
                })
            }),
        ),
        fault(
            "robustness/500-on-list-body",
            "POST, PUT",
            "A list where an object is expected is 500",
            failing(|request| request.json().is_some_and(|body| body.is_array())),
        ),
        fault(
            "robustness/500-on-empty-body",
            "POST, PUT, PATCH",
            "A request without its body is 500",
            failing(|request| {
                matches!(request.method(), "POST" | "PUT" | "PATCH") && request.body.is_empty()
            }),
        ),
        fault(
            "robustness/500-on-wrong-type",
            "POST services",
            "A serName of another type is 500",
            failing(|request| {
                request.is_in(scopes::SERVICE_WRITES)
                    && request
                        .json()
                        .is_some_and(|body| body.get("serName").is_some_and(|name| !name.is_string()))
            }),
        ),
        fault(
            "robustness/500-on-large-number",
            "POST, PUT services",
            "A livenessInterval of more than 32 bits is 500",
            failing(|request| {
                request.json().is_some_and(|body| {
                    body["livenessInterval"]
                        .as_f64()
                        .is_some_and(|number| number > 4_294_967_295.0)
                })
            }),
        ),
        fault(
            "robustness/500-on-percent",
            "all with identifiers in the path",
            "A percent-encoded character in a path is 500",
            failing(|request| request.path().contains('%')),
        ),
        fault(
            "robustness/500-on-long-path",
            "all with identifiers in the path",
            "An identifier of more than 200 characters is 500",
            failing(|request| request.path().split('/').any(|part| part.len() > 200)),
        ),
        fault(
            "robustness/500-on-unknown-application",
            "all below applications",
            "An application instance that does not exist is 500",
            handler(|request: Request, context| async move {
                let below = !request.target.application.is_empty();
                let answer = context.pass(request.clone()).await?;
                Ok(
                    if below && request.target.id.is_empty() && answer.status() == 404 {
                        Answer::problem(500, &request, "no such map entry")
                    } else {
                        answer
                    },
                )
            }),
        ),
        fault(
            "robustness/500-on-second-delete",
            "DELETE",
            "Removing what does not exist is 500",
            after(scopes::REMOVALS, |answer, request, _| {
                if answer.status() == 404 {
                    *answer = Answer::problem(500, request, "no such map entry");
                }
            }),
        ),
        fault(
            "robustness/body-broken-off",
            "GET lists of services",
            "Lists break off in the middle",
            after(scopes::SERVICE_LISTS, |answer, _, _| {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    answer.body.len() + 10
                );
                answer
                    .parts
                    .extensions
                    .insert(Raw([head.as_bytes(), &answer.body].concat().into()));
                answer.set_header("connection", "close");
            }),
        ),
        fault(
            "robustness/no-json",
            "GET transports",
            "The transports are broken JSON",
            after(&[("GET", Place::Transports)], |answer, _, _| {
                answer.set_body("[{\"id\": \"rest\",".into())
            }),
        ),
        fault(
            "robustness/no-http",
            "GET transports",
            "The answer is no HTTP",
            after(&[("GET", Place::Transports)], |answer, _, _| {
                answer.parts.extensions.insert(Raw("220 mep ready\r\n".into()));
                answer.set_header("connection", "close");
            }),
        ),
        fault(
            "robustness/not-utf-8",
            "GET own service",
            "A service is read with bytes that are no UTF-8",
            after(scopes::ONE_SERVICE, |answer, _, _| {
                if answer.is_success() {
                    let text = String::from_utf8_lossy(&answer.body).into_owned();
                    let broken = text.replacen("\"serName\":\"", "\"serName\":\"\u{1}", 1);
                    answer.set_body(
                        broken
                            .into_bytes()
                            .into_iter()
                            .map(|byte| if byte == 1 { 0xFF } else { byte })
                            .collect::<Vec<u8>>()
                            .into(),
                    );
                }
            }),
        ),
    ]
}

fn longest(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(list) => list.iter().map(longest).max().unwrap_or_default(),
        Value::Object(members) => members.values().map(longest).max().unwrap_or_default(),
        _ => 0,
    }
}

/// How deep brackets are nested, also in JSON that is broken.
fn depth(body: &[u8]) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for byte in body {
        match byte {
            b'{' | b'[' => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}
