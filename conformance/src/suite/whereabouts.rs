//! Where a thing is: the path that a creation tells, the identifiers of things in lists.

use fluent_uri::{Uri, UriRef};
use mecforge_api::{Status, Template};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::Suite;
use super::call::{Call, Exchange};
use super::world::Values;

/// The path below the API's base path of what a creation has made: `Location` names it, or, where the document demands
/// no such field, the identifier in the answer. None where nothing tells, or `Location` leads elsewhere.
pub fn location_path(suite: &Suite, exchange: &Exchange) -> Option<String> {
    let api = exchange.call.api;
    match exchange.header("location") {
        Some(link) => path_below(suite, api, &resolved(suite, &exchange.call, link)),
        None => path_of_answer(suite, exchange),
    }
}

/// Whether an answer to a creation has to say by `Location` where the new object is: ETSI's APIs, and documents that
/// demand the field. HTTP lets a server leave it out (RFC 9110, 15.3.2).
pub(super) fn demands_location(suite: &Suite, api: usize, maker: usize) -> bool {
    let state = &suite.apis[api];
    let mut responses = state.api.operations[maker].responses.iter();
    let made = responses.find(|response| response.status == Status::Code(201));
    let declared = made.and_then(|response| response.header("location"));
    state.knowledge.is_of_etsi() || declared.is_some_and(|header| header.required)
}

/// The template of the items that an operation makes.
pub(super) fn items(suite: &Suite, api: usize, maker: usize) -> Option<Template> {
    let mut resources = suite.apis[api].api.resources.iter();
    let made = resources.find(|resource| resource.maker == Some(maker));
    made.map(|resource| resource.path.clone())
}

/// The path of what a creation has made, by the identifier in the answer.
fn path_of_answer(suite: &Suite, exchange: &Exchange) -> Option<String> {
    let (api, maker) = (exchange.call.api, exchange.call.operation?);
    if exchange.status() != 201 || demands_location(suite, api, maker) {
        return None;
    }
    let template = items(suite, api, maker)?;
    let parameter = template.last_parameter()?;
    let members = exchange.body()?.as_object()?;
    let named = |wanted: &str| {
        let mut same = members.iter().filter(|(name, _)| plain(name) == plain(wanted));
        same.find_map(|(_, value)| text(value))
    };
    let identifier = named(parameter).or_else(|| named("id"))?;
    let mut values: Values = suite.apis[api].api.operations[maker]
        .path
        .matches(&exchange.call.path)?;
    values.insert(parameter.to_owned(), identifier);
    Some(template.expand(&values))
}

/// A name without case and signs: `pet_id` and `petId` are one.
pub(crate) fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.collect::<String>().to_ascii_lowercase()
}

/// The text of a value that may be an identifier.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A link with a path of its own: one that is relative to the request that was answered is resolved (RFC 3986, 5.2;
/// RFC 9110, 10.2.2); another one, or what is no reference at all, is left as it is.
pub(crate) fn resolved(suite: &Suite, call: &Call, link: &str) -> String {
    let Ok(reference) = UriRef::parse(link) else {
        return link.to_owned();
    };
    if reference.has_scheme() || link.starts_with('/') {
        return link.to_owned();
    }
    let address = format!("http://target{}", call.address(&suite.apis[call.api].base_path));
    let base = Uri::parse(address.as_str()).ok();
    let absolute = base.and_then(|base| reference.resolve_against(&base).ok());
    absolute.map_or_else(|| link.to_owned(), |absolute| absolute.path().as_str().to_owned())
}

/// The path on the target that a link leads to as it stands, where that is not below the base path that is asked; none of
/// a link to another authority.
pub(crate) fn as_it_stands(suite: &Suite, call: &Call, link: &str) -> Option<String> {
    let link = resolved(suite, call, link);
    let (authority, path) = super::link::parts(&link)?;
    let own = super::link::parts(&suite.target).and_then(|(own, _)| own);
    if authority.is_some_and(|authority| own != Some(authority)) {
        return None;
    }
    let path = path.split('?').next().unwrap_or(path);
    let below = path.strip_prefix(suite.apis[call.api].base_path.as_str());
    let elsewhere = !below.is_some_and(|rest| rest.starts_with('/'));
    elsewhere.then(|| path.to_owned())
}

/// The path below an API's base path that a link leads to; none where it leads elsewhere.
pub(crate) fn path_below(suite: &Suite, api: usize, link: &str) -> Option<String> {
    let path = match link.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => link,
    };
    let base = &suite.apis[api].base_path;
    match path.strip_prefix(base.as_str()) {
        Some(path) if path.starts_with('/') => Some(path.split(['?', '#']).next()?.to_owned()),
        // Behind a gateway the prefix may differ from the one that is asked: the API's own path is in it.
        _ => {
            let own = &suite.apis[api].api.base_path;
            let at = (!own.is_empty()).then(|| path.find(own.as_str())).flatten()?;
            Some(path[at + own.len()..].split(['?', '#']).next()?.to_owned())
        }
    }
}

/// A text as it stands in an address, decoded once.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The last segment of a path or link, as it is written there.
fn written(link: &str) -> &str {
    link.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// The last segment of a path or link, decoded: an identifier as bodies and [`Values`] have it.
pub(crate) fn last_segment(link: &str) -> String {
    decoded(written(link))
}

/// Whether a text of a body is an identifier; that may be given as it is written in an address.
fn is_called(text: &str, identifier: &str) -> bool {
    text == identifier || text == decoded(identifier)
}

/// Whether a link ends in an identifier, which may be given as it is written in an address.
pub(crate) fn ends_in(link: &str, identifier: &str) -> bool {
    is_called(written(link), identifier) || is_called(&last_segment(link), identifier)
}

/// Whether an item of a list is the object of an identifier, which may be given as it is written in an address. One that
/// has a member `id` is it if that is the identifier or a link ends in it; else any text that is the identifier or ends in it tells, and numbers that are called so.
pub(crate) fn is_at(item: &Value, identifier: &str) -> bool {
    let own = item.get("id").and_then(text);
    match (item, own) {
        (_, Some(own)) => is_called(&own, identifier) || leads_to(item, identifier),
        (Value::Number(number), None) => number.to_string() == identifier,
        (Value::Object(members), None) => {
            let called = |(name, value): (&String, &Value)| {
                let number = value.as_number().map(ToString::to_string);
                name.to_ascii_lowercase().ends_with("id") && number.as_deref() == Some(identifier)
            };
            members.iter().any(called) || has(item, identifier)
        }
        _ => has(item, identifier),
    }
}

/// Whether a link in a value ends in an identifier.
fn leads_to(value: &Value, identifier: &str) -> bool {
    match value {
        Value::String(text) => text.contains('/') && ends_in(text, identifier),
        Value::Object(members) => members.values().any(|member| leads_to(member, identifier)),
        Value::Array(items) => items.iter().any(|item| leads_to(item, identifier)),
        _ => false,
    }
}

/// Whether a text in a value is an identifier or ends in it.
fn has(value: &Value, identifier: &str) -> bool {
    match value {
        Value::String(text) => {
            is_called(text, identifier) || (text.contains('/') && ends_in(text, identifier))
        }
        Value::Object(members) => members.values().any(|member| has(member, identifier)),
        Value::Array(items) => items.iter().any(|item| has(item, identifier)),
        _ => false,
    }
}

/// The values that name each object of a list, beside those that name the list, and the object.
pub(crate) fn each_named(list: Vec<Value>, above: &Values, parameter: &str) -> Vec<(Values, Value)> {
    let named = |item: Value| {
        let mut values = above.clone();
        values.insert(parameter.to_owned(), identifier(&item, parameter)?);
        Some((values, item))
    };
    list.into_iter().filter_map(named).collect()
}

/// The identifier of the first item of a list: a member named like the parameter, else one that ends in `Id`, else the
/// last part of a link.
pub(crate) fn identifier(body: &Value, parameter: &str) -> Option<String> {
    match body {
        Value::Array(items) => items.iter().find_map(|item| identifier(item, parameter)),
        Value::Object(members) => {
            let named = members.iter().find(|(name, _)| plain(name) == plain(parameter));
            let close = || {
                let mut ids = members
                    .iter()
                    .filter(|(name, _)| name.ends_with("InstanceId") || *name == "id");
                ids.next()
            };
            let own = named.or_else(close).and_then(|(_, value)| text(value));
            let link = || {
                let href = members.get("href").and_then(Value::as_str)?;
                Some(last_segment(href))
            };
            own.or_else(link).or_else(|| {
                members
                    .values()
                    .filter(|value| value.is_array() || value.is_object())
                    .find_map(|value| identifier(value, parameter))
            })
        }
        _ => None,
    }
}
