//! Class `no-success-response`: operations that no overlay gave a response that tells of success.
//!
//! Where a method changes something, 204 is added: success without content promises least. A GET or HEAD without
//! success has nothing to give and is a fault.

use crate::repair::response::has_success;
use crate::report::Report;
use crate::shape::{Kind, each_mut};
use crate::{Diagnostic, Document, Node, Origin, Pointer};

/// Adds what is missing; returns the operations for which nothing can be added.
pub(super) fn run(document: &mut Document, report: &mut Report) -> Vec<Diagnostic> {
    let mut left: Vec<(Origin, Pointer)> = Vec::new();
    each_mut(&mut document.root, &mut |kind, pointer, operation| {
        if kind != Kind::Operation || has_success(operation) {
            return;
        }
        match pointer.last().as_deref() {
            Some("post" | "put" | "patch" | "delete") => add(pointer, operation, report),
            _ => left.push((operation.origin, pointer.clone())),
        }
    });
    let fault = |(origin, pointer): &(Origin, Pointer)| {
        let message = "an operation that reads has no response that tells of success";
        Diagnostic::at_origin(document, *origin, pointer, message).help("give it one in an overlay")
    };
    left.iter().map(fault).collect()
}

fn add(pointer: &Pointer, operation: &mut Node, report: &mut Report) {
    let defect = "an operation without a success response, and no overlay gives one";
    report.add_widened(
        operation.origin,
        pointer,
        "no-success-response",
        defect,
        "204 added",
    );
    if operation.get("responses").and_then(Node::as_object).is_none() {
        operation.set("responses", Node::object());
    }
    let mut response = Node::object();
    response.set("description", Node::new("No content"));
    if let Some(responses) = operation.get_mut("responses") {
        responses.set("204", response);
    }
}
