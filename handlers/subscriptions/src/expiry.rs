//! The end of subscriptions that have one: one timer queue for a kind, cost by what expires.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use mecforge_contracts::outbox::Outgoing;
use mecforge_contracts::time::unix_milliseconds;
use mecforge_runtime::server::Problem;
use mecforge_store::{Change, CommitError, Entry, Expected, Transaction, WatchError};
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key;

use crate::running::Running;
use crate::subscription::{Subscription, remove};
use crate::subscriptions::Subscriptions;

/// Makes the notification of a subscription's coming end; `None` for none.
pub type Announcement = Box<dyn Fn(&Subscription) -> Option<Result<Outgoing, Problem>> + Send + Sync>;

/// How subscriptions of a kind end.
#[derive(Default)]
pub struct Expiry {
    /// How long before its end a subscription is told of it.
    pub notice: Duration,
    /// What it is told; without it, nothing. A platform that restarts within the notice tells it again.
    pub announcement: Option<Announcement>,
}

/// What is due of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Notice,
    End,
}

impl Subscriptions {
    /// Starts to end subscriptions when their time comes.
    pub fn start(self: &Arc<Self>, expiry: Expiry) -> Running {
        let expirer = Expirer {
            subscriptions: self.clone(),
            expiry,
            queue: DelayQueue::new(),
            keys: HashMap::new(),
        };
        Running::new([tokio::spawn(expirer.run())])
    }
}

struct Expirer {
    subscriptions: Arc<Subscriptions>,
    expiry: Expiry,
    queue: DelayQueue<(Arc<str>, Due)>,
    keys: HashMap<Arc<str>, Key>,
}

impl Expirer {
    async fn run(mut self) {
        let prefix = mecforge_contracts::keys::subscriptions(self.subscriptions.kind());
        let store = self.subscriptions.store.clone();
        loop {
            let existing = store.range(&prefix, None, usize::MAX);
            let mut watch = match store.watch(&prefix, existing.revision) {
                Ok(watch) => watch,
                Err(WatchError::Compacted { .. }) => continue,
                Err(WatchError::Closed) => return,
            };
            self.queue.clear();
            self.keys.clear();
            for (key, entry) in existing.entries {
                self.arm(key, &entry);
            }
            loop {
                tokio::select! {
                    changes = watch.next() => match changes {
                        Ok(changes) => changes.changes.into_iter().for_each(|change| self.follow(change)),
                        Err(WatchError::Compacted { .. }) => break,
                        Err(WatchError::Closed) => return,
                    },
                    Some(expired) = poll_fn(|context| self.queue.poll_expired(context)), if !self.queue.is_empty() => {
                        let (key, due) = expired.into_inner();
                        self.keys.remove(&key);
                        self.fire(key, due).await;
                    }
                }
            }
        }
    }

    /// Follows a change of a subscription.
    fn follow(&mut self, change: Change) {
        if let Some(armed) = self.keys.remove(&change.key) {
            self.queue.try_remove(&armed);
        }
        if let Some(entry) = &change.entry {
            self.arm(change.key, entry);
        }
    }

    /// Sets the timer of a subscription.
    fn arm(&mut self, key: Arc<str>, entry: &Entry) {
        let Some(expires) = Subscription::read(&key, entry).and_then(|subscription| subscription.expires)
        else {
            return;
        };
        let left = Duration::from_millis(expires.saturating_sub(unix_milliseconds()));
        let due = match &self.expiry.announcement {
            Some(_) => Due::Notice,
            None => Due::End,
        };
        let delay = match due {
            Due::Notice => left.saturating_sub(self.expiry.notice),
            Due::End => left,
        };
        self.insert(key, due, delay);
    }

    fn insert(&mut self, key: Arc<str>, due: Due, delay: Duration) {
        let armed = self.queue.insert((key.clone(), due), delay.min(LONGEST));
        self.keys.insert(key, armed);
    }

    /// Does what is due; the wall clock may have been set, so it is asked.
    async fn fire(&mut self, key: Arc<str>, due: Due) {
        // From the store, and not from the view, which may be a moment behind.
        let entry = self.subscriptions.store.get(&key);
        let Some(subscription) = entry.and_then(|entry| Subscription::read(&key, &entry)) else {
            return;
        };
        let Some(expires) = subscription.expires else {
            return;
        };
        let left = Duration::from_millis(expires.saturating_sub(unix_milliseconds()));
        let early = match due {
            Due::Notice => left.saturating_sub(self.expiry.notice),
            Due::End => left,
        };
        if !early.is_zero() {
            return self.insert(key, due, early);
        }
        let done = match due {
            Due::Notice if left.is_zero() => Ok(()),
            Due::Notice => self.announce(&subscription).await,
            Due::End => self.end(&subscription).await,
        };
        match (done, due) {
            (Ok(()), Due::Notice) => self.insert(key, Due::End, left),
            // A subscription that was changed meanwhile is armed again by its change.
            (Ok(()) | Err(CommitError::Conflict { .. }), _) => {}
            (Err(error), due) => {
                tracing::error!(%error, %key, "a subscription could not be ended");
                self.insert(key, due, RETRY);
            }
        }
    }

    async fn announce(&self, subscription: &Subscription) -> Result<(), CommitError> {
        let announcement = self.expiry.announcement.as_ref();
        let Some(made) = announcement.and_then(|make| make(subscription)) else {
            return Ok(());
        };
        let transaction = Transaction::new().expect(
            subscription.key.clone(),
            Expected::Revision(subscription.modified),
        );
        match made.and_then(|outgoing| outgoing.post(transaction)) {
            Ok(transaction) => self.subscriptions.store.commit(transaction).await.map(|_| ()),
            Err(problem) => {
                tracing::error!(%problem, key = &*subscription.key, "the end of a subscription cannot be announced");
                Ok(())
            }
        }
    }

    async fn end(&self, subscription: &Subscription) -> Result<(), CommitError> {
        let transaction = Transaction::new().expect(
            subscription.key.clone(),
            Expected::Revision(subscription.modified),
        );
        let committed = self.subscriptions.commit(remove(transaction, &subscription.key));
        committed.await.map(|_| ())
    }
}

/// The longest that a timer runs; it is set again when it fires early. Timer wheels have an end.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// When a removal is tried again that the store refused.
const RETRY: Duration = Duration::from_secs(5);
