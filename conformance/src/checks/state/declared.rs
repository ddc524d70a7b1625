//! What of a value that was sent an answer can show: the properties that the answer's schema declares.

use mecforge_api::{child, resolve};
use serde_json::Value;

use crate::suite::ApiState;

/// Keywords whose value is a list of schemas for the same instance.
const LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords whose value is one schema for the same instance.
const SINGLES: [&str; 3] = ["then", "else", "if"];

/// What of a value that was sent an operation's answer can show.
pub(super) fn shown(state: &ApiState, operation: usize, sent: &Value) -> Value {
    let answer = state.api.operations[operation]
        .successes()
        .find_map(|response| response.json()?.schema.clone());
    let mut sent = sent.clone();
    if let Some(schema) = answer {
        retain_shown(&state.api.document, &[schema], &mut sent);
    }
    sent
}

/// Leaves of a value what schemas let an answer show: an object whose properties are declared loses the others, and
/// those that are `writeOnly`; a map, and an object of which nothing is declared, keeps everything.
fn retain_shown(document: &Value, schemas: &[String], value: &mut Value) {
    let pieces = pieces(document, schemas);
    match value {
        Value::Array(items) => {
            let below = below(document, &pieces, &["items"]);
            items
                .iter_mut()
                .for_each(|item| retain_shown(document, &below, item));
        }
        Value::Object(members) => {
            let declares = pieces
                .iter()
                .any(|piece| node(document, piece, "properties").is_some());
            members.retain(|name, member| {
                let of_name = below(document, &pieces, &["properties", name]);
                let hidden = of_name.iter().any(|schema| is_hidden(document, schema));
                let shown = !of_name.is_empty() || !declares;
                retain_shown(document, &of_name, member);
                shown && !hidden
            });
        }
        _ => {}
    }
}

/// All schema objects that speak of the same instance.
fn pieces(document: &Value, schemas: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = schemas.to_vec();
    while let Some(pointer) = open.pop() {
        if found.contains(&pointer) || found.len() > 256 {
            continue;
        }
        let target = resolve(document, &pointer);
        if target != pointer {
            open.push(target);
        }
        for keyword in LISTS {
            let list = child(&pointer, keyword);
            let count = document
                .pointer(&list)
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            open.extend((0..count).map(|at| child(&list, &at.to_string())));
        }
        let singles = SINGLES.iter().map(|keyword| child(&pointer, keyword));
        open.extend(singles.filter(|place| document.pointer(place).is_some()));
        found.push(pointer);
    }
    found
}

fn node<'document>(document: &'document Value, piece: &str, name: &str) -> Option<&'document Value> {
    document.pointer(piece)?.get(name)
}

/// The schemas at a path below each of some.
fn below(document: &Value, pieces: &[String], path: &[&str]) -> Vec<String> {
    let places = pieces
        .iter()
        .map(|piece| path.iter().fold(piece.clone(), |place, name| child(&place, name)));
    places.filter(|place| document.pointer(place).is_some()).collect()
}

/// Whether answers never have a property.
fn is_hidden(document: &Value, schema: &str) -> bool {
    pieces(document, &[schema.to_owned()])
        .iter()
        .any(|piece| node(document, piece, "writeOnly") == Some(&Value::Bool(true)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::retain_shown;

    #[test]
    fn what_an_answer_does_not_declare_is_not_expected_in_it() {
        let document = json!({
            "thing": {"allOf": [{"$ref": "#/base"}, {"properties": {"secret": {"writeOnly": true}, "map": {"additionalProperties": true}}}]},
            "base": {"properties": {"name": {"type": "string"}, "list": {"items": {"properties": {"a": {}}}}}}
        });
        let mut sent =
            json!({"name": "n", "secret": "s", "other": 1, "map": {"k": 1}, "list": [{"a": 1, "b": 2}]});
        retain_shown(&document, &["/thing".to_owned()], &mut sent);
        let wanted = json!({"name": "n", "map": {"k": 1}, "list": [{"a": 1}]});
        assert_eq!(sent, wanted);
    }
}
