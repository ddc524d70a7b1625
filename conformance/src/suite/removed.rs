//! What was removed during the run, and whether the platform gives the identifiers of removed objects again.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::seed;

/// So many places are remembered at most (8 MiB), enough for hours.
const MOST: usize = 1 << 20;

/// The places of removed objects.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    places: Mutex<HashSet<u64>>,
    again: AtomicBool,
}

impl Removed {
    fn place(api: usize, path: &str) -> u64 {
        seed::hash(api as u64, &[path])
    }

    /// An object was removed.
    pub(crate) fn note(&self, api: usize, path: &str) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() < MOST {
            places.insert(Self::place(api, path));
        }
    }

    /// An object was made.
    pub(crate) fn made(&self, api: usize, path: &str) {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.contains(&Self::place(api, path)) {
            self.again.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a new object has had the place of a removed one. Then cases beside each other take the objects of others
    /// for their own removed ones, and have to run one after the other.
    pub(crate) fn come_again(&self) -> bool {
        self.again.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::Removed;

    #[test]
    fn a_place_comes_again_where_something_was_removed() {
        let removed = Removed::default();
        removed.made(0, "/things/1");
        removed.note(0, "/things/1");
        removed.made(1, "/things/1");
        removed.made(0, "/things/2");
        assert!(!removed.come_again());
        removed.made(0, "/things/1");
        assert!(removed.come_again());
    }
}
