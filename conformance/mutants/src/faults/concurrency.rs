//! Faults that only requests at the same time show.

use std::time::Duration;

use serde_json::Value;

use crate::behaviour::{Handler, handler, within};
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::{Place, Scope, scopes};
use crate::upstream::NoAnswer;

/// How long the gap between a look and a leap is.
const GAP: Duration = Duration::from_millis(30);

pub(super) fn faults() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Concurrency, id, clause, operations, what, handler)
    };
    vec![
        fault(
            "concurrency/several-writers-win",
            "RFC 9110 13.1.1",
            "PUT own service",
            "If-Match is looked at first and the service written a moment later, so several writers win",
            check_then_act(scopes::PUT_SERVICE),
        ),
        fault(
            "concurrency/several-writers-win-rule",
            "RFC 9110 13.1.1",
            "PUT rules",
            "If-Match is looked at first and the rule written a moment later, so several writers win",
            check_then_act(scopes::PUT_RULE),
        ),
        fault(
            "concurrency/second-writer-lost",
            "8.2.7.3.2",
            "PUT own service",
            "Of two replacements at the same time the second is answered with success and lost",
            within(scopes::PUT_SERVICE, second_lost),
        ),
        fault(
            "concurrency/two-creations-are-one",
            "8.2.6.3.4",
            "POST services",
            "Of two registrations at the same time the second gets the answer of the first",
            within(scopes::NEW_SERVICE, one_of_two),
        ),
        fault(
            "concurrency/two-subscriptions-are-one",
            "8.2.8.3.4",
            "POST subscriptions",
            "Of two subscriptions at the same time the second gets the answer of the first",
            within(scopes::SUBSCRIBE, one_of_two),
        ),
        fault(
            "concurrency/500-at-the-same-time",
            "8.2.7.3.2",
            "PUT own service",
            "Two replacements at the same time: one is answered with 500",
            within(scopes::PUT_SERVICE, |request, context| async move {
                alone_or(request, context, 500).await
            }),
        ),
        fault(
            "concurrency/delete-twice-wins",
            "RFC 9110 9.3.5",
            "DELETE own service",
            "Of removals at the same time each is answered with 204",
            within(&[("DELETE", Place::OwnService)], |request, context| async move {
                let exists = context.read(request.path(), &request).await.is_some();
                tokio::time::sleep(GAP).await;
                let answer = context.pass(request).await?;
                Ok(if exists && answer.status() == 404 {
                    Answer::empty(204)
                } else {
                    answer
                })
            }),
        ),
        fault(
            "concurrency/read-sees-the-past",
            "8.2.7.3.1",
            "GET own service",
            "A reading that begins after a replacement was answered sees the old service for a moment",
            handler(past),
        ),
        fault(
            "concurrency/one-application-locks-out-others",
            "8.2.6.3.4",
            "POST services",
            "While a registration is being made, others are refused with 503",
            within(scopes::NEW_SERVICE, |request, context| async move {
                alone_or(request, context, 503).await
            }),
        ),
    ]
}

fn check_then_act(scope: Scope) -> Handler {
    within(scope, |mut request: Request, context: Context| async move {
        let Some(condition) = request.header("if-match").map(str::to_owned) else {
            return context.pass(request).await;
        };
        let present = context.ask(http::Method::GET, request.path(), &request).await;
        let present = present.and_then(|answer| answer.header("etag").map(str::to_owned));
        if condition == "*" || present.as_ref() == Some(&condition) {
            tokio::time::sleep(GAP).await;
            request.remove_header("if-match");
        }
        context.pass(request).await
    })
}

async fn second_lost(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let key = format!("busy {}", request.path());
    let busy = context.count(&key) > 1;
    let before = if busy {
        context.ask(http::Method::GET, request.path(), &request).await
    } else {
        None
    };
    let answer = match before
        .and_then(|answer| Some((answer.json()?, answer)))
        .zip(request.json())
    {
        Some(((Value::Object(mut shown), mut answer), Value::Object(sent)))
            if sent.contains_key("serName") =>
        {
            shown.extend(sent);
            shown.remove("transportId");
            answer.set_json(&Value::Object(shown));
            answer
        }
        _ => {
            tokio::time::sleep(GAP).await;
            let answer = context.pass(request).await;
            context.count_down(&key);
            return answer;
        }
    };
    context.count_down(&key);
    Ok(answer)
}

async fn one_of_two(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let key = format!("creating {}", request.path());
    let busy = context.count(&key) > 1;
    let answer = context.pass(request).await;
    tokio::time::sleep(GAP).await;
    context.count_down(&key);
    let answer = answer?;
    if busy {
        return Ok(context.kept(&key).unwrap_or(answer));
    }
    if answer.is_success() {
        context.keep(&key, answer.clone());
    }
    Ok(answer)
}

/// Refuses with a status what comes while another request to the same path is being answered.
async fn alone_or(request: Request, context: Context, status: u16) -> Result<Answer, NoAnswer> {
    let key = format!("busy {}", request.path());
    let busy = context.count(&key) > 1;
    let answer = if busy {
        Ok(Answer::problem(
            status,
            &request,
            "another request is being answered",
        ))
    } else {
        tokio::time::sleep(GAP).await;
        context.pass(request).await
    };
    context.count_down(&key);
    answer
}

async fn past(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let key = format!("past {}", request.path());
    if request.is("GET", Place::OwnService) {
        let answer = context.pass(request).await?;
        return Ok(match context.kept(&key) {
            Some(old) if answer.is_success() => old,
            _ => answer,
        });
    }
    if !request.is_in(scopes::PUT_SERVICE) {
        return context.pass(request).await;
    }
    let before = context.ask(http::Method::GET, request.path(), &request).await;
    let answer = context.pass(request).await?;
    if let (true, Some(before)) = (answer.is_success(), before.filter(Answer::is_success)) {
        context.keep(&key, before);
        let shared = context.shared.clone();
        tokio::spawn(async move {
            tokio::time::sleep(GAP).await;
            shared.take(&key);
        });
    }
    Ok(answer)
}
