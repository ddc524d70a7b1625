//! Properties that only the platform may set are not the client's to choose.

use std::sync::Arc;

use mecforge_report::Severity;
use serde_json::{Value, json};

use super::{properties, read};
use crate::suite::{
    Check, Context, Exchange, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite, Values,
};

static ASSIGNED: Check = Check {
    id: "server-sets-its-own-properties",
    group: Group::Security,
    title: "a client can't choose what only the platform may set",
    severity: Severity::Error,
    explanation: "A creation and a replacement carry a value of the client's in one property that the document marks readOnly, or that the standard leaves to the platform (serInstanceId, _links). The platform may refuse or ignore it, but neither the answer nor GET may have it afterwards.",
    sources: &[
        Source::Practice("JSON Schema 2020-12 Validation, 9.4 (readOnly)"),
        Source::Etsi("ETSI GS MEC 011", "8.1.2.2"),
        Source::Practice("OWASP API Security Top 10 2023, API3"),
    ],
};

pub(super) static CHECKS: &[&Check] = &[&ASSIGNED];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    for resource in &suite.apis[api].api.resources {
        let Some(maker) = resource.maker else { continue };
        for operation in [Some(maker), resource.operation("PUT")].into_iter().flatten() {
            let names = protected(suite, api, operation);
            if names.is_empty() {
                continue;
            }
            plan.add(
                suite,
                &ASSIGNED,
                api,
                Some(operation),
                "assigned",
                move |context| {
                    let names = names.clone();
                    Box::pin(async move { assigned(context, (api, maker, operation), &names).await })
                },
            );
        }
    }
}

/// Properties that are the platform's to set, each with its schema.
fn protected(suite: &Suite, api: usize, operation: usize) -> Vec<(String, Value)> {
    let state = &suite.apis[api];
    let known = state.knowledge.server_set(&state.api.operations[operation].key);
    let of_body = properties::of_body(suite, api, operation);
    let mut all: Vec<_> = of_body
        .into_iter()
        .filter(|(name, schema)| known.contains(&name.as_str()) || schema["readOnly"] == true)
        .collect();
    for name in known {
        // Declared or not: who does not know it must ignore it. It is tried where answers have it.
        if !all.iter().any(|(other, _)| other == name) {
            all.push(((*name).to_owned(), json!({"type": "string"})));
        }
    }
    all
}

/// A value that no platform sets by itself.
fn forged(schema: &Value, name: &str, unique: &str, instead: Option<&Value>) -> Option<Value> {
    const ADDRESS: &str = "http://192.0.2.66/mec-conformance-forged";
    if name == "_links" {
        return Some(json!({"self": {"href": ADDRESS}}));
    }
    if schema.get("enum").is_some() || schema.get("pattern").is_some() {
        return None;
    }
    match (
        schema["type"].as_str()?,
        schema.get("format").and_then(Value::as_str),
    ) {
        ("string", None) => Some(json!(format!("forged-{unique}"))),
        ("string", Some("uri")) => Some(json!(ADDRESS)),
        ("string", Some("uuid")) => Some(json!("deadbeef-0000-4000-8000-00000000dead")),
        ("string", Some("date-time")) => Some(json!("1999-12-31T23:59:59Z")),
        ("boolean", _) => Some(json!(!instead?.as_bool()?)),
        _ => None,
    }
}

async fn assigned(
    context: &mut Context,
    (api, maker, operation): (usize, usize, usize),
    names: &[(String, Value)],
) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let mut tried = 0;
    for (name, schema) in names {
        let values = context.values(api, maker).await?;
        let made = context.make(api, maker, &values, None).await?;
        let unique = context.unique();
        let shown = made.answered.get(name).is_some() || schema["readOnly"] == true;
        let Some(value) = forged(schema, name, &unique, made.answered.get(name)).filter(|_| shown) else {
            continue;
        };
        let target: Values = match operation == maker {
            true => values,
            false => made.values.clone(),
        };
        let mut body = context.body(api, operation, &target)?;
        body[name.as_str()] = value.clone();
        let call = context
            .call(api, operation, &target)
            .json(body)
            .intent(Intent::Odd);
        let exchange = context.send(call).await?;
        tried += 1;
        if !exchange.is_success() {
            continue;
        }
        let path = match operation == maker {
            true => crate::suite::location_path(&suite, &exchange),
            false => Some(made.path.clone()),
        };
        let read = match path {
            Some(path) => read(context, api, &path, Role::Judged).await?,
            None => None,
        };
        // The answer to PUT may be what was sent, word for word; what counts is what is there.
        let seen = [Some(&exchange), read.as_ref()].into_iter().flatten();
        if let Some(obeyed) = seen.into_iter().find(|seen| has(seen, name, &value)) {
            let failure = Failure::new(
                format!("the client's value of {name} is taken, which only the platform may set"),
                format!("{name} as the platform sets it"),
                obeyed.summary(),
            );
            context.report(failure.shown_by(&exchange.call));
        }
    }
    match tried {
        0 => Err(Stop::NotApplicable(
            "no such property takes a value that would tell".to_owned(),
        )),
        _ => Ok(()),
    }
}

/// Whether an answer has exactly the forged value.
fn has(exchange: &Exchange, name: &str, value: &Value) -> bool {
    let found = exchange.json().and_then(|body| body.get(name).cloned());
    found.is_some_and(|found| match (&found, value) {
        (Value::Object(_), Value::Object(_)) => found.pointer("/self/href") == value.pointer("/self/href"),
        _ => found == *value,
    })
}
