//! Responses of Swagger 2.0 → responses with content.

use super::parameter::{copy_extensions, header, note_assumed};
use super::swagger::MediaTypes;
use crate::report::Report;
use crate::{Node, Pointer};

/// A response that may have any of `produces`; a reference stays one.
pub(super) fn convert(
    pointer: &Pointer,
    response: &Node,
    produces: &MediaTypes,
    report: &mut Report,
) -> Node {
    if response.ref_target().is_some() || response.as_object().is_none() {
        return response.clone();
    }
    let mut converted = Node {
        origin: response.origin,
        ..Node::object()
    };
    if let Some(description) = response.get("description") {
        converted.set("description", description.clone());
    }
    if let Some(headers) = response.get("headers") {
        let mut headers = headers.clone();
        let place = pointer.child("headers");
        for (name, member) in headers.as_object_mut().into_iter().flatten() {
            *member = header(&place.child(name), member, report);
        }
        converted.set("headers", headers);
    }
    if let Some(content) = content(pointer, response, produces, report) {
        converted.set("content", content);
    }
    copy_extensions(response, &mut converted);
    converted
}

fn content(pointer: &Pointer, response: &Node, produces: &MediaTypes, report: &mut Report) -> Option<Node> {
    let schema = response.get("schema");
    let examples = response.get("examples").and_then(Node::as_object);
    let mut content = match schema {
        Some(schema) => {
            note_assumed("produces", pointer, schema, produces, report);
            produces.content(schema)
        }
        None if examples.is_some_and(|examples| !examples.is_empty()) => Node::object(),
        None => return None,
    };
    for (name, example) in examples.into_iter().flatten() {
        if content.get(name).is_none() {
            let mut media_type = Node {
                origin: example.origin,
                ..Node::object()
            };
            if let Some(schema) = schema {
                media_type.set("schema", schema.clone());
            }
            content.set(name.as_str(), media_type);
        }
        if let Some(media_type) = content.get_mut(name) {
            media_type.set("example", example.clone());
        }
    }
    Some(content)
}
