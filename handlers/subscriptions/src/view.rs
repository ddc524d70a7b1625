//! The subscriptions of a kind in memory, and the mark that every change of them leaves.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use bytes::Bytes;
use mecforge_store::{Changes, Expected, Revision, Transaction, View};

use crate::subscription::Subscription;

/// Where marks are: `subscription-marks/<kind>`. Every transaction that changes subscriptions of a kind sets it.
const MARKS: &str = "subscription-marks/";

/// What an API keeps of its subscriptions for finding those that match. Fed by the store before a change of
/// subscriptions is acknowledged.
pub trait Index: Send + Sync + 'static {
    /// A subscription has come. Must be quick, must not block on the store, and must not panic.
    fn insert(&self, subscription: &Arc<Subscription>);

    /// A subscription, as it was inserted, has gone. One that is replaced goes and comes.
    fn remove(&self, subscription: &Arc<Subscription>);
}

/// Creation order, and what tells subscriptions of one transaction apart.
type Position = (Revision, Arc<str>);

/// The subscriptions of a kind, as a [`View`] of the store.
pub(crate) struct Records {
    index: Option<Arc<dyn Index>>,
    maps: RwLock<Maps>,
}

#[derive(Debug, Default)]
struct Maps {
    by_key: HashMap<Arc<str>, Arc<Subscription>>,
    by_application: HashMap<Arc<str>, BTreeMap<Position, Arc<Subscription>>>,
}

impl Records {
    pub(crate) fn new(index: Option<Arc<dyn Index>>) -> Self {
        Self {
            index,
            maps: RwLock::default(),
        }
    }

    fn maps(&self) -> RwLockReadGuard<'_, Maps> {
        self.maps.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, key: &str) -> Option<Arc<Subscription>> {
        self.maps().by_key.get(key).cloned()
    }

    /// Those of an application instance, oldest first.
    pub(crate) fn of(&self, app_instance_id: &str) -> Vec<Arc<Subscription>> {
        let maps = self.maps();
        let of = maps.by_application.get(app_instance_id);
        of.map(|of| of.values().cloned().collect()).unwrap_or_default()
    }

    /// All of them, in no order.
    pub(crate) fn all(&self) -> Vec<Arc<Subscription>> {
        self.maps().by_key.values().cloned().collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.maps().by_key.len()
    }

    /// The application instances that have some.
    pub(crate) fn applications(&self) -> Vec<Arc<str>> {
        self.maps().by_application.keys().cloned().collect()
    }

    /// Puts one in the place of another; returns the other.
    fn exchange(&self, key: &str, new: Option<&Arc<Subscription>>) -> Option<Arc<Subscription>> {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        let old = maps.by_key.remove(key);
        if let Some(old) = &old
            && let Some(of) = maps.by_application.get_mut(&old.app_instance_id)
        {
            of.remove(&position(old));
            if of.is_empty() {
                maps.by_application.remove(&old.app_instance_id);
            }
        }
        if let Some(new) = new {
            maps.by_key.insert(new.key.clone(), new.clone());
            let of = maps.by_application.entry(new.app_instance_id.clone());
            of.or_default().insert(position(new), new.clone());
        }
        old
    }
}

fn position(subscription: &Subscription) -> Position {
    (subscription.created, subscription.id.clone())
}

impl View for Records {
    fn apply(&self, changes: &Changes) {
        for change in &changes.changes {
            let new = change.entry.as_ref().and_then(|entry| {
                let read = Subscription::read(&change.key, entry);
                if read.is_none() {
                    tracing::error!(
                        key = &*change.key,
                        "the store holds a subscription that this version cannot read"
                    );
                }
                read.map(Arc::new)
            });
            let old = self.exchange(&change.key, new.as_ref());
            let Some(index) = &self.index else { continue };
            if let Some(old) = &old {
                index.remove(old);
            }
            if let Some(new) = &new {
                index.insert(new);
            }
        }
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Records")
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

/// The revision that last changed subscriptions of a kind, as a [`View`] of the store; zero for none.
#[derive(Debug)]
pub(crate) struct LastChange {
    key: Arc<str>,
    revision: AtomicU64,
}

impl LastChange {
    pub(crate) fn new(kind: &str) -> Self {
        Self {
            key: format!("{MARKS}{kind}").into(),
            revision: AtomicU64::new(0),
        }
    }

    /// Where it is in the store.
    pub(crate) fn key(&self) -> &Arc<str> {
        &self.key
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            key: self.key.clone(),
            revision: Revision(self.revision.load(Ordering::Acquire)),
        }
    }

    /// Adds to a transaction that it changes subscriptions.
    pub(crate) fn leave(&self, transaction: Transaction) -> Transaction {
        transaction.put(self.key.clone(), Bytes::new())
    }
}

impl View for LastChange {
    fn apply(&self, changes: &Changes) {
        for change in &changes.changes {
            if change.key == self.key {
                let modified = change.entry.as_ref().map_or(0, |entry| entry.modified.0);
                self.revision.store(modified, Ordering::Release);
            }
        }
    }
}

/// A moment in the history of the subscriptions of a kind.
#[derive(Clone, Debug)]
pub struct Mark {
    key: Arc<str>,
    revision: Revision,
}

impl Mark {
    /// Adds to a transaction that no subscription of the kind has come, changed or gone since this moment. The
    /// transaction is refused with a conflict otherwise.
    #[must_use]
    pub fn guard(&self, transaction: Transaction) -> Transaction {
        let expected = match self.revision {
            Revision(0) => Expected::Absent,
            revision => Expected::Revision(revision),
        };
        transaction.expect(self.key.clone(), expected)
    }

    /// Whether a conflict was about this mark, and not about something else that the transaction expected.
    #[must_use]
    pub fn is_at(&self, key: &str) -> bool {
        *self.key == *key
    }
}
