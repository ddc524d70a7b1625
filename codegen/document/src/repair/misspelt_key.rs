//! Class `misspelt-key`: keys of OpenAPI with a quote or blank at their end (`description'`), or in another case.
//!
//! Certain, because OpenAPI and JSON Schema have no keys that end so or differ by case only, and because names that
//! are the document's own (properties, paths, components) are not looked at.

use crate::report::Report;
use crate::shape::{Kind, each_mut};
use crate::{Document, Node, Object, Pointer, Value};

/// The keys whose case is mended.
const SCHEMA_KEYS: [&str; 24] = [
    "type",
    "format",
    "properties",
    "required",
    "items",
    "enum",
    "const",
    "description",
    "title",
    "default",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "readOnly",
    "writeOnly",
    "additionalProperties",
];

pub(super) fn run(document: &mut Document, report: &mut Report) {
    each_mut(&mut document.root, &mut |kind, pointer, node| {
        // Keys of a callback and of components' maps are free.
        if kind != Kind::Callback
            && node
                .as_object()
                .is_some_and(|members| members.keys().any(|key| corrected(kind, key).is_some()))
        {
            mend(kind, pointer, node, report);
        }
    });
}

/// The key that was meant, where `key` is misspelt.
fn corrected(kind: Kind, key: &str) -> Option<&str> {
    let trimmed =
        key.trim_matches(|character: char| character.is_whitespace() || "'\"`´’".contains(character));
    if trimmed != key && !trimmed.is_empty() {
        return Some(trimmed);
    }
    if kind == Kind::Schema && !SCHEMA_KEYS.contains(&key) {
        return SCHEMA_KEYS
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(key));
    }
    None
}

fn mend(kind: Kind, pointer: &Pointer, node: &mut Node, report: &mut Report) {
    let Some(members) = node.as_object_mut() else {
        return;
    };
    let mut mended = Object::with_capacity(members.len());
    let taken: Vec<String> = members.keys().cloned().collect();
    for (key, member) in std::mem::take(members) {
        let Some(name) = corrected(kind, &key) else {
            mended.insert(key, member);
            continue;
        };
        let origin = member.origin;
        let defect = format!("there is no key \"{key}\"");
        let place = pointer.child(&key);
        if taken.iter().any(|other| other == name) || mended.contains_key(name) {
            report.add(
                origin,
                &place,
                "misspelt-key",
                defect,
                format!("removed, since \"{name}\" is there"),
            );
        } else {
            report.add(
                origin,
                &place,
                "misspelt-key",
                defect,
                format!("read as \"{name}\""),
            );
            mended.insert(name.to_owned(), member);
        }
    }
    node.value = Value::Object(mended);
}
