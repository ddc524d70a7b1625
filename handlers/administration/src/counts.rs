//! How many things of each kind there are, without counting them for every question.

use std::sync::Mutex;
use std::sync::PoisonError;

use mecforge_store::{Changes, View};

use crate::kind::Kind;

/// Counts of a store's keys by their kind.
#[derive(Debug, Default)]
pub(crate) struct Counts(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Whether the first batch, which holds what was there before, has been counted.
    begun: bool,
    counts: [u64; Kind::ALL.len()],
}

impl Counts {
    pub(crate) fn of(&self, kind: Kind) -> u64 {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.counts.get(kind as usize).copied().unwrap_or_default()
    }
}

impl View for Counts {
    fn apply(&self, changes: &Changes) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = !std::mem::replace(&mut inner.begun, true);
        for change in &changes.changes {
            let Some(count) = Kind::of(&change.key).and_then(|kind| inner.counts.get_mut(kind as usize))
            else {
                continue;
            };
            match &change.entry {
                Some(entry) if first || entry.created == changes.revision => *count += 1,
                Some(_) => {}
                None => *count = count.saturating_sub(1),
            }
        }
    }
}
