//! Class `blank-in-name`: names of properties and parameters with blanks at their ends or beside `_`, `-` or `.`.
//!
//! Certain, because the standard's names are identifiers and such blanks come from line breaks in its tables. A
//! blank between two words is left alone: which of several spellings was meant is not certain.

use crate::report::Report;
use crate::shape::{Kind, each_mut};
use crate::{Document, Node, Pointer, Value};

const CLASS: &str = "blank-in-name";

pub(super) fn run(document: &mut Document, report: &mut Report) {
    each_mut(&mut document.root, &mut |kind, pointer, node| match kind {
        Kind::Schema => properties(pointer, node, report),
        Kind::Parameter => parameter(pointer, node, report),
        _ => {}
    });
}

fn properties(pointer: &Pointer, schema: &mut Node, report: &mut Report) {
    let Some(properties) = schema.get_mut("properties").and_then(Node::as_object_mut) else {
        return;
    };
    if !properties.keys().any(|name| joined(name).is_some()) {
        return;
    }
    let taken: Vec<String> = properties.keys().cloned().collect();
    let place = pointer.child("properties");
    let mut renamed = Vec::new();
    *properties = std::mem::take(properties)
        .into_iter()
        .map(
            |(name, property)| match joined(&name).filter(|joined| !taken.contains(joined)) {
                Some(joined) => {
                    let defect = format!("the property name \"{name}\" has a blank");
                    let repair = format!("read as \"{joined}\"");
                    report.add(property.origin, &place.child(&name), CLASS, defect, repair);
                    renamed.push((name, joined.clone()));
                    (joined, property)
                }
                None => (name, property),
            },
        )
        .collect();
    for entry in schema
        .get_mut("required")
        .and_then(Node::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some((_, joined)) = renamed.iter().find(|(name, _)| entry.as_str() == Some(name)) {
            entry.value = Value::String(joined.clone());
        }
    }
}

fn parameter(pointer: &Pointer, parameter: &mut Node, report: &mut Report) {
    let Some(name) = parameter.get_mut("name") else {
        return;
    };
    let Some(joined) = name.as_str().and_then(joined) else {
        return;
    };
    let defect = format!(
        "the parameter name \"{}\" has a blank",
        name.as_str().unwrap_or_default()
    );
    report.add(
        name.origin,
        &pointer.child("name"),
        CLASS,
        defect,
        format!("read as \"{joined}\""),
    );
    name.value = Value::String(joined);
}

/// The name without blanks at its ends and beside separators, where it has such blanks.
fn joined(name: &str) -> Option<String> {
    let mut joined = name.trim().to_owned();
    for separator in ['_', '-', '.'] {
        let parts: Vec<&str> = joined.split(separator).map(str::trim).collect();
        joined = parts.join(&separator.to_string());
    }
    (joined != name && !joined.is_empty()).then_some(joined)
}
