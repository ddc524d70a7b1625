//! Classes `placeholder-enum`, `empty-enum`, `enum-type` and `repeated-enum-value`.
//!
//! Certain: an enumeration whose only value is the order to read the prose, or that has no values, lists nothing; a
//! value that is written as the other kind of scalar than `type` says can mean only itself. The values that are
//! missing are never taken from prose by program: overlays give them.

use crate::report::Report;
use crate::{Document, Node, Pointer, Value};

use super::each_schema_mut;

/// What stands for values that are not listed; compared by letters without case.
const PLACEHOLDERS: [&str; 6] = [
    "SEEDESCRIPTION",
    "SEENOTE",
    "NOTSPECIFIED",
    "PLACEHOLDER",
    "TOBEDEFINED",
    "TBD",
];

pub(super) fn run(document: &mut Document, report: &mut Report) {
    each_schema_mut(&mut document.root, &mut |pointer, schema| {
        if schema
            .get("enum")
            .is_some_and(|values| values.as_array().is_none())
        {
            single_value(pointer, schema, report);
        }
        placeholder(pointer, schema, report);
        value_types(pointer, schema, report);
        repeated(pointer, schema, report);
    });
}

fn single_value(pointer: &Pointer, schema: &mut Node, report: &mut Report) {
    let Some(values) = schema
        .get_mut("enum")
        .filter(|values| values.as_object().is_none())
    else {
        return;
    };
    let defect = "\"enum\" is a value and no list";
    report.add(
        values.origin,
        &pointer.child("enum"),
        "enum-type",
        defect,
        "read as a list of one value",
    );
    let value = values.clone();
    values.value = Value::Array(vec![value]);
}

fn placeholder(pointer: &Pointer, schema: &mut Node, report: &mut Report) {
    let Some(values) = schema.get("enum").and_then(Node::as_array) else {
        return;
    };
    let (class, defect) = match values {
        [] => ("empty-enum", "an enumeration without values".to_owned()),
        [value] if value.as_str().is_some_and(is_placeholder) => {
            let text = value.as_str().unwrap_or_default();
            (
                "placeholder-enum",
                format!("\"{text}\" stands for values that are not listed"),
            )
        }
        _ => return,
    };
    let origin = schema.get("enum").map_or(schema.origin, |values| values.origin);
    if schema.str_at("default").is_some_and(is_placeholder) {
        schema.remove("default");
    }
    schema.remove("enum");
    report.add_widened(
        origin,
        pointer,
        class,
        defect,
        "\"enum\" removed, any value of the type is accepted",
    );
}

fn is_placeholder(value: &str) -> bool {
    let letters: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
    PLACEHOLDERS.contains(&letters.to_ascii_uppercase().as_str())
}

fn value_types(pointer: &Pointer, schema: &mut Node, report: &mut Report) {
    let Some(name) = schema.str_at("type").map(str::to_owned) else {
        return;
    };
    let place = pointer.child("enum");
    let values = schema.get_mut("enum").and_then(Node::as_array_mut);
    for (index, value) in values.into_iter().flatten().enumerate() {
        if let Some(converted) = converted(&value.value, &name) {
            let defect = format!(
                "a value of kind {} in an enumeration of type {name}",
                value.kind()
            );
            report.add(
                value.origin,
                &place.index(index),
                "enum-type",
                defect,
                format!("read as {name}"),
            );
            value.value = converted;
        }
    }
}

/// The value as `name` has it, where it is a scalar of another kind that can be read so.
fn converted(value: &Value, name: &str) -> Option<Value> {
    match (value, name) {
        (Value::Number(number), "string") => Some(Value::String(number.to_string())),
        (Value::Bool(value), "string") => Some(Value::String(value.to_string())),
        (Value::String(text), "integer") => text.trim().parse::<i64>().ok().map(Value::from),
        (Value::String(text), "number") => serde_json::from_str::<serde_json::Number>(text.trim())
            .ok()
            .map(Value::Number),
        (Value::String(text), "boolean") => text.trim().parse::<bool>().ok().map(Value::from),
        _ => None,
    }
}

fn repeated(pointer: &Pointer, schema: &mut Node, report: &mut Report) {
    let place = pointer.child("enum");
    // Names of values stand beside the values one by one.
    if schema.get("x-enum-varnames").is_some() {
        return;
    }
    let Some(values) = schema.get_mut("enum").and_then(Node::as_array_mut) else {
        return;
    };
    let mut kept: Vec<Node> = Vec::with_capacity(values.len());
    for (index, value) in std::mem::take(values).into_iter().enumerate() {
        if kept.contains(&value) {
            let defect = "a value is listed twice";
            report.add(
                value.origin,
                &place.index(index),
                "repeated-enum-value",
                defect,
                "removed",
            );
        } else {
            kept.push(value);
        }
    }
    *values = kept;
}
