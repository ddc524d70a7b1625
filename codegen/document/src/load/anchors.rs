//! Anchors and aliases of YAML: copies, of which there may be so many and no more.

use std::collections::HashMap;

use super::syntax::MAX_DEPTH;
use crate::{Node, Object, Value};

/// How many nodes all aliases of a text may stand for together.
const MAX_ALIASED_NODES: usize = 200_000;

/// What the anchors of a text name.
#[derive(Default)]
pub(super) struct Anchors {
    by_number: HashMap<usize, Anchored>,
    copied_nodes: usize,
}

/// What an anchor names, and what it costs to copy it.
struct Anchored {
    node: Node,
    nodes: usize,
    height: usize,
}

/// Why an alias is not replaced by what it stands for.
pub(super) enum Refusal {
    /// It stands inside of what it stands for.
    Circle,
    /// The copies would be too many, or nested too deep.
    TooMuch,
}

impl Refusal {
    pub(super) fn message(&self) -> &'static str {
        match self {
            Self::Circle => "the alias stands inside of what it stands for",
            Self::TooMuch => "the aliases stand for too much",
        }
    }

    pub(super) fn help(&self) -> String {
        match self {
            Self::Circle => String::new(),
            Self::TooMuch => {
                format!("at most {MAX_ALIASED_NODES} values, at most {MAX_DEPTH} levels deep, are read")
            }
        }
    }
}

impl Anchors {
    /// Notes what an anchor names.
    pub(super) fn name(&mut self, anchor: usize, node: &Node) {
        let (nodes, height) = measure(node);
        self.by_number.insert(
            anchor,
            Anchored {
                node: node.clone(),
                nodes,
                height,
            },
        );
    }

    /// What an anchor names, for an alias that stands `depth` levels deep.
    pub(super) fn copy(&mut self, anchor: usize, depth: usize) -> Result<Node, Refusal> {
        let anchored = self.by_number.get(&anchor).ok_or(Refusal::Circle)?;
        self.copied_nodes += anchored.nodes;
        match self.copied_nodes > MAX_ALIASED_NODES || depth + anchored.height > MAX_DEPTH {
            true => Err(Refusal::TooMuch),
            false => Ok(anchored.node.clone()),
        }
    }
}

/// The mappings that the value of `<<` names.
pub(super) fn merge_sources(node: Node) -> Option<Vec<Object>> {
    match node.value {
        Value::Object(object) => Some(vec![object]),
        Value::Array(items) => items
            .into_iter()
            .map(|item| match item.value {
                Value::Object(object) => Some(object),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// The number of nodes in a tree and its height.
fn measure(node: &Node) -> (usize, usize) {
    let add = |(nodes, height): (usize, usize), child: &Node| {
        let (more, higher) = measure(child);
        (nodes + more, height.max(higher + 1))
    };
    match &node.value {
        Value::Array(items) => items.iter().fold((1, 0), add),
        Value::Object(members) => members.values().fold((1, 0), add),
        _ => (1, 0),
    }
}
