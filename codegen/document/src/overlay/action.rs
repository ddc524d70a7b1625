//! One action of an overlay: read, checked and applied.

use std::collections::BTreeMap;

use crate::{Diagnostic, Document, Finding, Node, Origin, Pointer, Value};

use super::jsonpath::Path;
use super::merge::{Changes, merge};
use super::select::select;

/// The keys that an action may have beside `x-` extensions.
const KEYS: [&str; 4] = ["target", "description", "update", "remove"];

/// What to say of an action whose defect is gone.
const MENDED: &str = "ETSI has mended this, or the target is wrong: remove or correct the action";

/// An action that is well-formed; whether it fits the document shows when it is applied.
pub(super) struct Action<'overlay> {
    /// The action's place in the overlay.
    pointer: Pointer,
    /// The text of `target`, for messages.
    target: &'overlay Node,
    path: Path,
    description: &'overlay str,
    change: Change<'overlay>,
}

/// What was done at each place that an action changed.
type Done = BTreeMap<Pointer, String>;

enum Change<'overlay> {
    Update(&'overlay Node),
    Remove,
}

impl<'overlay> Action<'overlay> {
    /// Reads an action.
    ///
    /// # Errors
    /// Every fault of it: unknown keys, a bad JSONPath, no description, not exactly one of `update` and `remove`.
    pub(super) fn read(
        overlay: &Document,
        node: &'overlay Node,
        pointer: Pointer,
    ) -> Result<Self, Vec<Diagnostic>> {
        if node.as_object().is_none() {
            let message = format!("an action is an object, this is {}", node.kind());
            return Err(vec![Diagnostic::at(overlay, node, &pointer, message)]);
        }
        let mut faults = unknown_keys(overlay, node, &pointer);
        let fault = |key: &str, message: String| {
            let place = node.get(key).unwrap_or(node);
            Diagnostic::at(overlay, place, &pointer.child(key), message)
        };
        let target = node.get("target").filter(|target| target.as_str().is_some());
        let path = match target.and_then(Node::as_str).map(Path::parse) {
            None => {
                faults.push(fault(
                    "target",
                    "an action needs a JSONPath as its \"target\"".to_owned(),
                ));
                None
            }
            Some(Err(error)) => {
                faults.push(fault("target", error.to_string()));
                None
            }
            Some(Ok(path)) => Some(path),
        };
        let description = node
            .str_at("description")
            .map(|text| text.trim().trim_end_matches('.'));
        if description.is_none_or(str::is_empty) {
            let message = "an action needs a \"description\" that gives its reason";
            faults.push(fault("description", message.to_owned()));
        }
        let change = match (node.get("update"), node.get("remove").map(Node::as_bool)) {
            (Some(update), None | Some(Some(false))) => Some(Change::Update(update)),
            (None, Some(Some(true))) => Some(Change::Remove),
            _ => {
                let message = "an action has either an \"update\" or \"remove: true\"";
                faults.push(fault("remove", message.to_owned()));
                None
            }
        };
        match (target, path, description, change) {
            (Some(target), Some(path), Some(description), Some(change)) if faults.is_empty() => Ok(Self {
                pointer,
                target,
                path,
                description,
                change,
            }),
            _ => Err(faults),
        }
    }

    /// Applies the action, with a finding for each place that it changed; `first_file` is where the overlay's files begin in the document's list of files.
    ///
    /// # Errors
    /// The action matches nothing, changes nothing, or cannot be applied to what it matches.
    pub(super) fn apply(
        &self,
        document: &mut Document,
        overlay: &Document,
        first_file: u32,
    ) -> Result<Vec<Finding>, Diagnostic> {
        let places = select(&self.path, &document.root);
        if places.is_empty() {
            return Err(self.fault(overlay, "the target matches nothing").help(MENDED));
        }
        let origins: Vec<_> = places
            .iter()
            .map(|place| (place.clone(), place_of(&document.root, place)))
            .collect();
        let done = match self.change {
            Change::Update(update) => self.update(document, overlay, first_file, &places, update)?,
            Change::Remove => self.remove(document, overlay, places)?,
        };
        let finding = |(place, origin): (Pointer, Origin)| {
            let done = done.get(&place)?.as_str();
            Some(Finding::new(
                document,
                origin,
                &place,
                "erratum",
                self.description,
                done,
            ))
        };
        Ok(origins.into_iter().filter_map(finding).collect())
    }

    fn update(
        &self,
        document: &mut Document,
        overlay: &Document,
        first_file: u32,
        places: &[Pointer],
        update: &Node,
    ) -> Result<Done, Diagnostic> {
        let update = rebased(update, first_file);
        let mut done = Done::new();
        for place in places {
            let Some(node) = document.root.pointer_mut(place) else {
                continue;
            };
            let fits = match node.value {
                Value::Object(_) => update.as_object().is_some(),
                Value::Array(_) => true,
                _ => false,
            };
            if !fits {
                let message = format!("cannot merge {} into {} at #{place}", update.kind(), node.kind());
                return Err(self
                    .fault(overlay, message)
                    .help("target the object that holds the value"));
            }
            let mut changes = Changes::default();
            merge(node, &update, &mut changes);
            if !changes.is_empty() {
                done.insert(place.clone(), format!("sets {changes}"));
            }
        }
        match done.is_empty() {
            true => Err(self.fault(overlay, "the update changes nothing").help(MENDED)),
            false => Ok(done),
        }
    }

    fn remove(
        &self,
        document: &mut Document,
        overlay: &Document,
        mut places: Vec<Pointer>,
    ) -> Result<Done, Diagnostic> {
        if places.iter().any(|place| *place == Pointer::root()) {
            return Err(self.fault(overlay, "the document itself cannot be removed"));
        }
        // From the end, so that the indices of the elements that are still to go stay true.
        places.sort_by_cached_key(removal_key);
        for place in places.iter().rev() {
            let (Some(parent), Some(token)) = (place.parent(), place.last()) else {
                continue;
            };
            match document.root.pointer_mut(&parent).map(|parent| &mut parent.value) {
                Some(Value::Object(object)) => {
                    object.shift_remove(&token);
                }
                Some(Value::Array(array)) => {
                    if let Some(index) = token.parse().ok().filter(|index| *index < array.len()) {
                        array.remove(index);
                    }
                }
                _ => {}
            }
        }
        Ok(places
            .into_iter()
            .map(|place| (place, "removed".to_owned()))
            .collect())
    }

    fn fault(&self, overlay: &Document, message: impl Into<String>) -> Diagnostic {
        let text = self.target.as_str().unwrap_or_default();
        let message = format!("{}: {text}", message.into());
        Diagnostic::at(overlay, self.target, &self.pointer.child("target"), message)
    }
}

fn unknown_keys(overlay: &Document, node: &Node, pointer: &Pointer) -> Vec<Diagnostic> {
    let unknown = node
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| !KEYS.contains(&key.as_str()) && !key.starts_with("x-"));
    unknown
        .map(|(key, value)| {
            let message = format!("an action has no key \"{key}\"");
            let help = "the keys are target, description, update and remove";
            Diagnostic::at(overlay, value, &pointer.child(key), message).help(help)
        })
        .collect()
}

/// The origin of the innermost node on the way to `pointer` that a file holds.
fn place_of(root: &Node, pointer: &Pointer) -> Origin {
    let mut pointer = Some(pointer.clone());
    while let Some(current) = pointer {
        match root.pointer(&current) {
            Some(node) if node.origin.line > 0 => return node.origin,
            _ => pointer = current.parent(),
        }
    }
    root.origin
}

/// A copy of what an overlay adds, its places counted in the document's list of files.
fn rebased(node: &Node, first_file: u32) -> Node {
    let value = match &node.value {
        Value::Array(array) => {
            Value::Array(array.iter().map(|element| rebased(element, first_file)).collect())
        }
        Value::Object(object) => Value::Object(
            object
                .iter()
                .map(|(key, member)| (key.clone(), rebased(member, first_file)))
                .collect(),
        ),
        scalar => scalar.clone(),
    };
    let file = if node.origin.line > 0 {
        node.origin.file + first_file
    } else {
        0
    };
    Node::at(Origin { file, ..node.origin }, value)
}

/// Orders places so that elements of one sequence follow their indices as numbers.
fn removal_key(pointer: &Pointer) -> Vec<(Option<usize>, String)> {
    pointer
        .tokens()
        .map(|token| (token.parse().ok(), token))
        .collect()
}
