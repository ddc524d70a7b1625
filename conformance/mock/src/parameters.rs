//! The parameters of a request: found, decoded once, typed as their schemas say, and judged.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use mecforge_api::{Location, Operation, Parameter, Style};
use percent_encoding::percent_decode;
use serde_json::{Map, Value};

use crate::attributes::Expression;
use crate::plan::Plan;
use crate::problem::Problem;
use crate::shape;

/// The values of an operation's query parameters, by name.
pub(crate) type Query = BTreeMap<String, Value>;

/// Decodes percent-encoded text.
///
/// # Errors
/// 400 for a `%` without two hexadecimal digits, and for octets that are not UTF-8.
pub(crate) fn decode(text: &str) -> Result<String, Problem> {
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let digits = bytes.get(at + 1..at + 3);
        if *byte == b'%' && !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(Problem::bad_request(
                "a % in the address is not followed by two hexadecimal digits",
            ));
        }
    }
    let decoded = percent_decode(bytes).decode_utf8();
    let decoded = decoded.map_err(|_| Problem::bad_request("the address is not UTF-8 once it is decoded"))?;
    Ok(decoded.into_owned())
}

/// The pairs of a query. A `+` is a space, as forms write it.
fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let mut pairs = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        pairs.push((
            decode(&name.replace('+', " "))?,
            decode(&value.replace('+', " "))?,
        ));
    }
    Ok(pairs)
}

/// A text as the values that it may mean for a schema, the likeliest first.
fn candidates(document: &Value, schema: &str, text: &str) -> Vec<Value> {
    let mut values = Vec::new();
    let has = |name: &str| shape::has_type(document, schema, name);
    if (has("integer") || has("number"))
        && let Ok(number @ Value::Number(_)) = serde_json::from_str::<Value>(text)
    {
        values.push(number);
    }
    if has("boolean") && matches!(text, "true" | "false") {
        values.push(Value::Bool(text == "true"));
    }
    values.push(Value::String(text.to_owned()));
    values
}

fn typed(plan: &Plan, schema: &str, text: &str) -> Value {
    let mut values = candidates(&plan.api.document, schema, text);
    match values
        .iter()
        .position(|value| plan.schemas.is_valid(schema, value))
    {
        Some(at) => values.swap_remove(at),
        None => values.swap_remove(0),
    }
}

fn typed_item(plan: &Plan, items: &[String], text: &str) -> Value {
    match items.first() {
        Some(schema) => typed(plan, schema, text),
        None => Value::String(text.to_owned()),
    }
}

fn object(plan: &Plan, parameter: &Parameter, members: Vec<(String, String)>) -> Value {
    let schemas = [parameter.schema.clone()];
    let typed = members.into_iter().map(|(name, text)| {
        let schema = shape::property(&plan.api.document, &schemas, &name);
        let value = typed_item(plan, &schema, &text);
        (name, value)
    });
    Value::Object(typed.collect::<Map<_, _>>())
}

/// The value of a parameter whose texts are known.
fn value(plan: &Plan, parameter: &Parameter, texts: &[String]) -> Result<Value, Problem> {
    let wrong = |detail: String| Problem::bad_request(detail).with("parameter", parameter.name.as_str());
    let document = &plan.api.document;
    let one = || match texts {
        [one] => Ok(one.as_str()),
        _ => Err(wrong(format!("the parameter {} takes one value", parameter.name))),
    };
    if parameter.style == Style::Json {
        let parsed = crate::json::parse(one()?.as_bytes());
        return parsed
            .map_err(|error| wrong(format!("the parameter {} is not JSON: {error}", parameter.name)));
    }
    if shape::has_type(document, &parameter.schema, "array") {
        let items = shape::items(document, std::slice::from_ref(&parameter.schema));
        let delimiter = match parameter.style {
            Style::SpaceDelimited => ' ',
            Style::PipeDelimited => '|',
            _ => ',',
        };
        let splits = !parameter.explode || parameter.location != Location::Query;
        // A list that is written in one text and has none is empty.
        let texts = texts.iter().flat_map(|text| match splits {
            true if text.is_empty() => Vec::new(),
            true => text.split(delimiter).collect::<Vec<_>>(),
            false => vec![text.as_str()],
        });
        return Ok(Value::Array(
            texts.map(|text| typed_item(plan, &items, text)).collect(),
        ));
    }
    if shape::has_type(document, &parameter.schema, "object") {
        let parts: Vec<&str> = one()?.split(',').collect();
        let members = match parameter.explode {
            true => parts
                .iter()
                .filter_map(|part| part.split_once('='))
                .map(own)
                .collect(),
            false => parts
                .chunks(2)
                .map(|pair| own((pair[0], pair.get(1).copied().unwrap_or(""))))
                .collect(),
        };
        return Ok(object(plan, parameter, members));
    }
    Ok(typed(plan, &parameter.schema, one()?))
}

fn own((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn judge(plan: &Plan, parameter: &Parameter, value: &Value) -> Result<(), Problem> {
    // ETSI's APIs have one language for it; what it is elsewhere is not known.
    let filters = parameter.name == "filter" && plan.api.id.starts_with("mec0");
    if let Some(text) = value.as_str().filter(|_| filters)
        && Expression::parse(text).is_none()
    {
        let detail =
            format!("the parameter filter: {text} is no expression of the form (eq,attribute,value);(…)");
        return Err(Problem::bad_request(detail)
            .with("parameter", "filter")
            .with("rule", "expression"));
    }
    let Ok(schema) = plan.schemas.compile(&parameter.schema) else {
        return Ok(());
    };
    match schema.errors(value).into_iter().next() {
        None => Ok(()),
        Some(breach) => {
            let detail = format!("the parameter {}: {}", parameter.name, breach.message);
            Err(Problem::bad_request(detail)
                .with("parameter", parameter.name.as_str())
                .with("rule", breach.keyword))
        }
    }
}

fn missing(parameter: &Parameter) -> Problem {
    let detail = format!(
        "the {} parameter {} is missing",
        parameter.location.as_str(),
        parameter.name
    );
    Problem::bad_request(detail)
        .with("parameter", parameter.name.as_str())
        .with("rule", "required")
}

/// The query parameters that a document's parameter takes from the pairs: their texts, or a whole object.
fn take(
    plan: &Plan,
    parameter: &Parameter,
    pairs: &mut Vec<(String, String)>,
) -> Result<Option<Value>, Problem> {
    let is_object = shape::has_type(&plan.api.document, &parameter.schema, "object");
    let names = match (is_object, parameter.style, parameter.explode) {
        (true, Style::DeepObject, _) => None,
        (true, Style::Form, true) => Some(shape::property_names(&plan.api.document, &parameter.schema)),
        _ => {
            let (own, rest): (Vec<_>, Vec<_>) =
                pairs.drain(..).partition(|(name, _)| *name == parameter.name);
            *pairs = rest;
            let texts: Vec<String> = own.into_iter().map(|(_, text)| text).collect();
            return match texts.is_empty() {
                true => Ok(None),
                false => value(plan, parameter, &texts).map(Some),
            };
        }
    };
    let mut members = Vec::new();
    pairs.retain(|(name, text)| {
        let member = match &names {
            Some(names) => names.contains(name).then_some(name.as_str()),
            None => name
                .strip_prefix(&parameter.name)
                .and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']')),
        };
        members.extend(member.map(|member| own((member, text))));
        member.is_none()
    });
    Ok((!members.is_empty()).then(|| object(plan, parameter, members)))
}

/// Judges all parameters of a request, and returns those of the query.
///
/// # Errors
/// 400 for what is missing, undeclared, repeated or invalid.
pub(crate) fn read(
    plan: &Plan,
    operation: &Operation,
    path: &BTreeMap<String, String>,
    query: &str,
    headers: &HeaderMap,
) -> Result<Query, Problem> {
    for parameter in operation.parameters_in(Location::Path) {
        if let Some(text) = path.get(&parameter.name) {
            judge(
                plan,
                parameter,
                &value(plan, parameter, std::slice::from_ref(text))?,
            )?;
        }
    }
    let mut pairs = pairs(query)?;
    let mut values = Query::new();
    for parameter in operation.parameters_in(Location::Query) {
        match take(plan, parameter, &mut pairs)? {
            Some(value) => {
                judge(plan, parameter, &value)?;
                values.insert(parameter.name.clone(), value);
            }
            None if parameter.required => return Err(missing(parameter)),
            None => {}
        }
    }
    if let Some((name, _)) = pairs.first() {
        let detail = format!("this operation has no query parameter {name}");
        return Err(Problem::bad_request(detail)
            .with("parameter", name.as_str())
            .with("rule", "undeclared"));
    }
    for parameter in operation.parameters_in(Location::Header) {
        read_header(plan, parameter, headers)?;
    }
    Ok(values)
}

fn read_header(plan: &Plan, parameter: &Parameter, headers: &HeaderMap) -> Result<(), Problem> {
    // Negotiation, authorization and conditions have rules of their own.
    let own = [
        header::ACCEPT,
        header::CONTENT_TYPE,
        header::AUTHORIZATION,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
    ];
    let special = own
        .iter()
        .any(|name| parameter.name.eq_ignore_ascii_case(name.as_str()));
    let fields = headers.get_all(parameter.name.as_str()).iter();
    let texts: Vec<String> = fields
        .filter_map(|field| Some(field.to_str().ok()?.to_owned()))
        .collect();
    match texts.is_empty() {
        true if parameter.required => Err(missing(parameter)),
        true => Ok(()),
        false if special => Ok(()),
        false => judge(plan, parameter, &value(plan, parameter, &texts)?),
    }
}
