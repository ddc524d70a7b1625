//! `nullable: true` (and `x-nullable`) → the type `null`.

use super::Dialect;
use super::reference::is_annotation;
use crate::report::Report;
use crate::{Node, Object, Pointer, Value};

/// Rewrites the mark for "may be null" as a type.
pub(super) fn rewrite(pointer: &Pointer, node: &mut Node, dialect: Dialect, report: &mut Report) {
    let own = node.remove("nullable");
    let extension = node.remove("x-nullable");
    let Some(mark) = own.as_ref().or(extension.as_ref()) else {
        return;
    };
    if mark.as_bool() != Some(true) {
        return;
    }
    if dialect == Dialect::OpenApi31 {
        report.add(
            mark.origin,
            &pointer.child("nullable"),
            "dialect-leftover",
            "`nullable` is a keyword of OpenAPI 3.0, which OpenAPI 3.1 ignores",
            "rewritten as the type `null`",
        );
    }
    allow_null(pointer, node, report);
}

fn allow_null(pointer: &Pointer, node: &mut Node, report: &mut Report) {
    if let Some(types) = node.get_mut("type") {
        add_null_type(types);
        add_null_value(pointer, node, report);
        return;
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(members) = node.get_mut(key).and_then(Node::as_array_mut) {
            members.push(null_schema());
            return;
        }
    }
    if node.get("$ref").is_some() || node.get("allOf").is_some() {
        wrap(node);
    } else {
        // Without a type any value is allowed already, null with them; only a list of values has a say.
        add_null_value(pointer, node, report);
    }
}

fn add_null_type(types: &mut Node) {
    let origin = types.origin;
    match &mut types.value {
        Value::String(_) => {
            let first = Node {
                value: types.value.clone(),
                origin,
            };
            types.value = Value::Array(vec![first, Node::at(origin, "null")]);
        }
        Value::Array(items) if items.iter().all(|item| item.as_str() != Some("null")) => {
            items.push(Node::at(origin, "null"));
        }
        _ => {}
    }
}

/// Adds null to the listed values: OpenAPI 3.0.3 wants it there, but hardly an author knew.
fn add_null_value(pointer: &Pointer, node: &mut Node, report: &mut Report) {
    let Some(values) = node.get_mut("enum") else {
        return;
    };
    let origin = values.origin;
    let Some(items) = values.as_array_mut() else {
        return;
    };
    if items.iter().any(|item| matches!(item.value, Value::Null)) {
        return;
    }
    items.push(Node::at(origin, Value::Null));
    report.add_widened(
        origin,
        &pointer.child("enum"),
        "nullable-enum",
        "the schema is nullable, but null is not among its values",
        "null added to the values",
    );
}

/// `{$ref, …}` → `{anyOf: [{$ref, …}, {type: null}]}`; what says nothing about values stays outside.
fn wrap(node: &mut Node) {
    let origin = node.origin;
    let Some(members) = node.as_object_mut() else {
        return;
    };
    let (outside, inside): (Object, Object) = std::mem::take(members)
        .into_iter()
        .partition(|(key, _)| is_annotation(key));
    *members = outside;
    let alternatives = vec![Node::at(origin, inside), null_schema()];
    members.insert("anyOf".to_owned(), Node::at(origin, alternatives));
}

fn null_schema() -> Node {
    let mut schema = Node::object();
    schema.set("type", Node::new("null"));
    schema
}
