//! What is in the store now: an ordered map in memory, changed only by transactions that are durable.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;

use crate::change::Change;
use crate::error::CommitError;
use crate::store::{Entry, KeyRange, Revision};
use crate::transaction::{Condition, Expected, Operation, Transaction};

/// A change as it is written down: `None` deletes the key.
pub(crate) type Write = (Arc<str>, Option<Bytes>);

/// The store's content at one revision.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) entries: BTreeMap<Arc<str>, Entry>,
    pub(crate) revision: Revision,
    pub(crate) bytes: u64,
}

impl State {
    /// Sets an entry as it is (from a snapshot).
    pub(crate) fn restore(&mut self, key: Arc<str>, entry: Entry) {
        self.bytes += (key.len() + entry.value.len()) as u64;
        self.entries.insert(key, entry);
    }

    /// Applies one transaction's writes under its revision, which must be the next one.
    pub(crate) fn apply(&mut self, revision: Revision, writes: Vec<Write>) -> Vec<Change> {
        self.revision = revision;
        writes
            .into_iter()
            .map(|(key, value)| self.write(revision, key, value))
            .collect()
    }

    fn write(&mut self, revision: Revision, key: Arc<str>, value: Option<Bytes>) -> Change {
        let previous = self.entries.remove(&key);
        if let Some(previous) = &previous {
            self.bytes -= (key.len() + previous.value.len()) as u64;
        }
        let entry = value.map(|value| {
            let created = previous.map_or(revision, |previous| previous.created);
            Entry {
                value,
                created,
                modified: revision,
            }
        });
        if let Some(entry) = &entry {
            self.restore(key.clone(), entry.clone());
        }
        Change { key, entry }
    }

    /// Entries with a prefix, in key order, beginning behind `after`.
    pub(crate) fn range(&self, prefix: &str, after: Option<&str>, limit: usize) -> KeyRange {
        let entries = self
            .with_prefix(prefix, after)
            .take(limit)
            .map(|(key, entry)| (key.clone(), entry.clone()))
            .collect();
        KeyRange {
            revision: self.revision,
            entries,
        }
    }

    fn with_prefix<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Entry)> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        self.entries
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(prefix))
    }
}

/// Judges transactions one after the other, each as if those before it were already applied.
///
/// This is what lets one write to disk carry many transactions: they are judged against the state and what the
/// same batch is about to change.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    state: &'a State,
    revision: Revision,
    pending: BTreeMap<Arc<str>, Option<Revision>>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(state: &'a State) -> Self {
        Self {
            state,
            revision: state.revision,
            pending: BTreeMap::new(),
        }
    }

    /// The revision of the last transaction that passed and changes something.
    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    /// The writes of a transaction whose conditions hold; empty if it changes nothing.
    pub(crate) fn judge(&mut self, transaction: Transaction) -> Result<Vec<Write>, CommitError> {
        transaction.check_sizes()?;
        for condition in &transaction.conditions {
            self.check(condition)?;
        }
        let writes = self.writes(transaction.operations);
        if !writes.is_empty() {
            self.revision = self.revision.next();
            for (key, value) in &writes {
                self.pending
                    .insert(key.clone(), value.as_ref().map(|_| self.revision));
            }
        }
        Ok(writes)
    }

    fn check(&self, condition: &Condition) -> Result<(), CommitError> {
        let (key, actual, holds) = match condition {
            Condition::Key { key, expected } => {
                let actual = self.modified(key);
                let holds = match expected {
                    Expected::Absent => actual.is_none(),
                    Expected::Present => actual.is_some(),
                    Expected::Revision(revision) => actual == Some(*revision),
                };
                (key, actual, holds)
            }
            Condition::NoneNewer { prefix, revision } => match self.newer(prefix, *revision) {
                Some((key, newer)) => (key, Some(newer), false),
                None => return Ok(()),
            },
        };
        if holds {
            return Ok(());
        }
        Err(CommitError::Conflict {
            key: key.to_string(),
            actual,
        })
    }

    /// A key with a prefix that was modified after a revision.
    fn newer<'b>(&'b self, prefix: &'b str, revision: Revision) -> Option<(&'b Arc<str>, Revision)> {
        let pending = self
            .pending
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .find_map(|(key, modified)| {
                modified
                    .filter(|modified| *modified > revision)
                    .map(|modified| (key, modified))
            });
        pending.or_else(|| {
            self.state
                .with_prefix(prefix, None)
                .find(|(key, entry)| entry.modified > revision && !self.pending.contains_key(*key))
                .map(|(key, entry)| (key, entry.modified))
        })
    }

    fn modified(&self, key: &str) -> Option<Revision> {
        match self.pending.get(key) {
            Some(pending) => *pending,
            None => self.state.entries.get(key).map(|entry| entry.modified),
        }
    }

    /// One write per key, the last word winning; deletions of what does not exist are left out.
    fn writes(&self, operations: Vec<Operation>) -> Vec<Write> {
        if let [Operation::Put(key, value)] = operations.as_slice() {
            return vec![(key.clone(), Some(value.clone()))];
        }
        let mut writes: BTreeMap<Arc<str>, Option<Bytes>> = BTreeMap::new();
        for operation in operations {
            match operation {
                Operation::Put(key, value) => {
                    writes.insert(key, Some(value));
                }
                Operation::Delete(key) => {
                    writes.insert(key, None);
                }
                Operation::DeletePrefix(prefix) => {
                    let existing = self.state.with_prefix(&prefix, None).map(|(key, _)| key.clone());
                    let pending = self
                        .pending
                        .keys()
                        .filter(|key| key.starts_with(&*prefix))
                        .cloned();
                    let earlier = writes.keys().filter(|key| key.starts_with(&*prefix)).cloned();
                    let keys: Vec<_> = existing.chain(pending).chain(earlier).collect();
                    writes.extend(keys.into_iter().map(|key| (key, None)));
                }
            }
        }
        writes.retain(|key, value| value.is_some() || self.modified(key).is_some());
        writes.into_iter().collect()
    }
}
