//! The query of a request: pairs of name and value, and the declared parameters that they make up.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::Problem;
use super::nearest::nearest;
use super::template::is_escaped;
use crate::Invalid;
use crate::json::Json;
use crate::operation::{Kind, Operation, Parameter, Place, Style};
use crate::parameter::{joined, push_member, scalar};

/// The pairs of a query in their order: decoded names, and values as they are written.
#[derive(Debug, Default)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads a query and refuses parameters that the operation does not declare.
    ///
    /// # Errors
    /// `400` for an undeclared parameter, or a name or value that is not UTF-8 or holds a NUL.
    pub(super) fn parse(text: Option<&str>, operation: &Operation) -> Result<Self, Problem> {
        let mut pairs = Vec::new();
        for pair in text
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(name) = decode(name) else {
                return Err(Problem::bad_request(
                    "the query has a parameter name that is wrongly escaped, is not UTF-8 or holds a NUL",
                )
                .with_extension("in", "query"));
            };
            if !operation
                .parameters
                .iter()
                .any(|parameter| declares(parameter, &name))
            {
                return Err(undeclared(&name, operation));
            }
            if decode(value).is_none() {
                return Err(Problem::bad_request(format!(
                    "query parameter {name} is wrongly escaped, is not UTF-8 or holds a NUL"
                ))
                .with_parameter(&name));
            }
            pairs.push((name.into_owned(), value.to_owned()));
        }
        Ok(Self { pairs })
    }

    /// The value of a parameter; `None` where it is absent.
    ///
    /// # Errors
    /// A text that is no value of the parameter's kind, or a scalar that is given twice.
    pub(super) fn value(&self, parameter: &Parameter) -> Result<Option<Json<'_>>, Invalid> {
        if let Kind::Object(properties) = parameter.kind {
            return self.object(parameter, properties);
        }
        let mut texts = self.texts(parameter.name);
        let Some(first) = texts.next() else {
            return Ok(None);
        };
        let rest: Vec<&str> = texts.collect();
        match parameter.kind {
            Kind::List(item) if parameter.style != Style::Json => {
                list(std::iter::once(first).chain(rest), *item, parameter.style).map(Some)
            }
            _ if !rest.is_empty() => Err(Invalid::new("type", "must be given once, not repeatedly")),
            kind => joined(decode(first).unwrap_or_default(), kind, parameter.style).map(Some),
        }
    }

    fn texts<'query>(&'query self, name: &str) -> impl Iterator<Item = &'query str> {
        self.pairs
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// An object in any of the spellings that OpenAPI knows.
    fn object(
        &self,
        parameter: &Parameter,
        properties: &'static [(&'static str, Kind)],
    ) -> Result<Option<Json<'_>>, Invalid> {
        let mut texts = self.texts(parameter.name);
        if let Some(text) = texts.next() {
            if texts.next().is_some() {
                return Err(Invalid::new("type", "must be given once, not repeatedly"));
            }
            return joined(decode(text).unwrap_or_default(), parameter.kind, parameter.style).map(Some);
        }
        let mut members = Vec::new();
        for (name, value) in &self.pairs {
            let property = match deep_property(parameter, name) {
                Some(property) => property,
                None if explodes_to(parameter, name) => name,
                None => continue,
            };
            push_member(
                &mut members,
                property,
                &decode(value).unwrap_or_default(),
                properties,
            )?;
        }
        Ok((!members.is_empty()).then_some(Json::Object(members)))
    }
}

/// A list from one or several texts; see [`crate::parameter`] for the commas.
fn list<'text>(
    texts: impl Iterator<Item = &'text str>,
    item: Kind,
    style: Style,
) -> Result<Json<'text>, Invalid> {
    let mut items = Vec::new();
    for text in texts {
        let separator = match style {
            Style::Space => ' ',
            Style::Pipe => '|',
            _ => ',',
        };
        if style == Style::Exploded || text.contains(separator) {
            // What separates is written as it is, so what is percent-encoded here is data.
            for part in text.split(separator) {
                items.push(
                    scalar(decode(part).unwrap_or_default(), item)
                        .map_err(|error| error.at_index(items.len()))?,
                );
            }
            continue;
        }
        for part in decode(text).unwrap_or_default().split(separator) {
            let part = Cow::Owned(part.to_owned());
            items.push(scalar(part, item).map_err(|error| error.at_index(items.len()))?);
        }
    }
    Ok(Json::Array(items))
}

/// Whether a name in the query belongs to a parameter.
fn declares(parameter: &Parameter, name: &str) -> bool {
    parameter.place == Place::Query
        && (parameter.name == name
            || deep_property(parameter, name).is_some()
            || explodes_to(parameter, name))
}

/// The property in `name[property]`, where the parameter is an object.
fn deep_property<'name>(parameter: &Parameter, name: &'name str) -> Option<&'name str> {
    match parameter.kind {
        Kind::Object(_) => name
            .strip_prefix(parameter.name)?
            .strip_prefix('[')?
            .strip_suffix(']'),
        _ => None,
    }
}

/// Whether the name is a property of an object that is written as one parameter per property.
fn explodes_to(parameter: &Parameter, name: &str) -> bool {
    match parameter.kind {
        Kind::Object(properties) if parameter.style == Style::Exploded => {
            properties.iter().any(|(property, _)| *property == name)
        }
        _ => false,
    }
}

fn undeclared(name: &str, operation: &Operation) -> Problem {
    let name = &name[..name.floor_char_boundary(100)];
    let declared = || {
        let query = |parameter: &&Parameter| parameter.place == Place::Query;
        operation
            .parameters
            .iter()
            .filter(query)
            .map(|parameter| parameter.name)
    };
    let known = match (nearest(name, declared()), declared().next()) {
        (Some(nearest), _) => format!("did you mean {nearest}?"),
        (None, Some(_)) => format!("it takes {}", declared().collect::<Vec<_>>().join(", ")),
        (None, None) => "it takes none".to_owned(),
    };
    Problem::bad_request(format!("this operation has no query parameter {name:?}; {known}"))
        .with_parameter(name)
        .with_rule("undeclared")
}

/// Decodes `+` and `%xx`; `None` for what is wrongly escaped, is not UTF-8 or holds a NUL.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['+', '%', '\0']) {
        return Some(Cow::Borrowed(text));
    }
    if !is_escaped(text) {
        return None;
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8().ok()?;
    (!decoded.contains('\0')).then(|| Cow::Owned(decoded.into_owned()))
}
