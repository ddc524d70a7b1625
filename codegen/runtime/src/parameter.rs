//! Parameters as text: how texts become JSON values and, on the client's side, how values become texts.
//!
//! A list is read in both of OpenAPI's usual spellings, whichever of them the document declares: `x=a&x=b` and
//! `x=a,b`. Where the document declares the first, a comma that is data is written as `%2C`, so the two can be told
//! apart before percent-decoding. Where it declares the second, `%2C` separates too if there is no plain comma,
//! because clients that join the list before they encode it can't write it otherwise.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

use crate::Invalid;
use crate::json::{Json, Number};
use crate::operation::{Kind, Parameter, Style};

/// Reads the text of one value.
///
/// # Errors
/// [`Invalid`] with the rule `type` where the text is no such value.
pub fn scalar<'text>(text: Cow<'text, str>, kind: Kind) -> Result<Json<'text>, Invalid> {
    let invalid = |expected: &str| Err(Invalid::new("type", format!("must be {expected}, not {text:?}")));
    match kind {
        Kind::Text | Kind::List(_) | Kind::Object(_) => Ok(Json::String(text)),
        Kind::Boolean => match text.as_ref() {
            "true" => Ok(Json::Bool(true)),
            "false" => Ok(Json::Bool(false)),
            _ => invalid("true or false"),
        },
        Kind::Integer => match number(&text) {
            Some(number) if number.as_integer().is_some() => Ok(Json::Number(number)),
            _ => invalid("an integer"),
        },
        Kind::Number => match number(&text) {
            Some(number) => Ok(Json::Number(number)),
            None => invalid("a number"),
        },
        Kind::Any => Ok(match text.as_ref() {
            "null" => Json::Null,
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            _ => number(&text).map_or(Json::String(text), Json::Number),
        }),
    }
}

/// The same value without borrowed texts.
pub(crate) fn owned(json: Json<'_>) -> Json<'static> {
    match json {
        Json::Null => Json::Null,
        Json::Bool(value) => Json::Bool(value),
        Json::Number(number) => Json::Number(number),
        Json::String(text) => Json::String(Cow::Owned(text.into_owned())),
        Json::Array(items) => Json::Array(items.into_iter().map(owned).collect()),
        Json::Object(members) => {
            let member = |(name, value): (Cow<'_, str>, _)| (Cow::Owned(name.into_owned()), owned(value));
            Json::Object(members.into_iter().map(member).collect())
        }
    }
}

/// A number as JSON writes it.
fn number(text: &str) -> Option<Number> {
    match Json::parse(text.as_bytes()) {
        Ok(Json::Number(number)) if !text.starts_with(char::is_whitespace) => Some(number),
        _ => None,
    }
}

/// Reads a list or object from one text, or a scalar.
///
/// # Errors
/// [`Invalid`] where the text is no such value.
pub fn joined<'text>(text: Cow<'text, str>, kind: Kind, style: Style) -> Result<Json<'text>, Invalid> {
    if style == Style::Json {
        return Ok(owned(Json::parse(text.as_bytes())?));
    }
    let separator = match style {
        Style::Space => ' ',
        Style::Pipe => '|',
        _ => ',',
    };
    match kind {
        Kind::List(item) => {
            let items = text.split(separator).enumerate().map(|(index, part)| {
                let value = scalar(Cow::Owned(part.to_owned()), *item);
                value.map_err(|invalid| invalid.at_index(index))
            });
            items.collect::<Result<_, _>>().map(Json::Array)
        }
        Kind::Object(properties) => object_in_one_text(&text, properties, style, separator),
        _ => scalar(text, kind),
    }
}

fn object_in_one_text(
    text: &str,
    properties: &'static [(&'static str, Kind)],
    style: Style,
    separator: char,
) -> Result<Json<'static>, Invalid> {
    if text.trim_start().starts_with('{') {
        return Ok(owned(Json::parse(text.as_bytes())?));
    }
    let odd = || Invalid::new("type", "must be an object, written as names and values in turn");
    let mut members = Vec::new();
    let mut parts = text.split(separator);
    while let Some(part) = parts.next() {
        let (name, value) = match style {
            Style::Pairs => part.split_once('=').ok_or_else(odd)?,
            _ => (part, parts.next().ok_or_else(odd)?),
        };
        push_member(&mut members, name, value, properties)?;
    }
    Ok(Json::Object(members))
}

/// Adds a property to an object that is read from parameters.
///
/// # Errors
/// [`Invalid`] where the text is no such value or the property is there already.
pub(crate) fn push_member(
    members: &mut Vec<(Cow<'static, str>, Json<'static>)>,
    name: &str,
    value: &str,
    properties: &'static [(&'static str, Kind)],
) -> Result<(), Invalid> {
    if members.iter().any(|(known, _)| known == name) {
        return Err(Invalid::new("type", "is given twice").within(name));
    }
    let kind = properties
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(Kind::Any, |(_, kind)| *kind);
    let value = joined(Cow::Owned(value.to_owned()), kind, Style::Comma);
    members.push((
        Cow::Owned(name.to_owned()),
        value.map_err(|invalid| invalid.within(name))?,
    ));
    Ok(())
}

/// The pairs of name and value that a parameter adds to a query; names and values are not yet percent-encoded.
///
/// A value that can't be written as JSON adds nothing.
pub fn query_pairs<T: Serialize + ?Sized>(parameter: &Parameter, value: &T) -> Vec<(String, QueryText)> {
    let name = || parameter.name.to_owned();
    let Ok(value) = serde_json::to_value(value) else {
        return Vec::new();
    };
    match (parameter.style, &value) {
        (_, Value::Null) => Vec::new(),
        (Style::Json, _) => vec![(name(), QueryText::Whole(value.to_string()))],
        (_, Value::Array(items)) if items.is_empty() => Vec::new(),
        (Style::Exploded, Value::Array(items)) => items
            .iter()
            .map(|item| (name(), QueryText::Whole(text_of(item))))
            .collect(),
        (Style::Exploded, Value::Object(members)) => members
            .iter()
            .map(|(key, item)| (key.clone(), member_text(item)))
            .collect(),
        (Style::Deep, Value::Object(members)) => {
            let pair = |(key, item)| (format!("{}[{key}]", parameter.name), member_text(item));
            members.iter().map(pair).collect()
        }
        (style, Value::Array(items)) => {
            let separator = match style {
                Style::Space => "%20",
                Style::Pipe => "|",
                _ => ",",
            };
            vec![(
                name(),
                QueryText::Joined(items.iter().map(text_of).collect(), separator),
            )]
        }
        (_, Value::Object(members)) => {
            let parts = members
                .iter()
                .flat_map(|(key, item)| [key.clone(), text_of(item)])
                .collect();
            vec![(name(), QueryText::Joined(parts, ","))]
        }
        (_, scalar) => vec![(name(), QueryText::Whole(text_of(scalar)))],
    }
}

/// A property of an object that is written as several parameters: lists are joined by commas.
fn member_text(value: &Value) -> QueryText {
    match value {
        Value::Array(items) => QueryText::Joined(items.iter().map(text_of).collect(), ","),
        other => QueryText::Whole(text_of(other)),
    }
}

/// A value in a query before percent-encoding.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryText {
    /// One text.
    Whole(String),
    /// Texts and what stands between them, which must not be percent-encoded again.
    Joined(Vec<String>, &'static str),
}

/// The text of a parameter in a path segment, a header or a cookie, where lists are joined by commas; empty for
/// an absent value.
pub fn simple_text<T: Serialize + ?Sized>(parameter: &Parameter, value: &T) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    match (&value, parameter.style) {
        (Value::Null, _) => String::new(),
        (_, Style::Json) => value.to_string(),
        (Value::Array(items), _) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        (Value::Object(members), Style::Pairs) => members
            .iter()
            .map(|(key, item)| format!("{key}={}", text_of(item)))
            .collect::<Vec<_>>()
            .join(","),
        (Value::Object(members), _) => members
            .iter()
            .map(|(key, item)| format!("{key},{}", text_of(item)))
            .collect::<Vec<_>>()
            .join(","),
        (scalar, _) => text_of(scalar),
    }
}

/// The text of a scalar; lists and objects within a parameter's list or object are written as JSON.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
