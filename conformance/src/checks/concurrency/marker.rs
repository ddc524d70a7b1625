//! A property of an object that tells which request wrote it.

use serde_json::{Value, json};

use crate::suite::{Context, Stop, Values};

/// The property, and the text before the number.
#[derive(Clone, Debug)]
pub(super) struct Marker {
    name: String,
    before: String,
}

impl Marker {
    /// A body with a number in it.
    pub(super) fn mark(&self, body: &Value, number: u32) -> Value {
        let mut body = body.clone();
        body[&self.name] = json!(format!("{}{number}", self.before));
        body
    }

    /// The number in what was read; none where it is of no request of this case.
    pub(super) fn read(&self, body: &Value) -> Option<u32> {
        let text = body.get(&self.name)?.as_str()?;
        text.strip_prefix(self.before.as_str())?.parse().ok()
    }
}

/// Finds a property that may have any text, and a body for it; none where the schema has no such property.
///
/// # Errors
/// Where no valid body can be generated at all.
pub(super) fn find(
    context: &mut Context,
    api: usize,
    operation: usize,
    values: &Values,
) -> Result<(Value, Option<Marker>), Stop> {
    let body = context.body(api, operation, values)?;
    let unique = context.unique();
    let state = &context.suite.apis[api];
    let Some(schema) = state.body_schema(operation) else {
        return Ok((body, None));
    };
    let marked = |name: &str, before: String| {
        let marker = Marker {
            name: name.to_owned(),
            before,
        };
        schema.is_valid(&marker.mark(&body, 99_999)).then_some(marker)
    };
    let members = body.as_object().cloned().unwrap_or_default();
    let texts = members
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?)));
    let is_bound = |text: &str| values.values().any(|value| value == text);
    // A name can be any text; a callback address at least another path.
    let free = texts
        .clone()
        .filter(|(name, text)| !is_bound(text) && !text.contains("://") && !name.ends_with("Type"))
        .filter(|(name, _)| fits_any_text(schema.pointer(), state, name))
        .find_map(|(name, _)| marked(name, format!("conformance-{unique}-")));
    let address = || {
        texts
            .clone()
            .filter(|(_, text)| text.starts_with("http"))
            .find_map(|(name, text)| marked(name, format!("{text}/{unique}-")))
    };
    let marker = free.or_else(address);
    Ok((body, marker))
}

/// Whether a property has no rules of its own but its length.
fn fits_any_text(pointer: &str, state: &crate::suite::ApiState, name: &str) -> bool {
    let place = format!("{pointer}/properties/{name}");
    let Some(rules) = state.api.node(&place).and_then(Value::as_object) else {
        // Declared in a part of the schema: the judgement of the whole decides.
        return true;
    };
    !rules
        .keys()
        .any(|key| matches!(key.as_str(), "format" | "pattern" | "enum" | "const"))
}
