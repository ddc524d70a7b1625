//! Making a request smaller while it still shows the same fault.

use serde_json::Value;

use super::call::{Call, Exchange, Payload, Role};
use super::context::Context;
use super::outcome::Failure;
use super::{Intent, name_like_path, responses};

/// The most requests that are spent on one fault.
const MOST: usize = 60;

/// Tries smaller forms of the request that showed a fault, each at the target; gives back the smallest that still shows
/// it, with what came. None if nothing smaller shows it, or if no single request does.
pub async fn minimise(context: &mut Context, failure: &Failure) -> Option<(Call, Exchange)> {
    let first = failure.call.as_deref()?.clone();
    let mut best: Option<(Call, Exchange)> = None;
    context.quiet = true;
    let mut spent = 0;
    loop {
        let current = best.as_ref().map_or(&first, |(call, _)| call).clone();
        let mut improved = false;
        for candidate in smaller(&current) {
            if spent >= MOST {
                break;
            }
            if !fits(context, &candidate) {
                continue;
            }
            spent += 1;
            let Ok(exchange) = context.send(candidate.clone()).await else {
                break;
            };
            if shows(context, failure, &exchange) {
                best = Some((candidate, exchange));
                improved = true;
                break;
            }
        }
        if !improved {
            break;
        }
    }
    context.quiet = false;
    if let Some((_, exchange)) = &best {
        context.trace.push(exchange.record.clone());
    }
    best
}

/// Whether a candidate still obeys, or still breaks the one rule that it is meant to break.
fn fits(context: &Context, call: &Call) -> bool {
    let Some(operation) = call.operation else {
        return true;
    };
    if !has_what_it_must(context, call, operation) {
        return false;
    }
    let (Payload::Json(body), Some(schema)) =
        (&call.payload, context.suite.apis[call.api].body_schema(operation))
    else {
        return true;
    };
    match &call.intent {
        Intent::Valid => schema.is_valid(body) && is_named_like_its_path(context, call, operation, body),
        Intent::Breaks(pointer) => {
            let errors = schema.errors(body);
            !errors.is_empty()
                && errors
                    .iter()
                    .all(|breach| breach.schema_pointer == *pointer || breach.keyword.ends_with("Of"))
        }
        Intent::Odd => true,
    }
}

/// Whether what is named like a parameter of the path still has the value that is in the path.
fn is_named_like_its_path(context: &Context, call: &Call, operation: usize, body: &Value) -> bool {
    let template = &context.suite.apis[call.api].api.operations[operation].path;
    let mut named = body.clone();
    if let Some(values) = template.matches(&call.path) {
        name_like_path(&mut named, &values, "");
    }
    named == *body
}

/// Whether a candidate still carries the parameters that the operation can't be asked without.
fn has_what_it_must(context: &Context, call: &Call, operation: usize) -> bool {
    let (query, headers) = context.suite.apis[call.api].required_parameters(operation);
    let names = |pairs: &[(String, String)], name: &str| {
        pairs.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
    };
    query.iter().all(|(name, _)| names(&call.query, name))
        && headers.iter().all(|(name, _)| names(&call.headers, name))
}

/// Whether an exchange shows a fault again.
fn shows(context: &Context, failure: &Failure, exchange: &Exchange) -> bool {
    match failure.check {
        // Another status is another reason.
        Some("accepts-valid") => {
            let status = exchange.status().to_string();
            exchange.is_refusal() && failure.actual.starts_with(&status)
        }
        Some("refuses-invalid") => exchange.is_success(),
        Some(check) => {
            let (_, failures) = responses::judge(&context.suite, exchange);
            failures
                .iter()
                .any(|other| other.check == Some(check) && other.signature == failure.signature)
        }
        None => false,
    }
}

/// Forms of a request that are smaller by one thing, the greatest savings first.
fn smaller(call: &Call) -> Vec<Call> {
    let mut all = Vec::new();
    for at in 0..call.query.len() {
        let mut less = call.clone();
        less.query.remove(at);
        all.push(less);
    }
    for at in 0..call.headers.len() {
        let mut less = call.clone();
        less.headers.remove(at);
        all.push(less);
    }
    if let Payload::Json(body) = &call.payload {
        for body in reduced(body) {
            let mut less = call.clone();
            less.payload = Payload::Json(body);
            all.push(less);
        }
    }
    for less in &mut all {
        less.role = Role::Judged;
    }
    all
}

/// Values with one member, element or half of a long text less.
fn reduced(value: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    match value {
        Value::Object(members) => {
            for name in members.keys() {
                let mut less = members.clone();
                less.remove(name);
                all.push(Value::Object(less));
            }
            for (name, member) in members {
                for member in reduced(member) {
                    let mut less = members.clone();
                    less.insert(name.clone(), member);
                    all.push(Value::Object(less));
                }
            }
        }
        Value::Array(items) => {
            for at in 0..items.len().min(8) {
                let mut less = items.clone();
                less.remove(at);
                all.push(Value::Array(less));
            }
            for (at, item) in items.iter().enumerate().take(8) {
                for item in reduced(item) {
                    let mut less = items.clone();
                    less[at] = item;
                    all.push(Value::Array(less));
                }
            }
        }
        Value::String(text) if text.chars().count() > 8 => {
            let half = text.chars().count() / 2;
            all.push(Value::String(text.chars().take(half).collect()));
        }
        _ => {}
    }
    all
}
