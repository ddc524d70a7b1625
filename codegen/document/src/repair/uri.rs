//! Class `uri-format`: `format: uri` demands absolute URIs, while the standard's own examples are relative.
//!
//! URIs in data become `uri-reference`. Callback and websocket addresses keep `uri`: the one who calls them has no
//! base to resolve them against. Which is which follows from the name of the property or component. A callback
//! address that refers to a schema shared with data gets its own.

use std::collections::HashSet;

use crate::report::Report;
use crate::shape::{Kind, each};
use crate::{Document, Node, Pointer, Value};

use super::each_schema_mut;

const CLASS: &str = "uri-format";

pub(super) fn run(document: &mut Document, report: &mut Report) {
    let shared = shared_uris(document);
    each_schema_mut(&mut document.root, &mut |pointer, schema| {
        let callback = name(pointer).is_some_and(|name| is_callback(&name));
        if callback && schema.ref_target().is_some_and(|target| shared.contains(target)) {
            let defect = "a callback address shares its schema with URIs that may be relative";
            report.add(
                schema.origin,
                pointer,
                CLASS,
                defect,
                "given its own schema, an absolute URI",
            );
            schema.remove("$ref");
            schema.set("type", Node::new("string"));
            schema.set("format", Node::new("uri"));
        } else if !callback
            && schema.str_at("format") == Some("uri")
            && schema.str_at("type").is_none_or(|name| name == "string")
        {
            let Some(format) = schema.get_mut("format") else {
                return;
            };
            let defect = "\"uri\" is an absolute URI, the standard's examples are relative";
            report.add(
                format.origin,
                &pointer.child("format"),
                CLASS,
                defect,
                "read as \"uri-reference\"",
            );
            format.value = Value::String("uri-reference".to_owned());
        }
    });
}

/// References to component schemas that are URIs and nothing more, but not callback addresses by name.
fn shared_uris(document: &Document) -> HashSet<String> {
    let mut shared = HashSet::new();
    each(&document.root, &mut |kind, pointer, schema| {
        let component = pointer.as_str().starts_with("/components/schemas/") && pointer.tokens().count() == 3;
        let uri = schema.str_at("type") == Some("string") && schema.str_at("format") == Some("uri");
        if kind == Kind::Schema && component && uri && !name(pointer).is_some_and(|name| is_callback(&name)) {
            shared.insert(format!("#{pointer}"));
        }
    });
    shared
}

/// The name of the property, parameter or component that the schema at `pointer` is, or is an element of.
fn name(pointer: &Pointer) -> Option<String> {
    let structural = ["items", "allOf", "anyOf", "oneOf", "schema"];
    let tokens: Vec<String> = pointer.tokens().collect();
    let mut tokens = tokens.into_iter().rev();
    tokens.find(|token| !structural.contains(&token.as_str()) && token.parse::<usize>().is_err())
}

fn is_callback(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let address = ["uri", "url", "endpoint", "address"]
        .iter()
        .any(|word| name.contains(word));
    name.contains("callback") || address && (name.contains("notif") || name.contains("websocket"))
}
