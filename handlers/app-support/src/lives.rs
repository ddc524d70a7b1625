//! How far the lives of application instances are, as the store has it.

use mecforge_contracts::keys;
use mecforge_contracts::lifecycle::Life;
use mecforge_runtime::server::Problem;
use mecforge_store::{Entry, Expected, Store, Transaction};

/// A life, and where it was found.
pub(crate) struct Found {
    key: String,
    pub(crate) life: Life,
    expected: Expected,
}

impl Found {
    /// The life of an application instance; that of one that has just begun where nothing is known.
    pub(crate) fn at(store: &dyn Store, app_instance_id: &str) -> Self {
        let key = keys::life(app_instance_id);
        let entry = store.get(&key);
        Self {
            life: entry
                .as_ref()
                .and_then(|entry| read(&key, entry))
                .unwrap_or_default(),
            expected: entry.map_or(Expected::Absent, |entry| Expected::Revision(entry.modified)),
            key,
        }
    }

    /// Adds to a transaction that this is still how far the life is.
    pub(crate) fn guard(&self, transaction: Transaction) -> Transaction {
        transaction.expect(self.key.as_str(), self.expected)
    }

    /// Adds to a transaction that the life goes on like this.
    pub(crate) fn put(&self, transaction: Transaction, life: &Life) -> Result<Transaction, Problem> {
        let transaction = self.guard(transaction);
        if *life == Life::default() {
            return Ok(transaction.delete(self.key.as_str()));
        }
        let value = serde_json::to_vec(life).map_err(Problem::internal)?;
        Ok(transaction.put(self.key.as_str(), value))
    }
}

/// The life in an entry of the store.
pub(crate) fn read(key: &str, entry: &Entry) -> Option<Life> {
    let read = serde_json::from_slice(&entry.value);
    read.inspect_err(
        |error| tracing::error!(%error, key, "the store holds a life that this version cannot read"),
    )
    .ok()
}
