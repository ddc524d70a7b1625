//! Valid instances that between them reach every schema and take every alternative that can be reached or taken.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cases::ValidKind;
use crate::generate::{Inclusion, Plan};
use crate::model::NodeId;
use crate::schema::Inner;
use crate::sites::{Fork, Walk};

/// One of the instances.
#[derive(Debug)]
pub(crate) struct Witness {
    pub(crate) value: Value,
    pub(crate) walk: Walk,
    pub(crate) kind: ValidKind,
    pub(crate) what: String,
    pub(crate) schema_pointer: String,
    pub(crate) instance_pointer: String,
    /// Length of the serialised value.
    pub(crate) size: usize,
}

/// All of them, in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Witnesses {
    pub(crate) list: Vec<Witness>,
    nodes: BTreeSet<NodeId>,
    outcomes: BTreeSet<(Fork, usize)>,
}

/// No schema needs more of them.
const MOST: usize = 160;

impl Witnesses {
    pub(crate) fn gather(schema: &Inner) -> Witnesses {
        let mut witnesses = Witnesses::default();
        let minimal = Plan::default();
        witnesses.try_plan(
            schema,
            &minimal,
            ValidKind::Minimal,
            "only what is required",
            &schema.pointer,
        );
        let full = Plan {
            inclusion: Inclusion::All,
            ..Plan::default()
        };
        witnesses.try_plan(
            schema,
            &full,
            ValidKind::Full,
            "every optional property that may stand together",
            &schema.pointer,
        );
        for turn in &schema.routes.turns {
            if witnesses.list.len() < MOST && !witnesses.outcomes.contains(&(turn.fork, turn.index)) {
                let (what, rule) = describe(schema, turn.fork, turn.index, &turn.path);
                let wanted = (!turn.path.is_empty()).then(|| turn.path.clone());
                let plan = Plan {
                    wishes: turn.wishes.clone(),
                    wanted,
                    ..Plan::default()
                };
                witnesses.try_plan(schema, &plan, ValidKind::Branch, &what, &rule);
            }
        }
        for route in &schema.routes.routes {
            if witnesses.list.len() < MOST && !witnesses.nodes.contains(&route.node) {
                let pointer = &schema.model[route.node].pointer;
                let wanted = (!route.path.is_empty()).then(|| route.path.clone());
                let plan = Plan {
                    wishes: route.wishes.clone(),
                    wanted,
                    ..Plan::default()
                };
                let what = format!("{} is there", named(&route.path));
                witnesses.try_plan(schema, &plan, ValidKind::Branch, &what, pointer);
            }
        }
        witnesses
    }

    fn try_plan(&mut self, schema: &Inner, plan: &Plan, kind: ValidKind, what: &str, rule: &str) {
        let Some(value) = schema.generate(plan, None) else {
            return;
        };
        if self.list.iter().any(|witness| witness.value == value) || !schema.options.permits_all(&value) {
            return;
        }
        let walk = schema.model.walk(&value);
        let news =
            walk.places.keys().any(|id| !self.nodes.contains(id)) || !walk.outcomes.is_subset(&self.outcomes);
        if !news && kind == ValidKind::Branch {
            return;
        }
        self.nodes.extend(walk.places.keys());
        self.outcomes.extend(&walk.outcomes);
        let instance_pointer = plan
            .wanted
            .clone()
            .filter(|place| value.pointer(place).is_some())
            .unwrap_or_default();
        let size = value.to_string().len();
        let (what, schema_pointer) = (what.to_owned(), rule.to_owned());
        self.list.push(Witness {
            value,
            walk,
            kind,
            what,
            schema_pointer,
            instance_pointer,
            size,
        });
    }

    /// The instances in which a node applies, smallest first.
    pub(crate) fn with(&self, node: NodeId) -> Vec<&Witness> {
        let mut found: Vec<&Witness> = self
            .list
            .iter()
            .filter(|witness| witness.walk.places.contains_key(&node))
            .collect();
        found.sort_by_key(|witness| witness.size);
        found
    }
}

/// A place in words.
pub(crate) fn named(path: &str) -> &str {
    if path.is_empty() { "the value" } else { path }
}

fn describe(schema: &Inner, fork: Fork, index: usize, path: &str) -> (String, String) {
    let place = named(path);
    let pointer = |id: NodeId| &schema.model[id].pointer;
    match fork {
        Fork::AnyOf(id) => (
            format!("alternative {} of anyOf of {place}", index + 1),
            format!("{}/anyOf/{index}", pointer(id)),
        ),
        Fork::OneOf(id) => (
            format!("alternative {} of oneOf of {place}", index + 1),
            format!("{}/oneOf/{index}", pointer(id)),
        ),
        Fork::If(id) if index == 0 => (
            format!("the condition of {place} holds"),
            format!("{}/if", pointer(id)),
        ),
        Fork::If(id) => (
            format!("the condition of {place} does not hold"),
            format!("{}/if", pointer(id)),
        ),
        Fork::Type(id) => (
            format!("another type for {place}"),
            format!("{}/type", pointer(id)),
        ),
    }
}
