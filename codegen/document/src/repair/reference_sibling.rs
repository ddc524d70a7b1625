//! Classes `redundant-type` and `contradicting-type`: `type` beside a `$ref`.
//!
//! Certain: where the target has that type, `type` says nothing; where it has another one, no value satisfies both,
//! and the target, which has the details, is what was meant. A target whose type is not known is left alone here;
//! `settle` looks again after the overlays.

use std::collections::BTreeSet;

use crate::report::Report;
use crate::shape::{Kind, each};
use crate::{Document, Node, Pointer, Value};

/// How deeply unions are looked into for their members' types.
const DEPTH: usize = 8;

pub(crate) fn run(document: &mut Document, report: &mut Report) {
    let mut found: Vec<(Pointer, bool)> = Vec::new();
    each(&document.root, &mut |kind, pointer, schema| {
        if kind != Kind::Schema || schema.get("type").is_none() {
            return;
        }
        let Some(target) = schema.ref_target() else { return };
        let target = Pointer::parse(target).and_then(|target| document.root.pointer(&target));
        let target_types = target.and_then(|target| types(document, target, DEPTH));
        let own = written_types(schema);
        if let (Some(target_types), Some(own)) = (target_types, own) {
            found.push((pointer.clone(), target_types.is_subset(&own)));
        }
    });
    for (pointer, redundant) in found {
        let Some(schema) = document.root.pointer_mut(&pointer) else {
            continue;
        };
        let target = schema.ref_target().unwrap_or_default().to_owned();
        let Some(name) = schema.remove("type") else {
            continue;
        };
        let written = name.as_str().unwrap_or("list of types");
        let place = pointer.child("type");
        let (class, defect) = if redundant {
            (
                "redundant-type",
                format!("\"{written}\" repeats the type of {target}"),
            )
        } else {
            (
                "contradicting-type",
                format!("\"{written}\" contradicts the type of {target}, no value satisfies both"),
            )
        };
        report.add(
            name.origin,
            &place,
            class,
            defect,
            "removed, the reference stands",
        );
    }
}

/// The types that a schema's values may have, where the schema tells.
pub(crate) fn types(document: &Document, schema: &Node, depth: usize) -> Option<BTreeSet<String>> {
    if depth == 0 {
        return None;
    }
    if let Some(types) = written_types(schema) {
        return Some(types);
    }
    if let Some(target) = schema.ref_target() {
        let target = document.root.pointer(&Pointer::parse(target)?)?;
        return types(document, target, depth - 1);
    }
    if let Some(values) = schema.get("enum").and_then(Node::as_array) {
        return Some(
            values
                .iter()
                .map(|value| value_type(&value.value).to_owned())
                .collect(),
        );
    }
    if let Some(parts) = schema.get("allOf").and_then(Node::as_array) {
        return parts.iter().find_map(|part| types(document, part, depth - 1));
    }
    let members = schema
        .get("oneOf")
        .or_else(|| schema.get("anyOf"))
        .and_then(Node::as_array)?;
    let mut union = BTreeSet::new();
    for member in members {
        union.extend(types(document, member, depth - 1)?);
    }
    Some(union)
}

fn written_types(schema: &Node) -> Option<BTreeSet<String>> {
    match &schema.get("type")?.value {
        Value::String(name) => Some(BTreeSet::from([name.clone()])),
        Value::Array(names) => names
            .iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}

fn value_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
