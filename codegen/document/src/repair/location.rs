//! Class `missing-location`: responses 201 without a `Location` header.
//!
//! Certain: RFC 9110, clause 15.3.2, has the new resource identified by `Location`, and the standard's text asks for
//! the header wherever it says 201. Only operations of the API are looked at, not callbacks.

use crate::report::Report;
use crate::shape::{Kind, each};
use crate::{Document, Node, Object, Pointer};

pub(crate) fn run(document: &mut Document, report: &mut Report) {
    let mut found = Vec::new();
    each(&document.root, &mut |kind, pointer, operation| {
        if kind != Kind::Operation || pointer.as_str().contains("/callbacks/") {
            return;
        }
        let Some(response) = operation
            .get("responses")
            .and_then(|responses| responses.get("201"))
        else {
            return;
        };
        let place = match response.ref_target() {
            Some(target) => Pointer::parse(target),
            None => Some(pointer.child("responses").child("201")),
        };
        let headers = document
            .resolve(response)
            .and_then(|response| response.get("headers"))
            .and_then(Node::as_object);
        if !headers.is_some_and(|headers| headers.keys().any(|name| name.eq_ignore_ascii_case("location"))) {
            found.extend(place.filter(|place| !found.contains(place)));
        }
    });
    for place in found {
        let Some(response) = document.root.pointer_mut(&place) else {
            continue;
        };
        let defect = "a response 201 without the header \"Location\"";
        report.add(
            response.origin,
            &place,
            "missing-location",
            defect,
            "added, a required URI reference",
        );
        if response.get("headers").and_then(Node::as_object).is_none() {
            response.set("headers", Node::object());
        }
        if let Some(headers) = response.get_mut("headers") {
            headers.set("Location", location());
        }
    }
}

fn location() -> Node {
    let schema = [
        ("type", Node::new("string")),
        ("format", Node::new("uri-reference")),
    ];
    let schema: Object = schema
        .into_iter()
        .map(|(key, node)| (key.to_owned(), node))
        .collect();
    let mut header = Node::object();
    header.set("description", Node::new("URI of the created resource"));
    header.set("required", Node::new(true));
    header.set("schema", Node::new(schema));
    header
}
