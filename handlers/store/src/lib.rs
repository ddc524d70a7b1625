//! The platform's store: durable, ordered, transactional, small.
//!
//! [`Store`] is what the rest of the platform knows: point reads and prefix ranges that are answered from memory,
//! transactions that compare and swap several keys at once, and a change feed ([`Store::watch`] for tasks,
//! [`Store::attach`] for indices that must be current before a write is acknowledged).
//! [`Embedded`] is the implementation for one machine: an append-only journal with snapshots.
//!
//! What every implementation promises, and the suite of feature `testing` checks:
//! - a transaction that was acknowledged survives the death of the process (and, where the disk keeps its word
//!   about `fsync`, of the machine);
//! - nothing that is not durable is ever seen by a reader, a watcher or a view;
//! - revisions grow by one with every transaction that changes something, and readers see them in that order;
//! - once a write could not be made durable, nothing is acknowledged any more.
//!
//! What must not happen here: knowledge of HTTP, of JSON or of any ETSI document.

mod change;
mod embedded;
mod error;
mod journal;
mod state;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod transaction;

pub use change::{Change, Changes, View, Watch};
pub use embedded::{Embedded, Options};
pub use error::{CommitError, OpenError, WatchError};
pub use store::{Commit, Entry, Figures, KeyRange, Revision, Store};
pub use transaction::{
    Condition, Expected, LARGEST_KEY, LARGEST_TRANSACTION, LARGEST_VALUE, Operation, Transaction,
};
