//! Our own reading of a schema: whether a value is valid, and what of the schema applies where.
//! It guides the generators; whether an instance is handed out is for the judge (`judge.rs`) to say.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::{Model, Node, NodeId, Types};
use crate::numbers;

/// References that lead to themselves end here.
const DEEPEST: usize = 128;

impl Model {
    /// Whether the value is valid for the node.
    pub(crate) fn accepts(&self, id: NodeId, value: &Value) -> bool {
        self.check(id, value, 0)
    }

    fn check(&self, id: NodeId, value: &Value, depth: usize) -> bool {
        if depth > DEEPEST {
            return true;
        }
        let node = &self[id];
        if let Some(verdict) = node.boolean {
            return verdict;
        }
        check_scalar(node, value)
            && self.check_in_place(node, value, depth + 1)
            && match value {
                Value::Array(items) => self.check_items(id, items, value, depth + 1),
                Value::Object(object) => self.check_object(id, object, value, depth + 1),
                _ => true,
            }
    }

    fn check_in_place(&self, node: &Node, value: &Value, depth: usize) -> bool {
        let valid = |id: &NodeId| self.check(*id, value, depth);
        node.reference.as_ref().is_none_or(valid)
            && node.all_of.iter().all(valid)
            && (node.any_of.is_empty() || node.any_of.iter().any(valid))
            && (node.one_of.is_empty() || node.one_of.iter().filter(|id| valid(id)).take(2).count() == 1)
            && !node.not.as_ref().is_some_and(valid)
            && node.condition.as_ref().is_none_or(|condition| {
                let branch = if valid(condition) {
                    &node.then
                } else {
                    &node.otherwise
                };
                branch.as_ref().is_none_or(valid)
            })
    }

    fn check_items(&self, id: NodeId, items: &[Value], value: &Value, depth: usize) -> bool {
        let node = &self[id];
        let enough = node.min_items.is_none_or(|min| items.len() as u64 >= min);
        let few = node.max_items.is_none_or(|max| items.len() as u64 <= max);
        enough
            && few
            && (!node.unique || numbers::all_differ(items))
            && self.contains_enough(node, items, depth)
            && items.iter().enumerate().all(|(index, item)| {
                let schema = node.prefix.get(index).copied().or(node.items);
                schema.is_none_or(|schema| self.check(schema, item, depth))
            })
            && node.unevaluated_items.is_none_or(|schema| {
                let known = self.evaluated_items(id, value, depth, true);
                items
                    .iter()
                    .enumerate()
                    .all(|(index, item)| known.contains(&index) || self.check(schema, item, depth))
            })
    }

    /// Whether `contains` is satisfied.
    pub(crate) fn contains_enough(&self, node: &Node, items: &[Value], depth: usize) -> bool {
        node.contains.is_none_or(|contains| {
            let found = items
                .iter()
                .filter(|item| self.check(contains.node, item, depth))
                .count() as u64;
            found >= contains.min && contains.max.is_none_or(|max| found <= max)
        })
    }

    fn check_object(&self, id: NodeId, object: &Map<String, Value>, value: &Value, depth: usize) -> bool {
        let node = &self[id];
        let has = |name: &String| object.contains_key(name);
        node.required.iter().all(has)
            && node.min_properties.is_none_or(|min| object.len() as u64 >= min)
            && node.max_properties.is_none_or(|max| object.len() as u64 <= max)
            && node
                .dependent_required
                .iter()
                .all(|(name, wanted)| !has(name) || wanted.iter().all(has))
            && node
                .dependent_schemas
                .iter()
                .all(|(name, schema)| !has(name) || self.check(*schema, value, depth))
            && node.names.is_none_or(|schema| {
                object
                    .keys()
                    .all(|name| self.check(schema, &Value::String(name.clone()), depth))
            })
            && object.iter().all(|(name, property)| {
                node.children(name)
                    .into_iter()
                    .all(|schema| self.check(schema, property, depth))
            })
            && node.unevaluated.is_none_or(|schema| {
                let known = self.evaluated(id, value, depth, true);
                object
                    .iter()
                    .all(|(name, property)| known.contains(name) || self.check(schema, property, depth))
            })
    }

    /// The properties that the node, or what it refers to in place, has looked at.
    pub(crate) fn evaluated(&self, id: NodeId, value: &Value, depth: usize, top: bool) -> BTreeSet<String> {
        let node = &self[id];
        let mut known = BTreeSet::new();
        let Value::Object(object) = value else {
            return known;
        };
        if depth > DEEPEST {
            return known;
        }
        known.extend(
            object
                .keys()
                .filter(|name| !node.children(name).is_empty())
                .cloned(),
        );
        if node.unevaluated.is_some() && !top {
            known.extend(object.keys().cloned());
        }
        for inner in self.in_place(node, value, depth + 1) {
            known.extend(self.evaluated(inner, value, depth + 1, false));
        }
        known
    }

    /// The items that the node, or what it refers to in place, has looked at.
    pub(crate) fn evaluated_items(
        &self,
        id: NodeId,
        value: &Value,
        depth: usize,
        top: bool,
    ) -> BTreeSet<usize> {
        let node = &self[id];
        let Value::Array(items) = value else {
            return BTreeSet::new();
        };
        if depth > DEEPEST {
            return BTreeSet::new();
        }
        if node.items.is_some() || (node.unevaluated_items.is_some() && !top) {
            return (0..items.len()).collect();
        }
        let mut known: BTreeSet<usize> = (0..node.prefix.len().min(items.len())).collect();
        if let Some(contains) = node.contains {
            known.extend((0..items.len()).filter(|index| self.check(contains.node, &items[*index], depth)));
        }
        for inner in self.in_place(node, value, depth + 1) {
            known.extend(self.evaluated_items(inner, value, depth + 1, false));
        }
        known
    }

    /// The nodes that apply to the same value because of this node, as the value decides.
    pub(crate) fn in_place(&self, node: &Node, value: &Value, depth: usize) -> Vec<NodeId> {
        let valid = |id: &NodeId| self.check(*id, value, depth);
        let mut inner: Vec<NodeId> = node.reference.iter().chain(&node.all_of).copied().collect();
        inner.extend(node.any_of.iter().chain(&node.one_of).copied().filter(valid));
        if let Some(condition) = node.condition {
            if valid(&condition) {
                inner.push(condition);
                inner.extend(node.then);
            } else {
                inner.extend(node.otherwise);
            }
        }
        if let Value::Object(object) = value {
            let triggered = node
                .dependent_schemas
                .iter()
                .filter(|(name, _)| object.contains_key(*name));
            inner.extend(triggered.map(|(_, schema)| *schema));
        }
        inner
    }
}

impl Node {
    /// The schemas of a property with this name.
    pub(crate) fn children(&self, name: &str) -> Vec<NodeId> {
        let mut found: Vec<NodeId> = self.properties.get(name).copied().into_iter().collect();
        found.extend(
            self.patterns
                .iter()
                .filter(|(matcher, _)| matcher.matches(name))
                .map(|(_, schema)| *schema),
        );
        if found.is_empty() {
            found.extend(self.additional);
        }
        found
    }
}

/// The keywords that look at the value alone.
fn check_scalar(node: &Node, value: &Value) -> bool {
    node.types.is_none_or(|types| types.intersects(Types::of(value)))
        && node
            .constant
            .as_ref()
            .is_none_or(|constant| numbers::equal(constant, value))
        && node
            .enumeration
            .as_ref()
            .is_none_or(|values| values.iter().any(|other| numbers::equal(other, value)))
        && broken_scalars(node, value).is_empty()
}

/// The keywords about numbers and strings that the value breaks.
pub(crate) fn broken_scalars(node: &Node, value: &Value) -> Vec<&'static str> {
    use std::cmp::Ordering::{Greater, Less};
    let mut broken = Vec::new();
    let mut demand = |holds: bool, keyword: &'static str| {
        if !holds {
            broken.push(keyword);
        }
    };
    match value {
        Value::Number(number) => {
            let order = |limit: &serde_json::Number| numbers::compare(number, limit);
            demand(
                node.minimum.as_ref().is_none_or(|limit| order(limit) != Less),
                "minimum",
            );
            demand(
                node.maximum.as_ref().is_none_or(|limit| order(limit) != Greater),
                "maximum",
            );
            demand(
                node.exclusive_minimum
                    .as_ref()
                    .is_none_or(|limit| order(limit) == Greater),
                "exclusiveMinimum",
            );
            demand(
                node.exclusive_maximum
                    .as_ref()
                    .is_none_or(|limit| order(limit) == Less),
                "exclusiveMaximum",
            );
            demand(
                node.multiple_of
                    .as_ref()
                    .is_none_or(|step| numbers::is_multiple(number, step)),
                "multipleOf",
            );
        }
        Value::String(text) => {
            if node.min_length.is_some() || node.max_length.is_some() {
                let length = text.chars().count() as u64;
                demand(node.min_length.is_none_or(|min| length >= min), "minLength");
                demand(node.max_length.is_none_or(|max| length <= max), "maxLength");
            }
            demand(
                node.pattern.as_ref().is_none_or(|pattern| pattern.matches(text)),
                "pattern",
            );
            demand(
                node.format.as_ref().is_none_or(|format| format.matches(text)),
                "format",
            );
        }
        _ => {}
    }
    broken
}
