//! Classes `repeated-operation-id` and `misspelt-path`: names by which OpenAPI finds operations.
//!
//! Certain: two operations cannot have one id, and the later one is as well found by its path; our own names come
//! from method and path anyway. A path begins with a slash by definition, so one without has lost it.

use std::collections::HashSet;

use crate::report::Report;
use crate::shape::{Kind, each_mut};
use crate::{Document, Node, Pointer};

pub(super) fn run(document: &mut Document, report: &mut Report) {
    paths(document, report);
    let mut taken = HashSet::new();
    each_mut(&mut document.root, &mut |kind, pointer, operation| {
        let Some(name) = operation
            .str_at("operationId")
            .filter(|_| kind == Kind::Operation)
        else {
            return;
        };
        if taken.insert(name.to_owned()) {
            return;
        }
        let defect = format!("another operation has the id \"{name}\"");
        if let Some(name) = operation.remove("operationId") {
            let place = pointer.child("operationId");
            report.add(name.origin, &place, "repeated-operation-id", defect, "removed");
        }
    });
}

fn paths(document: &mut Document, report: &mut Report) {
    let Some(paths) = document.root.get_mut("paths").and_then(Node::as_object_mut) else {
        return;
    };
    let taken: HashSet<String> = paths.keys().cloned().collect();
    *paths = std::mem::take(paths)
        .into_iter()
        .map(|(path, item)| {
            let mended = format!("/{path}");
            if path.starts_with('/') || path.starts_with("x-") || taken.contains(&mended) {
                return (path, item);
            }
            let defect = format!("the path \"{path}\" does not begin with a slash");
            let place = Pointer::from_tokens(["paths", &path]);
            report.add(
                item.origin,
                &place,
                "misspelt-path",
                defect,
                format!("read as \"{mended}\""),
            );
            (mended, item)
        })
        .collect();
}
