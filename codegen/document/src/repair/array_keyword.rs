//! Class `array-keyword`: `format`, `enum` and `required` that stand at an array but speak of its elements.
//!
//! Certain, because formats of numbers and text, lists of scalars and names of members say nothing of an array
//! itself. `required` moves only where the element declares all names; otherwise it judged nothing and is removed.

use crate::report::Report;
use crate::shape::{Kind, each};
use crate::{Document, Node, Pointer};

use super::each_schema_mut;

const CLASS: &str = "array-keyword";

pub(super) fn run(document: &mut Document, report: &mut Report) {
    let homes = homes(document);
    let mut moved = Vec::new();
    each_schema_mut(&mut document.root, &mut |pointer, schema| {
        if schema.str_at("type") != Some("array") {
            return;
        }
        for keyword in ["format", "enum"] {
            scalar_keyword(keyword, pointer, schema, report);
        }
        let Some(names) = schema.remove("required") else {
            return;
        };
        let home = homes
            .iter()
            .find(|(place, _)| place == pointer)
            .and_then(|(_, home)| home.clone());
        let defect = "\"required\" of the elements stands at the array";
        let place = pointer.child("required");
        match home {
            Some(home) => {
                report.add(names.origin, &place, CLASS, defect, "moved to the elements");
                moved.push((home, names));
            }
            None => report.add_widened(
                names.origin,
                &place,
                CLASS,
                defect,
                "removed, the elements do not declare it",
            ),
        }
    });
    for (home, names) in moved {
        if let Some(element) = document.root.pointer_mut(&home) {
            require(element, &names);
        }
    }
}

/// For each array that has `required`: the schema of its elements, if that declares all of the names.
///
/// A schema behind a reference is the home only if nothing else refers to it.
fn homes(document: &Document) -> Vec<(Pointer, Option<Pointer>)> {
    let mut homes = Vec::new();
    each(&document.root, &mut |kind, pointer, schema| {
        let required = schema.get("required").and_then(Node::as_array);
        let (Kind::Schema, Some("array"), Some(required)) = (kind, schema.str_at("type"), required) else {
            return;
        };
        let items = schema.get("items");
        let home = match items.and_then(Node::ref_target) {
            None => Some(pointer.child("items")),
            Some(target) if references(&document.root, target) == 1 => Pointer::parse(target),
            Some(_) => None,
        };
        let properties = home
            .as_ref()
            .and_then(|home| document.root.pointer(home)?.get("properties"));
        let declares = |name| properties.is_some_and(|properties| properties.get(name).is_some());
        let declared = required.iter().filter_map(Node::as_str).all(declares);
        homes.push((pointer.clone(), home.filter(|_| declared)));
    });
    homes
}

/// How many schemas refer to `target`.
fn references(root: &Node, target: &str) -> usize {
    let mut count = 0;
    each(root, &mut |kind, _, schema| {
        count += usize::from(kind == Kind::Schema && schema.ref_target() == Some(target));
    });
    count
}

fn scalar_keyword(keyword: &str, pointer: &Pointer, schema: &mut Node, report: &mut Report) {
    let scalars = schema.get(keyword).is_some_and(|value| match value.as_array() {
        Some(values) => values
            .iter()
            .all(|value| value.as_array().is_none() && value.as_object().is_none()),
        None => true,
    });
    if !scalars {
        return;
    }
    let Some(value) = schema.remove(keyword) else {
        return;
    };
    let defect = format!("\"{keyword}\" of the elements stands at the array");
    let origin = value.origin;
    let repair = match schema.get_mut("items") {
        Some(items) if items.get(keyword).is_none() && items.ref_target().is_none() => {
            items.set(keyword, value);
            "moved to the elements"
        }
        _ => "removed, the elements have their own",
    };
    report.add(origin, &pointer.child(keyword), CLASS, defect, repair);
}

fn require(element: &mut Node, names: &Node) {
    match element.get_mut("required").and_then(Node::as_array_mut) {
        Some(required) => {
            for name in names.as_array().unwrap_or_default() {
                if !required.contains(name) {
                    required.push(name.clone());
                }
            }
        }
        None => element.set("required", names.clone()),
    }
}
