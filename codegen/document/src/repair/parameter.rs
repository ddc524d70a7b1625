//! Classes `undeclared-path-parameter`, `unused-path-parameter`, `repeated-parameter`, `reserved-header-parameter`,
//! `optional-path-parameter` and `untyped-parameter`.
//!
//! Certain: a path's template and its declarations name the same parameters, and a value in a path is text and always
//! there (OpenAPI 3.1, clause 4.8.12); of two declarations of one parameter the first stands, as in every generator; the
//! headers Accept, Content-Type and Authorization are no parameters, whatever a document says (same clause).

use std::collections::HashMap;

use crate::report::Report;
use crate::shape::{Kind, METHODS, each_mut};
use crate::{Document, Node, Object, Pointer};

const RESERVED: [&str; 3] = ["accept", "content-type", "authorization"];

/// Name and place (`in`) of each parameter that can be referred to.
type Shared = HashMap<String, (String, String)>;

pub(crate) fn run(document: &mut Document, report: &mut Report) {
    each_mut(&mut document.root, &mut |kind, pointer, node| {
        if matches!(kind, Kind::Parameter | Kind::Header) && node.ref_target().is_none() {
            declaration(pointer, node, report);
        }
    });
    let shared = shared(document);
    let Some(paths) = document.root.get_mut("paths").and_then(Node::as_object_mut) else {
        return;
    };
    for (path, item) in paths.iter_mut().filter(|(path, _)| path.starts_with('/')) {
        path_item(
            path,
            &Pointer::from_tokens(["paths", path]),
            item,
            &shared,
            report,
        );
    }
}

fn declaration(pointer: &Pointer, parameter: &mut Node, report: &mut Report) {
    if parameter.str_at("in") == Some("path")
        && parameter.get("required").and_then(Node::as_bool) != Some(true)
    {
        let defect = "a path parameter that is not required";
        report.add(
            parameter.origin,
            pointer,
            "optional-path-parameter",
            defect,
            "\"required: true\" set",
        );
        parameter.set("required", Node::new(true));
    }
    if parameter.get("schema").is_none() && parameter.get("content").is_none() {
        let defect = "a parameter or header without a schema";
        report.add_widened(
            parameter.origin,
            pointer,
            "untyped-parameter",
            defect,
            "read as text",
        );
        parameter.set("schema", text());
    }
}

fn text() -> Node {
    Node::new(Object::from_iter([("type".to_owned(), Node::new("string"))]))
}

fn shared(document: &Document) -> Shared {
    let parameters = document
        .root
        .pointer(&Pointer::from_tokens(["components", "parameters"]));
    let mut shared = Shared::new();
    for (name, parameter) in parameters.and_then(Node::as_object).into_iter().flatten() {
        let parameter = document.resolve(parameter).unwrap_or(parameter);
        let reference = format!("#{}", Pointer::from_tokens(["components", "parameters", name]));
        shared.insert(reference, identity(parameter, &Shared::new()));
    }
    shared
}

fn identity(parameter: &Node, shared: &Shared) -> (String, String) {
    if let Some(identity) = parameter.ref_target().and_then(|target| shared.get(target)) {
        return identity.clone();
    }
    let text = |key| parameter.str_at(key).unwrap_or_default().to_owned();
    (text("name"), text("in"))
}

fn path_item(path: &str, pointer: &Pointer, item: &mut Node, shared: &Shared, report: &mut Report) {
    let template = template(path);
    list(&template, pointer, item, shared, report);
    let common: Vec<(String, String)> = identities(item, shared);
    for method in METHODS {
        let Some(operation) = item.get_mut(method) else {
            continue;
        };
        let pointer = pointer.child(method);
        list(&template, &pointer, operation, shared, report);
        let own = identities(operation, shared);
        let declared = |name: &str| {
            own.iter()
                .chain(&common)
                .any(|(known, place)| known == name && place == "path")
        };
        for name in template.iter().filter(|name| !declared(name)) {
            let defect = format!("the path parameter \"{name}\" is not declared");
            report.add(
                operation.origin,
                &pointer,
                "undeclared-path-parameter",
                defect,
                "added, as text",
            );
            add(operation, name);
        }
    }
}

/// The names between braces.
fn template(path: &str) -> Vec<String> {
    path.split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn identities(holder: &Node, shared: &Shared) -> Vec<(String, String)> {
    let parameters = holder
        .get("parameters")
        .and_then(Node::as_array)
        .unwrap_or_default();
    parameters
        .iter()
        .map(|parameter| identity(parameter, shared))
        .collect()
}

fn add(operation: &mut Node, name: &str) {
    let mut parameter = Node::object();
    parameter.set("name", Node::new(name));
    parameter.set("in", Node::new("path"));
    parameter.set("required", Node::new(true));
    parameter.set("schema", text());
    match operation.get_mut("parameters").and_then(Node::as_array_mut) {
        Some(parameters) => parameters.push(parameter),
        None => operation.set("parameters", Node::new(vec![parameter])),
    }
}

/// Mends one list of parameters, of a path item or of an operation.
fn list(template: &[String], pointer: &Pointer, holder: &mut Node, shared: &Shared, report: &mut Report) {
    let Some(parameters) = holder.get_mut("parameters").and_then(Node::as_array_mut) else {
        return;
    };
    let place = pointer.child("parameters");
    let declared: Vec<(String, String)> = parameters
        .iter()
        .map(|parameter| identity(parameter, shared))
        .collect();
    let mut kept: Vec<Node> = Vec::with_capacity(parameters.len());
    let mut seen = Vec::with_capacity(parameters.len());
    for (index, mut parameter) in std::mem::take(parameters).into_iter().enumerate() {
        let (name, location) = &declared[index];
        let (origin, place) = (parameter.origin, place.index(index));
        if location == "header" && RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
            let defect = format!("the header \"{name}\" is no parameter");
            report.add(origin, &place, "reserved-header-parameter", defect, "removed");
        } else if seen.contains(&(name, location)) {
            let defect = format!("the {location} parameter \"{name}\" is declared twice");
            report.add(
                origin,
                &place,
                "repeated-parameter",
                defect,
                "the first declaration stands",
            );
        } else if location == "path" && !template.contains(name) {
            let defect = format!("the path has no parameter \"{name}\"");
            let free = |known: &&String| {
                known.eq_ignore_ascii_case(name) && !declared.iter().any(|(other, _)| other == *known)
            };
            match template
                .iter()
                .find(free)
                .filter(|_| parameter.ref_target().is_none())
            {
                Some(known) => {
                    report.add(
                        origin,
                        &place,
                        "unused-path-parameter",
                        defect,
                        format!("read as \"{known}\""),
                    );
                    parameter.set("name", Node::at(origin, known.as_str()));
                    kept.push(parameter);
                }
                None => report.add(origin, &place, "unused-path-parameter", defect, "removed"),
            }
        } else {
            seen.push((name, location));
            kept.push(parameter);
        }
    }
    *parameters = kept;
}
