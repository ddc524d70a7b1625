//! The judge: the `jsonschema` crate on the schema in its document, and its verdicts in our words.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Value, json};

use crate::model::Model;
use crate::options::{Options, Unsupported};
use crate::pointer;
use crate::read;

/// Where the excerpt of the document lives while it is compiled.
const HOME: &str = "https://mecforge.invalid/document";
/// How much of a value a message shows, in characters.
const SHOWN: usize = 80;

/// One broken rule, as the judge sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Breach {
    /// JSON pointer of the value that breaks the rule.
    pub instance_pointer: String,
    /// JSON pointer of the keyword in the document (for `required`: of the missing name in the list).
    pub schema_pointer: String,
    /// The keyword.
    pub keyword: String,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
}

/// Compiles the schema at a place, with everything that it refers to.
pub(crate) fn compile(
    document: &Value,
    place: &str,
    model: &Model,
    options: &Options,
) -> Result<jsonschema::Validator, Unsupported> {
    let excerpt = read::excerpt(document, model);
    let fault = |reason: String| Unsupported::new(place, "", &reason);
    let registry = jsonschema::Registry::new()
        .add(HOME, jsonschema::Draft::Draft202012.create_resource(excerpt))
        .and_then(|builder| builder.prepare())
        .map_err(|error| fault(error.to_string()))?;
    jsonschema::draft202012::options()
        .with_registry(&registry)
        .should_validate_formats(options.formats)
        .build(&json!({"$ref": format!("{HOME}#{}", fragment(place))}))
        .map_err(|error| fault(error.to_string()))
}

/// A pointer as a URI fragment.
fn fragment(place: &str) -> String {
    let mut text = String::new();
    for byte in place.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=:@".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// All breaches of an instance.
pub(crate) fn breaches(validator: &jsonschema::Validator, document: &Value, instance: &Value) -> Vec<Breach> {
    let mut found: Vec<Breach> = validator
        .iter_errors(instance)
        .map(|error| breach(&error, document))
        .collect();
    found.sort();
    found.dedup();
    found
}

fn breach(error: &ValidationError<'_>, document: &Value) -> Breach {
    let mut rule = rule_pointer(error);
    if let ValidationErrorKind::Required { property } = error.kind()
        && let Some(Value::Array(names)) = document.pointer(&rule)
        && let Some(index) = names.iter().position(|name| name == property)
    {
        rule = pointer::item(&rule, index);
    }
    let keyword = match error.kind() {
        ValidationErrorKind::FalseSchema => "false".to_owned(),
        kind => kind.keyword().to_owned(),
    };
    let instance_pointer = error.instance_path().to_string();
    Breach {
        instance_pointer,
        schema_pointer: rule,
        keyword,
        message: message(error, document),
    }
}

/// The keyword's pointer in the document.
fn rule_pointer(error: &ValidationError<'_>) -> String {
    let fragment = error
        .absolute_keyword_location()
        .and_then(|uri| uri.as_str().split_once('#'));
    match fragment {
        Some((_, fragment)) => read::percent_decoded(fragment),
        None => error.schema_path().to_string(),
    }
}

fn message(error: &ValidationError<'_>, document: &Value) -> String {
    use ValidationErrorKind as Kind;
    let value = shown(error.instance());
    match error.kind() {
        Kind::Type { .. } => {
            let wanted = document
                .pointer(&rule_pointer(error))
                .map(shown)
                .unwrap_or_default();
            format!("{value} is not of type {wanted}")
        }
        Kind::Required { property } => format!("the required property {} is missing", shown(property)),
        Kind::Enum { options } => format!("{value} is none of the values {}", shown(options)),
        Kind::Constant { expected_value } => format!("{value} is not {}", shown(expected_value)),
        Kind::Pattern { pattern } => format!("{value} does not match the pattern {}", cut(pattern)),
        Kind::Format { format } => format!("{value} is not in the format {format}"),
        Kind::UniqueItems => format!("the array has an item twice: {value}"),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            format!("properties that are not allowed: {}", cut(&unexpected.join(", ")))
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            format!(
                "{value} matches none of the {} alternatives{}",
                context.len(),
                nearest(context, document)
            )
        }
        Kind::OneOfMultipleValid { .. } => {
            format!("{value} matches several alternatives where exactly one is allowed")
        }
        Kind::Not { .. } => format!("{value} is what the schema forbids"),
        Kind::FalseSchema => format!("nothing may be here, but there is {value}"),
        Kind::Contains => format!("too few or too many items of the demanded kind: {value}"),
        Kind::PropertyNames { .. } => "a property has a name that is not allowed".to_owned(),
        kind => limit(kind, &value).unwrap_or_else(|| format!("{value} breaks {}", kind.keyword())),
    }
}

/// What is wrong with a value beyond a limit.
fn limit(kind: &ValidationErrorKind, value: &str) -> Option<String> {
    use ValidationErrorKind as Kind;
    Some(match kind {
        Kind::MinLength { limit } => format!("{value} has fewer than {limit} characters"),
        Kind::MaxLength { limit } => format!("{value} has more than {limit} characters"),
        Kind::MinItems { limit } => format!("the array has fewer than {limit} items: {value}"),
        Kind::MaxItems { limit } => format!("the array has more than {limit} items: {value}"),
        Kind::MinProperties { limit } => format!("the object has fewer than {limit} properties: {value}"),
        Kind::MaxProperties { limit } => format!("the object has more than {limit} properties: {value}"),
        Kind::Minimum { limit } => format!("{value} is less than {limit}"),
        Kind::Maximum { limit } => format!("{value} is greater than {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("{value} is not greater than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("{value} is not less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("{value} is not a multiple of {multiple_of}"),
        _ => return None,
    })
}

/// What is wrong with the alternative that comes nearest: none of its constants is wrong, and it has the fewest faults.
fn nearest(context: &[Vec<ValidationError<'static>>], document: &Value) -> String {
    let wrong_kind = |errors: &Vec<ValidationError<'static>>| {
        errors
            .iter()
            .any(|error| matches!(error.kind(), ValidationErrorKind::Constant { .. }))
    };
    let best = context
        .iter()
        .enumerate()
        .filter(|(_, errors)| !errors.is_empty());
    let best = best.min_by_key(|(index, errors)| (wrong_kind(errors), errors.len(), *index));
    match best.and_then(|(index, errors)| errors.first().map(|error| (index, error))) {
        Some((index, error)) => {
            let place = error.instance_path().as_str();
            let place = if place.is_empty() {
                String::new()
            } else {
                format!(" at {place}")
            };
            format!(
                "; nearest is number {}:{place} {}",
                index + 1,
                message(error, document)
            )
        }
        None => String::new(),
    }
}

/// A value as JSON, cut to what can be read.
pub(crate) fn shown(value: &Value) -> String {
    cut(&value.to_string())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
