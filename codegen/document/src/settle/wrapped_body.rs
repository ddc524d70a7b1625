//! Class `wrapped-body`: bodies that are an object with one optional property, which is the real body.
//!
//! Unwrapped by default is what the extraction makes of a table's type column: a property that is called as the type
//! that it refers to, upper case included (`{"ServiceInfo": {…}}`). Names that begin in lower case are protocol.
//! A document's `x-mecforge-wrapped-bodies` and a body schema's `x-mecforge-wrapped-body` decide otherwise: `keep`, or
//! `unwrap` for any single optional property. `application/problem+json` is by definition the problem itself
//! (RFC 9457, clause 3), so its wrapper goes unless the body's own mark keeps it.

use crate::report::Report;
use crate::shape::{Kind, each_mut};
use crate::{Diagnostic, Document, Node, Origin, Pointer};

const CLASS: &str = "wrapped-body";
const DOCUMENT_MARK: &str = "x-mecforge-wrapped-bodies";
const BODY_MARK: &str = "x-mecforge-wrapped-body";

#[derive(Clone, Copy, PartialEq)]
enum Decision {
    Keep,
    Unwrap,
    /// Unwrap where the property's name is the name of its type.
    ByName,
}

/// Unwraps bodies; returns marks whose values mean nothing.
pub(super) fn run(document: &mut Document, report: &mut Report) -> Vec<Diagnostic> {
    let mut faults: Vec<(Origin, Pointer, String)> = Vec::new();
    let mut read = |pointer: &Pointer, key: &str, node: &mut Node| {
        let mark = node.remove(key)?;
        match mark.as_str() {
            Some("keep") => Some(Decision::Keep),
            Some("unwrap") => Some(Decision::Unwrap),
            _ => {
                let message = format!("\"{key}\" is keep or unwrap");
                faults.push((mark.origin, pointer.child(key), message));
                None
            }
        }
    };
    let general = read(&Pointer::root(), DOCUMENT_MARK, &mut document.root).unwrap_or(Decision::ByName);
    each_mut(&mut document.root, &mut |kind, pointer, node| {
        if kind != Kind::MediaType {
            return;
        }
        let outer = read(pointer, BODY_MARK, node);
        let place = pointer.child("schema");
        let Some(schema) = node.get_mut("schema") else {
            return;
        };
        let own = read(&place, BODY_MARK, schema).or(outer);
        let problem = is_problem(pointer, schema);
        let decision = own.unwrap_or(if problem { Decision::Unwrap } else { general });
        unwrap(&place, schema, decision, report);
    });
    let fault = |(origin, pointer, message): &(Origin, Pointer, String)| {
        Diagnostic::at_origin(document, *origin, pointer, message.as_str())
    };
    faults.iter().map(fault).collect()
}

/// Whether a body is a problem (RFC 9457) behind one property that says so.
fn is_problem(pointer: &Pointer, schema: &Node) -> bool {
    pointer
        .last()
        .is_some_and(|name| name.starts_with("application/problem+"))
        && wrapper(schema).is_some_and(|name| name.to_ascii_lowercase().contains("problem"))
}

fn unwrap(pointer: &Pointer, schema: &mut Node, decision: Decision, report: &mut Report) {
    let Some(name) = wrapper(schema).map(str::to_owned) else {
        return;
    };
    let place = pointer.child("properties").child(&name);
    let Some(body) = schema
        .get("properties")
        .and_then(|properties| properties.get(&name))
    else {
        return;
    };
    let unwrapped = match decision {
        Decision::Keep => false,
        Decision::Unwrap => true,
        Decision::ByName => named_as_type(&name, body),
    };
    if !unwrapped {
        return;
    }
    let body = body.clone();
    let defect = format!("the body is wrapped in an object with the optional property \"{name}\"");
    report.add(
        body.origin,
        &place,
        CLASS,
        defect,
        "unwrapped, the property's schema is the body",
    );
    *schema = body;
}

/// The only property of an object that demands nothing else.
fn wrapper(schema: &Node) -> Option<&str> {
    let members = schema.as_object()?;
    let plain = |key: &String| {
        ["type", "properties", "description", "title", "required"].contains(&key.as_str())
            || key.starts_with("x-")
    };
    let optional = schema
        .get("required")
        .and_then(Node::as_array)
        .unwrap_or_default()
        .is_empty();
    let mut names = schema.get("properties")?.as_object()?.keys();
    let single = names.next().filter(|_| names.next().is_none())?;
    let object = schema.str_at("type").is_none_or(|name| name == "object");
    (members.keys().all(plain) && optional && object).then_some(single)
}

/// Whether a property is called as the type that it, or its elements, refer to.
fn named_as_type(name: &str, body: &Node) -> bool {
    let target = body
        .ref_target()
        .or_else(|| body.get("items").and_then(Node::ref_target));
    let type_name = target.and_then(|target| target.rsplit('/').next());
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && type_name.is_some_and(|type_name| type_name.eq_ignore_ascii_case(name))
}
