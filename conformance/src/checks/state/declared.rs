//! What of a value that was sent an answer can show: the properties that the answer's schema declares.

use mecforge_api::referred;
use serde_json::Value;

use crate::suite::ApiState;

/// Keywords whose value is a list of schemas for the same instance.
const LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords whose value is one schema for the same instance.
const SINGLES: [&str; 3] = ["then", "else", "if"];

/// What of a value that was sent an operation's answer can show.
pub(super) fn shown(state: &ApiState, operation: usize, sent: &Value) -> Value {
    let document = &state.api.document;
    let answer = state.api.operations[operation]
        .successes()
        .find_map(|response| response.json()?.schema.as_deref())
        .and_then(|pointer| document.pointer(pointer));
    let mut sent = sent.clone();
    if let Some(schema) = answer {
        retain_shown(document, &[schema], &mut sent);
    }
    sent
}

/// Leaves of a value what schemas let an answer show: an object whose properties are declared loses the others, and
/// those that are `writeOnly`; a map, and an object of which nothing is declared, keeps everything.
fn retain_shown(document: &Value, schemas: &[&Value], value: &mut Value) {
    if !(value.is_array() || value.is_object()) {
        return;
    }
    let pieces = pieces(document, schemas);
    match value {
        Value::Array(items) => {
            let below: Vec<_> = pieces.iter().filter_map(|piece| piece.get("items")).collect();
            items
                .iter_mut()
                .for_each(|item| retain_shown(document, &below, item));
        }
        Value::Object(members) => {
            let declared: Vec<_> = pieces
                .iter()
                .filter_map(|piece| piece.get("properties"))
                .collect();
            members.retain(|name, member| {
                let of_name: Vec<_> = declared.iter().filter_map(|list| list.get(name)).collect();
                let hidden = of_name.iter().any(|schema| is_hidden(document, schema));
                let shown = !of_name.is_empty() || declared.is_empty();
                retain_shown(document, &of_name, member);
                shown && !hidden
            });
        }
        _ => {}
    }
}

/// All schema objects that speak of the same instance.
fn pieces<'document>(document: &'document Value, schemas: &[&'document Value]) -> Vec<&'document Value> {
    let mut found: Vec<&Value> = Vec::new();
    let mut open = schemas.to_vec();
    while let Some(schema) = open.pop() {
        if found.iter().any(|known| std::ptr::eq(*known, schema)) || found.len() > 256 {
            continue;
        }
        open.extend(referred(document, schema));
        for keyword in LISTS {
            open.extend(
                schema
                    .get(keyword)
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten(),
            );
        }
        open.extend(SINGLES.iter().filter_map(|keyword| schema.get(keyword)));
        found.push(schema);
    }
    found
}

/// Whether answers never have a property.
fn is_hidden(document: &Value, schema: &Value) -> bool {
    pieces(document, &[schema])
        .iter()
        .any(|piece| piece.get("writeOnly") == Some(&Value::Bool(true)))
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
        retain_shown(&document, &[&document["thing"]], &mut sent);
        let wanted = json!({"name": "n", "map": {"k": 1}, "list": [{"a": 1}]});
        assert_eq!(sent, wanted);
    }
}
