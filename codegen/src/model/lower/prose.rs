//! The repaired document without ETSI's prose: names, types, limits and references stay, sentences go.

use mecforge_document::{Node, Object, Value};

/// Keys whose values are prose, or examples that are part of it.
const PROSE: [&str; 9] = [
    "description",
    "summary",
    "title",
    "example",
    "examples",
    "externalDocs",
    "x-etsi-notes",
    "x-enum-descriptions",
    "$comment",
];

/// Keys whose values are maps from names of the document, in which every key stays.
const NAMED: [&str; 18] = [
    "properties",
    "patternProperties",
    "$defs",
    "dependentSchemas",
    "schemas",
    "responses",
    "parameters",
    "headers",
    "requestBodies",
    "callbacks",
    "securitySchemes",
    "links",
    "pathItems",
    "paths",
    "content",
    "mapping",
    "variables",
    "encoding",
];

/// Keys whose values are data, copied as they are.
const DATA: [&str; 5] = ["enum", "const", "default", "required", "x-extensible-enum"];

/// The document as indented JSON without prose. Responses keep the `description` that OpenAPI demands: their
/// status; `info` keeps its title, which is a name.
pub(super) fn without_prose(root: &Node) -> String {
    let mut root = strip_object(root, false);
    // The dialect of OpenAPI 3.1 itself serves; tools that don't know another one would only warn.
    root.remove("jsonSchemaDialect");
    if let (Some(info), Value::Object(object)) = (root_title(&root), &mut root.value) {
        object.insert("info".to_owned(), info);
    }
    let mut text = serde_json::to_string_pretty(&root).unwrap_or_default();
    text.push('\n');
    text
}

/// A schema without prose.
pub(super) fn without_annotations(schema: &Node) -> Node {
    strip_object(schema, false)
}

fn root_title(root: &Node) -> Option<Node> {
    let info = root.get("info")?;
    let mut kept = Object::new();
    for key in ["title", "version", "license"] {
        if let Some(node) = info.get(key) {
            kept.insert(key.to_owned(), node.clone());
        }
    }
    Some(Node::new(kept))
}

/// Strips an object; `named` tells that its keys are names of the document, not keywords.
fn strip_object(node: &Node, named: bool) -> Node {
    let Value::Object(object) = &node.value else {
        return strip_other(node);
    };
    let mut kept = Object::new();
    for (key, value) in object {
        if named {
            kept.insert(key.clone(), strip_object(value, false));
        } else if key == "info" {
            kept.insert(key.clone(), value.clone());
        } else if key == "responses" {
            kept.insert(key.clone(), strip_responses(value));
        } else if DATA.contains(&key.as_str()) {
            kept.insert(key.clone(), value.clone());
        } else if !PROSE.contains(&key.as_str()) && !key.starts_with("x-mecforge-") {
            let is_map = NAMED.contains(&key.as_str()) && value.as_object().is_some();
            kept.insert(key.clone(), strip_object(value, is_map));
        }
    }
    Node::new(kept)
}

fn strip_other(node: &Node) -> Node {
    match &node.value {
        Value::Array(items) => Node::new(
            items
                .iter()
                .map(|item| strip_object(item, false))
                .collect::<Vec<_>>(),
        ),
        _ => Node::new(node.value.clone()),
    }
}

/// Responses by status, or by name in `components`: each needs a description, and gets its key.
fn strip_responses(node: &Node) -> Node {
    let Value::Object(object) = &node.value else {
        return strip_other(node);
    };
    let strip = |(key, response): (&String, &Node)| {
        let mut response = strip_object(response, false);
        if response.ref_target().is_none()
            && let Some(object) = response.as_object_mut()
        {
            object.shift_insert(0, "description".to_owned(), Node::new(reason(key)));
        }
        (key.clone(), response)
    };
    Node::new(object.iter().map(strip).collect::<Object>())
}

/// The reason phrase that the IANA registry gives a status (RFC 9110 section 15), else the key itself.
fn reason(key: &str) -> String {
    let status = key.parse::<u16>().ok().and_then(crate::status::reason);
    status.unwrap_or(key).to_owned()
}
