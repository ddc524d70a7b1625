//! Class `dangling-discriminator`: discriminators whose mapping leads nowhere, or that have nothing to tell apart.
//!
//! Certain: an entry for a schema that the document does not have selects nothing. Bare schema names, which OpenAPI
//! allows, are written as references, so that later stages know one form.

use crate::report::Report;
use crate::{Document, Node, Pointer, Value};

use super::each_schema_mut;

const CLASS: &str = "dangling-discriminator";

pub(super) fn run(document: &mut Document, report: &mut Report) {
    let schemas = document
        .root
        .pointer(&Pointer::from_tokens(["components", "schemas"]));
    let names: Vec<String> = schemas
        .and_then(Node::as_object)
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    each_schema_mut(&mut document.root, &mut |pointer, schema| {
        let place = pointer.child("discriminator");
        let union = ["oneOf", "anyOf"].iter().any(|key| schema.get(key).is_some());
        let Some(discriminator) = schema.get_mut("discriminator") else {
            return;
        };
        mapping(&place, discriminator, &names, report);
        let named = discriminator.str_at("propertyName").is_some();
        // Without a union a discriminator with a mapping still tells of schemas that extend this one.
        if !named || !union && discriminator.get("mapping").is_none() {
            let defect = "a discriminator that tells nothing apart";
            report.add(discriminator.origin, &place, CLASS, defect, "removed");
            schema.remove("discriminator");
        }
    });
}

fn mapping(place: &Pointer, discriminator: &mut Node, names: &[String], report: &mut Report) {
    let Some(mapping) = discriminator.get_mut("mapping").and_then(Node::as_object_mut) else {
        return;
    };
    let place = place.child("mapping");
    mapping.retain(|value, target| {
        let name = target.as_str().unwrap_or_default();
        let name = name
            .strip_prefix("#/components/schemas/")
            .unwrap_or(name)
            .to_owned();
        let known = names.contains(&name);
        if known {
            target.value = Value::String(format!(
                "#{}",
                Pointer::from_tokens(["components", "schemas", &name])
            ));
        } else {
            let defect = format!("\"{value}\" selects \"{name}\", which the document does not have");
            report.add(target.origin, &place.child(value), CLASS, defect, "removed");
        }
        known
    });
    if mapping.is_empty() {
        discriminator.remove("mapping");
    }
}
