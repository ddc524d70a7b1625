//! Percent-encoding: what is the same however it is written, and what is not.

use std::sync::Arc;

use mecforge_api::{Location, segment};
use mecforge_report::Severity;
use serde_json::Value;

use crate::checks::state::comparison::{is_at, items, last};
use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite,
};

pub(super) static PATH: Check = Check {
    id: "percent-encoding",
    group: Group::Http,
    title: "letters and digits that are percent-encoded in a path mean themselves",
    severity: Severity::Error,
    explanation: "An object that exists is read with each letter, digit, hyphen and underscore of its identifier written as %41, with large and with small hexadecimal digits: addresses that differ in this alone are equivalent. A % without two digits after it must not lead to a server error.",
    sources: &[Source::Rfc(3986, "2.3"), Source::Rfc(3986, "6.2.2.2")],
};

pub(super) static TWICE: Check = Check {
    id: "decodes-once",
    group: Group::Http,
    title: "a path is percent-decoded once",
    severity: Severity::Error,
    explanation: "An object that exists is asked for with its identifier encoded twice, which names something else; getting it lets addresses past what guards them.",
    sources: &[Source::Rfc(3986, "2.4")],
};

pub(super) static QUERY: Check = Check {
    id: "query-encoding",
    group: Group::Http,
    title: "values in a query mean the same, percent-encoded or not",
    severity: Severity::Error,
    explanation: "Judged for parameters that are seen to filter: an object is found by a value that it has, and not found by another; then it must be found by the same value with every letter percent-encoded.",
    sources: &[Source::Rfc(3986, "2.3"), Source::Rfc(3986, "6.2.2.2")],
};

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let document = &suite.apis[api].api;
    for operation in &document.operations {
        let index = operation.index;
        if operation.method != "GET" {
            continue;
        }
        if operation.path.last_parameter().is_some() {
            plan.add(suite, &PATH, api, Some(index), "unreserved", move |context| {
                Box::pin(path(context, api, index))
            });
            plan.add(suite, &TWICE, api, Some(index), "twice", move |context| {
                Box::pin(twice(context, api, index))
            });
        }
        let maker = document.operation("POST", operation.path.text());
        let Some(maker) = maker.map(|operation| operation.index) else {
            continue;
        };
        for parameter in operation.parameters_in(Location::Query) {
            let name = parameter.name.clone();
            plan.add(suite, &QUERY, api, Some(index), &name.clone(), move |context| {
                let name = name.clone();
                Box::pin(async move { query(context, api, index, maker, &name).await })
            })
            .read_only = false;
        }
    }
}

/// A text with every unreserved character percent-encoded, and the others as they have to be.
fn encoded(text: &str, upper: bool) -> String {
    let byte = |byte: u8| match upper {
        true => format!("%{byte:02X}"),
        false => format!("%{byte:02x}"),
    };
    text.bytes().map(byte).collect()
}

/// An object that exists: the request that reads it, and the identifier at its end.
async fn existing(context: &mut Context, api: usize, operation: usize) -> Result<(Exchange, String), Stop> {
    let suite = Arc::clone(&context.suite);
    let declared = &suite.apis[api].api.operations[operation];
    let values = context.values(api, operation).await?;
    let name = declared.path.last_parameter().unwrap_or_default();
    let identifier = values.get(name).cloned().unwrap_or_default();
    let call = context.call(api, operation, &values).role(Role::Control);
    let control = context.send(call).await?;
    match control.is_success() && !identifier.is_empty() {
        true => Ok((control, identifier)),
        false => Err(Stop::Inconclusive(format!(
            "what exists can't be read: {}",
            control.summary()
        ))),
    }
}

/// The request that reads something, judged with another last segment.
fn ending(call: &Call, last: &str) -> Call {
    call.clone()
        .with_last(last)
        .role(Role::Judged)
        .intent(Intent::Odd)
}

async fn path(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let (control, identifier) = existing(context, api, operation).await?;
    for (what, upper) in [("large", true), ("small", false)] {
        let call = ending(&control.call, &encoded(&identifier, upper));
        let answer = context.send(call).await?;
        if answer.is_refusal() && answer.status() != 429 {
            let title = format!("a percent-encoded identifier ({what} hexadecimal digits) is not the same");
            let expected = format!("{}, as without it", control.status());
            context.report(Failure::new(title, expected, answer.summary()).shown_by(&answer.call));
        }
    }
    for broken in ["%zz", "%4", "%"] {
        // It names nothing, so that no operation is meant; judged as every answer is: no server error.
        let mut call = ending(&control.call, broken);
        call.operation = None;
        context.send(call).await?;
    }
    Ok(())
}

async fn twice(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let (control, identifier) = existing(context, api, operation).await?;
    let double = encoded(&identifier, true).replace('%', "%25");
    let answer = context.send(ending(&control.call, &double)).await?;
    let same = answer.json().is_some() && answer.json() == control.json();
    let found = answer.json().is_some_and(|body| is_at(&body, &identifier));
    if answer.is_success() && (same || found) {
        let unknown = ending(&control.call, &context.unique()).role(Role::Control);
        let unknown = context.send(unknown).await?;
        if unknown.is_success() {
            let reason = format!("any identifier is answered: {}", unknown.summary());
            return Err(Stop::Inconclusive(reason));
        }
        let title = "an identifier that is percent-encoded twice is decoded twice";
        return Err(Failure::new(title, "404", answer.summary())
            .shown_by(&answer.call)
            .stop());
    }
    Ok(())
}

/// The texts in a value, at most eight.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.is_empty() && found.len() < 8 && !text.contains(',') => {
            found.push(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

async fn query(context: &mut Context, api: usize, list: usize, maker: usize, name: &str) -> Outcome {
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let plain = context.call(api, list, &values).role(Role::Control);
    let has = |exchange: &Exchange| {
        let body = exchange.json().filter(|_| exchange.is_success())?;
        let items = items(&body)?;
        Some(items.iter().any(|item| is_at(item, last(&made.path))))
    };
    let other = plain.clone().query(name, "mec-conformance-nothing");
    if has(&context.send(other).await?) != Some(false) {
        return Err(Stop::NotApplicable(
            "no text that nothing has is taken as a value of this parameter".to_owned(),
        ));
    }
    let mut candidates = Vec::new();
    texts(&made.answered, &mut candidates);
    for text in candidates {
        let found = context.send(plain.clone().query(name, text.clone())).await?;
        if has(&found) != Some(true) {
            continue;
        }
        let call = Call {
            raw_query: Some(format!("{}={}", segment(name), encoded(&text, true))),
            role: Role::Judged,
            ..plain.clone()
        };
        let answer = context.send(call).await?;
        if has(&answer) != Some(true) {
            let title = "a percent-encoded value in the query is not the same as the plain one";
            let failure = Failure::new(title, "the object, as by the plain value", answer.summary());
            return Err(failure.stop());
        }
        return Ok(());
    }
    Err(Stop::NotApplicable(
        "the object is found by none of its texts".to_owned(),
    ))
}
