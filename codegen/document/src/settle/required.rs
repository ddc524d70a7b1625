//! Class `undeclared-required`: names in `required` that no property has, after all overlays.
//!
//! In an object's own list such a name is dropped, and reported as widened: the document does not say what the
//! member is, and a type cannot carry what it does not know. In a rule (a branch of `oneOf`, `not`, `if`, …) the name
//! stays and the object gets the member as one that may be anything, since the rule would mean something else
//! without it.

use std::collections::{BTreeMap, HashSet};

use crate::report::Report;
use crate::shape::{Kind, each};
use crate::{Document, Node, Origin, Pointer};

const CLASS: &str = "undeclared-required";

/// How deeply compositions are followed for the members that they declare.
const DEPTH: usize = 16;

/// Keywords whose schemas speak of the same instance as the schema that holds them.
const LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const SINGLES: [&str; 4] = ["not", "if", "then", "else"];

pub(super) fn run(document: &mut Document, report: &mut Report) {
    let mut undeclared = Undeclared::default();
    each(&document.root, &mut |kind, pointer, schema| {
        if kind == Kind::Schema && !is_part(pointer) {
            undeclared.look_at(document, pointer, schema);
        }
    });
    for (pointer, (origin, names)) in undeclared.lists {
        let Some(required) = document.root.pointer_mut(&pointer).and_then(Node::as_array_mut) else {
            continue;
        };
        required.retain(|name| {
            !name
                .as_str()
                .is_some_and(|name| names.iter().any(|known| known == name))
        });
        let empty = required.is_empty();
        let defect = format!("required, but no property is called so: {}", names.join(", "));
        report.add_widened(origin, &pointer, CLASS, defect, "no longer required");
        if let Some(schema) = pointer
            .parent()
            .filter(|_| empty)
            .and_then(|place| document.root.pointer_mut(&place))
        {
            schema.remove("required");
        }
    }
    for (pointer, (origin, names)) in undeclared.members {
        let Some(schema) = document.root.pointer_mut(&pointer) else {
            continue;
        };
        let defect = format!(
            "a rule speaks of what no property is called: {}",
            names.join(", ")
        );
        report.add_widened(
            origin,
            &pointer,
            CLASS,
            defect,
            "declared as properties that may be anything",
        );
        if schema.get("properties").and_then(Node::as_object).is_none() {
            schema.set("properties", Node::object());
        }
        if let Some(properties) = schema.get_mut("properties") {
            names
                .into_iter()
                .for_each(|name| properties.set(name, Node::object()));
        }
    }
}

/// Whether the schema at `pointer` speaks of the same instance as the schema around it.
fn is_part(pointer: &Pointer) -> bool {
    let tokens: Vec<String> = pointer.tokens().collect();
    let [.., holder, last] = tokens.as_slice() else {
        return false;
    };
    // The name of a property or component may be a keyword's.
    if ["properties", "schemas", "$defs", "patternProperties"].contains(&holder.as_str()) {
        return false;
    }
    SINGLES.contains(&last.as_str()) || LISTS.contains(&holder.as_str()) && last.parse::<usize>().is_ok()
}

/// Names by the place of the list, or of the object that has to declare them.
#[derive(Default)]
struct Undeclared {
    lists: BTreeMap<Pointer, (Origin, Vec<String>)>,
    members: BTreeMap<Pointer, (Origin, Vec<String>)>,
}

impl Undeclared {
    fn look_at(&mut self, document: &Document, pointer: &Pointer, schema: &Node) {
        let mut declared = HashSet::new();
        if declare(document, schema, DEPTH, &mut declared) {
            self.walk(pointer, schema, &declared, pointer, false);
        }
    }

    /// Looks at the lists of a schema and of its parts; `home` is the object that they all speak of.
    fn walk(
        &mut self,
        pointer: &Pointer,
        schema: &Node,
        declared: &HashSet<&str>,
        home: &Pointer,
        rule: bool,
    ) {
        if let Some(required) = schema.get("required") {
            let names = required
                .as_array()
                .unwrap_or_default()
                .iter()
                .filter_map(Node::as_str);
            let missing: Vec<String> = names
                .filter(|name| !declared.contains(name))
                .map(str::to_owned)
                .collect();
            if !missing.is_empty() && !rule {
                self.lists
                    .insert(pointer.child("required"), (required.origin, missing));
            } else if !missing.is_empty() {
                let (_, names) = self
                    .members
                    .entry(home.clone())
                    .or_insert((required.origin, Vec::new()));
                for name in missing {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
            }
        }
        for keyword in LISTS {
            let place = pointer.child(keyword);
            for (index, part) in schema
                .get(keyword)
                .and_then(Node::as_array)
                .into_iter()
                .flatten()
                .enumerate()
            {
                self.walk(
                    &place.index(index),
                    part,
                    declared,
                    home,
                    rule || keyword != "allOf",
                );
            }
        }
        for keyword in SINGLES {
            if let Some(part) = schema.get(keyword) {
                self.walk(&pointer.child(keyword), part, declared, home, true);
            }
        }
    }
}

/// Gathers the names that a schema and its parts declare; false where a schema declares names without listing them.
fn declare<'tree>(
    document: &'tree Document,
    schema: &'tree Node,
    depth: usize,
    declared: &mut HashSet<&'tree str>,
) -> bool {
    if depth == 0 || schema.get("patternProperties").is_some() {
        return false;
    }
    // A map's keys are its content, so one that is required needs no property of its own.
    if schema
        .get("additionalProperties")
        .is_some_and(|others| others.as_bool() != Some(false))
    {
        return false;
    }
    let properties = schema.get("properties").and_then(Node::as_object);
    declared.extend(
        properties
            .into_iter()
            .flat_map(|properties| properties.keys())
            .map(String::as_str),
    );
    if let Some(target) = schema.ref_target() {
        let Some(target) = Pointer::parse(target).and_then(|place| document.root.pointer(&place)) else {
            return false;
        };
        if !declare(document, target, depth - 1, declared) {
            return false;
        }
    }
    let lists = LISTS
        .iter()
        .filter_map(|keyword| schema.get(keyword)?.as_array())
        .flatten();
    let singles = SINGLES.iter().filter_map(|keyword| schema.get(keyword));
    lists
        .chain(singles)
        .all(|part| declare(document, part, depth - 1, declared))
}
