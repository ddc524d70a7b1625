//! Sizes: long addresses, long heads, long bodies, deep nesting, and the platform is still there afterwards.

use std::sync::Arc;

use mecforge_report::Severity;
use mecforge_transport::Fault;

use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite,
};

pub(super) static LARGE: Check = Check {
    id: "withstands-size",
    group: Group::Http,
    title: "what is too large is refused, and nothing breaks",
    severity: Severity::Error,
    explanation: "Addresses of 16 and 64 KiB, heads of 64 and 256 KiB, bodies of 1 and 4 MiB, and JSON that is nested 10,000 deep. What a platform takes is its own matter: a success, any 4xx (413, 414, 431 and 400 are the fitting ones), and a connection that is closed are all right. A server error, no answer in time, or a platform that doesn't answer afterwards is not.",
    sources: &[
        Source::Rfc(9110, "15.5.14"),
        Source::Rfc(9110, "15.5.15"),
        Source::Rfc(6585, "5"),
        Source::Rfc(9110, "15.6"),
    ],
};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let document = &suite.apis[api].api;
    let reads = document.operations.iter().find(|operation| {
        operation.method == "GET" && operation.path.parameters().all(|name| name == "appInstanceId")
    });
    if let Some(index) = reads.map(|operation| operation.index) {
        for (name, size) in [("address-16k", 16 * KIB), ("address-64k", 64 * KIB)] {
            plan.add(suite, &LARGE, api, Some(index), name, move |context| {
                Box::pin(address(context, api, index, size))
            });
        }
        for (name, size) in [("head-64k", 64 * KIB), ("head-256k", 256 * KIB)] {
            plan.add(suite, &LARGE, api, Some(index), name, move |context| {
                Box::pin(head(context, api, index, size))
            });
        }
    }
    for operation in document
        .operations
        .iter()
        .filter(|operation| operation.json_body().is_some())
    {
        let index = operation.index;
        plan.add(suite, &LARGE, api, Some(index), "deep", move |context| {
            Box::pin(deep(context, api, index))
        });
        // Megabytes to one operation of each kind: that is about the server, not about the operation.
        let first = document
            .operations
            .iter()
            .find(|other| other.json_body().is_some() && other.method == operation.method);
        if first.is_some_and(|first| first.index == index) {
            for (name, size) in [("body-1m", MIB), ("body-4m", 4 * MIB)] {
                let case = plan.add(suite, &LARGE, api, Some(index), name, move |context| {
                    Box::pin(body(context, api, index, size))
                });
                case.stage = 2;
                // One at a time: each is in memory several times, as a value, as text, and as evidence.
                case.alone();
            }
        }
    }
}

/// Sends something that is too large for many servers.
async fn large(context: &mut Context, call: Call) -> Result<Exchange, Stop> {
    let before = context.reported.len();
    let exchange = context.send(call).await?;
    // A server that has read enough may close the connection; what it said before is lost then (RFC 9112, 9.6).
    if matches!(
        exchange.outcome,
        Err(Fault::Closed | Fault::Reset { .. } | Fault::Truncated | Fault::Http2(_))
    ) {
        context.reported.truncate(before);
    }
    // What is too large is often refused before the API sees it, by who knows nothing of its problem documents.
    if exchange.is_refusal() {
        let mut number = 0;
        context.reported.retain(|reported| {
            number += 1;
            let form = ["problem-details", "response-media-type"];
            number <= before || !reported.failure.check.is_some_and(|check| form.contains(&check))
        });
    }
    Ok(exchange)
}

/// Whether the platform still answers.
async fn afterwards(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[api].api;
    let plain = document
        .operations
        .iter()
        .find(|operation| operation.method == "GET" && operation.path.parameters().next().is_none());
    let call = match plain {
        Some(plain) => context.call(api, plain.index, &crate::suite::Values::new()),
        None => {
            let values = context.values(api, operation).await?;
            let mut call = context.call(api, operation, &values);
            call.method = "OPTIONS".to_owned();
            call.operation = None;
            call
        }
    };
    let mut call = call.intent(Intent::Odd);
    call.role = Role::Judged;
    let exchange = context.send(call).await?;
    match exchange.outcome {
        Ok(_) => Ok(()),
        Err(fault) => {
            let title = "the platform does not answer after something that is too large";
            Err(Failure::new(title, "an answer", fault.to_string()).stop())
        }
    }
}

async fn address(context: &mut Context, api: usize, operation: usize, size: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let call = context
        .call(api, operation, &values)
        .query("mec-conformance", "a".repeat(size))
        .intent(Intent::Odd);
    large(context, call).await?;
    afterwards(context, api, operation).await
}

async fn head(context: &mut Context, api: usize, operation: usize, size: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let mut call = context.call(api, operation, &values).intent(Intent::Odd);
    for number in 0..size / (4 * KIB) {
        call = call.header(&format!("X-Mec-Conformance-{number}"), "a".repeat(4 * KIB));
    }
    large(context, call).await?;
    afterwards(context, api, operation).await
}

async fn body(context: &mut Context, api: usize, operation: usize, size: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let mut body = context.body(api, operation, &values)?;
    if let Some(object) = body.as_object_mut() {
        object.insert("mecConformance".to_owned(), "a".repeat(size).into());
    }
    let call = context
        .call(api, operation, &values)
        .json(body)
        .intent(Intent::Odd);
    large(context, call).await?;
    afterwards(context, api, operation).await
}

async fn deep(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let good = context.body(api, operation, &values)?.to_string();
    let Some(front) = good.strip_suffix('}') else {
        return Ok(());
    };
    let comma = if front.len() > 1 { "," } else { "" };
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = format!("{}0{}", open.repeat(10_000), close.repeat(10_000));
        let text = format!("{front}{comma}\"mecConformance\":{nested}}}");
        let call = context
            .call(api, operation, &values)
            .bytes("application/json", text)
            .intent(Intent::Odd);
        large(context, call).await?;
    }
    afterwards(context, api, operation).await
}
