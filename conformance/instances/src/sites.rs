//! Walks a valid instance beside its schema: which schemas apply at which place, and which alternatives the instance took.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::{Model, NodeId, ROOT, Types};
use crate::pointer;

/// A place where a schema leaves a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fork {
    /// One of several types, by the bits of [`Types`].
    Type(NodeId),
    AnyOf(NodeId),
    OneOf(NodeId),
    /// 0: the condition holds, 1: it doesn't.
    If(NodeId),
}

/// What applies to one instance.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// By instance pointer: the nodes that apply there, in order, each once.
    pub(crate) sites: BTreeMap<String, Vec<NodeId>>,
    /// The alternatives taken.
    pub(crate) outcomes: BTreeSet<(Fork, usize)>,
    /// By node: the instance pointers where it applies.
    pub(crate) places: BTreeMap<NodeId, Vec<String>>,
}

impl Model {
    /// Walks an instance that is valid for the root.
    pub(crate) fn walk(&self, value: &Value) -> Walk {
        let mut walk = Walk::default();
        self.visit(ROOT, value, String::new(), &mut walk, 0);
        walk
    }

    fn visit(&self, id: NodeId, value: &Value, place: String, walk: &mut Walk, depth: usize) {
        let site = walk.sites.entry(place.clone()).or_default();
        if depth > 400 || site.contains(&id) {
            return;
        }
        site.push(id);
        walk.places.entry(id).or_default().push(place.clone());
        let node = &self[id];
        self.outcomes(id, value, walk);
        for inner in self.in_place(node, value, 0) {
            // What holds inside a condition is chosen, not demanded.
            if Some(inner) != node.condition {
                self.visit(inner, value, place.clone(), walk, depth + 1);
            }
        }
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let place = pointer::item(&place, index);
                    if let Some(schema) = node.prefix.get(index).copied().or(node.items) {
                        self.visit(schema, item, place.clone(), walk, depth + 1);
                    }
                    walk.sites.entry(place).or_default();
                }
            }
            Value::Object(object) => {
                for (name, property) in object {
                    let place = pointer::child(&place, name);
                    for schema in node.children(name) {
                        self.visit(schema, property, place.clone(), walk, depth + 1);
                    }
                    walk.sites.entry(place).or_default();
                }
            }
            _ => {}
        }
    }

    fn outcomes(&self, id: NodeId, value: &Value, walk: &mut Walk) {
        let node = &self[id];
        if let Some(types) = node.types
            && is_choice(types)
        {
            walk.outcomes
                .insert((Fork::Type(id), usize::from(Types::of(value).0)));
        }
        for (fork, branches) in [(Fork::AnyOf(id), &node.any_of), (Fork::OneOf(id), &node.one_of)] {
            for (index, branch) in branches.iter().enumerate() {
                if self.accepts(*branch, value) {
                    walk.outcomes.insert((fork, index));
                }
            }
        }
        if let Some(condition) = node.condition {
            walk.outcomes
                .insert((Fork::If(id), usize::from(!self.accepts(condition, value))));
        }
    }
}

/// Whether a set of types leaves a choice; `number` alone doesn't.
pub(crate) fn is_choice(types: Types) -> bool {
    let types = if types.and(Types::NUMBER) == Types::NUMBER {
        types.without(Types::FRACTION)
    } else {
        types
    };
    types.0.count_ones() > 1
}

/// The single types of a set, `number` as one.
pub(crate) fn single_types(types: Types) -> Vec<Types> {
    let singles = [
        Types::STRING,
        Types::OBJECT,
        Types::ARRAY,
        Types::INTEGER,
        Types::FRACTION,
        Types::BOOLEAN,
        Types::NULL,
    ];
    let whole_number = types.and(Types::NUMBER) == Types::NUMBER;
    singles
        .into_iter()
        .filter(|one| types.intersects(*one) && !(whole_number && *one == Types::FRACTION))
        .collect()
}
