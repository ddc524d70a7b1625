//! Class `read-only`: what a request carries and what a response carries become types of their own where they differ.
//!
//! A property marked `readOnly` is assigned by the platform: it is dropped from what requests carry. `writeOnly` is the
//! mirror. A component that both directions reach, and that holds such a property or refers to one that does, is split:
//! `Name` is what the platform sends, `NameRequest` what it receives. A component that one direction reaches is trimmed in
//! place. Afterwards no `readOnly` or `writeOnly` is left.
//!
//! Bodies of callbacks are what the platform sends; components that nothing reaches count as sent, as most of them
//! are notifications.

mod direction;
mod reach;
mod trim;

use std::collections::BTreeMap;

use crate::report::Report;
use crate::{Document, Node, Object, Pointer};

use direction::{Direction, each_body_mut};
use reach::Reach;
use trim::Trim;

/// Splits and trims; the findings name each component that was split.
pub(super) fn run(document: &mut Document, report: &mut Report) {
    mark_properties(document);
    let reach = Reach::of(document);
    let split = split_names(document, &reach);
    let request = Trim {
        direction: Direction::Request,
        renamed: &split,
    };
    let none = BTreeMap::new();
    let response = Trim {
        direction: Direction::Response,
        renamed: &none,
    };

    let mut relaxed = Vec::new();
    each_body_mut(&mut document.root, &mut |direction, pointer, schema| {
        let trim = if direction == Direction::Request {
            &request
        } else {
            &response
        };
        relaxed.extend(trim.apply(pointer, schema));
    });
    let place = Pointer::from_tokens(["components", "schemas"]);
    let Some(schemas) = document.root.pointer_mut(&place).and_then(Node::as_object_mut) else {
        return;
    };
    let mut settled = Object::with_capacity(schemas.len() + split.len());
    for (name, mut schema) in std::mem::take(schemas) {
        let pointer = place.child(&name);
        if let Some(request_name) = split.get(&name) {
            let mut view = schema.clone();
            relaxed.extend(request.apply(&place.child(request_name), &mut view));
            let defect = "requests and responses carry different properties";
            let repair = format!("requests carry \"{request_name}\"");
            report.add(schema.origin, &pointer, "read-only", defect, repair);
            response.apply(&pointer, &mut schema);
            settled.insert(name, schema);
            settled.insert(request_name.clone(), view);
        } else {
            let trim = if reach.requests.contains(&name) && !reach.responses.contains(&name) {
                &request
            } else {
                &response
            };
            relaxed.extend(trim.apply(&pointer, &mut schema));
            settled.insert(name, schema);
        }
    }
    *schemas = settled;
    for (origin, pointer) in relaxed {
        let defect = "forbids undeclared properties, but read-only ones may come back in a request";
        report.add_widened(
            origin,
            &pointer,
            "read-only",
            defect,
            "undeclared properties are ignored",
        );
    }
}

/// Marks properties whose schema is marked behind a reference, so that the marks are where they count.
fn mark_properties(document: &mut Document) {
    let mut marked = BTreeMap::new();
    crate::shape::each(&document.root, &mut |_, pointer, schema| {
        for (name, property) in schema
            .get("properties")
            .and_then(Node::as_object)
            .into_iter()
            .flatten()
        {
            let target = property.ref_target().and_then(|_| document.resolve(property));
            for mark in ["readOnly", "writeOnly"] {
                if target.is_some_and(|target| target.get(mark).and_then(Node::as_bool) == Some(true)) {
                    marked.insert(pointer.child("properties").child(name), mark);
                }
            }
        }
    });
    for (pointer, mark) in marked {
        if let Some(property) = document
            .root
            .pointer_mut(&pointer)
            .filter(|property| property.get(mark).is_none())
        {
            property.set(mark, Node::new(true));
        }
    }
}

/// The components that need two views, each with the name of its request view.
fn split_names(document: &Document, reach: &Reach) -> BTreeMap<String, String> {
    let schemas = document
        .root
        .pointer(&Pointer::from_tokens(["components", "schemas"]));
    let Some(schemas) = schemas.and_then(Node::as_object) else {
        return BTreeMap::new();
    };
    let mut names = BTreeMap::new();
    for name in schemas.keys() {
        if reach.differing.contains(name) && reach.requests.contains(name) && reach.responses.contains(name) {
            let candidates = ["Request", "RequestBody", "RequestView"]
                .iter()
                .map(|suffix| format!("{name}{suffix}"));
            let numbered = (2..).map(|number| format!("{name}Request{number}"));
            let free = |candidate: &String| !schemas.contains_key(candidate);
            names.extend(
                candidates
                    .chain(numbered)
                    .find(free)
                    .map(|request_name| (name.clone(), request_name)),
            );
        }
    }
    names
}
