//! JSON in other words: the same value written otherwise is the same, odd values break nothing, and what the platform
//! itself gives can be given back.

use std::sync::Arc;

use mecforge_api::{Kind, Location};
use serde_json::Value;

use super::{NOTATION, ODD, OWN};
use crate::checks::state::comparison::items;
use crate::suite::{Context, Failure, Intent, Outcome, Plan, Role, Stop, Suite, Values};

/// The most objects of a list that are put back.
const MOST: usize = 8;

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let document = &suite.apis[api].api;
    for operation in &document.operations {
        let index = operation.index;
        if operation.json_body().is_some() {
            plan.add(suite, &NOTATION, api, Some(index), "notation", move |context| {
                Box::pin(notation(context, api, index))
            });
            plan.add(suite, &ODD, api, Some(index), "odd", move |context| {
                Box::pin(odd(context, api, index))
            });
        }
    }
    for resource in &document.resources {
        let pair = (resource.operation("GET"), resource.operation("PUT"));
        if let (Some(get), Some(put), Kind::Item) = (pair.0, pair.1, resource.kind) {
            plan.add(suite, &OWN, api, Some(put), "put-back", move |context| {
                Box::pin(put_back(context, api, get, put))
            });
        }
    }
}

/// The same JSON, with names and texts in escapes.
fn escaped(value: &Value, text: &mut String) {
    let quote = |name: &str, text: &mut String| {
        text.push('"');
        for unit in name.encode_utf16() {
            text.push_str(&format!("\\u{unit:04x}"));
        }
        text.push('"');
    };
    match value {
        Value::Object(members) => {
            text.push('{');
            for (at, (name, member)) in members.iter().rev().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                quote(name, text);
                text.push(':');
                escaped(member, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                escaped(item, text);
            }
            text.push(']');
        }
        Value::String(string) => quote(string, text),
        other => text.push_str(&other.to_string()),
    }
}

async fn notation(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let body = context.body(api, operation, &values)?;
    let plain = context.call(api, operation, &values);
    let control = plain.clone().json(body).role(Role::Control);
    let control = context.send(control).await?;
    if !control.is_success() {
        return Err(Stop::Inconclusive(format!(
            "in its usual form it is answered {}",
            control.summary()
        )));
    }
    for what in [
        "with blanks and line breaks",
        "in escapes, its members in reverse",
    ] {
        // An object of its own each time: a second one with the same content may be in conflict.
        let body = context.body(api, operation, &values)?;
        let text = match what {
            "with blanks and line breaks" => {
                let pretty = serde_json::to_string_pretty(&body).unwrap_or_default();
                format!("\r\n\t {pretty} \t\r\n").replace(':', " :\t")
            }
            _ => {
                let mut text = String::new();
                escaped(&body, &mut text);
                text
            }
        };
        // A colon within a text must stay as it is.
        let same = serde_json::from_str::<Value>(&text).is_ok_and(|read| read == body);
        let text = match same {
            true => text,
            false => format!("\r\n\t {body} \t\r\n"),
        };
        let media_type = media_type(context, api, operation);
        let call = plain.clone().bytes(&media_type, text);
        let exchange = context.send(call).await?;
        if matches!(exchange.status(), 400 | 415 | 422) {
            let title = format!("a body that is written {what} is refused");
            let failure = Failure::new(title, "success, as in its usual form", exchange.summary());
            context.report(failure.shown_by(&exchange.call));
        }
    }
    Ok(())
}

fn media_type(context: &Context, api: usize, operation: usize) -> String {
    let declared = context.suite.apis[api].api.operations[operation].json_body();
    declared.map_or_else(
        || "application/json".to_owned(),
        |content| content.media_type.clone(),
    )
}

async fn odd(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let good = context.body(api, operation, &values)?.to_string();
    let Some(front) = good.strip_suffix('}') else {
        return Ok(());
    };
    let comma = if front.len() > 1 { "," } else { "" };
    let member = |text: &str| format!("{front}{comma}\"mecConformance\":{text}}}").into_bytes();
    let first = good[1..]
        .split(',')
        .next()
        .unwrap_or_default()
        .trim_end_matches('}');
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let bodies = [
        [b"\xef\xbb\xbf".as_slice(), good.as_bytes()].concat(),
        utf16,
        format!("{front}{comma}{first}}}").into_bytes(),
        member("1e400"),
        member("-0"),
        member("123456789012345678901234567890"),
        member("\"\\ud800\""),
        member("\"\\u0000\""),
    ];
    let media_type = media_type(context, api, operation);
    for body in bodies {
        // Judged as every answer is: it is complete, and no server error.
        let call = context.call(api, operation, &values);
        let call = call.bytes(&media_type, body).intent(Intent::Odd);
        context.send(call).await?;
    }
    Ok(())
}

async fn put_back(context: &mut Context, api: usize, get: usize, put: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[api].api;
    let template = document.operations[put].path.clone();
    let values = context.values(api, put).await?;
    let mut all: Vec<Values> = vec![values.clone()];
    let resource = document.resource(template.text());
    let own = resource.is_some_and(|resource| resource.maker.is_some());
    let collection = resource.and_then(|resource| resource.collection.as_deref());
    let list = collection.and_then(|path| document.operation("GET", path));
    if let (false, Some(list), Some(name)) = (own, list, template.last_parameter()) {
        // What the operator has configured: all of it, as each may have other values.
        let call = context.call(api, list.index, &values).role(Role::SetUp);
        let body = context.send(call).await?.json().unwrap_or_default();
        let named = items(&body)
            .into_iter()
            .flatten()
            .filter_map(|item| item.get(name));
        let named = named.filter_map(Value::as_str).take(MOST);
        all.extend(named.map(|id| {
            let mut values = values.clone();
            values.insert(name.to_owned(), id.to_owned());
            values
        }));
    }
    let schema = suite.apis[api].body_schema(put);
    let required = |name: Location| {
        let mut parameters = document.operations[put].parameters_in(name);
        parameters.any(|parameter| parameter.required)
    };
    if required(Location::Query) || required(Location::Header) {
        return Err(Stop::NotApplicable("it needs more than the object".to_owned()));
    }
    for values in all {
        let read = context.call(api, get, &values).role(Role::Control);
        let read = context.send(read).await?;
        let Some(body) = read.json().filter(|_| read.is_success()) else {
            continue;
        };
        if schema.as_ref().is_some_and(|schema| !schema.is_valid(&body)) {
            continue;
        }
        let written = context.send(context.call(api, put, &values).json(body)).await?;
        if matches!(written.status(), 400 | 422) {
            let title = "what GET gives is refused when it is put back unchanged";
            let failure = Failure::new(title, "success", written.summary());
            context.report(failure.shown_by(&written.call));
        }
    }
    Ok(())
}
