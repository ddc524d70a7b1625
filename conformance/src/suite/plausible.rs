//! Valid bodies that nobody would send: what makes one alternative of several fail by giving a member of it a wrong value.

use mecforge_api::{child, resolve};
use serde_json::Value;

use super::state::ApiState;

/// How deep schemas are followed.
const DEPTH: u8 = 12;

/// Whether no member has a value that every alternative which declares it would refuse. `{"uris": [], "addresses": 1}` is
/// valid for "uris, or addresses, which is a list", as open objects may have anything; a platform that looks at all
/// members may well refuse it, and is not to be blamed.
pub(super) fn is_plausible(state: &ApiState, pointer: &str, value: &Value) -> bool {
    plausible(state, pointer, value, DEPTH)
}

fn plausible(state: &ApiState, pointer: &str, value: &Value, depth: u8) -> bool {
    let document = &state.api.document;
    let pointer = resolve(document, pointer);
    let Some(schema) = document.pointer(&pointer).filter(|_| depth > 0) else {
        return true;
    };
    let parts = |keyword: &str| -> Vec<String> {
        let count = schema.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
        (0..count).map(|at| format!("{pointer}/{keyword}/{at}")).collect()
    };
    let accepts = |pointer: &str, value: &Value| {
        let schema = state.schema(pointer);
        schema.is_none_or(|schema| schema.is_valid(value))
    };
    let whole = |pointer: &String| plausible(state, pointer, value, depth - 1);
    if !parts("allOf").iter().all(whole) {
        return false;
    }
    for keyword in ["oneOf", "anyOf"] {
        let alternatives: Vec<_> = parts(keyword)
            .iter()
            .map(|part| resolve(document, part))
            .collect();
        for (name, member) in value.as_object().into_iter().flatten() {
            let mut declared = alternatives
                .iter()
                .map(|alternative| child(&format!("{alternative}/properties"), name))
                .filter(|declared| document.pointer(declared).is_some())
                .peekable();
            if declared.peek().is_some() && !declared.any(|declared| accepts(&declared, member)) {
                return false;
            }
        }
        let mut fitting = alternatives
            .iter()
            .filter(|alternative| accepts(alternative, value));
        if !fitting.all(|alternative| plausible(state, alternative, value, depth - 1)) {
            return false;
        }
    }
    match value {
        Value::Object(members) => members.iter().all(|(name, member)| {
            let place = child(&format!("{pointer}/properties"), name);
            plausible(state, &place, member, depth - 1)
        }),
        Value::Array(items) => items
            .iter()
            .all(|item| plausible(state, &format!("{pointer}/items"), item, depth - 1)),
        _ => true,
    }
}

/// Whether a text is a constant of an enumeration by its form, be the enumeration open.
pub(crate) fn is_constant(text: &str) -> bool {
    let mut letters = text.chars();
    let form = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    letters.next().is_some_and(|letter| letter.is_ascii_uppercase()) && letters.all(form)
}
