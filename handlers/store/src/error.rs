//! What can go wrong in a store, apart by who has to act.

use std::path::PathBuf;

use crate::store::Revision;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process (or another store in this process) has the directory open.
    #[error("the data directory {directory} is in use by another process{holder}; stop it, or choose another directory", directory = .directory.display())]
    InUse {
        /// The directory that was asked for.
        directory: PathBuf,
        /// ` (process N)` where the other process left its number, else empty.
        holder: String,
    },
    /// The operating system refused something.
    #[error("cannot {action} {path}", path = .path.display())]
    Io {
        /// What was tried, as a verb: `create`, `read`, …
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// A file holds something that no crash can explain, so that opening it would lose acknowledged data.
    #[error("{path} is damaged at byte {offset}: {reason}; restore the directory from a copy", path = .path.display())]
    Damaged {
        /// The damaged file.
        path: PathBuf,
        /// Where the first unreadable byte is.
        offset: u64,
        /// What does not fit.
        reason: String,
    },
}

/// Why a transaction was not committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// A condition did not hold; nothing was changed.
    #[error("the key {key:?} is not in the expected state")]
    Conflict {
        /// The key of the first condition that failed.
        key: String,
        /// The revision that last modified the key; `None` if there is no such key.
        actual: Option<Revision>,
    },
    /// A key or a value is larger than the store takes; nothing was changed.
    #[error("{what} of {size} bytes exceeds the limit of {limit}")]
    TooLarge {
        /// `a key`, `a value` or `a transaction`.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The largest size that is taken, in bytes.
        limit: usize,
    },
    /// There is no room for the transaction now; nothing was changed and a later attempt may succeed.
    #[error("the store cannot grow: {0}")]
    NoRoom(String),
    /// The store has stopped taking writes. Whether this transaction is durable is unknown.
    #[error("the store takes no more writes: {0}")]
    Failed(String),
}

/// Why a change feed cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// The changes asked for are no longer in memory: read the range again and watch from its revision.
    #[error("changes after revision {after} are no longer kept, the oldest kept is {oldest}")]
    Compacted {
        /// The revision after which changes were asked for.
        after: Revision,
        /// The oldest revision that is still kept.
        oldest: Revision,
    },
    /// The store was closed.
    #[error("the store was closed")]
    Closed,
}
