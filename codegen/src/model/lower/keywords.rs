//! Checks that the keywords of a schema mean something: values of the right kind, bounds that leave values.

use mecforge_document::{Node, Pointer, Value};

use super::Lowering;

/// Keywords whose value is a count.
const COUNTS: [&str; 6] = [
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
];

/// Keywords whose value is a number.
const NUMBERS: [&str; 5] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
];

/// Pairs of bounds of which the first must not exceed the second.
const BOUNDS: [(&str, &str); 4] = [
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
    ("minimum", "maximum"),
];

impl Lowering<'_> {
    /// Refuses keywords with values that JSON Schema does not allow, and bounds that no value can meet.
    pub(super) fn check_keywords(&mut self, node: &Node, pointer: &Pointer) {
        for (key, value) in node.as_object().into_iter().flatten() {
            if let Some(expected) = expectation(key).filter(|_| !is_right(key, value)) {
                let message = format!("{key} must be {expected}, not {}", shown(value));
                self.refuse(value, &pointer.child(key), message);
            }
        }
        for (least, most) in BOUNDS {
            let bound = |key| {
                node.get(key)
                    .and_then(Node::as_number)
                    .and_then(serde_json::Number::as_f64)
            };
            if let (Some(from), Some(to)) = (bound(least), bound(most))
                && from > to
            {
                let message = format!("{least} {from} and {most} {to} leave no value");
                self.refuse(node, &pointer.child(least), message);
            }
        }
    }
}

/// What the value of a keyword must be; `None` for keywords that are not checked here.
fn expectation(key: &str) -> Option<&'static str> {
    match key {
        "multipleOf" => Some("a number above 0"),
        _ if COUNTS.contains(&key) => Some("an integer that is not negative"),
        _ if NUMBERS.contains(&key) => Some("a number"),
        "required" => Some("a list of names"),
        "enum" | "oneOf" | "anyOf" | "allOf" => Some("a list"),
        "properties" => Some("a map of schemas"),
        "pattern" | "format" | "$ref" => Some("text"),
        "uniqueItems" => Some("true or false"),
        "type" => Some("a type of JSON Schema or a list of them"),
        _ => None,
    }
}

fn is_right(key: &str, value: &Node) -> bool {
    match key {
        "multipleOf" => value
            .as_number()
            .and_then(serde_json::Number::as_f64)
            .is_some_and(|step| step > 0.0),
        _ if COUNTS.contains(&key) => value.as_number().is_some_and(is_count),
        _ if NUMBERS.contains(&key) => value.as_number().is_some(),
        "required" => value
            .as_array()
            .is_some_and(|names| names.iter().all(|name| name.as_str().is_some())),
        "enum" | "oneOf" | "anyOf" | "allOf" => value.as_array().is_some(),
        "properties" => value.as_object().is_some(),
        "pattern" | "format" | "$ref" => value.as_str().is_some(),
        "uniqueItems" => value.as_bool().is_some(),
        "type" => match &value.value {
            Value::String(_) => true,
            Value::Array(names) => names.iter().all(|name| name.as_str().is_some()),
            _ => false,
        },
        _ => true,
    }
}

/// JSON Schema lets a count be written as `3.0`.
fn is_count(number: &serde_json::Number) -> bool {
    number
        .as_f64()
        .is_some_and(|value| value >= 0.0 && value.fract() == 0.0)
}

fn shown(value: &Node) -> String {
    match &value.value {
        Value::Array(_) | Value::Object(_) => format!("an {}", value.kind()),
        _ => value.to_json().to_string(),
    }
}
