//! Parameters as they are written in a request, after OpenAPI's styles (OpenAPI 3.1.0, 4.8.12).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::operation::{Parameter, Style};

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A value that a parameter's style can't write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parameter {parameter}: its style has no form for {what}")]
pub struct EncodeError {
    /// The parameter's name.
    pub parameter: String,
    /// What the value is.
    pub what: &'static str,
}

/// A text as one segment of a path, or as a name or value in a query: percent-encoded, so that it comes back whole.
/// The dots of a segment that is `.` or `..` are encoded too, as they would be taken for steps otherwise.
pub fn segment(text: &str) -> String {
    match text {
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => utf8_percent_encode(text, RESERVED).to_string(),
    }
}

/// The text of a scalar; `null` is empty.
fn scalar(parameter: &Parameter, value: &Value) -> Result<String, EncodeError> {
    match value {
        Value::Null => Ok(String::new()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Number(value) => Ok(value.to_string()),
        Value::String(text) => Ok(text.clone()),
        Value::Array(_) | Value::Object(_) => Err(EncodeError {
            parameter: parameter.name.clone(),
            what: "a list or an object inside of another",
        }),
    }
}

fn scalars(parameter: &Parameter, values: &[Value]) -> Result<Vec<String>, EncodeError> {
    values.iter().map(|value| scalar(parameter, value)).collect()
}

/// The pairs of name and value that a query has for a parameter, not yet percent-encoded; a delimiter of the style is
/// part of the value, and so is encoded with it, which OpenAPI allows for `form` and demands for the others.
///
/// # Errors
/// A value that the style has no form for.
pub fn query_pairs(parameter: &Parameter, value: &Value) -> Result<Vec<(String, String)>, EncodeError> {
    let name = parameter.name.clone();
    if parameter.style == Style::Json {
        return Ok(vec![(name, value.to_string())]);
    }
    match value {
        Value::Array(values) => {
            let texts = scalars(parameter, values)?;
            let delimiter = match parameter.style {
                Style::SpaceDelimited => " ",
                Style::PipeDelimited => "|",
                _ => ",",
            };
            match parameter.explode {
                true => Ok(texts.into_iter().map(|text| (name.clone(), text)).collect()),
                false => Ok(vec![(name, texts.join(delimiter))]),
            }
        }
        Value::Object(members) => {
            let mut pairs = Vec::new();
            for (key, value) in members {
                pairs.push((key.clone(), scalar(parameter, value)?));
            }
            Ok(match (parameter.style, parameter.explode) {
                (Style::DeepObject, _) => pairs
                    .into_iter()
                    .map(|(key, value)| (format!("{name}[{key}]"), value))
                    .collect(),
                (_, true) => pairs,
                (_, false) => {
                    let flat: Vec<_> = pairs.into_iter().flat_map(|(key, value)| [key, value]).collect();
                    vec![(name, flat.join(","))]
                }
            })
        }
        single => Ok(vec![(name, scalar(parameter, single)?)]),
    }
}

impl Parameter {
    /// The text of a value in a path segment or a header field, not percent-encoded.
    ///
    /// # Errors
    /// A value that the style has no form for.
    pub fn simple(&self, value: &Value) -> Result<String, EncodeError> {
        if self.style == Style::Json {
            return Ok(value.to_string());
        }
        let text = match value {
            Value::Array(values) => scalars(self, values)?.join(","),
            Value::Object(members) => {
                let mut parts = Vec::new();
                for (key, value) in members {
                    let value = scalar(self, value)?;
                    match self.explode {
                        true => parts.push(format!("{key}={value}")),
                        false => parts.extend([key.clone(), value]),
                    }
                }
                parts.join(",")
            }
            single => scalar(self, single)?,
        };
        Ok(match self.style {
            Style::Label => format!(".{text}"),
            Style::Matrix => format!(";{}={text}", self.name),
            _ => text,
        })
    }
}
