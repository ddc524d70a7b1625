//! Class `dead-link`: link objects that lead to no operation.
//!
//! Certain: a link is a hint for tools, and one to an operation that the document does not have hints at nothing.

use std::collections::HashSet;

use crate::report::Report;
use crate::shape::{Kind, each, each_mut};
use crate::{Document, Node, Pointer};

pub(super) fn run(document: &mut Document, report: &mut Report) {
    let mut operations = HashSet::new();
    let mut dead = HashSet::new();
    each(&document.root, &mut |kind, _, node| {
        if let (Kind::Operation, Some(name)) = (kind, node.str_at("operationId")) {
            operations.insert(name.to_owned());
        }
    });
    each(&document.root, &mut |kind, pointer, node| {
        if kind == Kind::Link {
            let link = document.resolve(node);
            let alive =
                link.is_some_and(
                    |link| match (link.str_at("operationId"), link.str_at("operationRef")) {
                        (Some(name), _) => operations.contains(name),
                        (None, Some(reference)) if reference.starts_with("#/") => Pointer::parse(reference)
                            .is_some_and(|place| document.root.pointer(&place).is_some()),
                        (None, reference) => reference.is_some(),
                    },
                );
            if !alive {
                dead.insert(pointer.clone());
            }
        }
    });
    each_mut(&mut document.root, &mut |kind, pointer, node| {
        if !matches!(kind, Kind::Response | Kind::Components) {
            return;
        }
        let place = pointer.child("links");
        let Some(links) = node.get_mut("links").and_then(Node::as_object_mut) else {
            return;
        };
        links.retain(|name, link| {
            let dead = dead.contains(&place.child(name));
            if dead {
                let defect = format!("the link \"{name}\" leads to no operation");
                report.add(link.origin, &place.child(name), "dead-link", defect, "removed");
            }
            !dead
        });
        if links.is_empty() {
            node.remove("links");
        }
    });
}
