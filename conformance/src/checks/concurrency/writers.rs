//! `If-Match` lets exactly one of several writers win.

use std::sync::Arc;

use serde_json::Value;

use super::clients::together;
use super::order::{self, Subject};
use crate::suite::{Call, Context, Exchange, Failure, Outcome, Role, Stop};

/// Writers at the same time.
const WRITERS: u32 = 6;
/// How often they try.
const ROUNDS: u32 = 3;

/// The strong entity tag of an answer.
fn tag(exchange: &Exchange) -> Result<String, Stop> {
    match exchange.header("etag") {
        Some(tag) if !tag.starts_with("W/") => Ok(tag.to_owned()),
        Some(_) => Err(Stop::NotApplicable(
            "the platform's entity tags are weak, which If-Match never fits".to_owned(),
        )),
        None => Err(Stop::NotApplicable(
            "the platform answers without ETag, which is not mandatory".to_owned(),
        )),
    }
}

/// Sees that one client alone is refused with a tag that does not fit.
async fn honoured(context: &mut Context, write: Call) -> Outcome {
    let stale = write
        .header("If-Match", "\"mec-conformance-stale\"")
        .role(Role::Control);
    let refused = context.send(stale).await?;
    match refused.status() {
        412 => Ok(()),
        _ => Err(Stop::NotApplicable(
            "the platform does not honour If-Match; the check preconditions judges that".to_owned(),
        )),
    }
}

/// Counts winners of a round; the winner's place, if all is right.
fn winner(exchanges: &[&Exchange]) -> Result<Option<usize>, Stop> {
    let won: Vec<_> = (0..exchanges.len())
        .filter(|at| exchanges[*at].is_success())
        .collect();
    let statuses = || {
        let all: Vec<_> = exchanges
            .iter()
            .map(|exchange| exchange.status().to_string())
            .collect();
        all.join(", ")
    };
    match won.as_slice() {
        [one] => Ok(Some(*one)),
        [] if exchanges.iter().all(|exchange| exchange.status() == 412) => Err(Failure::new(
            "of several writers with the current entity tag none wins",
            "one success, as the tag is that of the object",
            statuses(),
        )
        .signature("none wins")
        .stop()),
        // Some were refused for other reasons (429, 503), which says nothing.
        [] => Ok(None),
        _ => Err(Failure::new(
            "several writers with the same If-Match win",
            "one success, and 412 for all others",
            statuses(),
        )
        .signature("several win")
        .stop()),
    }
}

/// Of an object that is made.
pub(super) async fn made(context: &mut Context, object: Subject, put: usize) -> Outcome {
    let prepared = order::prepare(context, object, put).await?;
    let get = context
        .call(object.api, object.get, &prepared.made.values)
        .role(Role::Control);
    for round in 0..ROUNDS {
        let read = context.send(get.clone()).await?;
        let tag = tag(&read)?;
        if round == 0 {
            let write = prepared.write(context, object, put, 1);
            honoured(context, write).await?;
        }
        let numbers: Vec<_> = (1..=WRITERS).map(|client| round * 100 + 10 + client).collect();
        let calls = numbers
            .iter()
            .map(|number| {
                let write = prepared.write(context, object, put, *number);
                vec![write.header("If-Match", tag.clone())]
            })
            .collect();
        let mut done = together(context, calls).await?;
        done.sort_by_key(|done| done.client);
        let exchanges: Vec<_> = done.iter().map(|done| &done.exchange).collect();
        let Some(at) = winner(&exchanges)? else { continue };
        let after = context.send(get.clone()).await?;
        let read = after.json().and_then(|body| prepared.marker.read(&body));
        if after.is_success() && read.is_some() && read != Some(numbers[at]) {
            return Err(Failure::new(
                "the object is not what the only writer who won has written",
                format!("what client {} wrote", at + 1),
                after.summary(),
            )
            .signature("not the winner's")
            .stop());
        }
    }
    Ok(())
}

/// Of something that exists and has a state that an application may change; it is changed back in the end.
pub(super) async fn existing(context: &mut Context, api: usize, get: usize, put: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let state = &suite.apis[api];
    let key = &state.api.operations[put].key;
    let Some((name, states)) = state.knowledge.toggles(key) else {
        return Ok(());
    };
    let values = context.values(api, get).await?;
    let read_call = context.call(api, get, &values).role(Role::Control);
    let first = context.send(read_call.clone()).await?;
    let Some(body) = first.json().filter(|_| first.is_success()) else {
        return Err(Stop::Inconclusive(format!(
            "{} was answered {}; name one that exists in --fixtures",
            first.call.method,
            first.summary()
        )));
    };
    let other = |body: &Value| {
        let mut body = body.clone();
        let now = body.get(name) == Some(&states[0]);
        body[name] = states[usize::from(now)].clone();
        body
    };
    let write = |context: &Context, body: &Value| context.call(api, put, &values).json(body.clone());
    tag(&first)?;
    let changed = context
        .send(write(context, &other(&body)).role(Role::Control))
        .await?;
    if !changed.is_success() {
        let reason = state.knowledge.may_refuse(key).unwrap_or("it may be right to");
        return Err(Stop::Inconclusive(format!(
            "{key} was answered {}; {reason}",
            changed.summary()
        )));
    }
    let mut outcome = honoured(context, write(context, &body)).await;
    let rounds = if outcome.is_ok() { ROUNDS } else { 0 };
    for _ in 0..rounds {
        let read = context.send(read_call.clone()).await?;
        let (Ok(tag), Some(now)) = (tag(&read), read.json()) else {
            break;
        };
        let next = other(&now);
        let calls = (0..WRITERS)
            .map(|_| vec![write(context, &next).header("If-Match", tag.clone())])
            .collect();
        let done = together(context, calls).await?;
        let exchanges: Vec<_> = done.iter().map(|done| &done.exchange).collect();
        outcome = winner(&exchanges).map(|_| ());
        if outcome.is_err() {
            break;
        }
    }
    let back = write(context, &body).role(Role::CleanUp);
    let back = context.send(back).await?;
    if !back.is_success() {
        suite.leave(format!("{}: changed, {}", back.call.path, back.summary()));
    }
    outcome
}
