//! What stands beside a `$ref`: nothing but words in Swagger 2.0 and OpenAPI 3.0, which ignore the rest.

use super::Dialect;
use crate::report::Report;
use crate::shape::Kind;
use crate::{Node, Pointer};

/// Whether a keyword of a schema says nothing about which values are allowed.
pub(super) fn is_annotation(key: &str) -> bool {
    let words = [
        "description",
        "title",
        "summary",
        "deprecated",
        "readOnly",
        "writeOnly",
        "default",
        "example",
        "examples",
        "externalDocs",
        "xml",
    ];
    words.contains(&key) || key.starts_with("x-")
}

/// Removes what a reference makes void, and reports it.
///
/// In a schema of 3.1 everything beside a `$ref` counts; in other objects only words do, in any version.
pub(super) fn clear_siblings(
    kind: Kind,
    pointer: &Pointer,
    node: &mut Node,
    dialect: Dialect,
    report: &mut Report,
) {
    if node.ref_target().is_none() || (kind == Kind::Schema && dialect == Dialect::OpenApi31) {
        return;
    }
    let origin = node.origin;
    let Some(members) = node.as_object_mut() else {
        return;
    };
    let mut removed = Vec::new();
    members.retain(|key, _| {
        let keeps = match kind {
            Kind::Schema => matches!(key.as_str(), "$ref" | "nullable" | "x-nullable") || is_annotation(key),
            _ => matches!(key.as_str(), "$ref" | "description" | "summary") || key.starts_with("x-"),
        };
        if !keeps {
            removed.push(format!("`{key}`"));
        }
        keeps
    });
    if !removed.is_empty() {
        report.add(
            origin,
            pointer,
            "reference-sibling",
            format!(
                "{} beside `$ref`, which {} ignores",
                removed.join(", "),
                name(kind, dialect)
            ),
            "removed",
        );
    }
}

fn name(kind: Kind, dialect: Dialect) -> &'static str {
    match (kind, dialect) {
        (_, Dialect::Swagger20) => "Swagger 2.0",
        (Kind::Schema, _) => "OpenAPI 3.0",
        _ => "OpenAPI",
    }
}
