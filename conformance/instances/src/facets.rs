//! What a set of schemas demands of one value, merged, with every choice that they leave taken.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Number, Value};

use crate::chooser::Chooser;
use crate::model::{Contains, Model, Node, NodeId, Types};
use crate::numbers;
use crate::sites::Fork;

/// A schema that must hold, or must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Demand {
    Hold(NodeId),
    Fail(NodeId),
}

/// A lower or upper limit.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    pub(crate) value: Number,
    pub(crate) exclusive: bool,
}

/// Everything that is demanded of one value.
#[derive(Clone, Debug)]
pub(crate) struct Facets {
    pub(crate) types: Types,
    /// The types that keywords speak of, for schemas without `type`.
    pub(crate) hinted: Types,
    pub(crate) allowed: Option<Vec<Value>>,
    pub(crate) extensible: Vec<Value>,
    pub(crate) excluded: Vec<Value>,
    pub(crate) lower: Option<Limit>,
    pub(crate) upper: Option<Limit>,
    pub(crate) steps: Vec<Number>,
    pub(crate) min_length: u64,
    pub(crate) max_length: Option<u64>,
    pub(crate) patterns: Vec<String>,
    pub(crate) formats: Vec<String>,
    pub(crate) examples: Vec<Value>,
    pub(crate) min_items: u64,
    pub(crate) max_items: Option<u64>,
    pub(crate) unique: bool,
    pub(crate) prefix: BTreeMap<usize, Vec<Demand>>,
    pub(crate) items: Vec<Demand>,
    pub(crate) contains: Vec<(Demand, u64)>,
    pub(crate) properties: BTreeMap<String, Vec<Demand>>,
    /// The nodes that are asked which schemas a property's name has.
    pub(crate) objects: Vec<NodeId>,
    pub(crate) required: BTreeSet<String>,
    pub(crate) forbidden: BTreeSet<String>,
    pub(crate) dependents: BTreeMap<String, Vec<String>>,
    pub(crate) names: Vec<Demand>,
    pub(crate) min_properties: u64,
    pub(crate) max_properties: Option<u64>,
    pub(crate) impossible: bool,
}

impl Default for Facets {
    fn default() -> Facets {
        Facets {
            types: Types::ALL,
            hinted: Types(0),
            allowed: None,
            extensible: Vec::new(),
            excluded: Vec::new(),
            lower: None,
            upper: None,
            steps: Vec::new(),
            min_length: 0,
            max_length: None,
            patterns: Vec::new(),
            formats: Vec::new(),
            examples: Vec::new(),
            min_items: 0,
            max_items: None,
            unique: false,
            prefix: BTreeMap::new(),
            items: Vec::new(),
            contains: Vec::new(),
            properties: BTreeMap::new(),
            objects: Vec::new(),
            required: BTreeSet::new(),
            forbidden: BTreeSet::new(),
            dependents: BTreeMap::new(),
            names: Vec::new(),
            min_properties: 0,
            max_properties: None,
            impossible: false,
        }
    }
}

/// Merges schemas, asking the chooser wherever they leave a choice; `None` if they contradict each other.
pub(crate) fn fold(model: &Model, demands: &[Demand], chooser: &mut Chooser<'_>) -> Option<Facets> {
    let mut facets = Facets::default();
    let mut seen = BTreeSet::new();
    let mut pending: Vec<Demand> = demands.iter().rev().copied().collect();
    while let Some(demand) = pending.pop() {
        if !seen.insert(demand) {
            continue;
        }
        match demand {
            Demand::Hold(id) => {
                facets.take(model, id);
                let inner = inner_demands(model, id, &facets, chooser);
                pending.extend(inner.into_iter().rev());
            }
            Demand::Fail(id) => crate::negate::negate(model, id, &mut facets, &mut pending, chooser),
        }
        if facets.contradicts(model) {
            return None;
        }
    }
    Some(facets)
}

/// Merges the own keywords of nodes that are known to apply, without any choice.
pub(crate) fn of_nodes(model: &Model, nodes: &[NodeId]) -> Facets {
    let mut facets = Facets::default();
    for id in nodes {
        facets.take(model, *id);
    }
    facets
}

fn inner_demands(model: &Model, id: NodeId, facets: &Facets, chooser: &mut Chooser<'_>) -> Vec<Demand> {
    let node = &model[id];
    let mut inner: Vec<Demand> = node
        .reference
        .iter()
        .chain(&node.all_of)
        .map(|id| Demand::Hold(*id))
        .collect();
    if !node.any_of.is_empty() {
        let index = chooser.choose(Some(Fork::AnyOf(id)), node.any_of.len());
        inner.push(Demand::Hold(node.any_of[index]));
    }
    if !node.one_of.is_empty() {
        // Each alternative first as it is, then with all others explicitly excluded.
        let count = node.one_of.len();
        let choice = chooser.choose(Some(Fork::OneOf(id)), count * 2);
        inner.push(Demand::Hold(node.one_of[choice % count]));
        if choice >= count {
            let others = node
                .one_of
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != choice % count);
            inner.extend(others.map(|(_, other)| Demand::Fail(*other)));
        }
    }
    inner.extend(node.not.map(Demand::Fail));
    if let Some(condition) = node.condition {
        if chooser.choose(Some(Fork::If(id)), 2) == 0 {
            inner.push(Demand::Hold(condition));
            inner.extend(node.then.map(Demand::Hold));
        } else {
            inner.push(Demand::Fail(condition));
            inner.extend(node.otherwise.map(Demand::Hold));
        }
    }
    for (name, schema) in &node.dependent_schemas {
        if facets.required.contains(name) || chooser.choose(None, 2) == 1 {
            inner.push(Demand::Hold(*schema));
        }
    }
    inner
}

impl Facets {
    /// Adds the node's own keywords.
    fn take(&mut self, model: &Model, id: NodeId) {
        let node = &model[id];
        if node.boolean == Some(false) {
            self.impossible = true;
        }
        if let Some(types) = node.types {
            self.types = self.types.and(types);
        }
        self.hinted = self.hinted.or(node.hinted());
        self.take_values(node);
        self.min_length = self.min_length.max(node.min_length.unwrap_or(0));
        self.max_length = least(self.max_length, node.max_length);
        self.patterns
            .extend(node.pattern.iter().map(|pattern| pattern.source.clone()));
        self.formats.extend(node.format_name.clone());
        self.min_items = self.min_items.max(node.min_items.unwrap_or(0));
        self.max_items = least(self.max_items, node.max_items);
        self.unique |= node.unique;
        for (index, schema) in node.prefix.iter().enumerate() {
            self.prefix.entry(index).or_default().push(Demand::Hold(*schema));
        }
        self.items
            .extend(node.items.or(node.unevaluated_items).map(Demand::Hold));
        if let Some(Contains { node, min, .. }) = node.contains {
            self.contains.push((Demand::Hold(node), min));
        }
        self.take_object(node, id);
    }

    fn take_values(&mut self, node: &Node) {
        let listed = node
            .constant
            .as_ref()
            .map(std::slice::from_ref)
            .or(node.enumeration.as_deref());
        if let Some(listed) = listed {
            self.allow(listed);
        }
        self.extensible.extend(node.extensible.iter().flatten().cloned());
        self.examples.extend(node.examples.iter().cloned());
        for (value, exclusive) in [(&node.minimum, false), (&node.exclusive_minimum, true)] {
            if let Some(value) = value {
                self.raise(value.clone(), exclusive);
            }
        }
        for (value, exclusive) in [(&node.maximum, false), (&node.exclusive_maximum, true)] {
            if let Some(value) = value {
                self.cap(value.clone(), exclusive);
            }
        }
        self.steps.extend(node.multiple_of.clone());
    }

    fn take_object(&mut self, node: &Node, id: NodeId) {
        for (name, schema) in &node.properties {
            self.properties
                .entry(name.clone())
                .or_default()
                .push(Demand::Hold(*schema));
        }
        self.objects.push(id);
        self.required.extend(node.required.iter().cloned());
        for (name, wanted) in &node.dependent_required {
            self.dependents
                .entry(name.clone())
                .or_default()
                .extend(wanted.iter().cloned());
        }
        self.names.extend(node.names.map(Demand::Hold));
        self.min_properties = self.min_properties.max(node.min_properties.unwrap_or(0));
        self.max_properties = least(self.max_properties, node.max_properties);
    }

    /// Only these values are left.
    pub(crate) fn allow(&mut self, listed: &[Value]) {
        self.allowed = Some(match self.allowed.take() {
            None => listed.to_vec(),
            Some(before) => before
                .into_iter()
                .filter(|value| listed.iter().any(|other| numbers::equal(value, other)))
                .collect(),
        });
    }

    /// Numbers are at least this.
    pub(crate) fn raise(&mut self, value: Number, exclusive: bool) {
        let higher = self.lower.as_ref().is_none_or(|limit| {
            let order = numbers::compare(&value, &limit.value);
            order.is_gt() || (order.is_eq() && exclusive)
        });
        if higher {
            self.lower = Some(Limit { value, exclusive });
        }
    }

    /// Numbers are at most this.
    pub(crate) fn cap(&mut self, value: Number, exclusive: bool) {
        let lower = self.upper.as_ref().is_none_or(|limit| {
            let order = numbers::compare(&value, &limit.value);
            order.is_lt() || (order.is_eq() && exclusive)
        });
        if lower {
            self.upper = Some(Limit { value, exclusive });
        }
    }

    /// Whether nothing can satisfy this; found early where that is cheap.
    fn contradicts(&self, model: &Model) -> bool {
        self.impossible
            || self.types == Types(0)
            || self
                .allowed
                .as_ref()
                .is_some_and(|values| !values.iter().any(|value| self.leaves(value)))
            || (self.types == Types::OBJECT && self.contradicts_as_object(model))
    }

    fn leaves(&self, value: &Value) -> bool {
        self.types.intersects(Types::of(value))
            && !self.excluded.iter().any(|other| numbers::equal(other, value))
    }

    fn contradicts_as_object(&self, model: &Model) -> bool {
        self.required.intersection(&self.forbidden).next().is_some()
            || self.required.iter().any(|name| {
                self.properties
                    .get(name)
                    .is_some_and(|demands| scalars_contradict(model, demands))
            })
    }

    /// The demands on a property, `None` if the object may not have it.
    pub(crate) fn property(&self, model: &Model, name: &str) -> Option<Vec<Demand>> {
        let mut demands = self.properties.get(name).cloned().unwrap_or_default();
        for id in &self.objects {
            let node = &model[*id];
            if !node.properties.contains_key(name) || !node.patterns.is_empty() {
                demands.extend(node.children(name).into_iter().map(Demand::Hold));
            }
        }
        let mut seen = BTreeSet::new();
        demands.retain(|demand| seen.insert(*demand));
        let closed = demands
            .iter()
            .any(|demand| matches!(demand, Demand::Hold(id) if model[*id].boolean == Some(false)));
        (!closed && !self.forbidden.contains(name)).then_some(demands)
    }
}

/// Whether the values that direct `const` and `enum` leave contradict each other.
fn scalars_contradict(model: &Model, demands: &[Demand]) -> bool {
    let mut facets = Facets::default();
    for demand in demands {
        let (Demand::Hold(id) | Demand::Fail(id)) = *demand;
        let node = std::iter::successors(Some(id), |id| model[*id].reference)
            .take(8)
            .last()
            .map(|id| &model[id]);
        let Some(node) = node else { continue };
        let listed = node
            .constant
            .as_ref()
            .map(std::slice::from_ref)
            .or(node.enumeration.as_deref());
        match (demand, listed) {
            (Demand::Hold(_), Some(listed)) => facets.allow(listed),
            (Demand::Fail(_), Some(listed)) => facets.excluded.extend(listed.iter().cloned()),
            _ => {}
        }
    }
    facets
        .allowed
        .as_ref()
        .is_some_and(|values| !values.iter().any(|value| facets.leaves(value)))
}

pub(crate) fn least(left: Option<u64>, right: Option<u64>) -> Option<u64> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}
