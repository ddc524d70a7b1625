//! Versions of HTTP: the same answers over the other one, and HTTP/1.0.

use std::sync::Arc;

use mecforge_report::Severity;
use mecforge_transport::Request;

use crate::checks::state::comparison::lost;
use crate::suite::{
    Call, Check, Context, Failure, Group, Outcome, Plan, RawCall, Role, Source, Stop, Suite, reading,
};

pub(super) static OTHER: Check = Check {
    id: "same-over-http2",
    group: Group::Http,
    title: "HTTP/2 gives the answers that HTTP/1.1 gives",
    severity: Severity::Error,
    explanation: "Where the target offers HTTP/2 (by ALPN, or with prior knowledge on http://), an object is made, read, asked for by HEAD and removed over it; each answer has the status that it has over HTTP/1.1. A run with --http2 is compared with HTTP/1.1. Not offering it is right.",
    sources: &[Source::Rfc(9113, "8"), Source::Rfc(9110, "2.2")],
};

pub(super) static OLD: Check = Check {
    id: "answers-http-1-0",
    group: Group::Http,
    title: "a request of HTTP/1.0 is answered so that a client of HTTP/1.0 understands it",
    severity: Severity::Error,
    explanation: "GET with HTTP/1.0: the answer has no Transfer-Encoding. A platform that refuses HTTP/1.0 (400, 426, 505) or does not answer it is right.",
    sources: &[Source::Rfc(9112, "6.1")],
};

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let document = &suite.apis[api].api;
    for resource in &document.resources {
        if let (Some(maker), Some(get)) = (resource.maker, resource.operation("GET")) {
            let delete = resource.operation("DELETE");
            plan.add(suite, &OTHER, api, Some(get), "tour", move |context| {
                Box::pin(tour(context, api, maker, delete))
            })
            .read_only = false;
        }
    }
    for operation in &document.operations {
        let index = operation.index;
        if operation.method == "GET" && operation.path.last_parameter().is_none() {
            plan.add(suite, &OLD, api, Some(index), "get", move |context| {
                Box::pin(old(context, api, index))
            });
            plan.add(suite, &OTHER, api, Some(index), "get", move |context| {
                Box::pin(list(context, api, index))
            });
        }
    }
}

/// Whether the other version of HTTP is spoken at all.
async fn offered(context: &Context, call: &Call) -> Result<(), Stop> {
    let suite = &context.suite;
    let target = format!("{}{}", suite.apis[call.api].base_path, call.target());
    let exchange = suite
        .clients
        .other_version
        .send(&Request::new("GET", target))
        .await;
    match exchange.outcome {
        Ok(_) => Ok(()),
        Err(fault) => Err(Stop::NotApplicable(format!(
            "the target does not offer the other version of HTTP ({})",
            fault.code()
        ))),
    }
}

/// The same request over the other version of HTTP.
fn other(call: &Call) -> Call {
    Call {
        other_version: true,
        role: Role::Judged,
        ..call.clone()
    }
}

async fn list(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let call = context.call(api, operation, &values);
    offered(context, &call).await?;
    let control = context.send(call.clone().role(Role::Control)).await?;
    let answer = context.send(other(&call)).await?;
    if answer.outcome.is_ok() && answer.status() != control.status() {
        let title = "the other version of HTTP gives another status";
        let failure = Failure::new(title, control.summary(), answer.summary());
        return Err(failure.stop());
    }
    Ok(())
}

async fn tour(context: &mut Context, api: usize, maker: usize, delete: Option<usize>) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let Some(read) = reading(&suite, api, &made.path) else {
        return Ok(());
    };
    offered(context, &read).await?;
    let control = context.send(read.clone()).await?;
    let answer = context.send(other(&read)).await?;
    let body = answer.json().unwrap_or_default();
    let key = &suite.apis[api].api.operations[maker].key;
    let except = suite.apis[api].knowledge.assigned(key);
    let was = control.json().unwrap_or_default();
    let differs =
        lost(&made.sent, &was, except, false).is_none() && lost(&made.sent, &body, except, false).is_some();
    if answer.outcome.is_ok() && (answer.status() != control.status() || differs) {
        let title = "an object reads differently over the other version of HTTP";
        return Err(Failure::new(title, control.summary(), answer.summary()).stop());
    }
    let fresh = context.body(api, maker, &values)?;
    let call = context.call(api, maker, &values).json(fresh);
    let created = context.send(other(&call)).await?;
    if created.outcome.is_ok() && created.status() != made.exchange.status() {
        let title = "a creation is answered differently over the other version of HTTP";
        let failure = Failure::new(title, made.exchange.summary(), created.summary());
        return Err(failure.stop());
    }
    if let Some(delete) = delete {
        let call = context.call(api, delete, &made.values);
        let removed = context.send(other(&call)).await?;
        if removed.outcome.is_ok() && !removed.is_success() {
            let title = "an object can't be removed over the other version of HTTP";
            return Err(Failure::new(title, "success", removed.summary()).stop());
        }
    }
    Ok(())
}

async fn old(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let mut call = RawCall::of(context, &context.call(api, operation, &values));
    call.version = "HTTP/1.0";
    let answer = context.raw(&call).await?;
    let found = answer.responses();
    let Some(response) = found.responses.first() else {
        let ended = format!("{:?} after {} bytes", answer.end, answer.bytes.len());
        return Err(Stop::NotApplicable(format!("HTTP/1.0 is not answered ({ended})")));
    };
    if response
        .headers
        .iter()
        .any(|(name, _)| name == "transfer-encoding")
    {
        let title = "the answer to HTTP/1.0 has a Transfer-Encoding";
        let failure = Failure::new(title, "Content-Length, or the end of the connection", "chunks");
        return Err(failure.stop());
    }
    Ok(())
}
