//! Classes `required-flag`, `repeated-required` and `required-name`: `required` where it is no list of declared names.
//!
//! Certain: `required: true` in a property is the form of JSON Schema draft 3, whose meaning is known; a name that is
//! listed twice is required once; and a name that no property has, while one property differs from it by case, blanks
//! or underscores only, means that property. Other names that no property has are for `settle`, after the overlays.

use crate::report::Report;
use crate::{Document, Node, Pointer, Value};

use super::each_schema_mut;

pub(super) fn run(document: &mut Document, report: &mut Report) {
    each_schema_mut(&mut document.root, &mut |pointer, schema| {
        single_name(pointer, schema, report);
        flags(pointer, schema, report);
        names(pointer, schema, report);
        repeated(pointer, schema, report);
    });
}

/// `required: name` for `required: [name]`.
fn single_name(pointer: &Pointer, schema: &mut Node, report: &mut Report) {
    let Some(required) = schema
        .get_mut("required")
        .filter(|required| required.as_str().is_some())
    else {
        return;
    };
    let defect = "\"required\" is a text and no list";
    report.add(
        required.origin,
        &pointer.child("required"),
        "required-flag",
        defect,
        "read as a list of one name",
    );
    let name = required.clone();
    required.value = Value::Array(vec![name]);
}

/// `required: true` in a property for its name in the list of the object.
fn flags(pointer: &Pointer, schema: &mut Node, report: &mut Report) {
    let place = pointer.child("properties");
    let mut names = Vec::new();
    for (name, property) in schema
        .get_mut("properties")
        .and_then(Node::as_object_mut)
        .into_iter()
        .flatten()
    {
        let Some(flag) = property.get("required").and_then(Node::as_bool) else {
            continue;
        };
        let Some(removed) = property.remove("required") else {
            continue;
        };
        let defect = "\"required\" is a truth value and no list";
        let repair = if flag {
            "moved to the object's list"
        } else {
            "removed"
        };
        report.add(
            removed.origin,
            &place.child(name).child("required"),
            "required-flag",
            defect,
            repair,
        );
        if flag {
            names.push(Node::at(removed.origin, name.as_str()));
        }
    }
    if names.is_empty() {
        return;
    }
    match schema.get_mut("required").and_then(Node::as_array_mut) {
        Some(required) => {
            names.retain(|name| !required.contains(name));
            required.append(&mut names);
        }
        None => schema.set("required", Node::new(names)),
    }
}

fn repeated(pointer: &Pointer, schema: &mut Node, report: &mut Report) {
    let Some(required) = schema.get_mut("required").and_then(Node::as_array_mut) else {
        return;
    };
    let mut kept: Vec<Node> = Vec::with_capacity(required.len());
    for (index, name) in std::mem::take(required).into_iter().enumerate() {
        if kept.contains(&name) {
            let defect = format!("\"{}\" is required twice", name.as_str().unwrap_or_default());
            let place = pointer.child("required").index(index);
            report.add(name.origin, &place, "repeated-required", defect, "removed");
        } else {
            kept.push(name);
        }
    }
    *required = kept;
}

fn names(pointer: &Pointer, schema: &mut Node, report: &mut Report) {
    let Some(properties) = schema.get("properties").and_then(Node::as_object) else {
        return;
    };
    let declared: Vec<String> = properties.keys().cloned().collect();
    let required = schema.get_mut("required").and_then(Node::as_array_mut);
    let taken: Vec<String> = required
        .iter()
        .flat_map(|names| names.iter())
        .filter_map(Node::as_str)
        .map(str::to_owned)
        .collect();
    for (index, entry) in required.into_iter().flatten().enumerate() {
        let Some(name) = entry
            .as_str()
            .filter(|name| !declared.iter().any(|known| known == name))
        else {
            continue;
        };
        let mut alike = declared
            .iter()
            .filter(|known| plain(known) == plain(name) && !taken.contains(known));
        if let (Some(known), None) = (alike.next(), alike.next()) {
            let defect = format!("\"{name}\" is required, the property is called \"{known}\"");
            let place = pointer.child("required").index(index);
            report.add(
                entry.origin,
                &place,
                "required-name",
                defect,
                format!("read as \"{known}\""),
            );
            entry.value = Value::String(known.clone());
        }
    }
}

/// What two spellings of one name have in common.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
