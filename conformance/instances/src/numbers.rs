//! Comparing JSON values as JSON Schema does: 1 and 1.0 are the same number.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// The number as a whole number, if it has no fraction and fits.
pub(crate) fn whole(number: &Number) -> Option<i128> {
    if let Some(value) = number.as_i64() {
        return Some(i128::from(value));
    }
    if let Some(value) = number.as_u64() {
        return Some(i128::from(value));
    }
    number
        .as_f64()
        .filter(|value| value.fract() == 0.0 && value.abs() < 1e30)
        .map(|value| value as i128)
}

/// Orders two numbers, exactly if both are whole.
pub(crate) fn compare(left: &Number, right: &Number) -> Ordering {
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => float(left).total_cmp(&float(right)),
    }
}

/// The nearest floating point number.
pub(crate) fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(0.0)
}

/// A whole number as JSON, if JSON's numbers reach so far here.
pub(crate) fn integer(value: i128) -> Option<Value> {
    i64::try_from(value)
        .map(Value::from)
        .or_else(|_| u64::try_from(value).map(Value::from))
        .ok()
}

/// Whether `value` is a multiple of `step`.
pub(crate) fn is_multiple(value: &Number, step: &Number) -> bool {
    match (whole(value), whole(step)) {
        (_, Some(0)) => true,
        (Some(value), Some(step)) => value % step == 0,
        _ => (float(value) / float(step)).fract() == 0.0,
    }
}

/// Equality of JSON Schema: numbers by value, objects without order.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => compare(left, right) == Ordering::Equal,
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, value)| right.get(name).is_some_and(|other| equal(value, other)))
        }
        _ => left == right,
    }
}

/// Whether all items differ.
pub(crate) fn all_differ(items: &[Value]) -> bool {
    let scalar = |value: &Value| matches!(value, Value::String(_) | Value::Bool(_) | Value::Null);
    if items.iter().all(scalar) {
        let mut seen = std::collections::BTreeSet::new();
        return items.iter().all(|item| seen.insert(item.to_string()));
    }
    items
        .iter()
        .enumerate()
        .all(|(index, item)| items[..index].iter().all(|other| !equal(item, other)))
}
