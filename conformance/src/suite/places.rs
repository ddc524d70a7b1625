//! The places of what was made and removed during the run: what in a list is the suite's own, and whether the platform
//! gives the identifiers of removed objects again.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::seed;
use super::whereabouts::last_segment;

/// So many places are remembered at most (some 16 MiB); beyond that it begins anew, as cases remove what they make.
const MOST: usize = 1 << 20;

/// Objects of the run, by hashes.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Identifiers of what was made.
    made: Mutex<HashSet<u64>>,
    /// Paths of what was removed.
    removed: Mutex<HashSet<u64>>,
    again: AtomicBool,
}

fn enter(set: &Mutex<HashSet<u64>>, place: u64) {
    let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
    if set.len() >= MOST {
        set.clear();
    }
    set.insert(place);
}

fn has(set: &Mutex<HashSet<u64>>, place: u64) -> bool {
    set.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .contains(&place)
}

impl Places {
    /// An object was made.
    pub(crate) fn made(&self, api: usize, path: &str) {
        enter(&self.made, seed::hash(0, &[&last_segment(path)]));
        if has(&self.removed, seed::hash(api as u64, &[path])) {
            self.again.store(true, Ordering::Relaxed);
        }
    }

    /// An object was removed.
    pub(crate) fn removed(&self, api: usize, path: &str) {
        enter(&self.removed, seed::hash(api as u64, &[path]));
    }

    /// Whether a new object has had the place of a removed one. Then cases beside each other take the objects of others
    /// for their own removed ones, and have to run one after the other.
    pub(crate) fn come_again(&self) -> bool {
        self.again.load(Ordering::Relaxed)
    }

    /// Whether an item of a list is something that a request of this run made: a text of it, or the end of a link, is
    /// its identifier.
    pub(crate) fn is_ours(&self, item: &Value) -> bool {
        match item {
            Value::String(text) => has(&self.made, seed::hash(0, &[&last_segment(text)])),
            Value::Array(items) => items.iter().any(|item| self.is_ours(item)),
            Value::Object(members) => members.values().any(|member| self.is_ours(member)),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Places;

    #[test]
    fn a_place_comes_again_where_something_was_removed() {
        let places = Places::default();
        places.made(0, "/things/1");
        places.removed(0, "/things/1");
        places.made(1, "/things/1");
        places.made(0, "/things/2");
        assert!(!places.come_again());
        places.made(0, "/things/1");
        assert!(places.come_again());
    }

    #[test]
    fn what_a_request_made_is_known_by_its_identifier_or_its_link() {
        let places = Places::default();
        places.made(0, "/things/4711");
        assert!(places.is_ours(&json!({"thingId": "4711"})));
        assert!(places.is_ours(&json!({"_links": {"self": {"href": "http://here/v1/things/4711"}}})));
        places.made(0, "/things/a%20b%2B");
        assert!(places.is_ours(&json!({"thingId": "a b+"})));
        assert!(places.is_ours(&json!("/things/a%20b%2b")));
        assert!(!places.is_ours(&json!({"thingId": "4712", "name": "a thing"})));
    }
}
