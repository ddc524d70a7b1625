//! The trait that the platform's behaviour is written against.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use crate::change::{View, Watch};
use crate::error::{CommitError, WatchError};
use crate::transaction::Transaction;

/// A point in the store's history; grows by one with every transaction that changes something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision that the next transaction will get.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A value and its place in history. Clones share the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was stored.
    pub value: Bytes,
    /// The revision that created the key (since it was last absent).
    pub created: Revision,
    /// The revision that last set the key.
    pub modified: Revision,
}

/// The answer to a range read: one consistent view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The revision that was read; watching from here misses nothing.
    pub revision: Revision,
    /// Keys and entries in the order of the keys' bytes.
    pub entries: Vec<(Arc<str>, Entry)>,
}

/// Figures for metrics; counters start at zero when the store is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The current revision.
    pub revision: u64,
    /// Keys in the store.
    pub entries: u64,
    /// Bytes of keys and values in the store.
    pub bytes: u64,
    /// Transactions committed.
    pub commits: u64,
    /// Transactions refused because a condition did not hold.
    pub conflicts: u64,
    /// Times that the disk was asked to make writes durable for transactions.
    pub syncs: u64,
    /// Time spent waiting for those, in nanoseconds.
    pub sync_nanoseconds: u64,
    /// Bytes of journal on disk that a start would have to replay.
    pub journal_bytes: u64,
    /// Snapshots written.
    pub snapshots: u64,
}

/// The outcome of a commit, when it comes. Dropping it does not take the transaction back.
pub type Commit = Pin<Box<dyn Future<Output = Result<Revision, CommitError>> + Send + 'static>>;

/// A durable, ordered key-value store with transactions and a change feed.
///
/// Keys are text (by convention segments joined by `/`) and ordered by their bytes. Reads are answered from memory
/// and never wait for a disk or a network; they show what is durable, and everything that was acknowledged.
pub trait Store: Send + Sync + 'static {
    /// The entry of one key.
    fn get(&self, key: &str) -> Option<Entry>;

    /// At most `limit` entries whose keys start with `prefix`, in key order, beginning behind `after` if given.
    fn range(&self, prefix: &str, after: Option<&str>, limit: usize) -> KeyRange;

    /// Submits a transaction, at once and not only when the future is first polled.
    ///
    /// The future is ready when the transaction is durable and visible to reads, or refused. It gives the
    /// transaction's revision; for a transaction that changed nothing, the store's current one.
    fn commit(&self, transaction: Transaction) -> Commit;

    /// The changes of keys that start with `prefix` made after revision `after`, in order, without gaps.
    ///
    /// # Errors
    /// [`WatchError::Compacted`] if some of them are no longer kept.
    fn watch(&self, prefix: &str, after: Revision) -> Result<Watch, WatchError>;

    /// Feeds `view` with every entry whose key starts with `prefix`, as one batch of changes, and from then on with
    /// every change, each before the commit that made it is acknowledged.
    fn attach(&self, prefix: &str, view: Arc<dyn View>);

    /// The revision of the last transaction that changed something.
    fn revision(&self) -> Revision;

    /// Whether writes are taken.
    ///
    /// # Errors
    /// Why they are not, in one sentence. A store that failed stays failed until it is opened again.
    fn health(&self) -> Result<(), String>;

    /// Figures for metrics.
    fn figures(&self) -> Figures;
}
