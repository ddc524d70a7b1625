//! Every `$ref` and every entry of a discriminator's mapping leads somewhere, also those that overlays added.

use crate::shape::each;
use crate::{Diagnostic, Document, Node, Pointer};

/// A fault for each reference that leads nowhere or in a circle.
pub(super) fn check(document: &Document) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    each(&document.root, &mut |_, pointer, node| {
        if let Some(target) = node.ref_target().filter(|_| document.resolve(node).is_none()) {
            faults.push(fault(document, node, &pointer.child("$ref"), target));
        }
        let mapping = node
            .get("discriminator")
            .and_then(|discriminator| discriminator.get("mapping"));
        for (value, target) in mapping.and_then(Node::as_object).into_iter().flatten() {
            let text = target.as_str().unwrap_or_default();
            if Pointer::parse(text)
                .and_then(|place| document.root.pointer(&place))
                .is_none()
            {
                let place = pointer.child("discriminator").child("mapping").child(value);
                faults.push(fault(document, target, &place, text));
            }
        }
    });
    faults
}

fn fault(document: &Document, node: &Node, pointer: &Pointer, target: &str) -> Diagnostic {
    let message = format!("\"{target}\" leads to nothing in this document");
    Diagnostic::at(document, node, pointer, message).help("refer to something under #/components")
}
