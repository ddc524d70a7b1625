//! The sections of Swagger 2.0 (`definitions`, `parameters`, `responses`) and those of OpenAPI 3.x that they became.

use super::swagger::take_object;
use crate::report::Report;
use crate::shape::{self, Kind};
use crate::{Node, Object, Pointer, Value};

/// The sections at the root of Swagger 2.0 and where their members go.
const SECTIONS: [(&str, &str); 3] = [
    ("definitions", "schemas"),
    ("parameters", "parameters"),
    ("responses", "responses"),
];

/// Moves what a document of 3.x has in the sections of Swagger 2.0 to where 3.x has it.
pub(super) fn gather_misplaced(root: &mut Node, report: &mut Report) {
    let mut moved = false;
    for (old, new) in SECTIONS {
        let Some(origin) = root
            .get(old)
            .filter(|node| node.as_object().is_some())
            .map(|node| node.origin)
        else {
            continue;
        };
        moved = true;
        let members = take_object(root, old);
        let place = Pointer::root().child(old);
        let defect = format!("`{old}` is a section of Swagger 2.0, which OpenAPI 3 has not");
        report.add(
            origin,
            &place,
            "misplaced-section",
            defect,
            format!("moved to components/{new}"),
        );
        for (name, node) in members {
            let mut section = &mut *root;
            for key in ["components", new] {
                if section.get(key).is_none() {
                    section.set(key, Node::object());
                }
                let Some(member) = section.get_mut(key) else {
                    return;
                };
                section = member;
            }
            if section.get(&name).is_none() {
                section.set(component_name(&name), node);
            }
        }
    }
    if moved {
        rewrite_references(root);
    }
}

/// Points references at the sections of Swagger 2.0 to those of OpenAPI 3.x.
pub(super) fn rewrite_references(root: &mut Node) {
    let bodies: Vec<String> = root
        .pointer(&Pointer::from_tokens(["components", "requestBodies"]))
        .and_then(Node::as_object)
        .into_iter()
        .flat_map(Object::keys)
        .cloned()
        .collect();
    shape::each_mut(root, &mut |kind, _, node| {
        let Some(target) = node.ref_target().and_then(Pointer::parse) else {
            return;
        };
        let tokens: Vec<String> = target.tokens().collect();
        let [section, name, rest @ ..] = tokens.as_slice() else {
            return;
        };
        let Some((_, new)) = SECTIONS.iter().find(|(old, _)| old == section) else {
            return;
        };
        let name = component_name(name);
        let section = match kind {
            Kind::RequestBody if bodies.contains(&name) => "requestBodies",
            _ => new,
        };
        let start = Pointer::from_tokens(["components", section, name.as_str()]);
        let target = rest.iter().fold(start, |pointer, token| pointer.child(token));
        if let Some(reference) = node.get_mut("$ref") {
            reference.value = Value::String(format!("#{target}"));
        }
    });
}

/// The members under names that OpenAPI 3.x allows for components.
pub(super) fn renamed(members: Object) -> Object {
    members
        .into_iter()
        .map(|(name, node)| (component_name(&name), node))
        .collect()
}

/// A name in the letters that OpenAPI 3.x allows for components.
fn component_name(name: &str) -> String {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    name.chars()
        .map(|letter| if is_allowed(letter) { letter } else { '_' })
        .collect()
}
