//! Classes `misspelt-type`, `missing-type`, `stray-keyword` and `missing-items`: schemas whose `type` and other
//! keywords do not fit together.
//!
//! Certain, because JSON Schema has seven type names, because `properties` says something of objects only and
//! `items` of arrays only, and because a keyword for another type than the declared one judges nothing.

use crate::report::Report;
use crate::{Document, Node, Pointer, Value};

use super::{each_schema_mut, has_type};

/// Names of other languages' types and what they are in JSON Schema; compared without case.
const ALIASES: [(&str, &str); 16] = [
    ("string", "string"),
    ("str", "string"),
    ("text", "string"),
    ("integer", "integer"),
    ("int", "integer"),
    ("long", "integer"),
    ("number", "number"),
    ("float", "number"),
    ("double", "number"),
    ("boolean", "boolean"),
    ("bool", "boolean"),
    ("array", "array"),
    ("list", "array"),
    ("object", "object"),
    ("map", "object"),
    ("null", "null"),
];

/// Keywords that judge values of one type only.
const KEYWORDS: [(&str, &[&str]); 4] = [
    (
        "number",
        &[
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
        ],
    ),
    (
        "array",
        &[
            "items",
            "minItems",
            "maxItems",
            "uniqueItems",
            "prefixItems",
            "contains",
        ],
    ),
    ("string", &["minLength", "maxLength", "pattern"]),
    (
        "object",
        &[
            "properties",
            "additionalProperties",
            "minProperties",
            "maxProperties",
            "patternProperties",
        ],
    ),
];

pub(super) fn run(document: &mut Document, report: &mut Report) {
    each_schema_mut(&mut document.root, &mut |pointer, schema| {
        misspelt_type(pointer, schema, report);
        missing_type(pointer, schema, report);
        stray_keywords(pointer, schema, report);
        missing_items(pointer, schema, report);
    });
}

fn misspelt_type(pointer: &Pointer, schema: &mut Node, report: &mut Report) {
    let Some(name) = schema.get_mut("type") else {
        return;
    };
    let Some(written) = name.as_str().map(str::to_owned) else {
        return;
    };
    let known = ALIASES
        .iter()
        .find(|(alias, _)| alias.eq_ignore_ascii_case(written.trim()));
    if let Some((_, known)) = known.filter(|(_, known)| *known != written) {
        let defect = format!("there is no type \"{written}\"");
        report.add(
            name.origin,
            &pointer.child("type"),
            "misspelt-type",
            defect,
            format!("read as \"{known}\""),
        );
        name.value = Value::String((*known).to_owned());
    }
}

fn missing_type(pointer: &Pointer, schema: &mut Node, report: &mut Report) {
    let elsewhere = ["type", "$ref", "allOf", "anyOf", "oneOf", "enum", "const"];
    if elsewhere.iter().any(|key| schema.get(key).is_some()) || is_rule(pointer) {
        return;
    }
    for (keyword, name) in [("properties", "object"), ("items", "array")] {
        if schema.get(keyword).is_some() {
            let defect = format!("has \"{keyword}\" but no type");
            report.add(
                schema.origin,
                pointer,
                "missing-type",
                defect,
                format!("typed as {name}"),
            );
            schema.set("type", Node::new(name));
            return;
        }
    }
}

/// Whether a schema is part of a rule on the schema around it, which gives the type.
fn is_rule(pointer: &Pointer) -> bool {
    let rules = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "contains"];
    let tokens: Vec<String> = pointer.tokens().collect();
    tokens
        .iter()
        .rev()
        .take(2)
        .any(|token| rules.contains(&token.as_str()))
}

fn stray_keywords(pointer: &Pointer, schema: &mut Node, report: &mut Report) {
    let Some(declared) = schema.str_at("type").map(str::to_owned) else {
        return;
    };
    let judged = if declared == "integer" {
        "number"
    } else {
        declared.as_str()
    };
    for (name, keywords) in KEYWORDS.iter().filter(|(name, _)| *name != judged) {
        // `properties` beside another type is more than a stray keyword: one of the two is wrong.
        for keyword in keywords.iter().filter(|keyword| **keyword != "properties") {
            let Some(stray) = schema.remove(keyword) else {
                continue;
            };
            let article = if name.starts_with(['a', 'o']) { "an" } else { "a" };
            let defect =
                format!("\"{keyword}\" says nothing of a value of type {declared}, only of {article} {name}");
            report.add(
                stray.origin,
                &pointer.child(keyword),
                "stray-keyword",
                defect,
                "removed",
            );
        }
    }
}

fn missing_items(pointer: &Pointer, schema: &mut Node, report: &mut Report) {
    if has_type(schema, "array") && schema.get("items").is_none() && schema.get("prefixItems").is_none() {
        let defect = "an array without \"items\"";
        report.add_widened(
            schema.origin,
            pointer,
            "missing-items",
            defect,
            "its elements may be anything",
        );
        schema.set("items", Node::object());
    }
}
