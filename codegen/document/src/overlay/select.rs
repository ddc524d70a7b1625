//! Evaluates a JSONPath over a tree of nodes.

use std::cmp::Ordering;

use indexmap::IndexSet;

use crate::{Node, Pointer, Value};

use super::jsonpath::{Comparison, Expression, Operand, Path, Segment, Selector, Start};

/// The places below `root` that `path` matches, each once, in the order of the document.
pub(super) fn select(path: &Path, root: &Node) -> Vec<Pointer> {
    let places: IndexSet<Pointer> = walk(&path.segments, (Pointer::root(), root), root)
        .into_iter()
        .map(|(place, _)| place)
        .collect();
    places.into_iter().collect()
}

type Match<'tree> = (Pointer, &'tree Node);

fn walk<'tree>(segments: &[Segment], start: Match<'tree>, root: &'tree Node) -> Vec<Match<'tree>> {
    let mut current = vec![start];
    for segment in segments {
        let mut next = Vec::new();
        for found in current {
            match segment {
                Segment::Child(selectors) => children(selectors, &found, root, &mut next),
                Segment::Descendant(selectors) => descend(selectors, &found, root, &mut next),
            }
        }
        current = next;
    }
    current
}

fn descend<'tree>(
    selectors: &[Selector],
    parent: &Match<'tree>,
    root: &'tree Node,
    found: &mut Vec<Match<'tree>>,
) {
    children(selectors, parent, root, found);
    for child in all_children(parent) {
        descend(selectors, &child, root, found);
    }
}

fn children<'tree>(
    selectors: &[Selector],
    parent: &Match<'tree>,
    root: &'tree Node,
    found: &mut Vec<Match<'tree>>,
) {
    let (place, node) = parent;
    for selector in selectors {
        match selector {
            Selector::Name(name) => {
                found.extend(node.get(name).map(|child| (place.child(name), child)));
            }
            Selector::Index(index) => {
                let elements = node.as_array().unwrap_or_default();
                let index = usize::try_from(*index).ok().or_else(|| {
                    elements
                        .len()
                        .checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
                });
                if let Some((index, child)) =
                    index.and_then(|index| elements.get(index).map(|child| (index, child)))
                {
                    found.push((place.index(index), child));
                }
            }
            Selector::Wildcard => found.extend(all_children(parent)),
            Selector::Filter(expression) => {
                found.extend(
                    all_children(parent)
                        .into_iter()
                        .filter(|(_, child)| holds(expression, child, root)),
                );
            }
        }
    }
}

fn all_children<'tree>((place, node): &Match<'tree>) -> Vec<Match<'tree>> {
    match &node.value {
        Value::Object(object) => object
            .iter()
            .map(|(key, child)| (place.child(key), child))
            .collect(),
        Value::Array(array) => array
            .iter()
            .enumerate()
            .map(|(index, child)| (place.index(index), child))
            .collect(),
        _ => Vec::new(),
    }
}

fn holds(expression: &Expression, current: &Node, root: &Node) -> bool {
    match expression {
        Expression::Any(parts) => parts.iter().any(|part| holds(part, current, root)),
        Expression::All(parts) => parts.iter().all(|part| holds(part, current, root)),
        Expression::Not(part) => !holds(part, current, root),
        Expression::Exists(start, path) => !query(*start, path, current, root).is_empty(),
        Expression::Compare(left, comparison, right) => {
            let (left, right) = (value(left, current, root), value(right, current, root));
            compare(left, *comparison, right)
        }
    }
}

fn query<'tree>(start: Start, path: &Path, current: &'tree Node, root: &'tree Node) -> Vec<Match<'tree>> {
    let node = match start {
        Start::Current => current,
        Start::Root => root,
    };
    walk(&path.segments, (Pointer::root(), node), root)
}

/// The value of one side of a comparison; `None` where its path matches nothing or several nodes.
fn value<'tree>(operand: &'tree Operand, current: &'tree Node, root: &'tree Node) -> Option<&'tree Node> {
    match operand {
        Operand::Literal(node) => Some(node),
        Operand::Query(start, path) => match query(*start, path, current, root).as_slice() {
            [(_, node)] => Some(node),
            _ => None,
        },
    }
}

/// RFC 9535, clause 2.3.5.2.2: two absent values are equal, an absent one differs from every value.
fn compare(left: Option<&Node>, comparison: Comparison, right: Option<&Node>) -> bool {
    let ordering = match (left.map(|node| &node.value), right.map(|node| &node.value)) {
        (Some(Value::String(left)), Some(Value::String(right))) => Some(left.cmp(right)),
        (Some(Value::Number(left)), Some(Value::Number(right))) => left
            .as_f64()
            .zip(right.as_f64())
            .and_then(|(left, right)| left.partial_cmp(&right)),
        _ => None,
    };
    match comparison {
        Comparison::Equal => left == right || ordering == Some(Ordering::Equal),
        Comparison::NotEqual => !(left == right || ordering == Some(Ordering::Equal)),
        Comparison::Less => ordering == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => ordering == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
    }
}
