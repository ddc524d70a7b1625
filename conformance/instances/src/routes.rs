//! The ways from the root to every schema: which properties and alternatives lead there, and what can be violated on arrival.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::chooser::Wishes;
use crate::model::{Model, Node, NodeId, ROOT, Types};
use crate::options::{Binding, Direction, Options};
use crate::pointer;
use crate::sites::{self, Fork};

/// A keyword that an instance can violate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Constraint {
    /// JSON pointer of the keyword in the document (for `required` and `dependentRequired`: of the name in the list); unique.
    pub schema_pointer: String,
    /// The keyword.
    pub keyword: String,
    /// Where in an instance it applies first: a JSON pointer in which `*` stands for any item or further property.
    /// For `required` it is the place of the property.
    pub path: String,
}

/// A way to a node.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) node: NodeId,
    /// Instance pointer with `*`.
    pub(crate) path: String,
    pub(crate) wishes: Wishes,
    /// Inside an alternative that only says which properties are there.
    selector: bool,
}

/// A choice that can be taken, and the way to it.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) fork: Fork,
    pub(crate) index: usize,
    pub(crate) path: String,
    pub(crate) wishes: Wishes,
}

/// All ways of a model.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// Up to two ways to each node, shortest first.
    pub(crate) routes: Vec<Route>,
    pub(crate) turns: Vec<Turn>,
    pub(crate) constraints: Vec<Constraint>,
}

/// How many ways to one node are kept.
const WAYS: usize = 2;

impl Routes {
    /// Finds the ways through a model, leaving out what the options say is never generated.
    pub(crate) fn find(model: &Model, options: &Options) -> Routes {
        let mut routes = Routes::default();
        let mut visits: BTreeMap<NodeId, usize> = BTreeMap::new();
        let mut known = BTreeSet::new();
        let start = Route {
            node: ROOT,
            path: String::new(),
            wishes: Wishes::new(),
            selector: false,
        };
        let mut queue = VecDeque::from([start]);
        while let Some(route) = queue.pop_front() {
            let count = visits.entry(route.node).or_default();
            *count += 1;
            if *count > WAYS {
                continue;
            }
            let node = &model[route.node];
            if *count == 1 && !route.selector {
                for constraint in constraints(model, node, &route.path) {
                    if known.insert(constraint.schema_pointer.clone()) {
                        routes.constraints.push(constraint);
                    }
                }
            }
            if *count == 1 {
                routes.turns.extend(turns(node, &route));
            }
            queue.extend(onward(model, node, &route, options));
            routes.routes.push(route);
        }
        routes
    }
}

fn turns(node: &Node, route: &Route) -> Vec<Turn> {
    let id = route.node;
    let mut forks: Vec<(Fork, usize)> = Vec::new();
    if let Some(types) = node.types.filter(|types| sites::is_choice(*types)) {
        forks.extend(
            sites::single_types(types)
                .into_iter()
                .map(|one| (Fork::Type(id), usize::from(one.0))),
        );
    }
    forks.extend((0..node.any_of.len()).map(|index| (Fork::AnyOf(id), index)));
    forks.extend((0..node.one_of.len()).map(|index| (Fork::OneOf(id), index)));
    if node.condition.is_some() {
        forks.extend([(Fork::If(id), 0), (Fork::If(id), 1)]);
    }
    let turn = |(fork, index)| {
        let mut wishes = route.wishes.clone();
        wishes.insert(fork, index);
        Turn {
            fork,
            index,
            path: route.path.clone(),
            wishes,
        }
    };
    forks.into_iter().map(turn).collect()
}

fn onward(model: &Model, node: &Node, route: &Route, options: &Options) -> Vec<Route> {
    let id = route.node;
    let mut next = Vec::new();
    let here = |node: NodeId| Route {
        node,
        ..route.clone()
    };
    let chosen = |node: NodeId, fork: Fork, index: usize| {
        let mut wishes = route.wishes.clone();
        wishes.insert(fork, index);
        Route {
            node,
            wishes,
            path: route.path.clone(),
            selector: route.selector || model.is_selector(node, 0),
        }
    };
    next.extend(
        node.reference
            .iter()
            .chain(&node.all_of)
            .map(|inner| here(*inner)),
    );
    next.extend(
        node.any_of
            .iter()
            .enumerate()
            .map(|(index, inner)| chosen(*inner, Fork::AnyOf(id), index)),
    );
    next.extend(
        node.one_of
            .iter()
            .enumerate()
            .map(|(index, inner)| chosen(*inner, Fork::OneOf(id), index)),
    );
    next.extend(node.then.map(|inner| Route {
        selector: route.selector,
        ..chosen(inner, Fork::If(id), 0)
    }));
    next.extend(node.otherwise.map(|inner| Route {
        selector: route.selector,
        ..chosen(inner, Fork::If(id), 1)
    }));
    next.extend(node.dependent_schemas.values().map(|inner| here(*inner)));
    let further = |node: NodeId, step: &str| Route {
        node,
        path: pointer::child(&route.path, step),
        wishes: route.wishes.clone(),
        selector: false,
    };
    for (name, inner) in &node.properties {
        let place = pointer::child(&route.path, name);
        if !is_barred(model, *inner, &place, options) {
            next.push(further(*inner, name));
        }
    }
    next.extend(
        node.prefix
            .iter()
            .enumerate()
            .map(|(index, inner)| further(*inner, &index.to_string())),
    );
    let rest = node
        .items
        .iter()
        .chain(&node.unevaluated_items)
        .chain(&node.additional)
        .chain(&node.unevaluated);
    next.extend(
        rest.chain(node.patterns.iter().map(|(_, inner)| inner))
            .map(|inner| further(*inner, "*")),
    );
    next.retain(|route| model[route.node].boolean.is_none() || route.path.is_empty());
    next
}

fn is_barred(model: &Model, id: NodeId, place: &str, options: &Options) -> bool {
    let read_only = std::iter::successors(Some(id), |id| model[*id].reference)
        .take(8)
        .any(|id| model[id].read_only);
    (read_only && options.direction == Direction::Request)
        || options.at(place).any(|binding| *binding == Binding::Absent)
}

/// The node's own keywords that can be violated.
fn constraints(model: &Model, node: &Node, path: &str) -> Vec<Constraint> {
    let mut found = Vec::new();
    let mut add = |holds: bool, keyword: &str| {
        if holds {
            let schema_pointer = format!("{}/{keyword}", node.pointer);
            found.push(Constraint {
                schema_pointer,
                keyword: keyword.to_owned(),
                path: path.to_owned(),
            });
        }
    };
    let is_false = |id: Option<NodeId>| id.is_some_and(|id| model[id].boolean == Some(false));
    add(node.types.is_some_and(|types| types != Types::ALL), "type");
    add(node.constant.is_some(), "const");
    add(node.enumeration.is_some(), "enum");
    add(node.minimum.is_some(), "minimum");
    add(node.maximum.is_some(), "maximum");
    add(node.exclusive_minimum.is_some(), "exclusiveMinimum");
    add(node.exclusive_maximum.is_some(), "exclusiveMaximum");
    add(node.multiple_of.is_some(), "multipleOf");
    add(node.min_length.is_some_and(|min| min > 0), "minLength");
    add(node.max_length.is_some(), "maxLength");
    add(node.pattern.is_some(), "pattern");
    add(node.format.is_some(), "format");
    add(node.min_items.is_some_and(|min| min > 0), "minItems");
    add(node.max_items.is_some(), "maxItems");
    add(node.unique, "uniqueItems");
    add(node.contains.is_some(), "contains");
    add(node.min_properties.is_some_and(|min| min > 0), "minProperties");
    add(node.max_properties.is_some(), "maxProperties");
    add(is_false(node.additional), "additionalProperties");
    add(is_false(node.unevaluated), "unevaluatedProperties");
    add(is_false(node.unevaluated_items), "unevaluatedItems");
    add(node.names.is_some(), "propertyNames");
    add(!node.any_of.is_empty(), "anyOf");
    add(!node.one_of.is_empty(), "oneOf");
    add(node.not.is_some(), "not");
    found.extend(presence(node, path));
    found
}

/// One constraint for every name that must be there.
fn presence(node: &Node, path: &str) -> Vec<Constraint> {
    let rule = |list: &str, keyword: &str, index: usize, name: &str| Constraint {
        schema_pointer: pointer::item(list, index),
        keyword: keyword.to_owned(),
        path: pointer::child(path, name),
    };
    let list = format!("{}/required", node.pointer);
    let mut found: Vec<Constraint> = node
        .required
        .iter()
        .enumerate()
        .map(|(index, name)| rule(&list, "required", index, name))
        .collect();
    for (trigger, wanted) in &node.dependent_required {
        let list = pointer::child(&format!("{}/dependentRequired", node.pointer), trigger);
        found.extend(
            wanted
                .iter()
                .enumerate()
                .map(|(index, name)| rule(&list, "dependentRequired", index, name)),
        );
    }
    found
}
