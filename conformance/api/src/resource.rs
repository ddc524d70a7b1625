//! Paths as resources: which contains which, and which operation makes a member of which collection.

use std::collections::BTreeMap;

use crate::operation::{Operation, Status};
use crate::template::Template;

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Contains items: a path with a declared path of one more segment, a parameter; or one whose POST answers 201.
    Collection,
    /// One of a collection: its last segment is a parameter.
    Item,
    /// Anything else: a task, a singleton.
    Single,
}

/// A path with its operations.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The path template.
    pub path: Template,
    /// Indices of the operations by method.
    pub operations: BTreeMap<String, usize>,
    /// What it is.
    pub kind: Kind,
    /// For an item: the template of its collection (the path without the last segment), declared or not.
    pub collection: Option<String>,
    /// For an item: the operation that makes one, a POST at its collection that answers 201.
    pub maker: Option<usize>,
    /// For an item: the operation that makes one under an identifier of the client's, a PUT that answers 201.
    pub upsert: Option<usize>,
    /// For a collection: the template of its items.
    pub items: Option<String>,
}

impl Resource {
    /// The index of the operation of a method.
    pub fn operation(&self, method: &str) -> Option<usize> {
        self.operations.get(method).copied()
    }

    /// The declared methods, and `HEAD` where `GET` is.
    pub fn allows(&self, method: &str) -> bool {
        self.operations.contains_key(method) || (method == "HEAD" && self.operations.contains_key("GET"))
    }
}

/// The resources of operations, in the order in which their paths come first.
pub(crate) fn resources(operations: &[Operation]) -> Vec<Resource> {
    let mut paths: Vec<&Template> = Vec::new();
    for operation in operations {
        if !paths.contains(&&operation.path) {
            paths.push(&operation.path);
        }
    }
    paths
        .iter()
        .map(|path| resource(path, &paths, operations))
        .collect()
}

fn resource(path: &Template, paths: &[&Template], operations: &[Operation]) -> Resource {
    let of = |template: &str| {
        let here = operations
            .iter()
            .filter(|operation| operation.path.text() == template);
        here.map(|operation| (operation.method.clone(), operation.index))
            .collect::<BTreeMap<_, _>>()
    };
    let makes = |method: &str, template: &str| {
        let operation = of(template).get(method).copied()?;
        operations[operation]
            .responses
            .iter()
            .any(|response| response.status == Status::Code(201))
            .then_some(operation)
    };
    let creates = |template: &str| makes("POST", template);
    let items = paths
        .iter()
        .find(|other| other.last_parameter().is_some() && other.parent() == Some(path.text()))
        .map(|other| other.text().to_owned());
    let collection = path.last_parameter().and(path.parent()).map(str::to_owned);
    let maker = collection.as_deref().and_then(creates);
    let upsert = collection.as_ref().and_then(|_| makes("PUT", path.text()));
    let kind = if collection.is_some() {
        Kind::Item
    } else if items.is_some() || creates(path.text()).is_some() {
        Kind::Collection
    } else {
        Kind::Single
    };
    Resource {
        path: path.clone(),
        operations: of(path.text()),
        kind,
        collection,
        maker,
        upsert,
        items,
    }
}
