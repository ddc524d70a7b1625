//! The properties of an operation's body, as its document declares them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::suite::Suite;

/// The schemas of the top-level properties of an operation's JSON body, also of parts and alternatives, by name.
pub(in crate::checks) fn of_body(suite: &Suite, api: usize, operation: usize) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let api = &suite.apis[api].api;
    let pointer = api.operations[operation]
        .json_body()
        .and_then(|content| content.schema.as_deref());
    if let Some(pointer) = pointer {
        collect(&api.document, pointer, &mut found, 0);
    }
    found
}

fn collect(document: &Value, pointer: &str, found: &mut BTreeMap<String, Value>, depth: u8) {
    let pointer = mecforge_api::resolve(document, pointer);
    let Some(schema) = document.pointer(&pointer).filter(|_| depth < 8) else {
        return;
    };
    if let Some(Value::Object(properties)) = schema.get("properties") {
        for name in properties.keys() {
            let token = name.replace('~', "~0").replace('/', "~1");
            let place = mecforge_api::resolve(document, &format!("{pointer}/properties/{token}"));
            if let Some(property) = document.pointer(&place) {
                found.entry(name.clone()).or_insert_with(|| property.clone());
            }
        }
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        let parts = schema.get(key).and_then(Value::as_array).map_or(0, Vec::len);
        for at in 0..parts {
            collect(document, &format!("{pointer}/{key}/{at}"), found, depth + 1);
        }
    }
}

/// Whether a schema takes any text: no format, pattern or list of values.
pub(super) fn is_free_text(schema: &Value) -> bool {
    let Some(schema) = schema.as_object() else {
        return false;
    };
    let text = schema.get("type").is_some_and(|kind| kind == "string");
    text && [
        "format", "pattern", "enum", "const", "allOf", "oneOf", "anyOf", "not", "if", "readOnly",
    ]
    .iter()
    .all(|key| !schema.contains_key(*key))
}
