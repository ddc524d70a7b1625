//! The properties of an operation's body, as its document declares them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::suite::Suite;

/// The schemas of the top-level properties of an operation's JSON body, also of parts and alternatives, by name.
pub(in crate::checks) fn of_body(suite: &Suite, api: usize, operation: usize) -> BTreeMap<String, Value> {
    let document = &suite.apis[api].api.document;
    schemas(document, places(suite, api, operation))
}

/// The same, and the properties inside of them: some APIs put what is sent into a member that is named as its type.
pub(super) fn of_content(suite: &Suite, api: usize, operation: usize) -> BTreeMap<String, Value> {
    let document = &suite.apis[api].api.document;
    let outer = places(suite, api, operation);
    let mut found = outer.clone();
    for pointer in outer.values() {
        collect(document, pointer, &mut found, 0);
    }
    schemas(document, found)
}

/// The pointers of the schemas of top-level properties.
fn places(suite: &Suite, api: usize, operation: usize) -> BTreeMap<String, String> {
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

fn schemas(document: &Value, places: BTreeMap<String, String>) -> BTreeMap<String, Value> {
    let schema = |place: &String| document.pointer(place).cloned();
    places
        .into_iter()
        .filter_map(|(name, place)| Some((name, schema(&place)?)))
        .collect()
}

fn collect(document: &Value, pointer: &str, found: &mut BTreeMap<String, String>, depth: u8) {
    let pointer = mecforge_api::resolve(document, pointer);
    let Some(schema) = document.pointer(&pointer).filter(|_| depth < 8) else {
        return;
    };
    if let Some(Value::Object(properties)) = schema.get("properties") {
        for name in properties.keys() {
            let place = mecforge_api::child(&format!("{pointer}/properties"), name);
            let place = mecforge_api::resolve(document, &place);
            if document.pointer(&place).is_some() {
                found.entry(name.clone()).or_insert(place);
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
