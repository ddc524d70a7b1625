//! Ways to break `oneOf`, `anyOf` and `not`: none of the alternatives, several of them, or what must not be there.

use serde_json::{Map, Value};

use crate::breakers::Maker;
use crate::generate::{Generator, Plan};
use crate::model::NodeId;
use crate::pointer;

impl Maker<'_> {
    /// None or several of the alternatives, and what `not` forbids.
    pub(crate) fn combinations(&mut self, value: &Value) {
        for (keyword, branches) in [("anyOf", &self.node.any_of), ("oneOf", &self.node.one_of)] {
            if branches.is_empty() {
                continue;
            }
            let names = self.selected(branches);
            if let Value::Object(object) = value {
                let none: Map<String, Value> = object
                    .clone()
                    .into_iter()
                    .filter(|(name, _)| !names.contains(name))
                    .collect();
                let what = format!("{} has none of the alternatives of {keyword}", self.place());
                self.replace(keyword, what, Value::Object(none));
            }
            let none = format!("{} is none of the alternatives of {keyword}", self.place());
            for other in [
                Value::Null,
                Value::Bool(true),
                Value::from(1.5),
                Value::Array(Vec::new()),
                Value::from("a"),
            ] {
                self.replace(keyword, none.clone(), other);
            }
            self.discriminators(keyword, branches, value);
            if keyword == "oneOf" {
                for both in self.joined(branches, value) {
                    let what = format!("{} has several alternatives of oneOf", self.place());
                    self.replace(keyword, what, both);
                }
            }
        }
        if let Some(not) = self.node.not {
            for both in self.joined(&[not], value) {
                let what = format!("{} has what must not be there", self.place());
                self.replace("not", what, both);
            }
        }
    }

    /// A value of the property that tells the alternatives apart that none of them has.
    fn discriminators(&mut self, keyword: &'static str, branches: &[NodeId], value: &Value) {
        let model = &self.schema.model;
        let Value::Object(object) = value else { return };
        let Some(taken) = branches.iter().find(|branch| model.accepts(**branch, value)) else {
            return;
        };
        let resolved = std::iter::successors(Some(*taken), |id| model[*id].reference)
            .last()
            .unwrap_or(*taken);
        for (name, property) in &model[resolved].properties {
            let listed = model[*property].constant.is_some() || model[*property].enumeration.is_some();
            if listed && object.contains_key(name) {
                let mut other = object.clone();
                other.insert(name.clone(), Value::from("mecforge_unknown_value"));
                let what = format!(
                    "{} is none of the alternatives of {keyword}: unknown {name}",
                    self.place()
                );
                self.replace(keyword, what, Value::Object(other));
            }
        }
    }

    /// The names of the properties that the alternatives are told apart by.
    fn selected(&self, branches: &[NodeId]) -> Vec<String> {
        let model = &self.schema.model;
        let mut names = Vec::new();
        let mut pending: Vec<(NodeId, usize)> = branches.iter().map(|branch| (*branch, 0)).collect();
        while let Some((id, depth)) = pending.pop() {
            let node = &model[id];
            names.extend(node.required.iter().cloned());
            pending.extend(
                node.reference
                    .filter(|_| depth < 8)
                    .map(|inner| (inner, depth + 1)),
            );
            if depth < 4 && model.is_selector(id, 0) {
                let inner = node.all_of.iter().chain(&node.any_of).chain(&node.one_of);
                pending.extend(inner.map(|inner| (*inner, depth + 1)));
            }
        }
        names
    }

    /// The value with the properties that each of the schemas demands.
    fn joined(&self, schemas: &[NodeId], value: &Value) -> Vec<Value> {
        let Value::Object(object) = value else {
            return Vec::new();
        };
        let model = &self.schema.model;
        let plan = Plan::default();
        let mut found = Vec::new();
        for schema in schemas {
            let mut more = object.clone();
            for name in self.selected(&[*schema]) {
                if more.contains_key(&name) {
                    continue;
                }
                let here = pointer::child(self.place, &name);
                let schemas = self.demands(&name);
                let mut generator = Generator::new(model, &self.schema.options, &plan, None);
                if let Some(property) = generator.value(&schemas, &here) {
                    more.insert(name, property);
                }
            }
            let more = Value::Object(more);
            if more != *value && model.accepts(*schema, &more) {
                found.push(more);
            }
        }
        found
    }

    /// What is demanded of a property here, by this node and those that refer to it in place.
    fn demands(&self, name: &str) -> Vec<crate::facets::Demand> {
        let walk = &self.schema.witnesses().list;
        let own = self.node.children(name);
        let known = walk.iter().find_map(|witness| {
            let place = witness
                .walk
                .places
                .iter()
                .find(|(id, _)| self.schema.model[**id].pointer == self.node.pointer)?
                .1
                .first()?;
            let nodes = witness.walk.sites.get(place)?;
            let all: Vec<NodeId> = nodes
                .iter()
                .flat_map(|id| self.schema.model[*id].children(name))
                .collect();
            (!all.is_empty()).then_some(all)
        });
        known
            .unwrap_or(own)
            .into_iter()
            .map(crate::facets::Demand::Hold)
            .collect()
    }
}
