//! Walking schemas without judging: which properties are declared at a place, through references and composition.

use mecforge_api::child;
use serde_json::{Map, Value};

/// Keywords whose value is a list of schemas for the same instance.
const LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords whose value is one schema for the same instance.
const SINGLES: [&str; 3] = ["if", "then", "else"];

/// Members of a node that say nothing of instances, so that a reference beside them is all that the node means.
const REMARKS: [&str; 5] = ["$ref", "description", "summary", "title", "$comment"];

/// The pointer to which a node's `$ref` leads, one step.
fn follow(document: &Value, pointer: &str) -> Option<String> {
    let target = document
        .pointer(pointer)?
        .get("$ref")?
        .as_str()?
        .strip_prefix('#')?;
    let decoded = percent_encoding::percent_decode_str(target).decode_utf8_lossy();
    Some(decoded.into_owned())
}

/// Where the rules of a schema are: references are followed, but not from a node that has rules of its own beside.
pub(crate) fn target(document: &Value, pointer: &str) -> String {
    let mut pointer = pointer.to_owned();
    for _ in 0..64 {
        let Some(next) = follow(document, &pointer) else {
            break;
        };
        if has_rules_beside(document, &pointer) {
            break;
        }
        pointer = next;
    }
    pointer
}

fn has_rules_beside(document: &Value, pointer: &str) -> bool {
    let node = document.pointer(pointer).and_then(Value::as_object);
    node.is_some_and(|node| node.keys().any(|name| !REMARKS.contains(&name.as_str())))
}

/// The target of the reference that stands beside a schema's own rules.
pub(crate) fn beside(document: &Value, pointer: &str) -> Option<String> {
    follow(document, pointer).filter(|_| has_rules_beside(document, pointer))
}

/// The pointers of all schema objects that speak of the same instance as `pointers` do; each once.
pub(crate) fn pieces(document: &Value, pointers: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open: Vec<String> = pointers.to_vec();
    while let Some(pointer) = open.pop() {
        // A node with `$ref` may have keywords beside it, so both it and its target count.
        if found.contains(&pointer) || found.len() > 256 {
            continue;
        }
        let Some(node) = document.pointer(&pointer).and_then(Value::as_object) else {
            continue;
        };
        open.extend(follow(document, &pointer));
        for keyword in LISTS {
            let count = node.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
            let list = child(&pointer, keyword);
            open.extend((0..count).map(|at| child(&list, &at.to_string())));
        }
        for keyword in SINGLES.iter().filter(|keyword| node.contains_key(**keyword)) {
            open.push(child(&pointer, keyword));
        }
        found.push(pointer);
    }
    found
}

fn object<'document>(document: &'document Value, pointer: &str) -> Option<&'document Map<String, Value>> {
    document.pointer(pointer)?.as_object()
}

/// The names of all properties that are declared.
pub(crate) fn property_names(document: &Value, pointer: &str) -> Vec<String> {
    let mut names: Vec<String> = pieces(document, &[pointer.to_owned()])
        .iter()
        .filter_map(|piece| object(document, &child(piece, "properties")))
        .flat_map(|properties| properties.keys().cloned())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The schemas of a property.
pub(crate) fn property(document: &Value, pointers: &[String], name: &str) -> Vec<String> {
    pieces(document, pointers)
        .iter()
        .map(|piece| child(&child(piece, "properties"), name))
        .filter(|pointer| document.pointer(pointer).is_some())
        .collect()
}

/// Whether one of a property's schemas says that it is the server's to set.
pub(crate) fn is_read_only(document: &Value, schemas: &[String]) -> bool {
    pieces(document, schemas)
        .iter()
        .filter_map(|piece| object(document, piece))
        .any(|node| node.get("readOnly") == Some(&Value::Bool(true)))
}

/// Takes away the members that the schemas call `readOnly`.
pub(crate) fn drop_read_only(document: &Value, schemas: &[String], value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|name, _| !is_read_only(document, &property(document, schemas, name)));
    }
}

/// Takes away the members that the schemas call `writeOnly`, which no answer has.
pub(crate) fn drop_write_only(document: &Value, schemas: &[String], value: &mut Value) {
    let hidden = |name: &str| {
        pieces(document, &property(document, schemas, name))
            .iter()
            .filter_map(|piece| object(document, piece))
            .any(|node| node.get("writeOnly") == Some(&Value::Bool(true)))
    };
    if let Value::Object(members) = value {
        members.retain(|name, _| !hidden(name));
    }
}

/// The schemas of an array's items.
pub(crate) fn items(document: &Value, pointers: &[String]) -> Vec<String> {
    pieces(document, pointers)
        .iter()
        .map(|piece| child(piece, "items"))
        .filter(|pointer| document.pointer(pointer).is_some())
        .collect()
}

/// Whether a type is among those that a schema names.
pub(crate) fn has_type(document: &Value, pointer: &str, wanted: &str) -> bool {
    pieces(document, &[pointer.to_owned()]).iter().any(|piece| {
        match document.pointer(piece).and_then(|node| node.get("type")) {
            Some(Value::String(name)) => name == wanted,
            Some(Value::Array(names)) => names.iter().any(|name| name == wanted),
            _ => false,
        }
    })
}

/// Takes away what the schemas don't declare, at every depth. Objects that are maps, or of which nothing is
/// declared, keep everything.
pub(crate) fn prune(document: &Value, pointers: &[String], value: &mut Value) {
    match value {
        Value::Array(elements) => {
            let items = items(document, pointers);
            if !items.is_empty() {
                elements
                    .iter_mut()
                    .for_each(|element| prune(document, &items, element));
            }
        }
        Value::Object(members) => {
            let pieces = pieces(document, pointers);
            let nodes: Vec<_> = pieces
                .iter()
                .filter_map(|piece| object(document, piece))
                .collect();
            let declares = |node: &&Map<String, Value>| node.contains_key("properties");
            let is_map = |node: &&Map<String, Value>| {
                let additional = node.get("additionalProperties");
                additional.is_some_and(|schema| *schema != Value::Bool(false))
                    || node.contains_key("patternProperties")
            };
            let keeps = !nodes.iter().any(declares) || nodes.iter().any(is_map);
            let names: Vec<String> = members.keys().cloned().collect();
            for name in names {
                let mut schemas = property(document, &pieces, &name);
                if schemas.is_empty() && !keeps {
                    members.remove(&name);
                    continue;
                }
                if schemas.is_empty() {
                    let additional = pieces.iter().map(|piece| child(piece, "additionalProperties"));
                    schemas = additional
                        .filter(|pointer| object(document, pointer).is_some())
                        .collect();
                }
                if let Some(member) = members.get_mut(&name)
                    && !schemas.is_empty()
                {
                    prune(document, &schemas, member);
                }
            }
        }
        _ => {}
    }
}

/// A name without case, `_`, `-` and `.`: `ser_name` and `serName` are the same.
pub(crate) fn plain(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may panic
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_declared_goes() {
        let document = json!({"s": {"allOf": [{"properties": {"a": {"properties": {"b": {}}}}}, {"$ref": "#/t"}]},
            "t": {"properties": {"list": {"items": {"properties": {"x": {}}}}, "map": {"additionalProperties": {"properties": {"y": {}}}}, "free": {"type": "object"}}}});
        let mut value = json!({"a": {"b": 1, "c": 2}, "list": [{"x": 1, "z": 2}], "map": {"k": {"y": 1, "z": 2}}, "free": {"q": 1}, "other": 1});
        prune(&document, &["/s".to_owned()], &mut value);
        assert_eq!(
            value,
            json!({"a": {"b": 1}, "list": [{"x": 1}], "map": {"k": {"y": 1}}, "free": {"q": 1}})
        );
    }
}
