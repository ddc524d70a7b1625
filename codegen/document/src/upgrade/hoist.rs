//! References into the middle of something: what they name becomes a component of its own.
//!
//! The stages after this one, and a document's third-party readers, can rely on `#/components/…/Name`.

use std::collections::BTreeMap;

use super::Dialect;
use crate::shape::{self, Kind, Shape};
use crate::{Node, Object, Pointer};

/// Moves what a reference names into its section, and leaves a reference behind.
pub(super) fn hoist(root: &mut Node, dialect: Dialect) {
    let mut moves = Moves::default();
    shape::each(root, &mut |kind, _, node| {
        let target = node.ref_target().and_then(Pointer::parse);
        if let (Some(section), Some(target)) = (section(kind, dialect), target) {
            moves.note(kind, section, target);
        }
    });
    if moves.wanted.is_empty() {
        return;
    }
    moves.choose_names(root);
    shape::each_mut(root, &mut |kind, _, node| {
        let target = node.ref_target().and_then(Pointer::parse);
        if let Some(new) = target.and_then(|target| moves.chosen.get(&(kind.noun(), target)))
            && let Some(reference) = node.get_mut("$ref")
        {
            reference.value = format!("#{new}").into();
        }
    });
    moves.carry_out(root);
}

/// The pointer to the section of a kind.
fn section(kind: Kind, dialect: Dialect) -> Option<Pointer> {
    let tokens = match (dialect, kind) {
        (Dialect::Swagger20, Kind::Schema) => vec!["definitions"],
        (Dialect::Swagger20, Kind::Parameter) => vec!["parameters"],
        (Dialect::Swagger20, Kind::Response) => vec!["responses"],
        (Dialect::Swagger20, _) => return None,
        _ => vec!["components", kind.section()?],
    };
    Some(Pointer::from_tokens(tokens))
}

#[derive(Default)]
struct Moves {
    /// What is to move, with the section that it moves to.
    wanted: BTreeMap<(&'static str, Pointer), Pointer>,
    /// Where it moves.
    chosen: BTreeMap<(&'static str, Pointer), Pointer>,
}

impl Moves {
    fn note(&mut self, kind: Kind, section: Pointer, target: Pointer) {
        let is_component = target.parent().is_some_and(|parent| {
            // In documents of 3.x, `#/definitions/Name` and the like move as a whole, later.
            let is_section =
                parent.tokens().count() == 1 && Shape::of_place(parent.tokens()) == Shape::Map(kind);
            parent == section || is_section
        });
        if !is_component && Shape::of_place(target.tokens()) == Shape::One(kind) {
            self.wanted.insert((kind.noun(), target), section);
        }
    }

    fn choose_names(&mut self, root: &Node) {
        let mut taken: Vec<Pointer> = Vec::new();
        for ((kind, target), section) in &self.wanted {
            let base = name(target);
            let mut number = 1;
            let mut new = section.child(&base);
            while taken.contains(&new) || root.pointer(&new).is_some() {
                number += 1;
                new = section.child(&format!("{base}{number}"));
            }
            taken.push(new.clone());
            self.chosen.insert((kind, target.clone()), new);
        }
    }

    /// Moves the innermost first, so that no pointer of those that still wait breaks.
    fn carry_out(&self, root: &mut Node) {
        let mut moves: Vec<(&Pointer, &Pointer)> = self
            .chosen
            .iter()
            .map(|((_, target), new)| (target, new))
            .collect();
        moves.sort_by_key(|(target, _)| std::cmp::Reverse(target.tokens().count()));
        for (target, new) in moves {
            let Some(place) = root.pointer_mut(target) else {
                continue;
            };
            let reference = Node {
                origin: place.origin,
                ..Node::reference(format!("#{new}"))
            };
            let moved = std::mem::replace(place, reference);
            let mut section = &mut *root;
            for token in new
                .parent()
                .iter()
                .flat_map(|parent| parent.tokens().collect::<Vec<_>>())
            {
                if section
                    .get(&token)
                    .is_none_or(|member| member.as_object().is_none())
                {
                    section.set(token.as_str(), Node::new(Object::new()));
                }
                let Some(member) = section.get_mut(&token) else {
                    return;
                };
                section = member;
            }
            section.set(new.last().unwrap_or_default(), moved);
        }
    }
}

/// A name from the keys that lead to a place, without those that every place has: `PetOwner` for
/// `#/components/schemas/Pet/properties/owner`.
fn name(target: &Pointer) -> String {
    let tokens: Vec<String> = target.tokens().collect();
    let skip = match tokens.first().map(String::as_str) {
        Some("components") => 2,
        _ => 1,
    };
    let mut name = String::new();
    for token in tokens
        .iter()
        .skip(skip)
        .filter(|token| !matches!(token.as_str(), "properties" | "schema" | "content" | "responses"))
    {
        for word in token.split(|letter: char| !letter.is_ascii_alphanumeric()) {
            let mut letters = word.chars();
            name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            name.push_str(letters.as_str());
        }
    }
    if name.is_empty() {
        "Component".to_owned()
    } else {
        name
    }
}
