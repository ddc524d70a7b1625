//! Transactions: conditions on keys, and what to do when all of them hold.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::CommitError;
use crate::store::Revision;

/// The longest key, in bytes.
pub const LARGEST_KEY: usize = 4 * 1024;
/// The longest value, in bytes.
pub const LARGEST_VALUE: usize = 16 * 1024 * 1024;

/// The most that the keys and values of one transaction may come to, in bytes.
pub const LARGEST_TRANSACTION: usize = 64 * 1024 * 1024;

/// What a transaction expects of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// There is no such key.
    Absent,
    /// There is such a key, whatever its revision.
    Present,
    /// The key was last modified by exactly this revision.
    Revision(Revision),
}

/// One condition of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Something is true of one key.
    Key {
        /// The key that is looked at.
        key: Arc<str>,
        /// What must be true of it.
        expected: Expected,
    },
    /// No key that starts with a prefix was created or modified after a revision. Deletions are not noticed.
    NoneNewer {
        /// How the keys start.
        prefix: Arc<str>,
        /// The last revision that may have modified one of them.
        revision: Revision,
    },
}

impl Condition {
    /// The key, or the prefix of the keys, that is looked at.
    #[must_use]
    pub fn key(&self) -> &Arc<str> {
        match self {
            Self::Key { key, .. } => key,
            Self::NoneNewer { prefix, .. } => prefix,
        }
    }
}

/// One step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Sets a key to a value, whether or not it exists.
    Put(Arc<str>, Bytes),
    /// Removes a key; no change if there is none.
    Delete(Arc<str>),
    /// Removes every key that starts with this, as the transaction finds them.
    DeletePrefix(Arc<str>),
}

/// Conditions and operations that take effect together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) operations: Vec<Operation>,
}

impl Transaction {
    /// A transaction that expects nothing and changes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition; all of them must hold.
    #[must_use]
    pub fn expect(mut self, key: impl Into<Arc<str>>, expected: Expected) -> Self {
        self.conditions.push(Condition::Key {
            key: key.into(),
            expected,
        });
        self
    }

    /// Adds the condition that no key that starts with `prefix` was created or modified after `revision`: what was
    /// read as a range at `revision` has gained nothing. What may have gone since must be expected key by key.
    #[must_use]
    pub fn expect_none_newer(mut self, prefix: impl Into<Arc<str>>, revision: Revision) -> Self {
        self.conditions.push(Condition::NoneNewer {
            prefix: prefix.into(),
            revision,
        });
        self
    }

    /// Sets `key` to `value`.
    #[must_use]
    pub fn put(mut self, key: impl Into<Arc<str>>, value: impl Into<Bytes>) -> Self {
        self.operations.push(Operation::Put(key.into(), value.into()));
        self
    }

    /// Removes `key`.
    #[must_use]
    pub fn delete(mut self, key: impl Into<Arc<str>>) -> Self {
        self.operations.push(Operation::Delete(key.into()));
        self
    }

    /// Removes every key that starts with `prefix`.
    #[must_use]
    pub fn delete_prefix(mut self, prefix: impl Into<Arc<str>>) -> Self {
        self.operations.push(Operation::DeletePrefix(prefix.into()));
        self
    }

    /// The conditions, in the order in which they are judged.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The operations, in the order in which they are applied.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Refuses keys and values that are larger than any store takes.
    ///
    /// # Errors
    /// [`CommitError::TooLarge`] for the first key or value above [`LARGEST_KEY`] or [`LARGEST_VALUE`], or if all of
    /// them together exceed [`LARGEST_TRANSACTION`].
    pub fn check_sizes(&self) -> Result<(), CommitError> {
        let conditions = self.conditions.iter().map(|condition| (condition.key().len(), 0));
        let operations = self.operations.iter().map(|operation| match operation {
            Operation::Put(key, value) => (key.len(), value.len()),
            Operation::Delete(key) | Operation::DeletePrefix(key) => (key.len(), 0),
        });
        let mut total = 0;
        for (key, value) in conditions.chain(operations) {
            total += key + value;
            if key > LARGEST_KEY {
                return Err(CommitError::TooLarge {
                    what: "a key",
                    size: key,
                    limit: LARGEST_KEY,
                });
            }
            if value > LARGEST_VALUE {
                return Err(CommitError::TooLarge {
                    what: "a value",
                    size: value,
                    limit: LARGEST_VALUE,
                });
            }
        }
        if total > LARGEST_TRANSACTION {
            return Err(CommitError::TooLarge {
                what: "a transaction",
                size: total,
                limit: LARGEST_TRANSACTION,
            });
        }
        Ok(())
    }
}
