//! The properties that schemas declare, and which of them an instance has.

use std::collections::BTreeSet;

use mecforge_api::{child, resolve};
use serde_json::Value;

/// How deep properties are told apart: `transportInfo/endpoint/addresses/*/port` is five deep.
const DEEPEST: usize = 6;

/// The paths of all properties that the schema at a pointer declares, `/` between names and `*` for elements.
pub(super) fn declared(document: &Value, pointer: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    collect(document, pointer, "", 0, &mut Vec::new(), &mut paths);
    paths
}

fn collect(
    document: &Value,
    pointer: &str,
    path: &str,
    depth: usize,
    within: &mut Vec<String>,
    paths: &mut BTreeSet<String>,
) {
    let pointer = resolve(document, pointer);
    let Some(schema) = document.pointer(&pointer) else {
        return;
    };
    if depth > DEEPEST || within.contains(&pointer) {
        return; // What contains itself is told once.
    }
    within.push(pointer.clone());
    for name in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|properties| properties.keys())
    {
        let place = join(path, name);
        paths.insert(place.clone());
        let below = child(&child(&pointer, "properties"), name);
        collect(document, &below, &place, depth + 1, within, paths);
    }
    if schema.get("items").is_some() {
        let below = child(&pointer, "items");
        collect(document, &below, &join(path, "*"), depth + 1, within, paths);
    }
    for keyword in ["allOf", "oneOf", "anyOf"] {
        let parts = schema.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
        for at in 0..parts {
            let below = child(&child(&pointer, keyword), &at.to_string());
            collect(document, &below, path, depth, within, paths);
        }
    }
    within.pop();
}

/// The paths of the properties that an instance has, each once.
pub(super) fn present(instance: &Value) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    walk(instance, "", 0, &mut paths);
    paths
}

fn walk(instance: &Value, path: &str, depth: usize, paths: &mut BTreeSet<String>) {
    if depth > DEEPEST {
        return;
    }
    match instance {
        Value::Object(members) => {
            for (name, member) in members {
                let place = join(path, name);
                walk(member, &place, depth + 1, paths);
                paths.insert(place);
            }
        }
        // A list may be long, and its elements are much alike.
        Value::Array(items) => {
            for item in items.iter().take(64) {
                walk(item, &join(path, "*"), depth + 1, paths);
            }
        }
        _ => {}
    }
}

fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{declared, present};

    #[test]
    fn properties_are_found_through_references_lists_and_parts() {
        let document = json!({
            "a": {"allOf": [{"$ref": "#/b"}, {"properties": {"own": true}}]},
            "b": {"properties": {"list": {"items": {"$ref": "#/b"}}, "self": {"$ref": "#/c"}}},
            "c": {"properties": {"x": {"type": "string"}}}
        });
        let paths: Vec<_> = declared(&document, "/a").into_iter().collect();
        assert_eq!(paths, ["list", "own", "self", "self/x"]);
        let paths: Vec<_> = present(&json!({"list": [{"self": {"x": "1"}}]}))
            .into_iter()
            .collect();
        assert_eq!(paths, ["list", "list/*/self", "list/*/self/x"]);
    }
}
