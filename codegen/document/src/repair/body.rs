//! Classes `body-without-content`, `empty-body` and `optional-body`: bodies where none can be or none is described, and
//! bodies that lack `required`.
//!
//! Certain: 204, 205 and 304 never carry content (RFC 9110, clauses 15.3.5, 15.3.6 and 15.4.5). An object with an
//! explicitly empty list of properties is what the extraction makes of "no content". A POST, PUT or PATCH
//! whose JSON body has required members cannot mean anything without it, so a missing `required` (not a `false`) is
//! an omission; the sister operations of the same documents have it.

use crate::report::Report;
use crate::shape::{Kind, each, each_mut};
use crate::{Document, Node, Pointer};

pub(super) fn run(document: &mut Document, report: &mut Report) {
    each_mut(&mut document.root, &mut |kind, pointer, node| match kind {
        Kind::Operation => empty_responses(pointer, node, report),
        Kind::Response => undescribed_body(pointer, node, report),
        _ => {}
    });
    required_bodies(document, report);
}

fn empty_responses(pointer: &Pointer, operation: &mut Node, report: &mut Report) {
    for status in ["204", "205", "304"] {
        let response = operation
            .get_mut("responses")
            .and_then(|responses| responses.get_mut(status));
        let Some(content) = response.and_then(|response| response.remove("content")) else {
            continue;
        };
        let place = pointer.child("responses").child(status).child("content");
        let defect = format!("a response {status} has no content");
        report.add(content.origin, &place, "body-without-content", defect, "removed");
    }
}

fn undescribed_body(pointer: &Pointer, response: &mut Node, report: &mut Report) {
    let media_types = response.get("content").and_then(Node::as_object);
    let described = |media_type: &Node| {
        let schema = media_type.get("schema").and_then(Node::as_object);
        !schema.is_some_and(|schema| {
            let members = schema.get("properties").and_then(Node::as_object);
            members.is_some_and(|members| members.is_empty())
                && schema.keys().all(|key| key == "type" || key == "properties")
        })
    };
    if media_types.is_none_or(|media_types| media_types.is_empty() || media_types.values().any(described)) {
        return;
    }
    let Some(content) = response.remove("content") else {
        return;
    };
    let defect = "a body that is an object without any property stands for no body";
    report.add(
        content.origin,
        &pointer.child("content"),
        "empty-body",
        defect,
        "removed",
    );
}

fn required_bodies(document: &mut Document, report: &mut Report) {
    let mut found = Vec::new();
    each(&document.root, &mut |kind, pointer, operation| {
        let method = pointer.last().unwrap_or_default();
        if kind != Kind::Operation || !["post", "put", "patch"].contains(&method.as_str()) {
            return;
        }
        let Some(body) = operation.get("requestBody") else {
            return;
        };
        let place = match body.ref_target() {
            Some(target) => Pointer::parse(target),
            None => Some(pointer.child("requestBody")),
        };
        let Some(body) = place.as_ref().and_then(|place| document.root.pointer(place)) else {
            return;
        };
        let schema = body
            .get("content")
            .and_then(|content| content.get("application/json")?.get("schema"));
        if body.get("required").is_none() && schema.is_some_and(|schema| needs_members(document, schema)) {
            found.extend(place);
        }
    });
    for place in found {
        let Some(body) = document
            .root
            .pointer_mut(&place)
            .filter(|body| body.get("required").is_none())
        else {
            continue;
        };
        let defect = "a body with required members is declared optional by omission";
        report.add(
            body.origin,
            &place,
            "optional-body",
            defect,
            "\"required: true\" added",
        );
        body.set("required", Node::new(true));
    }
}

/// Whether a schema, or the one that an optional wrapper holds, demands members.
fn needs_members(document: &Document, schema: &Node) -> bool {
    let demands = |schema: &Node| {
        let schema = document.resolve(schema).unwrap_or(schema);
        let required = schema
            .get("required")
            .and_then(Node::as_array)
            .is_some_and(|names| !names.is_empty());
        required || ["oneOf", "anyOf"].iter().any(|key| schema.get(key).is_some())
    };
    let resolved = document.resolve(schema).unwrap_or(schema);
    let properties = resolved.get("properties").and_then(Node::as_object);
    demands(schema)
        || properties
            .filter(|members| members.len() == 1)
            .is_some_and(|members| members.values().any(demands))
}
