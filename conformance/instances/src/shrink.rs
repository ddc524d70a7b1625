//! Smaller variants of a valid instance that are still valid.

use serde_json::Value;

use crate::pointer;
use crate::schema::Inner;

/// How many variants are looked at.
const LOOKED_AT: usize = 2_000;
/// How many variants are given.
const GIVEN: usize = 200;

/// Smaller valid variants, the smallest first.
pub(crate) fn variants(schema: &Inner, value: &Value) -> Vec<Value> {
    let size = value.to_string().len();
    let mut found: Vec<(usize, Value)> = Vec::new();
    let mut candidates: Vec<Value> = Vec::new();
    candidates.extend(
        schema
            .witnesses()
            .list
            .first()
            .map(|witness| witness.value.clone()),
    );
    collect(value, value, "", &mut candidates);
    for candidate in candidates {
        let smaller = candidate.to_string().len();
        let known = found.iter().any(|(_, other)| *other == candidate);
        if smaller < size && !known && schema.accepts(&candidate) {
            found.push((smaller, candidate));
        }
    }
    found.sort_by_key(|(size, _)| *size);
    found.into_iter().take(GIVEN).map(|(_, value)| value).collect()
}

fn collect(root: &Value, value: &Value, place: &str, out: &mut Vec<Value>) {
    if out.len() > LOOKED_AT {
        return;
    }
    let mut replace = |smaller: Value| out.extend(pointer::replaced(root, place, smaller));
    match value {
        Value::String(text) => {
            let length = text.chars().count();
            for kept in [0, 1, length / 2, length.saturating_sub(1)] {
                if kept < length {
                    replace(Value::String(text.chars().take(kept).collect()));
                }
            }
            if !text.is_ascii() {
                replace(Value::String("a".repeat(length)));
            }
        }
        Value::Number(number) => {
            replace(Value::from(0));
            if let Some(number) = number.as_i64() {
                replace(Value::from(number / 2));
            }
        }
        Value::Array(items) => {
            for kept in [0, 1, items.len() / 2] {
                if kept < items.len() {
                    replace(Value::Array(items[..kept].to_vec()));
                }
            }
            for (index, item) in items.iter().enumerate().take(32) {
                let here = pointer::item(place, index);
                out.extend(pointer::removed(root, &here));
                collect(root, item, &here, out);
            }
        }
        Value::Object(object) => {
            for name in object.keys() {
                out.extend(pointer::removed(root, &pointer::child(place, name)));
            }
            for (name, inner) in object {
                collect(root, inner, &pointer::child(place, name), out);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}
