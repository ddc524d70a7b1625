//! The merge of an `update` into what its target matched: objects recursively, arrays appended, the rest replaced.

use std::fmt;

use crate::{Node, Pointer, Value};

/// Keys whose arrays are sets in OpenAPI and JSON Schema: an element that is there already is not added again.
const SETS: [&str; 5] = ["required", "enum", "type", "tags", "x-extensible-enum"];

/// How many changed places [`Changes`] names before it only counts.
const NAMED: usize = 6;

/// The places that a merge changed, relative to the target.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Each changed place once, in the order of the update.
    places: Vec<Pointer>,
}

impl Changes {
    /// Whether nothing became different.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn record(&mut self, place: &Pointer) {
        if !self.places.contains(place) {
            self.places.push(place.clone());
        }
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, place) in self.places.iter().take(NAMED).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let name = match place.as_str().trim_start_matches('/') {
                "" => "elements",
                name => name,
            };
            write!(formatter, "{separator}{name}")?;
        }
        match self.places.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}

/// Merges `update` into `target` and records what became different.
pub(super) fn merge(target: &mut Node, update: &Node, changes: &mut Changes) {
    merge_at(target, update, &Pointer::root(), changes);
}

fn merge_at(target: &mut Node, update: &Node, place: &Pointer, changes: &mut Changes) {
    match (&mut target.value, &update.value) {
        (Value::Object(members), Value::Object(updates)) => {
            for (key, value) in updates {
                let place = place.child(key);
                match members.get_mut(key) {
                    Some(member) => merge_at(member, value, &place, changes),
                    None => {
                        members.insert(key.clone(), value.clone());
                        changes.record(&place);
                    }
                }
            }
        }
        (Value::Array(elements), Value::Array(updates)) => {
            let set = place.last().is_some_and(|key| SETS.contains(&key.as_str()));
            for value in updates {
                if !(set && elements.contains(value)) {
                    elements.push(value.clone());
                    changes.record(place);
                }
            }
        }
        // Only an action's own target: the specification lets its update be a single entry.
        (Value::Array(elements), _) if *place == Pointer::root() => {
            elements.push(update.clone());
            changes.record(place);
        }
        (current, replacement) if *current == *replacement => {}
        (current, replacement) => {
            *current = replacement.clone();
            target.origin = update.origin;
            changes.record(place);
        }
    }
}
