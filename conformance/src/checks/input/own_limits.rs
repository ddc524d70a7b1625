//! Limits that a platform has though its document names none: valid bodies that it refuses, and takes once they are of
//! a common size.

use mecforge_report::Severity;
use serde_json::Value;

use crate::suite::{Check, Context, Exchange, Group, Role, Source, Stop, Values};

pub(super) static OWN_LIMITS: Check = Check {
    id: "no-limits-of-its-own",
    group: Group::Input,
    title: "texts, lists and forms that the document does not limit are taken",
    severity: Severity::Warning,
    explanation: "A valid body is refused, and the same body is accepted with short texts instead of empty or long ones, with a few items instead of many, with another port than 0, with addresses instead of an endpoint in an alternative form, with whole addresses instead of relative ones; or it has a value that an open enumeration does not list. The document permits what was refused, but a platform may have reasons: no standard says how long a name may be.",
    sources: &[Source::Document, Source::Rfc(6335, "6")],
};

/// Characters of a text, and items of a list, that every platform is expected to take.
const CHARACTERS: usize = 16;
const ITEMS: usize = 4;

/// The breach of a refusal: of this check, if a tamer body is accepted.
///
/// # Errors
/// As [`Context::send`].
pub(super) async fn of_refusal(
    context: &mut Context,
    (api, operation): (usize, usize),
    values: &Values,
    refused: &Exchange,
    body: &Value,
) -> Result<&'static str, Stop> {
    let mut tamer = body.clone();
    let kept: Vec<&str> = values.values().map(String::as_str).collect();
    tame(&mut tamer, &kept);
    let state = &context.suite.apis[api];
    state.knowledge.tame(&mut tamer);
    let valid = state
        .body_schema(operation)
        .is_some_and(|schema| schema.is_valid(&tamer));
    if tamer == *body || !valid {
        return Ok(super::ACCEPTS.id);
    }
    let call = refused.call.clone().json(tamer).role(Role::Control);
    let control = context.send(call).await?;
    Ok(match control.is_success() {
        true => OWN_LIMITS.id,
        false => super::ACCEPTS.id,
    })
}

/// Gives texts and lists a common size; addresses and what is named by the path stay.
fn tame(value: &mut Value, kept: &[&str]) {
    match value {
        Value::String(text) if text.contains("://") || kept.contains(&text.as_str()) => {}
        Value::String(text) if text.is_empty() => *text = "x".to_owned(),
        Value::String(text) => *text = text.chars().take(CHARACTERS).collect(),
        Value::Array(items) => {
            items.truncate(ITEMS);
            items.iter_mut().for_each(|item| tame(item, kept));
        }
        Value::Object(members) => members.values_mut().for_each(|member| tame(member, kept)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::tame;

    #[test]
    fn sizes_become_common_and_names_stay() {
        let long = "n".repeat(64);
        let mut value = json!({"name": "", "id": long, "link": "http://192.0.2.1/a/long/address", "of": [long, 1, 2, 3, 4]});
        let mut other = value.clone();
        tame(&mut value, &[long.as_str()]);
        assert_eq!(value["name"], "x");
        assert_eq!(value["id"], long);
        assert_eq!(value["link"], other["link"]);
        assert_eq!(value["of"], json!([long, 1, 2, 3]));
        tame(&mut other, &[]);
        assert_eq!(other["id"], "n".repeat(16));
    }
}
