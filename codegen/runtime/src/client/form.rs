//! Forms as bodies: `application/x-www-form-urlencoded` and `multipart/form-data` (RFC 7578), written from JSON objects.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::parameter::text_of;

/// What stands for itself in a form.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'*');

/// The fields of an object, lists as several fields of one name.
fn fields(value: &Value) -> Vec<(&str, &Value)> {
    let mut fields = Vec::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::Array(items) => fields.extend(items.iter().map(|item| (name.as_str(), item))),
            value => fields.push((name, value)),
        }
    }
    fields
}

/// Writes `application/x-www-form-urlencoded`.
pub(super) fn to_urlencoded(value: &Value) -> String {
    let encode = |text: &str| utf8_percent_encode(text, FORM).to_string().replace("%20", "+");
    let pairs = fields(value)
        .into_iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(&text_of(value))));
    pairs.collect::<Vec<_>>().join("&")
}

/// Writes `multipart/form-data`: the boundary and the body.
pub(super) fn to_multipart(value: &Value) -> (String, String) {
    let fields = fields(value);
    let texts: Vec<String> = fields.iter().map(|(_, value)| text_of(value)).collect();
    let boundary = loop {
        let boundary = format!("mecforge-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        if !texts.iter().any(|text| text.contains(&boundary)) {
            break boundary;
        }
    };
    let mut body = String::new();
    for ((name, value), text) in fields.iter().zip(&texts) {
        let name = name
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace(['\r', '\n'], " ");
        let content_type = if value.is_object() {
            "Content-Type: application/json\r\n"
        } else {
            ""
        };
        body.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n{content_type}\r\n{text}\r\n"
        ));
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    (boundary, body)
}
