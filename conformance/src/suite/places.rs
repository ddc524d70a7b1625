//! The places of what was made and removed during the run: what in a list is the suite's own, and whether the platform
//! gives the identifiers of removed objects again.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::seed;
use super::whereabouts::last_segment;

/// So many of the latest places are remembered at least, and twice as many at most (some 10 MiB in all): cases remove
/// what they make long before.
const LATEST: usize = 1 << 17;

/// The latest places, in two generations: the older one is forgotten when the younger one is full.
#[derive(Debug, Default)]
struct Latest {
    younger: HashSet<u64>,
    older: HashSet<u64>,
}

impl Latest {
    fn enter(&mut self, place: u64) {
        if self.younger.len() >= LATEST {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(place);
    }

    fn has(&self, place: u64) -> bool {
        self.younger.contains(&place) || self.older.contains(&place)
    }
}

/// Objects of the run, by hashes.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Identifiers of what was made.
    made: Mutex<Latest>,
    /// Paths of what was removed.
    removed: Mutex<Latest>,
    again: AtomicBool,
}

fn enter(latest: &Mutex<Latest>, place: u64) {
    latest.lock().unwrap_or_else(PoisonError::into_inner).enter(place);
}

fn has(latest: &Mutex<Latest>, place: u64) -> bool {
    latest.lock().unwrap_or_else(PoisonError::into_inner).has(place)
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

    use super::{LATEST, Latest, Places};

    #[test]
    fn what_is_remembered_is_bounded_and_never_the_latest_is_forgotten() {
        let mut latest = Latest::default();
        let latest_of = LATEST as u64;
        for place in 0..3 * latest_of {
            latest.enter(place);
            assert!(place < latest_of || latest.has(place - latest_of + 1));
        }
        assert!(!latest.has(0));
        assert!(latest.younger.len() + latest.older.len() <= 2 * LATEST);
    }

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
