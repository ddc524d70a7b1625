//! Many equal objects: what a platform does with the first it does with the twentieth.

use std::collections::BTreeSet;
use std::sync::Arc;

use mecforge_api::child;
use mecforge_report::Severity;
use serde_json::Value;

use super::comparison::{is_at, is_part, items, last, lost, same};
use crate::checks::model::content::lasting;
use crate::checks::security::with_liveness;
use crate::suite::{
    Check, Context, Failure, Group, Made, Outcome, Role, Source, Stop, Values, name_apart, name_like_path,
    reading,
};

pub(super) static MANY: Check = Check {
    id: "many-are-as-one",
    group: Group::State,
    title: "of many equal objects each is kept, read and listed as the first",
    severity: Severity::Error,
    explanation: "22 objects are made of one body, which has as many optional properties as the platform takes; only names and identifiers differ. The answer to each creation, its reading and its item in the list have the properties that those of the first have, and keep what those keep; the list has each once. Where a platform takes fewer, those are judged.",
    sources: &[Source::Document],
};

/// Objects that are made.
const OBJECTS: usize = 22;

pub(super) async fn alike(context: &mut Context, api: usize, maker: usize, list: Option<usize>) -> Outcome {
    let values = context.values(api, maker).await?;
    let (first, body) = richest(context, (api, maker), &values).await?;
    let mut all = vec![first];
    while all.len() < OBJECTS {
        let own = named(context, (api, maker), &values, &body);
        match context.make(api, maker, &values, Some(own)).await {
            Ok(made) => all.push(made),
            Err(stop @ (Stop::Gone(_) | Stop::Over)) => return Err(stop),
            // A platform may have enough; what it says then is judged elsewhere.
            Err(_) => break,
        }
    }
    compare(&all, "the answer to the creation", |made| {
        Some(made.answered.clone())
    })?;
    let suite = Arc::clone(&context.suite);
    let mut read = Vec::new();
    for made in &all {
        let Some(call) = reading(&suite, api, &made.path) else {
            break;
        };
        let exchange = context.send(call.role(Role::Judged)).await?;
        read.push(exchange.json().filter(|_| exchange.is_success()));
    }
    let at = |made: &Made| all.iter().position(|other| other.path == made.path);
    compare(&all, "the reading", |made| read.get(at(made)?)?.clone())?;
    let Some(list) = list else { return Ok(()) };
    let listed = context.send(context.call(api, list, &values)).await?;
    let body = listed.json().filter(|_| listed.is_success()).unwrap_or_default();
    if is_part(&suite, &listed) {
        return Ok(());
    }
    let found = items(&body).cloned().unwrap_or_default();
    let of = |made: &Made| -> Vec<&Value> {
        let own = found.iter().filter(|item| is_at(item, last(&made.path)));
        own.collect()
    };
    let of_each: Vec<_> = all.iter().map(of).collect();
    if of_each[0].len() != 1 {
        return Ok(());
    }
    for (at, (made, own)) in all.iter().zip(&of_each).enumerate() {
        let times = own.len();
        if times != 1 {
            let title = format!("of {} equal objects one is in the list {times} times", all.len());
            let actual = format!("{}, the one made as number {}", made.path, at + 1);
            return Err(Failure::new(title, "each once", actual).signature("times").stop());
        }
    }
    compare(&all, "the item in the list", |made| {
        of_each[at(made)?].first().map(|item| (*item).clone())
    })?;
    for ((made, own), read) in all.iter().zip(&of_each).zip(&read) {
        let (Some(item), Some(read)) = (own.first(), read) else {
            continue;
        };
        let whole = item.get("href").is_none() && item.as_object().is_some_and(|item| item.len() > 2);
        if whole && !same(item, read) && !suite.apis[api].knowledge.changes_by_itself(&made.path) {
            let difference = lost(read, item, &[], false).or_else(|| lost(item, read, &[], false));
            let place = difference
                .as_ref()
                .map_or("the root", |difference| difference.place());
            let title = format!(
                "an item of a list of {} objects differs from the object at {place}",
                all.len()
            );
            let failure = Failure::new(title, read.to_string(), item.to_string());
            return Err(failure.signature(place).stop());
        }
    }
    Ok(())
}

/// An object with as many properties as the platform takes, and its body.
async fn richest(
    context: &mut Context,
    place: (usize, usize),
    values: &Values,
) -> Result<(Made, Value), Stop> {
    let (api, maker) = place;
    let suite = Arc::clone(&context.suite);
    let plain = context.body(api, maker, values)?;
    let schema = suite.apis[api].body_schema(maker);
    let mut bodies = Vec::new();
    if let Some(schema) = &schema
        && let Some(mut full) = lasting(schema)
    {
        context.bind(&mut full, values);
        let mut both = full.clone();
        overlay(&mut both, &plain);
        bodies.extend([both, full].into_iter().filter(|body| schema.is_valid(body)));
    }
    bodies.push(plain);
    let mut last = Stop::Inconclusive("no body can be generated".to_owned());
    for body in bodies {
        let body = with_liveness(context, place, body);
        let own = named(context, place, values, &body);
        match context.make(api, maker, values, Some(own)).await {
            Ok(made) => return Ok((made, body)),
            Err(stop @ (Stop::Gone(_) | Stop::Over)) => return Err(stop),
            Err(stop) => last = stop,
        }
    }
    Err(last)
}

/// Puts what a usual body has over a full one: names that nobody else has, and values that every platform takes.
fn overlay(full: &mut Value, plain: &Value) {
    match (full, plain) {
        (Value::Object(full), Value::Object(plain)) => {
            for (name, value) in plain {
                match full.get_mut(name) {
                    Some(own) => overlay(own, value),
                    None => drop(full.insert(name.clone(), value.clone())),
                }
            }
        }
        (full, plain) => *full = plain.clone(),
    }
}

/// The body with names of its own.
fn named(context: &mut Context, (api, maker): (usize, usize), values: &Values, body: &Value) -> Value {
    let unique = context.unique();
    let suite = Arc::clone(&context.suite);
    let mut own = body.clone();
    if let Some(schema) = suite.apis[api].body_schema(maker) {
        if own.get("serName").is_some() {
            own["serName"] = Value::from(format!("conformance-{unique}"));
        } else {
            name_apart(&mut own, &unique, &|body| schema.is_valid(body));
            name_like_path(&mut own, values, "");
        }
    }
    own
}

/// Compares a view of each object with that of the first.
fn compare(all: &[Made], view: &str, shown: impl Fn(&Made) -> Option<Value>) -> Outcome {
    let Some(first) = shown(&all[0]) else {
        return Ok(());
    };
    let (mut wanted, keeps) = (BTreeSet::new(), lost(&all[0].sent, &first, &[], false).is_none());
    shape(&first, "", &mut wanted);
    for (at, made) in all.iter().enumerate().skip(1) {
        let now = shown(made).unwrap_or_default();
        let mut has = BTreeSet::new();
        shape(&now, "", &mut has);
        let missing = wanted.difference(&has).next().cloned();
        let changed = || lost(&made.sent, &now, &[], false).filter(|_| keeps);
        let place = missing.or_else(|| changed().map(|difference| difference.place().to_owned()));
        if let Some(place) = place {
            let title = format!(
                "{view} of one of {} equal objects is not like the first at {place}",
                all.len()
            );
            let actual = format!("{now}, made as number {}", at + 1);
            return Err(Failure::new(title, first.to_string(), actual)
                .signature(format!("{view} {place}"))
                .stop());
        }
    }
    Ok(())
}

/// The pointers of all members.
fn shape(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    for (name, member) in value.as_object().into_iter().flatten() {
        let pointer = child(at, name);
        shape(member, &pointer, found);
        found.insert(pointer);
    }
}
