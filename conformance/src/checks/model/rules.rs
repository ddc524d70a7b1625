//! What exists without being made by a client (rules of an application): put back as it was read it stays the same, and
//! a change of what may be changed shows everywhere and can be taken back.

use std::sync::Arc;

use mecforge_api::Kind;
use serde_json::Value;

use super::MODEL;
use crate::checks::state::comparison::{Difference, items, lost, same};
use crate::suite::{Context, Failure, Outcome, Plan, Role, Stop, Suite, Values, each_named};

/// The operations on something that exists.
#[derive(Clone, Copy)]
struct Subject {
    api: usize,
    get: usize,
    put: usize,
    list: Option<usize>,
}

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let state = &suite.apis[api];
    for resource in state.api.resources.iter().filter(|one| one.kind == Kind::Item) {
        let (Some(get), Some(put), None) = (
            resource.operation("GET"),
            resource.operation("PUT"),
            resource.maker,
        ) else {
            continue;
        };
        if state.knowledge.toggles(&state.api.operations[put].key).is_none() {
            continue;
        }
        let collection = resource.collection.as_deref();
        let list = collection.and_then(|path| state.api.operation("GET", path));
        let subject = Subject {
            api,
            get,
            put,
            list: list.map(|operation| operation.index),
        };
        let case = plan.add(suite, &MODEL, api, Some(put), "existing", move |context| {
            Box::pin(async move { existing(context, subject).await })
        });
        // It changes what all see, and changes it back.
        case.alone();
        // What a platform loses with the first PUT, others would no longer see.
        case.stage = 0;
    }
}

/// The first difference between two values, in either direction.
fn difference(expected: &Value, actual: &Value) -> Option<Difference> {
    let missing = lost(expected, actual, &[], false);
    let other_way = || {
        lost(actual, expected, &[], false).map(|difference| Difference {
            pointer: difference.pointer,
            expected: difference.actual,
            actual: difference.expected,
        })
    };
    missing.or_else(other_way)
}

fn differs(what: &str, expected: &Value, actual: &Value) -> Outcome {
    match difference(expected, actual) {
        None => Ok(()),
        Some(difference) => Err(Failure::new(
            format!("{what}, at {}", difference.place()),
            difference.expected.clone(),
            difference.actual.clone(),
        )
        .signature(format!("{what}: {}", difference.place()))
        .stop()),
    }
}

/// Each that is given or listed, as far as there are not too many: a platform may lose what only one of them has.
async fn existing(context: &mut Context, subject: Subject) -> Outcome {
    const MOST: usize = 8;
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[subject.api].api;
    let first = context.values(subject.api, subject.get).await?;
    let mut all = vec![first.clone()];
    if let (Some(list), Some(parameter)) = (
        subject.list,
        document.operations[subject.get].path.last_parameter(),
    ) {
        let list = context.call(subject.api, list, &first).role(Role::Control);
        let body = context.send(list).await?.json().unwrap_or_default();
        let list = items(&body).cloned().unwrap_or_default();
        for (values, _) in each_named(list, &first, parameter) {
            if !all.contains(&values) && all.len() < MOST {
                all.push(values);
            }
        }
    }
    for values in all {
        one_existing(context, subject, values).await?;
    }
    Ok(())
}

async fn one_existing(context: &mut Context, subject: Subject, values: Values) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let state = &suite.apis[subject.api];
    let key = &state.api.operations[subject.put].key;
    let read = context
        .call(subject.api, subject.get, &values)
        .role(Role::Control);
    let read = context.send(read).await?;
    let Some(before) = read.json().filter(|_| read.status() == 200) else {
        return Err(Stop::Inconclusive(format!(
            "it was answered {}; name one that exists in --fixtures",
            read.summary()
        )));
    };
    compare(context, subject, &values, &before).await?;
    if !write(context, subject, &values, &before).await? {
        let reason = state.knowledge.may_refuse(key).unwrap_or("it may be right to");
        return Err(Stop::Inconclusive(format!(
            "{key} with what was read is refused; {reason}"
        )));
    }
    compare(context, subject, &values, &before).await?;
    echo(context, subject, &values, &before).await?;
    let Some((name, states)) = state.knowledge.toggles(key) else {
        return Ok(());
    };
    let mut changed = before.clone();
    changed[name] = states[usize::from(before.get(name) == Some(&states[0]))].clone();
    if !write(context, subject, &values, &changed).await? {
        return Ok(());
    }
    let outcome = compare(context, subject, &values, &changed).await;
    let from = before[name].to_string();
    let model = format!(
        "{} {}",
        state.api.id,
        state.api.operations[subject.put].path.text()
    );
    suite
        .recorder
        .transition(&model, &from, "PUT", &changed[name].to_string());
    // Whatever was found, it must be again as it was.
    let back = write(context, subject, &values, &before).await;
    outcome?;
    back?;
    compare(context, subject, &values, &before).await
}

/// A member that nobody knows may be kept or dropped, but not shown in the answer and dropped.
async fn echo(context: &mut Context, subject: Subject, values: &Values, before: &Value) -> Outcome {
    const MEMBER: &str = "mecConformanceUnknown";
    let mut body = before.clone();
    body[MEMBER] = "text".into();
    let call = context.call(subject.api, subject.put, values).json(body);
    let written = context.send(call).await?;
    let shown = |value: Option<Value>| value.is_some_and(|value| value.get(MEMBER).is_some());
    if written.status() != 200 || !shown(written.json()) {
        return Ok(());
    }
    let get = context.call(subject.api, subject.get, values);
    let read = context.send(get).await?;
    match read.status() == 200 && !shown(read.json()) {
        true => Err(Failure::new(
            "the answer to PUT has a member that the object does not have",
            "the object as GET gives it",
            written.summary(),
        )
        .stop()),
        false => Ok(()),
    }
}

/// Puts a body; whether it was accepted. The answer, where it is the object, must be what was put.
async fn write(context: &mut Context, subject: Subject, values: &Values, body: &Value) -> Result<bool, Stop> {
    let call = context.call(subject.api, subject.put, values).json(body.clone());
    let written = context.send(call).await?;
    if let Some(answered) = written.json().filter(|_| written.status() == 200)
        && answered.is_object()
    {
        differs("the answer to PUT is not what was put", body, &answered)?;
    }
    Ok(written.is_success())
}

/// Reads the object and its list.
async fn compare(context: &mut Context, subject: Subject, values: &Values, expected: &Value) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let get = context.call(subject.api, subject.get, values);
    let read = context.send(get).await?;
    context.judge(MODEL.id, subject.api, Some(subject.get));
    let now = read.json().filter(|_| read.status() == 200);
    let Some(now) = now else {
        return Err(Failure::new("something that exists is not found", "200", read.summary()).stop());
    };
    differs("what is read is not what was put", expected, &now)?;
    let Some(list) = subject.list else { return Ok(()) };
    let listed = context.call(subject.api, list, values);
    let listed = context.send(listed).await?;
    context.judge(MODEL.id, subject.api, Some(list));
    let document = &suite.apis[subject.api].api;
    let parameter = document.operations[subject.get].path.last_parameter();
    let (Some(body), Some(parameter)) = (listed.json().filter(|_| listed.status() == 200), parameter) else {
        return Ok(());
    };
    let identifier = values.get(parameter).map(|text| Value::String(text.clone()));
    let mut all = items(&body).into_iter().flatten();
    match all.find(|item| item.get(parameter) == identifier.as_ref()) {
        Some(item) if same(item, expected) => Ok(()),
        Some(item) => differs("the list does not show what was put", expected, item),
        None => Err(Failure::new(
            "something that exists is not in the list",
            format!("an item with {parameter}"),
            listed.summary(),
        )
        .stop()),
    }
}
