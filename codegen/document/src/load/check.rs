//! The last check of `load`: each reference of the bundled document leads somewhere, and none in a circle.

use std::collections::HashSet;

use super::files::MAX_CHAIN;
use crate::shape::{Kind, Shape};
use crate::{Diagnostic, Document, Node, Pointer, Value};

/// The faults of the references of a document whose references are all local.
pub(super) fn references(document: &Document) -> Vec<Diagnostic> {
    let mut check = Check {
        document,
        faults: Vec::new(),
        sound: HashSet::new(),
    };
    check.walk(&document.root, &Pointer::root(), Shape::DOCUMENT);
    check.faults
}

struct Check<'document> {
    document: &'document Document,
    faults: Vec<Diagnostic>,
    /// Schemas that are known not to contain themselves.
    sound: HashSet<Pointer>,
}

impl Check<'_> {
    fn walk(&mut self, node: &Node, pointer: &Pointer, shape: Shape) {
        if shape == Shape::Data {
            return;
        }
        if let Some(target) = node.ref_target() {
            self.reference(node, pointer, shape, target);
        }
        match &node.value {
            Value::Object(members) => {
                for (key, member) in members {
                    match shape.child(key) {
                        Shape::Data if shape == Shape::One(Kind::Discriminator) && key == "mapping" => {
                            self.mapping(member, &pointer.child(key));
                        }
                        Shape::Data => {}
                        _ if key == "$ref" && member.as_str().is_some() => {}
                        inner => self.walk(member, &pointer.child(key), inner),
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.walk(item, &pointer.index(index), shape.child(""));
                }
            }
            _ => {}
        }
    }

    fn reference(&mut self, node: &Node, pointer: &Pointer, shape: Shape, text: &str) {
        let target = Pointer::parse(text);
        let Some(target) = target.filter(|target| self.document.root.pointer(target).is_some()) else {
            self.fault(node, pointer, format!("the reference {text:?} leads nowhere"));
            return;
        };
        if self.has_circle(&target, &mut vec![pointer.clone()]) {
            self.fault(node, pointer, format!("the reference {text:?} leads in a circle"));
            return;
        }
        if let (Shape::One(expected), Shape::One(found)) = (shape, Shape::of_place(target.tokens()))
            && expected != found
        {
            let message = format!(
                "the reference {text:?} leads to {}, not to {}",
                found.noun(),
                expected.noun()
            );
            self.fault(node, pointer, message);
        }
    }

    /// Whether the thing at `pointer` is made of itself: through bare references and through `allOf`.
    fn has_circle(&mut self, pointer: &Pointer, passed: &mut Vec<Pointer>) -> bool {
        if passed.contains(pointer) || passed.len() >= MAX_CHAIN {
            return true;
        }
        if self.sound.contains(pointer) {
            return false;
        }
        let Some(node) = self.document.root.pointer(pointer) else {
            return false;
        };
        passed.push(pointer.clone());
        let inner = node.get("allOf").and_then(Node::as_array).unwrap_or_default();
        let mut targets = inner.iter().filter_map(Node::ref_target).chain(node.ref_target());
        let found = targets
            .any(|target| Pointer::parse(target).is_some_and(|target| self.has_circle(&target, passed)));
        passed.pop();
        if !found {
            self.sound.insert(pointer.clone());
        }
        found
    }

    /// References among the values of a discriminator's `mapping`; bare names are left to `upgrade`.
    fn mapping(&mut self, mapping: &Node, pointer: &Pointer) {
        for (key, member) in mapping.as_object().into_iter().flatten() {
            let Some(text) = member.as_str().filter(|text| text.starts_with('#')) else {
                continue;
            };
            if Pointer::parse(text)
                .and_then(|target| self.document.root.pointer(&target))
                .is_none()
            {
                self.fault(
                    member,
                    &pointer.child(key),
                    format!("the reference {text:?} leads nowhere"),
                );
            }
        }
    }

    fn fault(&mut self, node: &Node, pointer: &Pointer, message: String) {
        self.faults
            .push(Diagnostic::at(self.document, node, pointer, message));
    }
}
