//! A store in which somebody else is quicker: what a test names is committed just before the next transaction.

use std::sync::{Arc, Mutex};

use mecforge_store::{
    Commit, Embedded, Entry, Figures, KeyRange, Revision, Store, Transaction, View, Watch, WatchError,
};

pub(crate) struct Meddling {
    inner: Embedded,
    first: Mutex<Option<Transaction>>,
    waiting: Arc<()>,
}

impl Meddling {
    pub(crate) fn new(inner: Embedded) -> Self {
        Self {
            inner,
            first: Mutex::default(),
            waiting: Arc::default(),
        }
    }

    /// Whether somebody waits for a transaction.
    pub(crate) fn is_busy(&self) -> bool {
        Arc::strong_count(&self.waiting) > 1
    }

    /// Lets a transaction come before the next one.
    pub(crate) fn meddle(&self, transaction: Transaction) {
        *self.first.lock().unwrap() = Some(transaction);
    }
}

impl Store for Meddling {
    fn commit(&self, transaction: Transaction) -> Commit {
        let first = self.first.lock().unwrap().take();
        let first = first.map(|first| self.inner.commit(first));
        let then = self.inner.commit(transaction);
        let waiting = self.waiting.clone();
        Box::pin(async move {
            let _waiting = waiting;
            if let Some(first) = first {
                first.await.unwrap();
            }
            then.await
        })
    }

    fn get(&self, key: &str) -> Option<Entry> {
        self.inner.get(key)
    }

    fn range(&self, prefix: &str, after: Option<&str>, limit: usize) -> KeyRange {
        self.inner.range(prefix, after, limit)
    }

    fn watch(&self, prefix: &str, after: Revision) -> Result<Watch, WatchError> {
        self.inner.watch(prefix, after)
    }

    fn attach(&self, prefix: &str, view: Arc<dyn View>) {
        self.inner.attach(prefix, view);
    }

    fn revision(&self) -> Revision {
        self.inner.revision()
    }

    fn health(&self) -> Result<(), String> {
        self.inner.health()
    }

    fn figures(&self) -> Figures {
        self.inner.figures()
    }
}
