//! PUT replaces the whole object; preconditions protect it.

use std::sync::Arc;

use mecforge_instances::Schema;
use serde_json::Value;

use super::TAG;
use super::comparison::{lost, same};
use super::declared::shown;
use crate::checks::input::own_limits;
use crate::suite::{Context, Exchange, Failure, Made, Outcome, Role, Stop, Values, name_like_path, reading};

pub(super) async fn replaces(context: &mut Context, api: usize, maker: usize, put: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let state = &suite.apis[api];
    let assigned = state.knowledge.assigned(&state.api.operations[put].key);
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let schema = state.body_schema(put);
    let mut full = schema
        .as_ref()
        .and_then(Schema::full)
        .ok_or_else(|| Stop::Inconclusive("no full body can be generated".to_owned()))?;
    context.bind(&mut full, &made.values);
    name_like_path(&mut full, &made.values, "");
    let small = context.body(api, put, &made.values)?;
    let fits = |body: &Value| {
        let valid = schema.as_ref().is_some_and(|schema| schema.is_valid(body));
        valid && state.is_plausible(put, body)
    };
    let place = (api, put);
    let call = context.call(api, put, &made.values);
    let mut put = context.send(call.clone().json(full.clone())).await?;
    if !put.is_success()
        && let Some(tamer) = own_limits::tamer(context, place, &made.values, &full)
    {
        // Which of its parts a platform refuses is judged elsewhere.
        full = tamer;
        put = context.send(call.json(full.clone())).await?;
    }
    if kept(context, place, &made, &full, put).await?.is_none() {
        return Ok(());
    }
    let lean = lean(&full, &fits);
    if lean != full && lean != small {
        leaves_nothing_inside(context, place, &made, [&full, &lean, &small]).await?;
    }
    for _ in 0..2 {
        let Some((now, summary)) = written(context, place, &made, &small).await? else {
            return Ok(());
        };
        if let Some(place) = left(&full, &small, &now, &made.answered, assigned) {
            return Err(merges(&place, summary));
        }
    }
    Ok(())
}

/// Replaces an object by one that has all members and fewer inside of them. That it is refused is judged elsewhere.
async fn leaves_nothing_inside(
    context: &mut Context,
    (api, put): (usize, usize),
    made: &Made,
    [full, lean, small]: [&Value; 3],
) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let assigned = suite.apis[api]
        .knowledge
        .assigned(&suite.apis[api].api.operations[put].key);
    let call = context.call(api, put, &made.values).json(lean.clone());
    if !context.send(call.clone()).await?.is_success() {
        return Ok(());
    }
    let Some(read) = reading(&suite, api, &made.path) else {
        return Ok(());
    };
    let now = context.send(read.clone().role(Role::Judged)).await?;
    let found = now.json().unwrap_or_default();
    let Some(place) = left(full, lean, &found, &made.answered, assigned) else {
        return Ok(());
    };
    // The control: where nothing was there to be left, it is the platform that adds it.
    let less = context.call(api, put, &made.values).json(small.clone());
    context.send(less.role(Role::Control)).await?;
    context.send(call.role(Role::Control)).await?;
    let again = context.send(read.role(Role::Control)).await?;
    let again = again.json().unwrap_or_default();
    match again.pointer(&place).is_some() {
        true => Ok(()),
        false => Err(merges(&place, now.summary())),
    }
}

/// The breach of a PUT that leaves a member where none was sent.
fn merges(place: &str, summary: String) -> Stop {
    let name = place.trim_start_matches('/');
    let title = format!("PUT merges instead of replacing: {name} is still there");
    Failure::new(title, format!("no {name}"), summary).stop()
}

/// Replaces an object and reads it.
async fn written(
    context: &mut Context,
    place: (usize, usize),
    made: &Made,
    body: &Value,
) -> Result<Option<(Value, String)>, Stop> {
    let call = context.call(place.0, place.1, &made.values).json(body.clone());
    let written = context.send(call).await?;
    kept(context, place, made, body, written).await
}

/// Reads an object that was replaced; what is read must be what was put. None where it can't be read.
async fn kept(
    context: &mut Context,
    (api, put): (usize, usize),
    made: &Made,
    body: &Value,
    written: Exchange,
) -> Result<Option<(Value, String)>, Stop> {
    let suite = Arc::clone(&context.suite);
    let state = &suite.apis[api];
    let key = &state.api.operations[put].key;
    if !written.is_success() {
        return Err(refused(context, (api, put), &made.values, &written, body).await?);
    }
    let Some(call) = reading(&suite, api, &made.path) else {
        return Ok(None);
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
    Ok(Some((now, read.summary())))
}

/// The pointer of a member that an object still has as it was replaced, though the body that replaced it does not have
/// it. `initial` is the object before anything was put: what it has was never sent, and is the platform's. `except` are
/// properties of the object that the platform sets; the object may be in a member of its own.
fn left(before: &Value, body: &Value, now: &Value, initial: &Value, except: &[&str]) -> Option<String> {
    let (before, now) = (before.as_object()?, now.as_object()?);
    let wraps = before.len() == 1;
    let judged = before.iter().filter(|(name, _)| !except.contains(&name.as_str()));
    judged
        .filter_map(|(name, old)| Some((name, old, now.get(name)?)))
        .find_map(|(name, old, found)| {
            let place = mecforge_api::child("", name);
            let initial = initial.get(name);
            match body.get(name) {
                None => (found == old && initial != Some(old)).then_some(place),
                Some(new) => {
                    let except = if wraps { except } else { &[] };
                    let below = left(old, new, found, initial.unwrap_or(&Value::Null), except)?;
                    Some(format!("{place}{below}"))
                }
            }
        })
}

/// How many members are left out of a body, at most.
const MOST: usize = 64;

/// A body that has the members of another one and, inside of those that are objects, what is required alone.
fn lean(full: &Value, fits: &dyn Fn(&Value) -> bool) -> Value {
    let mut inner = Vec::new();
    let wraps = full.as_object().is_some_and(|members| members.len() == 1);
    members_inside(full, "", 1 + usize::from(wraps), &mut inner);
    let mut lean = full.clone();
    for (parent, name) in inner.into_iter().take(MOST) {
        let mut less = lean.clone();
        let members = less.pointer_mut(&parent).and_then(Value::as_object_mut);
        // An object without members says something else than one with them.
        let Some(members) = members.filter(|members| members.len() > 1) else {
            continue;
        };
        if members.remove(&name).is_some() && fits(&less) {
            lean = less;
        }
    }
    lean
}

/// The members that are at least so deep inside an object, each with the pointer of what has it.
fn members_inside(value: &Value, pointer: &str, depth: usize, found: &mut Vec<(String, String)>) {
    for (name, member) in value.as_object().into_iter().flatten() {
        if depth == 0 {
            found.push((pointer.to_owned(), name.clone()));
        }
        let place = mecforge_api::child(pointer, name);
        members_inside(member, &place, depth.saturating_sub(1), found);
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_is_found_in_wrappers_and_inside() {
        let found = |before: &Value, body: Value, now: Value, initial: Value| {
            left(before, &body, &now, &initial, &["set"])
        };
        let wrapped =
            json!({"areaSubscription": {"set": 1, "correlator": "c", "control": {"least": 1, "most": 2}}});
        let bare = json!({"areaSubscription": {"control": {"least": 1}}});
        let place = |now: Value| found(&wrapped, bare.clone(), now, Value::Null);
        assert_eq!(place(bare.clone()), None);
        assert_eq!(
            place(json!({"areaSubscription": {"set": 1, "control": {"least": 1}}})),
            None
        );
        assert_eq!(
            place(json!({"areaSubscription": {"correlator": "c"}})).as_deref(),
            Some("/areaSubscription/correlator")
        );
        assert_eq!(
            place(json!({"areaSubscription": {"control": {"least": 1, "most": 2}}})).as_deref(),
            Some("/areaSubscription/control/most")
        );
        // What the platform adds has another value, or was there before anything was put.
        let other = json!({"areaSubscription": {"correlator": "d", "control": {"least": 1, "most": 9}}});
        assert_eq!(place(other), None);
        let flat = json!({"state": "ON"});
        assert_eq!(found(&flat, json!({}), flat.clone(), flat.clone()), None);
        assert!(found(&flat, json!({}), flat.clone(), json!({})).is_some());
    }

    #[test]
    fn a_lean_body_has_less_inside_only() {
        let full = json!({"subscription": {"a": 1, "control": {"least": 1, "most": 2}, "list": [{"b": 1}]}});
        let fits = |body: &Value| body.pointer("/subscription/control/least").is_some();
        let wanted = json!({"subscription": {"a": 1, "control": {"least": 1}, "list": [{"b": 1}]}});
        assert_eq!(lean(&full, &fits), wanted);
        let flat = json!({"a": 1, "control": {"least": 1, "most": 2}});
        let fits = |body: &Value| body.pointer("/control/most").is_some();
        assert_eq!(lean(&flat, &fits), json!({"a": 1, "control": {"most": 2}}));
    }
}
