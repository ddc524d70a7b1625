//! Readings against the model: one object, a view of it, lists.

use std::collections::BTreeSet;

use serde_json::Value;

use super::family::Family;
use super::machine::Object;
use crate::checks::state::comparison::{Difference, lost, other_type, same};
use crate::suite::ends_in;

/// What is wrong with a reading: a name that is always the same, a title, what was expected, what came.
pub(super) struct Wrong {
    pub(super) signature: String,
    pub(super) title: String,
    pub(super) expected: String,
    pub(super) actual: String,
}

impl Wrong {
    pub(super) fn new(
        signature: impl Into<String>,
        title: impl Into<String>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Self {
        Wrong {
            signature: signature.into(),
            title: title.into(),
            expected: expected.into(),
            actual: actual.into(),
        }
    }
}

/// How a reading is compared with the model.
pub(super) struct Judge<'run> {
    pub(super) family: &'run Family,
    /// Top-level properties that the platform was seen to keep as they were sent.
    pub(super) kept: &'run BTreeSet<String>,
    /// Those that it sets itself.
    pub(super) assigned: &'run [&'run str],
}

impl Judge<'_> {
    /// The first property in which a reading differs from the model. `view` says that it is no reading of the object's
    /// own path, so that what depends on who reads may differ, and properties may be left out.
    pub(super) fn difference(&self, object: &Object, read: &Value, view: bool) -> Option<Difference> {
        if self.family.stays && !view {
            if let Some(shown) = &object.shown {
                if same(shown, read) {
                    return None;
                }
                let root = || Difference {
                    pointer: String::new(),
                    expected: shown.to_string(),
                    actual: read.to_string(),
                };
                let other_way = || {
                    lost(read, shown, &[], false).map(|difference| Difference {
                        pointer: difference.pointer,
                        expected: difference.actual,
                        actual: difference.expected,
                    })
                };
                return Some(
                    lost(shown, read, &[], false)
                        .or_else(other_way)
                        .unwrap_or_else(root),
                );
            }
            return lost(&object.sent, read, self.assigned, false);
        }
        let (Some(sent), Some(read)) = (object.sent.as_object(), read.as_object()) else {
            return None;
        };
        let compared = sent.iter().filter(|(name, _)| {
            self.kept.contains(*name)
                && !self.assigned.contains(&name.as_str())
                && (read.contains_key(*name) || self.family.stays)
        });
        let sent: serde_json::Map<_, _> = compared
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let open = !self.family.stays;
        lost(&Value::Object(sent), &Value::Object(read.clone()), &[], open)
    }

    /// Whether what came is this object, by its content.
    pub(super) fn is(&self, object: &Object, read: &Value) -> bool {
        read.is_object() && self.difference(object, read, true).is_none()
    }

    /// Judges a list. `belongs` says whose objects it shows; `part` that it may be one page of several.
    pub(super) fn list(
        &self,
        objects: &[Object],
        items: &[Value],
        (shared, base, part): (bool, usize, bool),
    ) -> Option<Wrong> {
        objects.iter().find_map(|object| {
            let found: Vec<_> = items
                .iter()
                .filter(|item| {
                    names(
                        item,
                        &self.family.parameter,
                        object.identifier(&self.family.parameter),
                    )
                })
                .collect();
            let belongs = shared || !self.family.by_application || object.base == base;
            let shown = |item: &Value| item.to_string().chars().take(400).collect::<String>();
            match (object.alive, belongs, found.as_slice()) {
                (true, true, []) if !part && self.tells_apart(object, items) => Some(Wrong::new(
                    "not in the list",
                    "an object that exists is not in the list",
                    format!("an item for {}", object.path),
                    format!("{} items, none of them it", items.len()),
                )),
                (true, true, [item]) => self.item(object, item, shared),
                (true, true, [_, _, ..]) => Some(Wrong::new(
                    "twice in the list",
                    "an object is in the list more than once",
                    format!("{} once", object.path),
                    format!("{} times", found.len()),
                )),
                (true, false, [item, ..]) if self.is(object, item) => Some(Wrong::new(
                    "in the list of another application",
                    "an object is in another application's list",
                    format!("no item for {}", object.path),
                    shown(item),
                )),
                (false, _, [item, ..]) if is_link(item) || self.is(object, item) => Some(Wrong::new(
                    "deleted and in the list",
                    "a deleted object is in the list",
                    format!("no item for {}", object.path),
                    shown(item),
                )),
                _ => None,
            }
        })
    }

    /// Whether an item for an object would be known by its identifier: it is a link, or the object itself has it in its
    /// body. Else a list as long as it should be says nothing.
    fn tells_apart(&self, object: &Object, items: &[Value]) -> bool {
        let identifier = object.identifier(&self.family.parameter);
        let shown = object.shown.as_ref();
        let named = match shown {
            Some(shown) => names(shown, &self.family.parameter, identifier),
            // Nothing was seen of it yet: MEC 011's objects say what they are.
            None => self.family.stays,
        };
        named || items.is_empty() || items.iter().any(is_link)
    }

    /// Judges the item of a list that shows an object whole.
    fn item(&self, object: &Object, item: &Value, shared: bool) -> Option<Wrong> {
        if is_link(item) {
            return match self.family.stays {
                true => self.link(object, item),
                false => kind(object, item),
            };
        }
        let whole = object
            .shown
            .as_ref()
            .and_then(Value::as_object)
            .is_some_and(|shown| shown.len() > 2);
        if !whole || !item.is_object() {
            return None;
        }
        let difference = self.difference(object, item, shared)?;
        Some(Wrong::new(
            format!("list: {}", difference.place()),
            format!(
                "an item of the list is not as the object is, at {}",
                difference.place()
            ),
            difference.expected,
            difference.actual,
        ))
    }

    /// What a link says of its object is as the object says it.
    fn link(&self, object: &Object, item: &Value) -> Option<Wrong> {
        let (shown, item) = (object.shown.as_ref()?, item.as_object()?);
        let both = item.iter().filter_map(|(name, value)| {
            let own = shown
                .get(name)
                .filter(|own| own.is_string() && value.is_string())?;
            (name != "href" && own != value).then_some((name, own, value))
        });
        let (name, own, value) = both.into_iter().next()?;
        Some(Wrong::new(
            format!("link: {name}"),
            format!("a link of the list has another {name} than its object"),
            own.to_string(),
            value.to_string(),
        ))
    }
}

/// Whether a link names another type than its subscription has, whatever else may differ.
fn kind(object: &Object, item: &Value) -> Option<Wrong> {
    let [linked, own] = other_type(item, object.shown.as_ref()?)?;
    Some(Wrong::new(
        "link: subscriptionType",
        "a link of the list has another subscriptionType than its object",
        own,
        linked,
    ))
}

fn is_link(item: &Value) -> bool {
    item.get("href").is_some() || item.is_string()
}

/// A string or a number as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether an item of a list stands for the object of an identifier: it is the identifier, has it where identifiers are,
/// or links to it.
fn names(item: &Value, parameter: &str, identifier: &str) -> bool {
    let ends = |link: &Value| link.as_str().is_some_and(|link| ends_in(link, identifier));
    match item {
        Value::String(_) => ends(item),
        Value::Object(members) => {
            let own = members.iter().any(|(name, value)| {
                (name.eq_ignore_ascii_case(parameter) || name == "id" || name.ends_with("Id"))
                    && text(value).as_deref() == Some(identifier)
            });
            own || members.get("href").is_some_and(ends)
                || item.pointer("/_links/self/href").is_some_and(ends)
        }
        _ => false,
    }
}
