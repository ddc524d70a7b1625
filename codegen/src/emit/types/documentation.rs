//! Doc comments: facts about a type or a property in our words, with the place in ETSI's document.

use proc_macro2::TokenStream;
use quote::quote;

use super::Context;
use crate::model::Api;
use crate::model::shape::{Format, IntegerRules, NumberRules, Shape, StringRules};
use crate::model::types::{Field, Type, TypeKind};

/// The document in a few words: its title and version.
pub(crate) fn standard(api: &Api) -> String {
    format!(
        "{} v{}",
        escaped(&api.title.split_whitespace().collect::<Vec<_>>().join(" ")),
        api.version.trim_start_matches('v')
    )
}

/// Brackets are links in rustdoc, and angle brackets HTML.
fn escaped(text: &str) -> String {
    text.replace('[', "\\[")
        .replace(']', "\\]")
        .replace('<', "\\<")
        .replace('>', "\\>")
}

/// Lines as `#[doc]` attributes.
pub(crate) fn doc_lines(lines: &[String]) -> TokenStream {
    let lines = lines.iter().map(|line| match line.is_empty() {
        true => String::new(),
        false => format!(" {line}"),
    });
    quote! { #(#[doc = #lines])* }
}

/// ETSI's own words, for `--docs full`: each line escaped, so that it can't be Markdown by accident.
pub(crate) fn prose_lines(prose: Option<&str>) -> Vec<String> {
    let Some(prose) = prose.map(str::trim).filter(|prose| !prose.is_empty()) else {
        return Vec::new();
    };
    let mut lines = vec![String::new()];
    lines.extend(
        prose
            .lines()
            .map(|line| escaped(&line.replace('\t', " ")).trim().to_owned()),
    );
    lines
}

/// The doc comment of a type.
pub(super) fn of_type(context: &Context<'_>, item: &Type, what: &str, rules: &[String]) -> TokenStream {
    let mut lines = Vec::new();
    let name = match &item.api_name {
        Some(api_name) => format!("`{api_name}`: {what}."),
        None => format!("{}.", capitalised(what)),
    };
    lines.push(name);
    if !rules.is_empty() {
        lines.push(String::new());
        lines.extend(rules.iter().map(|rule| format!("- It must {}.", escaped(rule))));
    }
    lines.extend(prose_lines(item.description.as_deref()));
    lines.push(String::new());
    lines.push(place(context.api, item));
    doc_lines(&lines)
}

fn place(api: &Api, item: &Type) -> String {
    let clause = item
        .clause
        .as_ref()
        .map(|clause| format!(", clause {}", escaped(clause)));
    format!(
        "Source: {}{}, `#{}`.",
        standard(api),
        clause.unwrap_or_default(),
        item.pointer
    )
}

/// The text with a capital at its beginning.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// The doc comment of a property.
pub(super) fn of_field(context: &Context<'_>, field: &Field) -> TokenStream {
    let presence = if field.required { "required" } else { "optional" };
    let mut lines = vec![format!(
        "`{}`, {presence}: {}.",
        field.api_name,
        said(context, &field.shape)
    )];
    lines.extend(prose_lines(field.description.as_deref()));
    doc_lines(&lines)
}

/// A shape in words, with its limits.
pub(crate) fn said(context: &Context<'_>, shape: &Shape) -> String {
    match shape {
        Shape::Any => "any JSON value".to_owned(),
        Shape::Boolean => "a boolean".to_owned(),
        Shape::Integer(rules) => integer(rules),
        Shape::Number(rules) => number(rules),
        Shape::String(rules) => string(rules),
        Shape::Array { items, rules } => {
            let mut text = format!("a list, each element {}", said(context, items));
            match (rules.min_items, rules.max_items) {
                (Some(least), Some(most)) if least == most => text.push_str(&format!("; {least} elements")),
                (Some(least), Some(most)) => text.push_str(&format!("; {least} to {most} elements")),
                (Some(least), None) => text.push_str(&format!("; at least {least}")),
                (None, Some(most)) => text.push_str(&format!("; at most {most}")),
                (None, None) => {}
            }
            if rules.unique {
                text.push_str("; no two equal");
            }
            text
        }
        Shape::Map { values, .. } if **values == Shape::Any => {
            "an object that the standard leaves open".to_owned()
        }
        Shape::Map { values, .. } => format!("a map from text, each value {}", said(context, values)),
        Shape::Named(id) => {
            let named = context.api.type_of(*id);
            match &named.kind {
                TypeKind::Enumeration(enumeration)
                    if enumeration.variants.len() == 1 && !enumeration.open =>
                {
                    format!("the text `{}`", enumeration.variants[0].api_name)
                }
                TypeKind::Alias(alias) if context.is_plain_alias(*id) && !names_a_type(&alias.shape) => {
                    format!("{} ([`{}`])", said(context, &alias.shape), named.name)
                }
                _ => format!("[`{}`]", named.name),
            }
        }
        Shape::Nullable(inner) => format!("{} or `null`", said(context, inner)),
    }
}

/// Whether a shape mentions a type, which the file that uses the alias may not import.
fn names_a_type(shape: &Shape) -> bool {
    let mut found = Vec::new();
    super::references(shape, &mut found);
    !found.is_empty()
}

fn integer(rules: &IntegerRules) -> String {
    let mut text = match (rules.minimum, rules.maximum) {
        (Some(least), Some(most)) => format!("an integer from {least} to {most}"),
        (Some(least), None) => format!("an integer, at least {least}"),
        (None, Some(most)) => format!("an integer, at most {most}"),
        (None, None) => "an integer".to_owned(),
    };
    if let Some(step) = rules.multiple_of {
        text.push_str(&format!(", a multiple of {step}"));
    }
    text
}

fn number(rules: &NumberRules) -> String {
    let mut text = "a number".to_owned();
    let bounds = [
        ("at least", rules.minimum),
        ("more than", rules.exclusive_minimum),
        ("at most", rules.maximum),
        ("less than", rules.exclusive_maximum),
        ("a multiple of", rules.multiple_of),
    ];
    for (words, bound) in bounds
        .into_iter()
        .filter_map(|(words, bound)| Some((words, bound?)))
    {
        text.push_str(&format!(", {words} {bound}"));
    }
    text
}

fn string(rules: &StringRules) -> String {
    let mut text = match rules.format {
        None => "text".to_owned(),
        Some(format) => format_words(format).to_owned(),
    };
    match (rules.min_length, rules.max_length) {
        (Some(least), Some(most)) => text.push_str(&format!(" of {least} to {most} characters")),
        (Some(least), None) => text.push_str(&format!(" of at least {least} characters")),
        (None, Some(most)) => text.push_str(&format!(" of at most {most} characters")),
        (None, None) => {}
    }
    if let Some(pattern) = rules.pattern.as_ref().filter(|pattern| !pattern.contains('`')) {
        text.push_str(&format!(" that matches `{pattern}`"));
    }
    text
}

fn format_words(format: Format) -> &'static str {
    match format {
        Format::DateTime => "a date and time (RFC 3339)",
        Format::Date => "a date (RFC 3339)",
        Format::Time => "a time (RFC 3339)",
        Format::Duration => "a duration (ISO 8601)",
        Format::Uri => "an absolute URI (RFC 3986)",
        Format::UriReference => "a URI or relative reference (RFC 3986)",
        Format::Uuid => "a UUID (RFC 4122)",
        Format::Ipv4 => "an IPv4 address",
        Format::Ipv6 => "an IPv6 address",
        Format::Hostname => "a host name (RFC 1123)",
        Format::Email => "a mailbox (RFC 5321)",
        Format::JsonPointer => "a JSON pointer (RFC 6901)",
        Format::Regex => "a regular expression (ECMA 262)",
    }
}
