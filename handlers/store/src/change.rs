//! The change feed: a bounded history that any number of watchers read at their own pace.
//!
//! Watchers hold a position, not a queue, so that a slow one costs nothing; one that falls behind the history is
//! told so and starts again from a range read.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::error::WatchError;
use crate::store::{Entry, Revision};

/// One key's change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: Arc<str>,
    /// What it is now; `None` if it was deleted.
    pub entry: Option<Entry>,
}

/// What one transaction changed (of the keys that were asked for).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The transaction's revision.
    pub revision: Revision,
    /// The changes, one per key, in the transaction's order.
    pub changes: Vec<Change>,
}

/// Something derived from the store that must be current before a write is acknowledged, such as an index.
pub trait View: Send + Sync + 'static {
    /// Takes in changes. Called in the order of revisions, never concurrently; must be quick, must not block on the
    /// store, and must not panic.
    fn apply(&self, changes: &Changes);
}

/// How much history is kept, in transactions and in bytes of values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) transactions: usize,
    pub(crate) bytes: usize,
}

/// The last transactions, oldest first, without gaps.
#[derive(Debug)]
pub(crate) struct History {
    kept: Kept,
    bytes: usize,
    /// The revision before the oldest transaction that is kept.
    before: Revision,
    transactions: VecDeque<Arc<Changes>>,
}

impl History {
    pub(crate) fn new(kept: Kept, revision: Revision) -> Self {
        Self {
            kept,
            bytes: 0,
            before: revision,
            transactions: VecDeque::new(),
        }
    }

    pub(crate) fn push(&mut self, changes: Arc<Changes>) {
        self.bytes += size(&changes);
        self.transactions.push_back(changes);
        while self.transactions.len() > self.kept.transactions || self.bytes > self.kept.bytes {
            let Some(oldest) = self.transactions.pop_front() else {
                break;
            };
            self.bytes -= size(&oldest);
            self.before = oldest.revision;
        }
    }

    /// The transaction that follows `after`, `None` if it has not happened yet.
    fn following(&self, after: Revision) -> Result<Option<Arc<Changes>>, WatchError> {
        let Some(index) = after.0.checked_sub(self.before.0) else {
            return Err(WatchError::Compacted {
                after,
                oldest: self.before.next(),
            });
        };
        Ok(usize::try_from(index)
            .ok()
            .and_then(|index| self.transactions.get(index))
            .cloned())
    }
}

fn size(changes: &Changes) -> usize {
    changes
        .changes
        .iter()
        .map(|change| change.key.len() + change.entry.as_ref().map_or(0, |entry| entry.value.len()))
        .sum()
}

/// History and the bell that rings when it grows; shared by the store and its watchers.
#[derive(Debug)]
pub(crate) struct Feed {
    history: Mutex<History>,
    latest: watch::Sender<Revision>,
}

impl Feed {
    pub(crate) fn new(kept: Kept, revision: Revision) -> Self {
        Self {
            history: Mutex::new(History::new(kept, revision)),
            latest: watch::Sender::new(revision),
        }
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds transactions, in order, and wakes the watchers.
    pub(crate) fn publish(&self, transactions: Vec<Arc<Changes>>) {
        let Some(last) = transactions.last().map(|changes| changes.revision) else {
            return;
        };
        let mut history = self.history();
        for changes in transactions {
            history.push(changes);
        }
        drop(history);
        self.latest.send_replace(last);
    }
}

/// A reader of the change feed. Ends with [`WatchError::Closed`] when the store is dropped.
#[derive(Debug)]
pub struct Watch {
    feed: std::sync::Weak<Feed>,
    latest: watch::Receiver<Revision>,
    prefix: String,
    position: Revision,
}

impl Watch {
    pub(crate) fn new(feed: &Arc<Feed>, prefix: &str, after: Revision) -> Result<Self, WatchError> {
        feed.history().following(after)?;
        let latest = feed.latest.subscribe();
        Ok(Self {
            feed: Arc::downgrade(feed),
            latest,
            prefix: prefix.to_owned(),
            position: after,
        })
    }

    /// The next transaction that changed a watched key. Cancel-safe: nothing is lost if the future is dropped.
    ///
    /// # Errors
    /// [`WatchError::Compacted`] if this watcher has fallen behind the history that is kept,
    /// [`WatchError::Closed`] once the store is gone.
    pub async fn next(&mut self) -> Result<Changes, WatchError> {
        loop {
            self.latest.borrow_and_update();
            if let Some(changes) = self.ready()? {
                return Ok(changes);
            }
            if self.latest.changed().await.is_err() {
                return Err(WatchError::Closed);
            }
        }
    }

    /// The revision up to which this watcher has seen everything.
    #[must_use]
    pub fn position(&self) -> Revision {
        self.position
    }

    fn ready(&mut self) -> Result<Option<Changes>, WatchError> {
        let Some(feed) = self.feed.upgrade() else {
            return Err(WatchError::Closed);
        };
        loop {
            let Some(transaction) = feed.history().following(self.position)? else {
                return Ok(None);
            };
            self.position = transaction.revision;
            if let Some(changes) = matching(&transaction, &self.prefix) {
                return Ok(Some(changes));
            }
        }
    }
}

/// The part of a transaction that concerns keys with this prefix, if any.
pub(crate) fn matching(transaction: &Changes, prefix: &str) -> Option<Changes> {
    let changes: Vec<Change> = transaction
        .changes
        .iter()
        .filter(|change| change.key.starts_with(prefix))
        .cloned()
        .collect();
    (!changes.is_empty()).then_some(Changes {
        revision: transaction.revision,
        changes,
    })
}
