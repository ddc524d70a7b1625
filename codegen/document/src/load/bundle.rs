//! Bundling: one tree out of several files, by copying from the root and rewriting each reference.

use std::collections::HashMap;

use super::Source;
use super::components::Components;
use super::files::{Files, Place, bare_reference};
use super::syntax::MAX_DEPTH;
use crate::shape::{Kind, Shape};
use crate::{Diagnostic, Document, Node, Object, Pointer, Value};

/// How many references may be replaced by what they name inside of each other.
const MAX_INLINED: usize = 16;

/// How deep the bundled document may be nested.
const MAX_BUNDLED_DEPTH: usize = 2 * MAX_DEPTH;

/// Joins the document at `path` with what it refers to; gives what could be joined, and the faults.
///
/// # Errors
/// The faults of the first file, where there is nothing to begin with.
pub(super) fn bundle(
    source: &dyn Source,
    path: &str,
) -> Result<(Document, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut files = Files::open_root(source, path)?;
    let components = Components::of_root(&mut files);
    let mut bundler = Bundler {
        files,
        components,
        inlined: Vec::new(),
        depth: 0,
    };
    let start = Place {
        file: 0,
        pointer: Pointer::root(),
    };
    let root = bundler.files.root(0);
    let mut root = bundler.copy(&start, &root, Shape::DOCUMENT);
    while let Some((kind, place, name)) = bundler.components.next() {
        let file = bundler.files.root(place.file);
        let Some(node) = file.pointer(&place.pointer) else {
            continue;
        };
        let copy = bundler.copy(&place, node, Shape::One(kind));
        bundler.components.insert(&mut root, kind, name, copy);
    }
    Ok((bundler.files.document(root), bundler.files.diagnostics))
}

struct Bundler<'source> {
    files: Files<'source>,
    components: Components,
    /// The places that are being copied in place of a reference to them, outermost first.
    inlined: Vec<Place>,
    /// How many copies of nodes are being made inside of each other.
    depth: usize,
}

impl Bundler<'_> {
    /// The node at `place` as it stands in the bundled document.
    fn copy(&mut self, place: &Place, node: &Node, shape: Shape) -> Node {
        if shape == Shape::Data {
            return node.clone();
        }
        if self.depth >= MAX_BUNDLED_DEPTH {
            let message = format!("the document is nested more than {MAX_BUNDLED_DEPTH} levels deep");
            self.files.fault(place, node.origin, message, "");
            return node.clone();
        }
        self.depth += 1;
        let copy = self.copy_shaped(place, node, shape);
        self.depth -= 1;
        copy
    }

    fn copy_shaped(&mut self, place: &Place, node: &Node, shape: Shape) -> Node {
        if let Some(text) = node.ref_target() {
            return self.reference(place, node, shape, text);
        }
        if !self.has_type(place, node, shape) {
            return node.clone();
        }
        let value = match &node.value {
            Value::Object(members) => Value::Object(self.members(place, members, shape)),
            Value::Array(items) => {
                let copy = |(index, item): (usize, &Node)| {
                    let token = index.to_string();
                    self.copy(&place.child(&token), item, shape.child(&token))
                };
                Value::Array(items.iter().enumerate().map(copy).collect())
            }
            value => value.clone(),
        };
        Node {
            value,
            origin: node.origin,
        }
    }

    fn members(&mut self, place: &Place, members: &Object, shape: Shape) -> Object {
        let mut copies = Object::with_capacity(members.len());
        for (key, member) in members {
            let copy = match shape.child(key) {
                Shape::Data if shape == Shape::One(Kind::Discriminator) && key == "mapping" => {
                    self.mapping(place, member)
                }
                Shape::Data => member.clone(),
                _ if key == "$ref" && member.as_str().is_some() => member.clone(),
                inner => self.copy(&place.child(key), member, inner),
            };
            copies.insert(key.clone(), copy);
        }
        copies
    }

    /// Rewrites `mapping` of a discriminator, whose values are references or names of schemas.
    fn mapping(&mut self, place: &Place, mapping: &Node) -> Node {
        let mut mapping = mapping.clone();
        let Some(members) = mapping.as_object_mut() else {
            return mapping;
        };
        for (key, member) in members {
            let Some(text) = member.as_str() else { continue };
            let is_reference = text.contains(['#', '/'])
                || [".yaml", ".yml", ".json"]
                    .iter()
                    .any(|extension| text.ends_with(extension));
            let place = place.child("mapping").child(key);
            let text = match is_reference {
                true => text.to_owned(),
                false if place.file == 0 => continue,
                false => match self.schema_by_name(place.file, text) {
                    Some(reference) => reference,
                    None => continue,
                },
            };
            if let Some(target) = self.files.resolve(&text, &place, member.origin) {
                let pointer = self.local(target, Kind::Schema);
                member.value = Value::String(pointer.map_or(text, |pointer| format!("#{pointer}")));
            }
        }
        mapping
    }

    /// The reference to the schema that a file has under a bare name.
    fn schema_by_name(&self, file: u32, name: &str) -> Option<String> {
        let root = self.files.root(file);
        let places = [["components", "schemas"].as_slice(), ["definitions"].as_slice()];
        let mut pointers = places
            .iter()
            .map(|tokens| Pointer::from_tokens(*tokens).child(name));
        pointers
            .find(|pointer| root.pointer(pointer).is_some())
            .map(|pointer| format!("#{pointer}"))
    }

    /// Copies a reference: rewritten to a local one where the kind has a section, else replaced.
    fn reference(&mut self, place: &Place, node: &Node, shape: Shape, text: &str) -> Node {
        let Some(target) = self.files.resolve(text, place, node.origin) else {
            return node.clone();
        };
        let Some(target) = self.files.follow(target) else {
            let message = format!("the reference {text:?} leads in a circle");
            self.files.fault(
                place,
                node.origin,
                message,
                "let one of them name a thing instead of a reference",
            );
            return node.clone();
        };
        let kind = match shape {
            Shape::One(kind) if self.components.has_section(kind) => kind,
            _ => return self.inline(place, node, shape, target),
        };
        let is_alias = bare_reference(node).is_some() && target.file != 0;
        if is_alias && self.components.is_own_entry(kind, place, &target) {
            return self.inline(place, node, shape, target);
        }
        let Some(pointer) = self.local(target, kind) else {
            return node.clone();
        };
        let Some(members) = node.as_object() else {
            return node.clone();
        };
        let mut copies = self.members(place, members, shape);
        if let Some(reference) = copies.get_mut("$ref") {
            reference.value = Value::String(format!("#{pointer}"));
        }
        Node {
            value: Value::Object(copies),
            origin: node.origin,
        }
    }

    /// The pointer that `target` has in the bundled document.
    fn local(&mut self, target: Place, kind: Kind) -> Option<Pointer> {
        match self.is_in_place(&target) {
            true => Some(target.pointer),
            false => self.components.pointer_to(&mut self.files, kind, target),
        }
    }

    /// Whether a place has the same pointer in the bundled document; so has one that is missing in the root.
    fn is_in_place(&self, place: &Place) -> bool {
        place.file == 0 && (Shape::of_place(place.pointer.tokens()) != Shape::Data || !self.files.has(place))
    }

    /// Puts what a reference names in its place; members beside the reference win.
    fn inline(&mut self, place: &Place, node: &Node, shape: Shape, target: Place) -> Node {
        let file = self.files.root(target.file);
        let Some(named) = file.pointer(&target.pointer) else {
            return node.clone();
        };
        if self.inlined.contains(&target) || self.inlined.len() >= MAX_INLINED {
            let message = format!("the reference to #{} leads in a circle", target.pointer);
            self.files.fault(place, node.origin, message, "");
            return node.clone();
        }
        self.inlined.push(target.clone());
        let mut copy = self.copy(&target, named, shape);
        self.inlined.pop();
        if let (Some(copied), Some(members)) = (copy.as_object_mut(), node.as_object()) {
            let mut siblings = self.members(place, members, shape);
            siblings.shift_remove("$ref");
            copied.extend(siblings);
        }
        copy
    }

    /// Whether a value can be what its place holds; reports it if not. Empty values are left to later stages.
    fn has_type(&mut self, place: &Place, node: &Node, shape: Shape) -> bool {
        let expected = match (shape, &node.value) {
            (_, Value::Null) | (Shape::One(Kind::Schema), Value::Bool(_)) | (Shape::Data, _) => return true,
            (Shape::One(_) | Shape::Map(_), Value::Object(_)) | (Shape::List(_), Value::Array(_)) => {
                return true;
            }
            // The text of Swagger 2.0, which `upgrade` knows.
            (Shape::One(Kind::Discriminator), Value::String(_)) => return true,
            (Shape::One(kind), _) => format!("{}, which is a mapping", kind.noun()),
            (Shape::Map(_), _) => "a mapping".to_owned(),
            (Shape::List(_), _) => "a sequence".to_owned(),
        };
        let message = format!("here should be {expected}, not a value of type {}", node.kind());
        self.files.fault(place, node.origin, message, "");
        false
    }
}

/// The names under which things stand in `components`.
pub(super) type Names = HashMap<(Kind, Place), String>;
