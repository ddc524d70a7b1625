//! One direction's view of a schema: without what the direction does not carry, referring to views where there are two.

use std::collections::BTreeMap;

use crate::{Node, Origin, Pointer, Value};

use super::direction::Direction;
use super::reach::{component, is_dropped};

/// Makes the view of one direction.
pub(super) struct Trim<'names> {
    pub(super) direction: Direction,
    /// Components that have another name in this direction.
    pub(super) renamed: &'names BTreeMap<String, String>,
}

impl Trim<'_> {
    /// Trims a schema in place; returns the places where undeclared properties had been forbidden and are allowed now.
    pub(super) fn apply(&self, pointer: &Pointer, schema: &mut Node) -> Vec<(Origin, Pointer)> {
        let mut relaxed = Vec::new();
        self.schema(pointer, schema, &mut relaxed);
        relaxed
    }

    fn schema(&self, pointer: &Pointer, schema: &mut Node, relaxed: &mut Vec<(Origin, Pointer)>) {
        if schema.as_object().is_none() {
            return;
        }
        schema.remove("readOnly");
        schema.remove("writeOnly");
        self.reference(schema);
        self.discriminator(schema);
        let dropped = self.drop_properties(schema);
        if !dropped.is_empty() {
            forget(schema, &dropped);
            let closed = schema.get("additionalProperties").and_then(Node::as_bool) == Some(false);
            if let Some(others) = schema.get("additionalProperties").filter(|_| closed) {
                relaxed.push((others.origin, pointer.child("additionalProperties")));
                schema.remove("additionalProperties");
            }
        }
        for (key, member) in schema.as_object_mut().into_iter().flatten() {
            let pointer = pointer.child(key);
            match (key.as_str(), &mut member.value) {
                (
                    "properties" | "patternProperties" | "$defs" | "dependentSchemas",
                    Value::Object(schemas),
                ) => {
                    for (name, schema) in schemas {
                        self.schema(&pointer.child(name), schema, relaxed);
                    }
                }
                ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(schemas)) => {
                    for (index, schema) in schemas.iter_mut().enumerate() {
                        self.schema(&pointer.index(index), schema, relaxed);
                    }
                }
                (
                    "items"
                    | "additionalProperties"
                    | "not"
                    | "if"
                    | "then"
                    | "else"
                    | "contains"
                    | "propertyNames"
                    | "unevaluatedItems"
                    | "unevaluatedProperties"
                    | "contentSchema",
                    Value::Object(_),
                ) => self.schema(&pointer, member, relaxed),
                _ => {}
            }
        }
    }

    fn reference(&self, schema: &mut Node) {
        let target = schema.ref_target().and_then(|target| self.view(target));
        if let (Some(target), Some(reference)) = (target, schema.get_mut("$ref")) {
            reference.value = Value::String(target);
        }
    }

    /// The reference to this direction's view of a target, where that has another name.
    fn view(&self, target: &str) -> Option<String> {
        let name = self.renamed.get(&component(target)?)?;
        Some(format!(
            "#{}",
            Pointer::from_tokens(["components", "schemas", name])
        ))
    }

    /// Writes the mapping out where members have another name: the values on the wire stay as they are.
    fn discriminator(&self, schema: &mut Node) {
        let members = ["oneOf", "anyOf"]
            .iter()
            .filter_map(|key| schema.get(key)?.as_array())
            .flatten();
        let views: Vec<(String, String)> = members
            .filter_map(|member| Some((component(member.ref_target()?)?, self.view(member.ref_target()?)?)))
            .collect();
        let Some(discriminator) = schema.get_mut("discriminator") else {
            return;
        };
        let written = discriminator
            .get("mapping")
            .and_then(Node::as_object)
            .cloned()
            .unwrap_or_default();
        let mut mapping = written.clone();
        for target in mapping.values_mut() {
            if let Some(view) = target.as_str().and_then(|target| self.view(target)) {
                target.value = Value::String(view);
            }
        }
        for (name, view) in views {
            let named = written
                .values()
                .any(|target| target.as_str().and_then(component).as_ref() == Some(&name));
            if !named {
                mapping.insert(name, Node::new(view));
            }
        }
        if !mapping.is_empty() {
            discriminator.set("mapping", Node::new(mapping));
        }
    }

    fn drop_properties(&self, schema: &mut Node) -> Vec<String> {
        let mut dropped = Vec::new();
        if let Some(properties) = schema.get_mut("properties").and_then(Node::as_object_mut) {
            properties.retain(|name, property| {
                let drop = is_dropped(self.direction, property);
                if drop {
                    dropped.push(name.clone());
                }
                !drop
            });
        }
        dropped
    }
}

/// Writes a single branch that only demands properties into the schema's own list.
fn inline_demand(schema: &mut Node, key: &str) {
    let branch = schema
        .get(key)
        .and_then(Node::as_array)
        .and_then(|branches| branches.first())
        .and_then(Node::as_object);
    let demand = branch
        .filter(|members| members.len() == 1)
        .and_then(|members| members.get("required"))
        .cloned();
    let Some(Value::Array(names)) = demand.map(|demand| demand.value) else {
        return;
    };
    schema.remove(key);
    match schema.get_mut("required").and_then(Node::as_array_mut) {
        Some(required) => required.extend(names),
        None => schema.set("required", Node::new(names)),
    }
}

/// Takes dropped properties out of the lists and rules of the schema that had them.
fn forget(schema: &mut Node, dropped: &[String]) {
    let is_gone = |name: &Node| {
        name.as_str()
            .is_some_and(|name| dropped.iter().any(|dropped| dropped == name))
    };
    if let Some(required) = schema.get_mut("required").and_then(Node::as_array_mut) {
        required.retain(|name| !is_gone(name));
        if required.is_empty() {
            schema.remove("required");
        }
    }
    // A branch that demands what is never there can't be met, and one that forbids it is always met.
    let demands = |branch: &Node| {
        branch
            .get("required")
            .and_then(Node::as_array)
            .is_some_and(|required| required.iter().any(is_gone))
    };
    for key in ["oneOf", "anyOf"] {
        let Some(branches) = schema.get_mut(key).and_then(Node::as_array_mut) else {
            continue;
        };
        branches.retain(|branch| !demands(branch));
        branches.iter_mut().for_each(|branch| forget(branch, dropped));
        let left = branches.len();
        if left == 0 {
            schema.remove(key);
        } else if left == 1 {
            inline_demand(schema, key);
        }
    }
    if let Some(parts) = schema.get_mut("allOf").and_then(Node::as_array_mut) {
        parts.iter_mut().for_each(|part| forget(part, dropped));
        parts.retain(|part| part.as_object().is_none_or(|members| !members.is_empty()));
        if parts.is_empty() {
            schema.remove("allOf");
        }
    }
    if schema.get("not").is_some_and(demands) {
        schema.remove("not");
    }
    if let Some(rule) = schema.get_mut("not") {
        forget(rule, dropped);
        if rule.as_object().is_some_and(|members| members.is_empty()) {
            schema.remove("not");
        }
    }
    if schema.get("if").is_some_and(demands) {
        // Never met, so that only `else` judges.
        schema.remove("if");
        schema.remove("then");
        if let Some(part) = schema.remove("else") {
            let mut parts = vec![part];
            match schema.get_mut("allOf").and_then(Node::as_array_mut) {
                Some(all) => all.append(&mut parts),
                None => schema.set("allOf", Node::new(parts)),
            }
        }
    }
    for key in ["then", "else"] {
        if let Some(part) = schema.get_mut(key) {
            forget(part, dropped);
        }
    }
}
