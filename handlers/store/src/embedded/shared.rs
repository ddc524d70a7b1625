//! What readers, watchers and the committer of an embedded store share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::change::{Change, Changes, Feed, Kept, View, matching};
use crate::state::{State, Write};
use crate::store::{Figures, Revision};

/// The history that watchers can fall behind by.
const KEPT: Kept = Kept {
    transactions: 16 * 1024,
    bytes: 16 * 1024 * 1024,
};

/// Everything in memory. Only the committer changes it, and only by [`Shared::apply`].
pub(crate) struct Shared {
    state: RwLock<State>,
    views: Mutex<Vec<(String, Arc<dyn View>)>>,
    pub(crate) feed: Arc<Feed>,
    /// Why no more writes are taken; set once.
    failure: OnceLock<String>,
    pub(crate) counters: Counters,
}

/// Counters for [`Figures`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) conflicts: AtomicU64,
    pub(crate) syncs: AtomicU64,
    pub(crate) sync_nanoseconds: AtomicU64,
    pub(crate) journal_bytes: AtomicU64,
    pub(crate) snapshots: AtomicU64,
}

impl Shared {
    pub(crate) fn new(state: State, journal_bytes: u64) -> Self {
        let feed = Arc::new(Feed::new(KEPT, state.revision));
        let counters = Counters {
            journal_bytes: AtomicU64::new(journal_bytes),
            ..Counters::default()
        };
        Self {
            state: RwLock::new(state),
            views: Mutex::new(Vec::new()),
            feed,
            failure: OnceLock::new(),
            counters,
        }
    }

    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn views(&self) -> MutexGuard<'_, Vec<(String, Arc<dyn View>)>> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes durable transactions visible: first to readers, then to views, then to watchers.
    pub(crate) fn apply(&self, transactions: Vec<(Revision, Vec<Write>)>) {
        // Holding the views throughout keeps one that is attached meanwhile from missing a transaction.
        let views = self.views();
        let mut state = self.state_mut();
        let changes: Vec<_> = transactions
            .into_iter()
            .map(|(revision, writes)| {
                Arc::new(Changes {
                    revision,
                    changes: state.apply(revision, writes),
                })
            })
            .collect();
        drop(state);
        for (prefix, view) in views.iter() {
            for transaction in &changes {
                if transaction
                    .changes
                    .iter()
                    .all(|change| change.key.starts_with(prefix.as_str()))
                {
                    view.apply(transaction);
                } else if let Some(part) = matching(transaction, prefix) {
                    view.apply(&part);
                }
            }
        }
        drop(views);
        self.feed.publish(changes);
    }

    pub(crate) fn attach(&self, prefix: &str, view: Arc<dyn View>) {
        let mut views = self.views();
        let existing = self.state().range(prefix, None, usize::MAX);
        let changes = existing
            .entries
            .into_iter()
            .map(|(key, entry)| Change {
                key,
                entry: Some(entry),
            })
            .collect();
        view.apply(&Changes {
            revision: existing.revision,
            changes,
        });
        views.push((prefix.to_owned(), view));
    }

    /// Stops writes for good; the first reason stays.
    pub(crate) fn fail(&self, reason: String) {
        tracing::error!(reason, "the store takes no more writes");
        // A second failure has nothing to add to the first.
        let _ = self.failure.set(reason);
    }

    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    pub(crate) fn figures(&self) -> Figures {
        let (revision, entries, bytes) = {
            let state = self.state();
            (state.revision.0, state.entries.len() as u64, state.bytes)
        };
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            revision,
            entries,
            bytes,
            commits: read(&self.counters.commits),
            conflicts: read(&self.counters.conflicts),
            syncs: read(&self.counters.syncs),
            sync_nanoseconds: read(&self.counters.sync_nanoseconds),
            journal_bytes: read(&self.counters.journal_bytes),
            snapshots: read(&self.counters.snapshots),
        }
    }
}
