//! Schemas of Swagger 2.0 and OpenAPI 3.0 → JSON Schema 2020-12.

use super::{Dialect, nullable};
use crate::report::Report;
use crate::{Node, Pointer, Value};

/// Rewrites one schema; those inside of it get their own turn.
pub(super) fn modernise(pointer: &Pointer, node: &mut Node, dialect: Dialect, report: &mut Report) {
    file_type(node);
    binary_format(node);
    for (exclusive, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        exclusive_bound(pointer, node, exclusive, bound, dialect, report);
    }
    example(node);
    nullable::rewrite(pointer, node, dialect, report);
}

/// `type: file` of Swagger 2.0 is text of any bytes.
fn file_type(node: &mut Node) {
    if node.str_at("type") == Some("file") {
        if let Some(kind) = node.get_mut("type") {
            kind.value = "string".into();
        }
        node.set("format", Node::new("binary"));
    }
}

/// `format: byte` and `format: binary` have keywords of their own in 2020-12.
fn binary_format(node: &mut Node) {
    if node.str_at("type") != Some("string") {
        return;
    }
    let (key, value) = match node.str_at("format") {
        Some("byte" | "base64") => ("contentEncoding", "base64"),
        Some("binary") => ("contentMediaType", "application/octet-stream"),
        _ => return,
    };
    let origin = node
        .remove("format")
        .map(|format| format.origin)
        .unwrap_or_default();
    if node.get(key).is_none() {
        node.set(key, Node::at(origin, value));
    }
}

/// `minimum: 1, exclusiveMinimum: true` → `exclusiveMinimum: 1`.
fn exclusive_bound(
    pointer: &Pointer,
    node: &mut Node,
    exclusive: &str,
    bound: &str,
    dialect: Dialect,
    report: &mut Report,
) {
    let Some(mark) = node.get(exclusive) else { return };
    let (Some(is_exclusive), origin) = (mark.as_bool(), mark.origin) else {
        return;
    };
    node.remove(exclusive);
    let place = pointer.child(exclusive);
    if dialect == Dialect::OpenApi31 {
        let defect =
            format!("`{exclusive}` is a truth value, as in OpenAPI 3.0; OpenAPI 3.1 wants the bound");
        report.add(
            origin,
            &place,
            "dialect-leftover",
            defect,
            "rewritten as OpenAPI 3.1 has it",
        );
    }
    if !is_exclusive {
        return;
    }
    match node.remove(bound) {
        Some(value) => node.set(exclusive, value),
        None => {
            let defect = format!("`{exclusive}` has no `{bound}` that it could make exclusive");
            report.add(origin, &place, "exclusive-without-bound", defect, "removed");
        }
    }
}

/// `example: x` → `examples: [x]`; a map of examples, which only parameters and bodies have, becomes a list.
fn example(node: &mut Node) {
    if let Some(examples) = node.get_mut("examples")
        && let Value::Object(named) = &mut examples.value
    {
        let values = std::mem::take(named)
            .into_iter()
            .map(|(_, example)| match example.get("value") {
                Some(value) => value.clone(),
                None => example,
            });
        examples.value = Value::Array(values.collect());
    }
    let Some(example) = node.remove("example") else {
        return;
    };
    let origin = example.origin;
    match node.get_mut("examples").and_then(Node::as_array_mut) {
        Some(examples) if examples.contains(&example) => {}
        Some(examples) => examples.insert(0, example),
        None => node.set("examples", Node::at(origin, vec![example])),
    }
}
