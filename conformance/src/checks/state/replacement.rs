//! PUT replaces the whole object; preconditions protect it.

use std::sync::Arc;

use serde_json::Value;

use super::TAG;
use super::comparison::{lost, same};
use super::declared::shown;
use crate::checks::input::own_limits;
use crate::suite::{Context, Exchange, Failure, Outcome, Role, Stop, Values, name_like_path, reading};

pub(super) async fn replaces(context: &mut Context, api: usize, maker: usize, put: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let state = &suite.apis[api];
    let key = &state.api.operations[put].key;
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let mut full = state
        .body_schema(put)
        .and_then(|schema| schema.full())
        .ok_or_else(|| Stop::Inconclusive("no full body can be generated".to_owned()))?;
    context.bind(&mut full, &made.values);
    name_like_path(&mut full, &made.values, "");
    let small = context.body(api, put, &made.values)?;
    let place = (api, put);
    let call = context.call(api, put, &made.values);
    let tried = context.send(call.json(full.clone())).await?;
    if !tried.is_success()
        && let Some(tamer) = own_limits::tamer(context, place, &made.values, &full)
    {
        // Which of its parts a platform refuses is judged elsewhere.
        full = tamer;
    }
    for body in [&full, &small, &small] {
        let written = context
            .send(context.call(api, put, &made.values).json(body.clone()))
            .await?;
        if !written.is_success() {
            return Err(refused(context, place, &made.values, &written, body).await?);
        }
        let Some(call) = reading(&suite, api, &made.path) else {
            return Ok(());
        };
        let wanted = call.operation.map(|get| shown(state, get, body));
        let read = context.send(call.role(Role::Judged)).await?;
        let now = read.json().unwrap_or_default();
        let wanted = wanted.as_ref().unwrap_or(body);
        if let Some(difference) = lost(wanted, &now, state.knowledge.assigned(key), false) {
            let title = format!("what was put is not what is read at {}", difference.place());
            return Err(
                Failure::new(title, difference.expected.clone(), difference.actual.clone())
                    .signature(difference.place())
                    .stop(),
            );
        }
        let left = full
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
            .find(|name| {
                std::ptr::eq(body, &small)
                    && small.get(name.as_str()).is_none()
                    && now
                        .get(name.as_str())
                        .is_some_and(|value| Some(value) == full.get(name.as_str()))
                    && !state.knowledge.assigned(key).contains(&name.as_str())
            });
        if let Some(name) = left {
            return Err(Failure::new(
                format!("PUT merges instead of replacing: {name} is still there"),
                format!("no {name}"),
                read.summary(),
            )
            .stop());
        }
    }
    Ok(())
}

/// What is to be said of a valid replacement that is refused.
async fn refused(
    context: &mut Context,
    (api, put): (usize, usize),
    values: &Values,
    written: &Exchange,
    body: &Value,
) -> Result<Stop, Stop> {
    let suite = Arc::clone(&context.suite);
    let state = &suite.apis[api];
    let permitted = state.knowledge.may_refuse(&state.api.operations[put].key);
    let reason = match written.status() {
        401 | 403 | 409 | 429 | 503 => {
            Some("what may be changed, and by whom, is the platform's to say (give credentials that may)")
        }
        _ => permitted,
    };
    if let Some(reason) = reason {
        let reason = format!("PUT was answered {}; {reason}", written.summary());
        return Ok(Stop::Inconclusive(reason));
    }
    let check = own_limits::of_refusal(context, (api, put), values, written, body).await?;
    let failure = Failure::new("a valid request is refused", "success", written.summary());
    Ok(failure.of(check).shown_by(&written.call).stop())
}

pub(super) async fn precondition(context: &mut Context, api: usize, maker: usize, put: usize) -> Outcome {
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let suite = Arc::clone(&context.suite);
    let Some(call) = reading(&suite, api, &made.path) else {
        return Ok(());
    };
    let first = context.send(call.clone()).await?;
    let Some(tag) = first.header("etag").map(str::to_owned) else {
        return Err(Stop::NotApplicable(
            "the platform answers without ETag, which is not mandatory".to_owned(),
        ));
    };
    let second = context.send(call.clone()).await?;
    context.judge(TAG.id, api, Some(put));
    if second.header("etag") != Some(tag.as_str()) {
        context.report(
            Failure::new(
                "the entity tag changes though the object does not",
                tag.clone(),
                second.header("etag").unwrap_or("(none)"),
            )
            .of(TAG.id),
        );
        return Ok(());
    }
    let body = context.body(api, put, &made.values)?;
    let write = |context: &mut Context, tag: &str| {
        context
            .call(api, put, &made.values)
            .json(body.clone())
            .header("If-Match", tag)
    };
    let stale = write(context, "\"mec-conformance-stale\"");
    let refused = context.send(stale).await?;
    if refused.status() != 412 {
        return Err(Failure::new(
            format!(
                "If-Match with a tag that does not fit is answered {}",
                refused.status()
            ),
            "412",
            refused.summary(),
        )
        .shown_by(&refused.call)
        .stop());
    }
    if tag.starts_with("W/") {
        return Err(Stop::NotApplicable(
            "the entity tag is a weak one, which If-Match never matches (RFC 9110, 13.1.1)".to_owned(),
        ));
    }
    let current = write(context, &tag);
    let accepted = context.send(current).await?;
    if !accepted.is_success() {
        let plain = context.call(api, put, &made.values).json(body.clone());
        let plain = context.send(plain.role(Role::Control)).await?;
        if !plain.is_success() {
            return Err(Stop::Inconclusive(format!(
                "without a condition PUT is answered {}",
                plain.summary()
            )));
        }
        return Err(Failure::new(
            format!("If-Match with the current tag is answered {}", accepted.status()),
            "success",
            accepted.summary(),
        )
        .stop());
    }
    let third = context.send(call).await?;
    if third.header("etag") == Some(tag.as_str())
        && !same(
            &first.json().unwrap_or_default(),
            &third.json().unwrap_or_default(),
        )
    {
        context.report(
            Failure::new(
                "the entity tag stays though the object changes",
                "another tag",
                tag.clone(),
            )
            .of(TAG.id),
        );
    }
    let old = write(context, &tag);
    let lost_update = context.send(old).await?;
    if third.header("etag") != Some(tag.as_str()) && lost_update.status() != 412 {
        return Err(Failure::new(
            format!("If-Match with an old tag is answered {}", lost_update.status()),
            "412",
            lost_update.summary(),
        )
        .stop());
    }
    Ok(())
}
