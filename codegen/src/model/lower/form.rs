//! Bodies as forms: what of `multipart/form-data` and `application/x-www-form-urlencoded` has no Rust form yet.

use mecforge_document::{Node, Pointer};

use super::Lowering;
use crate::model::api::{Body, Content};

impl Lowering<'_> {
    /// Refuses a request's form with binary parts, or with parts that are written in a way of their own.
    pub(super) fn check_form(&mut self, media_type: &str, node: &Node, pointer: &Pointer) {
        for (name, encoding) in node
            .get("encoding")
            .and_then(Node::as_object)
            .into_iter()
            .flatten()
        {
            let unknown = encoding
                .as_object()
                .into_iter()
                .flatten()
                .find(|(key, _)| *key != "contentType");
            if let Some((key, value)) = unknown {
                let place = pointer.child("encoding").child(name).child(key);
                self.refuse(
                    value,
                    &place,
                    format!("{key} of a part of {media_type} has no Rust form yet"),
                );
            }
        }
        let document = self.document;
        let Some(schema) = node.get("schema").and_then(|schema| document.resolve(schema)) else {
            return;
        };
        for (name, property) in schema
            .get("properties")
            .and_then(Node::as_object)
            .into_iter()
            .flatten()
        {
            let Some(property) = document.resolve(property) else {
                continue;
            };
            let item = property.get("items").and_then(|items| document.resolve(items));
            if is_binary(property) || item.is_some_and(is_binary) {
                let place = pointer.child("schema").child("properties").child(name);
                self.refuse(
                    property,
                    &place,
                    format!("a binary part of {media_type} has no Rust form yet"),
                );
            }
        }
    }

    /// Refuses a response as a form.
    pub(super) fn refuse_forms(&mut self, content: &[Content], node: &Node, pointer: &Pointer) {
        for content in content {
            if matches!(content.body, Body::Form(_) | Body::Multipart(_)) {
                let place = pointer.child("content").child(&content.media_type);
                self.refuse(
                    node,
                    &place,
                    format!("a response as {} has no Rust form yet", content.media_type),
                );
            }
        }
    }
}

/// Whether a schema stands for bytes rather than text.
fn is_binary(schema: &Node) -> bool {
    let is_bytes = schema.str_at("format") == Some("binary");
    let has_media_type = schema
        .str_at("contentMediaType")
        .is_some_and(|media_type| !media_type.ends_with("json"));
    is_bytes || (has_media_type && schema.get("contentEncoding").is_none())
}
