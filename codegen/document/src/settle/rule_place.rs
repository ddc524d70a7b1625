//! Rules across properties (`oneOf` and `anyOf` of `required`) move from beside `properties` into `allOf`.
//!
//! The meaning is the same. Generators of other people (openapi-generator, measured with 7.26) take `oneOf` beside
//! `properties` for a union of types and drop the properties; the same rule as a member of `allOf` they leave alone.
//! As nothing changes but the form, there is no finding.

use crate::repair::each_schema_mut;
use crate::{Document, Node};

/// Moves the rules.
pub(super) fn run(document: &mut Document) {
    each_schema_mut(&mut document.root, &mut |_, schema| {
        if schema.get("properties").is_none() {
            return;
        }
        for keyword in ["oneOf", "anyOf"] {
            let members = schema.get(keyword).and_then(Node::as_array).unwrap_or_default();
            if members.is_empty() || !members.iter().all(is_rule) {
                continue;
            }
            let Some(rule) = schema.remove(keyword) else {
                continue;
            };
            let mut member = Node::at(rule.origin, crate::Object::new());
            member.set(keyword, rule);
            match schema.get_mut("allOf").and_then(Node::as_array_mut) {
                Some(members) => members.push(member),
                None => schema.set("allOf", Node::new(vec![member])),
            }
        }
    });
}

/// Whether a schema says only which properties go together.
fn is_rule(schema: &Node) -> bool {
    let Some(object) = schema.as_object() else {
        return false;
    };
    object.iter().all(|(key, value)| match key.as_str() {
        "required" => true,
        "not" => is_rule(value),
        "allOf" | "anyOf" | "oneOf" => value
            .as_array()
            .is_some_and(|members| members.iter().all(is_rule)),
        "properties" => value
            .as_object()
            .is_some_and(|properties| properties.values().all(is_test)),
        _ => false,
    })
}

/// Whether a property's schema only tests its value.
fn is_test(schema: &Node) -> bool {
    schema.as_object().is_some_and(|object| {
        object
            .keys()
            .all(|key| matches!(key.as_str(), "const" | "enum" | "not" | "contains"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_stand_apart_from_properties() {
        let either = json!([{"required": ["a"]}, {"required": ["b"]}]);
        let properties = json!({"a": {"type": "string"}, "b": {"type": "string"}});
        let rule = json!({"type": "object", "properties": properties, "anyOf": either, "allOf": [{"required": ["a"]}]});
        let choice = json!({"properties": properties, "oneOf": [{"$ref": "#/components/schemas/Rule"}]});
        let bare = json!({"type": "object", "oneOf": either});
        let schemas = json!({"Rule": rule, "Choice": choice, "Bare": bare});
        let root = Node::from_json(&json!({"openapi": "3.1.0", "components": {"schemas": schemas}}));
        let mut document = Document {
            files: Vec::new(),
            root,
        };
        run(&mut document);
        let apart = json!({"type": "object", "properties": properties, "allOf": [{"required": ["a"]}, {"anyOf": either}]});
        assert_eq!(
            document.root.to_json()["components"]["schemas"],
            json!({"Rule": apart, "Choice": choice, "Bare": bare})
        );
    }
}
