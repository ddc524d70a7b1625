//! Which way the bodies of an API travel.

use crate::shape::{Kind, Shape, each, each_mut};
use crate::{Node, Pointer};

/// Who sends: the application (a request) or the platform (a response, a notification).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Response,
}

/// Shows `visit` each schema that stands outside of `components/schemas` and is no part of another schema.
pub(super) fn each_body_mut(root: &mut Node, visit: &mut dyn FnMut(Direction, &Pointer, &mut Node)) {
    each_mut(root, &mut |kind, pointer, node| {
        if let (true, Some(schema)) = (has_schema(kind), node.get_mut("schema")) {
            visit(direction(pointer), &pointer.child("schema"), schema);
        }
    });
}

/// As [`each_body_mut`], for reading.
pub(super) fn each_body(root: &Node, visit: &mut dyn FnMut(Direction, &Node)) {
    each(root, &mut |kind, pointer, node| {
        if let (true, Some(schema)) = (has_schema(kind), node.get("schema")) {
            visit(direction(pointer), schema);
        }
    });
}

fn has_schema(kind: Kind) -> bool {
    matches!(kind, Kind::MediaType | Kind::Parameter | Kind::Header)
}

/// The direction of what stands at `pointer`: parameters and request bodies come in, responses go out, and inside of
/// a callback or a webhook it is the other way round.
fn direction(pointer: &Pointer) -> Direction {
    let mut incoming = true;
    let mut shape = Shape::DOCUMENT;
    for token in pointer.tokens() {
        shape = shape.child(&token);
        match shape {
            Shape::One(Kind::Callback | Kind::Response) => incoming = !incoming,
            Shape::Map(Kind::PathItem) if token == "webhooks" => incoming = !incoming,
            _ => {}
        }
    }
    if incoming {
        Direction::Request
    } else {
        Direction::Response
    }
}
