//! Class `unreferenced-schema`: component schemas that nothing refers to.
//!
//! Reported only: most are the notifications and unions that a callback or a body should have referred to, which
//! overlays mend; the rest still become types.

use std::collections::HashSet;

use crate::report::Report;
use crate::{Document, Node, Pointer, Value};

pub(super) fn run(document: &mut Document, report: &mut Report) {
    let place = Pointer::from_tokens(["components", "schemas"]);
    let mut targets = HashSet::new();
    collect(&document.root, &mut targets);
    for (name, schema) in document
        .root
        .pointer(&place)
        .and_then(Node::as_object)
        .into_iter()
        .flatten()
    {
        let place = place.child(name);
        if !targets.contains(format!("#{place}").as_str()) && !targets.contains(name.as_str()) {
            let defect = "nothing refers to this schema";
            report.add(
                schema.origin,
                &place,
                "unreferenced-schema",
                defect,
                "kept, as a type of its own",
            );
        }
    }
}

/// Whether something refers to the component schema at `pointer`.
pub(crate) fn is_referenced(document: &Document, pointer: &Pointer) -> bool {
    let mut targets = HashSet::new();
    collect(&document.root, &mut targets);
    let name = pointer.last();
    targets.contains(format!("#{pointer}").as_str())
        || name.is_some_and(|name| targets.contains(name.as_str()))
}

/// Targets of references and of discriminators' mappings.
fn collect<'tree>(node: &'tree Node, targets: &mut HashSet<&'tree str>) {
    match &node.value {
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, targets)),
        Value::Object(members) => {
            targets.extend(node.ref_target());
            for member in node
                .get("mapping")
                .and_then(Node::as_object)
                .into_iter()
                .flatten()
            {
                targets.extend(member.1.as_str());
            }
            members.values().for_each(|member| collect(member, targets));
        }
        _ => {}
    }
}
