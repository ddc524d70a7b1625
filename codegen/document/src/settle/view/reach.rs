//! Which components each direction reaches, and which look different from the two sides.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Document, Node, Pointer, Value};

use super::direction::{Direction, each_body};

const SCHEMAS: &str = "#/components/schemas/";

/// Names of component schemas, by what they are for.
#[derive(Default)]
pub(super) struct Reach {
    /// What applications send.
    pub(super) requests: BTreeSet<String>,
    /// What the platform sends.
    pub(super) responses: BTreeSet<String>,
    /// What holds a property that only one direction carries, or refers to something that does.
    pub(super) differing: BTreeSet<String>,
}

impl Reach {
    /// Looks through the whole document.
    pub(super) fn of(document: &Document) -> Self {
        let place = Pointer::from_tokens(["components", "schemas"]);
        let schemas = document.root.pointer(&place).and_then(Node::as_object);
        let schemas: BTreeMap<&str, &Node> = schemas
            .into_iter()
            .flatten()
            .map(|(name, schema)| (name.as_str(), schema))
            .collect();
        let mut reach = Self::default();
        each_body(&document.root, &mut |direction, schema| {
            let names = reach.names_mut(direction);
            follow(direction, schema, &schemas, names);
        });
        reach.differing = differing(&schemas);
        reach
    }

    fn names_mut(&mut self, direction: Direction) -> &mut BTreeSet<String> {
        match direction {
            Direction::Request => &mut self.requests,
            Direction::Response => &mut self.responses,
        }
    }
}

/// Adds what `schema` reaches in one direction.
fn follow(
    direction: Direction,
    schema: &Node,
    schemas: &BTreeMap<&str, &Node>,
    names: &mut BTreeSet<String>,
) {
    let mut waiting = targets(Some(direction), schema);
    while let Some(name) = waiting.pop() {
        if let Some(schema) = schemas.get(name.as_str()).filter(|_| names.insert(name)) {
            waiting.extend(targets(Some(direction), schema));
        }
    }
}

fn differing(schemas: &BTreeMap<&str, &Node>) -> BTreeSet<String> {
    let mut users: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut waiting = Vec::new();
    for (name, schema) in schemas {
        if holds_mark(schema) {
            waiting.push((*name).to_owned());
        }
        for target in targets(None, schema) {
            users.entry(target).or_default().push(name);
        }
    }
    let mut differing = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if differing.insert(name.clone()) {
            waiting.extend(
                users
                    .get(&name)
                    .into_iter()
                    .flatten()
                    .map(|user| (*user).to_owned()),
            );
        }
    }
    differing
}

/// Whether a property inside of a schema is carried in one direction only.
fn holds_mark(node: &Node) -> bool {
    match &node.value {
        Value::Array(elements) => elements.iter().any(holds_mark),
        Value::Object(members) => {
            let properties = node.get("properties").and_then(Node::as_object);
            let mut properties = properties.into_iter().flatten();
            properties.any(|(_, property)| {
                is_dropped(Direction::Request, property) || is_dropped(Direction::Response, property)
            }) || members.values().any(holds_mark)
        }
        _ => false,
    }
}

/// Whether a property is not carried in a direction.
pub(super) fn is_dropped(direction: Direction, property: &Node) -> bool {
    let mark = match direction {
        Direction::Request => "readOnly",
        Direction::Response => "writeOnly",
    };
    property.get(mark).and_then(Node::as_bool) == Some(true)
}

/// The component schemas that a schema refers to by what `direction` carries of it; by all of it where `None`.
fn targets(direction: Option<Direction>, node: &Node) -> Vec<String> {
    let mut names = Vec::new();
    collect(direction, node, &mut names);
    names
}

fn collect(direction: Option<Direction>, node: &Node, names: &mut Vec<String>) {
    match &node.value {
        Value::Array(elements) => elements
            .iter()
            .for_each(|element| collect(direction, element, names)),
        Value::Object(members) => {
            names.extend(node.ref_target().and_then(component));
            for (key, member) in members {
                match (key.as_str(), member.as_object()) {
                    ("properties", Some(properties)) => properties
                        .values()
                        .filter(|property| {
                            !direction.is_some_and(|direction| is_dropped(direction, property))
                        })
                        .for_each(|property| collect(direction, property, names)),
                    ("example" | "examples" | "default" | "const" | "enum", _) => {}
                    _ => collect(direction, member, names),
                }
            }
        }
        _ => {}
    }
}

/// The name of the component schema that a reference leads to.
pub(super) fn component(target: &str) -> Option<String> {
    let name = target.strip_prefix(SCHEMAS).filter(|name| !name.contains('/'))?;
    Pointer::parse(&format!("/{name}"))?.last()
}
