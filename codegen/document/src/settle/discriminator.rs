//! Class `contradicting-discriminator`: what a discriminator says and what its members' constants say.
//!
//! A judge of JSON Schema decides by the constants and knows no discriminators; generators do it the other way round.
//! Certain is what both agree on: where members fix the property's value, the mapping is written out from these
//! values. Where two members fix the same value, the property tells nothing apart and the discriminator goes.

use std::collections::BTreeMap;

use crate::report::Report;
use crate::shape::{Kind, each};
use crate::{Document, Node, Object, Pointer};

const CLASS: &str = "contradicting-discriminator";

/// How deeply compositions are followed for a member's constant.
const DEPTH: usize = 8;

/// What becomes of a discriminator.
enum Change {
    Mapping(Object),
    Removal,
}

pub(super) fn run(document: &mut Document, report: &mut Report) {
    let mut changes = Vec::new();
    each(&document.root, &mut |kind, pointer, schema| {
        if kind == Kind::Schema && schema.get("discriminator").is_some() {
            changes.extend(change(document, schema).map(|change| (pointer.clone(), change)));
        }
    });
    for (pointer, change) in changes {
        let Some(schema) = document.root.pointer_mut(&pointer) else {
            continue;
        };
        let Some(discriminator) = schema.get_mut("discriminator") else {
            continue;
        };
        let (origin, place) = (discriminator.origin, pointer.child("discriminator"));
        match change {
            Change::Mapping(mapping) => {
                let defect = "the mapping is not what the members' constants say";
                report.add(origin, &place, CLASS, defect, "written out from the constants");
                discriminator.set("mapping", Node::at(origin, mapping));
            }
            Change::Removal => {
                let defect = "two members have the same value, so that it tells nothing apart";
                report.add(origin, &place, CLASS, defect, "removed");
                schema.remove("discriminator");
            }
        }
    }
}

/// What has to change, if anything.
fn change(document: &Document, schema: &Node) -> Option<Change> {
    let discriminator = schema.get("discriminator")?;
    let property = discriminator.str_at("propertyName")?;
    let written = discriminator
        .get("mapping")
        .and_then(Node::as_object)
        .cloned()
        .unwrap_or_default();
    let members = ["oneOf", "anyOf"]
        .iter()
        .filter_map(|key| schema.get(key)?.as_array())
        .flatten();
    let mut mapping = written.clone();
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for target in members.filter_map(Node::ref_target) {
        let Some(values) = Pointer::parse(target)
            .and_then(|place| document.root.pointer(&place))
            .and_then(|member| constants(document, member, property, DEPTH))
        else {
            continue;
        };
        mapping.retain(|value, entry| entry.as_str() != Some(target) || values.contains(value));
        for value in values {
            if owners
                .insert(value.clone(), target)
                .is_some_and(|other| other != target)
            {
                return Some(Change::Removal);
            }
            // The name of a member is its value without being written.
            let named = written.values().any(|entry| entry.as_str() == Some(target));
            let implicit = target.rsplit('/').next() == Some(value.as_str()) && !named;
            if !implicit && !mapping.contains_key(&value) {
                mapping.insert(value, Node::new(target));
            }
        }
    }
    (mapping != written).then_some(Change::Mapping(mapping))
}

/// The texts that a member allows for a property; `None` where it allows any.
fn constants(document: &Document, member: &Node, property: &str, depth: usize) -> Option<Vec<String>> {
    if depth == 0 {
        return None;
    }
    if let Some(target) = member.ref_target() {
        let target = document.root.pointer(&Pointer::parse(target)?)?;
        return constants(document, target, property, depth - 1);
    }
    let own = member
        .get("properties")
        .and_then(|properties| properties.get(property));
    let own = own.and_then(|schema| document.resolve(schema)).and_then(listed);
    own.or_else(|| {
        let parts = member.get("allOf").and_then(Node::as_array)?;
        parts
            .iter()
            .find_map(|part| constants(document, part, property, depth - 1))
    })
}

fn listed(schema: &Node) -> Option<Vec<String>> {
    if let Some(value) = schema.get("const") {
        return Some(vec![value.as_str()?.to_owned()]);
    }
    let values = schema.get("enum").and_then(Node::as_array)?;
    values
        .iter()
        .map(|value| value.as_str().map(str::to_owned))
        .collect()
}
