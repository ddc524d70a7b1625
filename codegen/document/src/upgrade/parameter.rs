//! Parameters, headers and bodies of Swagger 2.0 → parameters with a schema, request bodies with content.

use super::swagger::{MediaTypes, assumed_class};
use crate::report::Report;
use crate::{Node, Object, Pointer};

/// The keywords that describe the value of a parameter or header where Swagger 2.0 has no schema.
const VALUE_KEYWORDS: [&str; 18] = [
    "type",
    "format",
    "items",
    "default",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "enum",
    "multipleOf",
    "x-nullable",
    "nullable",
];

/// A parameter of a path, query or header; a reference stays one.
pub(super) fn convert(pointer: &Pointer, parameter: &Node, report: &mut Report) -> Node {
    let place = parameter.str_at("in").unwrap_or_default().to_owned();
    value_to_schema(pointer, parameter, &place, report)
}

/// A header of a response; a reference stays one.
pub(super) fn header(pointer: &Pointer, header: &Node, report: &mut Report) -> Node {
    value_to_schema(pointer, header, "header", report)
}

/// Gathers the keywords of the value into `schema`.
fn value_to_schema(pointer: &Pointer, node: &Node, place: &str, report: &mut Report) -> Node {
    let mut converted = node.clone();
    if node.ref_target().is_some() || node.get("schema").is_some() {
        return converted;
    }
    let Some(schema) = take_schema(pointer, &mut converted, report) else {
        return converted;
    };
    collection_format(
        pointer,
        &mut converted,
        place,
        schema.str_at("type") == Some("array"),
        report,
    );
    converted.set("schema", schema);
    converted
}

/// Takes the keywords of the value out of a node, as a schema; `None` where it is no mapping.
fn take_schema(pointer: &Pointer, node: &mut Node, report: &mut Report) -> Option<Node> {
    let origin = node.origin;
    let members = std::mem::take(node.as_object_mut()?);
    let (value, rest): (Object, Object) = members
        .into_iter()
        .partition(|(key, _)| VALUE_KEYWORDS.contains(&key.as_str()));
    *node = Node::at(origin, rest);
    let mut schema = Node::at(origin, value);
    if let Some(items) = schema.get_mut("items") {
        inner_collection_format(&pointer.child("items"), items, report);
    }
    Some(schema)
}

/// `collectionFormat` → `style` and `explode`.
fn collection_format(pointer: &Pointer, node: &mut Node, place: &str, is_array: bool, report: &mut Report) {
    let format = node.remove("collectionFormat");
    if !is_array {
        return;
    }
    let name = format.as_ref().and_then(Node::as_str).unwrap_or("csv");
    let origin = format.as_ref().map_or(node.origin, |format| format.origin);
    let style = match (place, name) {
        ("query" | "formData", "csv") => Some(("form", false)),
        ("query" | "formData", "multi") => Some(("form", true)),
        ("query" | "formData", "ssv") => Some(("spaceDelimited", false)),
        ("query" | "formData", "pipes") => Some(("pipeDelimited", false)),
        ("path" | "header", "csv") => None,
        _ => {
            let defect = format!("OpenAPI 3.1 has no collectionFormat {name:?} in a {place}");
            let place = pointer.child("collectionFormat");
            report.add(
                origin,
                &place,
                "collection-format",
                defect,
                "taken as values with commas between them",
            );
            (place.last().is_some() && matches!(node.str_at("in"), Some("query"))).then_some(("form", false))
        }
    };
    if let Some((style, explode)) = style {
        node.set("style", Node::at(origin, style));
        node.set("explode", Node::at(origin, explode));
    }
}

/// Lists inside of lists have no style in OpenAPI 3.x.
fn inner_collection_format(pointer: &Pointer, items: &mut Node, report: &mut Report) {
    if let Some(format) = items.remove("collectionFormat") {
        let defect = "OpenAPI 3.1 can't say how a list inside of a list is written";
        report.add(
            format.origin,
            &pointer.child("collectionFormat"),
            "collection-format",
            defect,
            "removed",
        );
    }
    if let Some(inner) = items.get_mut("items") {
        inner_collection_format(&pointer.child("items"), inner, report);
    }
}

/// A body parameter → a request body.
pub(super) fn body(pointer: &Pointer, parameter: &Node, consumes: &MediaTypes, report: &mut Report) -> Node {
    let mut body = Node {
        origin: parameter.origin,
        ..Node::object()
    };
    if let Some(description) = parameter.get("description") {
        body.set("description", description.clone());
    }
    note_assumed("consumes", pointer, parameter, consumes, report);
    let anything = Node {
        origin: parameter.origin,
        ..Node::object()
    };
    body.set(
        "content",
        consumes.content(parameter.get("schema").unwrap_or(&anything)),
    );
    if let Some(required) = parameter.get("required") {
        body.set("required", required.clone());
    }
    copy_extensions(parameter, &mut body);
    body
}

/// Notes that a body's media type was assumed; all such notes become one finding.
pub(super) fn note_assumed(
    key: &str,
    pointer: &Pointer,
    node: &Node,
    media_types: &MediaTypes,
    report: &mut Report,
) {
    if media_types.is_assumed {
        report.add(node.origin, pointer, &assumed_class(key), "", "");
    }
}

/// The fields of a form → one request body.
pub(super) fn form(fields: &[(Pointer, Node)], consumes: &MediaTypes, report: &mut Report) -> Option<Node> {
    let (_, first) = fields.first()?;
    let origin = first.origin;
    let (mut properties, mut required, mut encoding) = (Object::new(), Vec::new(), Object::new());
    for (pointer, field) in fields {
        let Some(name) = field.str_at("name") else {
            continue;
        };
        let mut rest = field.clone();
        let Some(mut schema) = take_schema(pointer, &mut rest, report) else {
            continue;
        };
        let is_array = schema.str_at("type") == Some("array");
        collection_format(pointer, &mut rest, "formData", is_array, report);
        if let Some(description) = rest.get("description") {
            schema.set("description", description.clone());
        }
        if rest.get("required").and_then(Node::as_bool) == Some(true) {
            required.push(Node::at(field.origin, name));
        }
        if let (Some(style), Some(explode)) = (rest.remove("style"), rest.remove("explode")) {
            let style = Object::from_iter([("style".to_owned(), style), ("explode".to_owned(), explode)]);
            encoding.insert(name.to_owned(), Node::at(field.origin, style));
        }
        properties.insert(name.to_owned(), schema);
    }
    let needs_body = !required.is_empty();
    let mut schema = Node {
        origin,
        ..Node::object()
    };
    schema.set("type", Node::at(origin, "object"));
    schema.set("properties", Node::at(origin, properties));
    if needs_body {
        schema.set("required", Node::at(origin, required));
    }
    let mut content = form_types(fields, consumes).content(&schema);
    for media_type in content.as_object_mut().into_iter().flat_map(Object::values_mut) {
        if !encoding.is_empty() {
            media_type.set("encoding", Node::at(origin, encoding.clone()));
        }
    }
    let mut body = Node {
        origin,
        ..Node::object()
    };
    body.set("content", content);
    if needs_body {
        body.set("required", Node::at(origin, true));
    }
    Some(body)
}

/// The media types of a form: those that are listed and can carry one, else the one that must be meant.
fn form_types(fields: &[(Pointer, Node)], consumes: &MediaTypes) -> MediaTypes {
    const MULTIPART: &str = "multipart/form-data";
    const URL_ENCODED: &str = "application/x-www-form-urlencoded";
    let has_file = fields
        .iter()
        .any(|(_, field)| field.str_at("type") == Some("file"));
    let fits = |name: &&String| **name == MULTIPART || (**name == URL_ENCODED && !has_file);
    let mut names: Vec<String> = consumes.names.iter().filter(fits).cloned().collect();
    if names.is_empty() {
        names.push(if has_file { MULTIPART } else { URL_ENCODED }.to_owned());
    }
    MediaTypes {
        names,
        is_assumed: false,
    }
}

/// Copies the extensions of one node to another.
pub(super) fn copy_extensions(from: &Node, to: &mut Node) {
    for (key, member) in from.as_object().into_iter().flatten() {
        if key.starts_with("x-") {
            to.set(key.as_str(), member.clone());
        }
    }
}
