//! Limits that a platform has though its document names none: valid bodies that it refuses, and takes once they are of
//! a common size.

use mecforge_api::child;
use mecforge_instances::Binding;
use mecforge_report::Severity;
use serde_json::Value;

use crate::suite::{Check, Context, Exchange, Group, Role, Source, Stop, Values, is_constant};

pub(super) static OWN_LIMITS: Check = Check {
    id: "no-limits-of-its-own",
    group: Group::Input,
    title: "texts, lists and forms that the document does not limit are taken",
    severity: Severity::Warning,
    explanation: "A valid body is refused, and the same body is accepted with short texts instead of empty or long ones, with a few items instead of many, with another port than 0, with addresses instead of an endpoint in an alternative form, with whole addresses instead of relative ones, without the parts that ETSI's documents contradict each other in, or without what only a platform sets; or it has a value that an open enumeration does not list. The document permits what was refused, but a platform may have reasons: no standard says how long a name may be.",
    sources: &[Source::Document, Source::Rfc(6335, "6")],
};

/// Characters of a text, and items of a list, that every platform is expected to take.
const CHARACTERS: usize = 16;
const ITEMS: usize = 4;

/// A refused body as every platform is expected to take it; none where nothing in it is unusual.
pub(in crate::checks) fn tamer(
    context: &Context,
    (api, operation): (usize, usize),
    values: &Values,
    body: &Value,
) -> Option<Value> {
    let state = &context.suite.apis[api];
    let schema = state.body_schema(operation)?;
    let options = state.knowledge.generation(&state.api.operations[operation].key);
    let fixed = options.bindings.iter().filter_map(|(_, binding)| match binding {
        Binding::Fixed(Value::String(text)) => Some(text.as_str()),
        _ => None,
    });
    let kept: Vec<&str> = values.values().map(String::as_str).chain(fixed).collect();
    let mut tamer = tame(body, &kept, &|body| schema.is_valid(body));
    state.knowledge.tame(&mut tamer);
    (tamer != *body && schema.is_valid(&tamer)).then_some(tamer)
}

/// The breach of a refusal: of this check, if a tamer body is accepted.
///
/// # Errors
/// As [`Context::send`].
pub(in crate::checks) async fn of_refusal(
    context: &mut Context,
    place: (usize, usize),
    values: &Values,
    refused: &Exchange,
    body: &Value,
) -> Result<&'static str, Stop> {
    let Some(tamer) = tamer(context, place, values, body) else {
        return Ok(super::ACCEPTS.id);
    };
    let call = refused.call.clone().json(tamer).role(Role::Control);
    let control = context.send(call).await?;
    Ok(match control.is_success() {
        true => OWN_LIMITS.id,
        false => super::ACCEPTS.id,
    })
}

/// With texts and lists of a common size, wherever the body stays valid; addresses, constants and what is named by the
/// path stay.
fn tame(body: &Value, kept: &[&str], is_valid: &dyn Fn(&Value) -> bool) -> Value {
    let mut pointers = Vec::new();
    places(body, String::new(), &mut pointers);
    let mut tamer = body.clone();
    for pointer in pointers {
        let mut other = tamer.clone();
        match other.pointer_mut(&pointer) {
            Some(Value::String(text)) if text.contains("://") || is_constant(text) => continue,
            Some(Value::String(text)) if kept.contains(&text.as_str()) => continue,
            Some(Value::String(text)) if text.is_empty() => *text = "x".to_owned(),
            Some(Value::String(text)) => *text = text.chars().take(CHARACTERS).collect(),
            Some(Value::Array(items)) => items.truncate(ITEMS),
            _ => continue,
        }
        if other != tamer && is_valid(&other) {
            tamer = other;
        }
    }
    tamer
}

/// The pointers of all texts and lists, the outer ones first.
fn places(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(pointer),
        Value::Array(items) => {
            found.push(pointer.clone());
            let items = items.iter().take(ITEMS).enumerate();
            items.for_each(|(at, item)| places(item, format!("{pointer}/{at}"), found));
        }
        Value::Object(members) => {
            for (name, member) in members {
                places(member, child(&pointer, name), found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::tame;

    #[test]
    fn sizes_become_common_and_names_stay() {
        let long = "n".repeat(64);
        let value = json!({"name": "", "id": long, "link": "http://192.0.2.1/a/long/address", "of": [long, 1, 2, 3, 4], "kind": "of a closed enumeration", "open": "OAUTH2_IMPLICIT_GRANT"});
        let is_valid = |value: &Value| value["kind"] == "of a closed enumeration";
        let tamer = tame(&value, &[long.as_str()], &is_valid);
        assert_eq!(tamer["name"], "x");
        assert_eq!(tamer["id"], long);
        assert_eq!(tamer["link"], value["link"]);
        assert_eq!(tamer["of"], json!([long, 1, 2, 3]));
        assert_eq!(tamer["kind"], value["kind"]);
        assert_eq!(tamer["open"], value["open"]);
        let tamer = tame(&value, &[], &is_valid);
        assert_eq!(tamer["id"], "n".repeat(16));
    }
}
