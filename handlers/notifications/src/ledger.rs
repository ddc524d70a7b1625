//! What has to be written about deliveries: collected, and committed in one batch after the other.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use mecforge_contracts::keys;
use mecforge_store::{Commit, CommitError, LARGEST_KEY, LARGEST_VALUE, Revision, Store, Transaction};
use tokio::time::{Duration, Instant};

use crate::letter::Letter;
use crate::queue::Place;
use crate::queues::GivenUp;

/// The most that is written at once.
const BATCH: usize = 4096;
/// How many bytes are written at once, or a little more.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How much may be unwritten before no more attempts start: what is delivered and not written down would be delivered
/// again after a restart.
const BACKLOG: usize = 4 * BATCH;
/// How long to wait after a commit that failed, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Something to be written.
#[derive(Clone, Debug)]
pub(crate) enum Settlement {
    /// A notification has left the outbox.
    Delete(Place),
    /// A notification becomes a dead letter.
    GiveUp(GivenUp),
    /// A key goes that is no notification that waits.
    Drop(Arc<str>),
    /// A subscription is gone, and with it all its notifications.
    Forget(Arc<str>),
}

#[derive(Default)]
pub(crate) struct Ledger {
    pending: VecDeque<Settlement>,
    /// What is in the store still, but has been dealt with.
    settled: HashMap<Arc<str>, Revision>,
    /// What is being written, and the first error of it.
    committing: VecDeque<Commit>,
    error: Option<CommitError>,
    batch: Vec<Settlement>,
    failures: u32,
    resume: Option<Instant>,
}

impl Ledger {
    pub(crate) fn add(&mut self, settlement: Settlement) {
        let place = match &settlement {
            Settlement::Delete(place) => Some(place),
            Settlement::GiveUp(given_up) => Some(&given_up.place),
            Settlement::Drop(_) | Settlement::Forget(_) => None,
        };
        if let Some((created, key)) = place {
            self.settled.insert(key.clone(), *created);
        }
        self.pending.push_back(settlement);
    }

    /// Whether a notification that is in the store has been dealt with.
    pub(crate) fn has_settled(&self, place: &Place) -> bool {
        self.settled.get(&place.1) == Some(&place.0)
    }

    /// Whether so much is unwritten that no more attempts should start.
    pub(crate) fn is_behind(&self) -> bool {
        self.pending.len() + self.batch.len() > BACKLOG
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.batch.is_empty()
    }

    /// Starts to write if there is something, nothing is being written, and the last attempt did not just fail.
    pub(crate) fn start(&mut self, store: &dyn Store) {
        let paused = self.resume.is_some_and(|resume| resume > Instant::now());
        // A batch of which nothing is left that could be written is done.
        while self.committing.is_empty() && !self.is_empty() && !paused {
            self.submit(store);
            if self.committing.is_empty() {
                self.written();
            }
        }
    }

    /// Submits the next batch, or the last one again if it could not be written.
    fn submit(&mut self, store: &dyn Store) {
        let mut pages = Pages::default();
        for settlement in &self.batch {
            pages.write(settlement, store);
        }
        while self.batch.len() < BATCH && pages.bytes < BATCH_BYTES {
            let Some(settlement) = self.pending.pop_front() else {
                break;
            };
            pages.write(&settlement, store);
            self.batch.push(settlement);
        }
        // Submitted at once and in order, they share a write to disk.
        self.committing = pages
            .transactions
            .into_iter()
            .map(|transaction| store.commit(transaction))
            .collect();
    }

    /// Waits until what is being written has been, and says whether there were dead letters in it; waits for ever if
    /// there is nothing and nothing is to be tried again. Cancel-safe.
    pub(crate) async fn committed(&mut self) -> bool {
        if self.committing.is_empty() {
            match self.resume {
                Some(resume) if !self.batch.is_empty() => tokio::time::sleep_until(resume).await,
                _ => std::future::pending().await,
            }
            return false;
        }
        while let Some(commit) = self.committing.front_mut() {
            let result = commit.await;
            self.committing.pop_front();
            self.error = self.error.take().or(result.err());
        }
        match self.error.take() {
            None => self.written(),
            Some(error) => {
                self.failed(&error);
                false
            }
        }
    }

    fn written(&mut self) -> bool {
        self.failures = 0;
        self.resume = None;
        let mut dead = false;
        for settlement in self.batch.drain(..) {
            let (created, key) = match settlement {
                Settlement::Delete(place) => place,
                Settlement::GiveUp(given_up) => {
                    dead = true;
                    given_up.place
                }
                Settlement::Drop(_) | Settlement::Forget(_) => continue,
            };
            if self.settled.get(&key) == Some(&created) {
                self.settled.remove(&key);
            }
        }
        dead
    }

    fn failed(&mut self, error: &CommitError) {
        self.failures = self.failures.saturating_add(1);
        let pause = PAUSE.0.saturating_mul(1 << self.failures.min(10)).min(PAUSE.1);
        self.resume = Some(Instant::now() + pause);
        tracing::warn!(%error, "cannot write down what was delivered, trying again");
    }
}

/// Transactions that are committed together. Dead letters of one subscription are in one after the other, so that
/// their revisions tell their order.
#[derive(Default)]
struct Pages {
    transactions: Vec<Transaction>,
    bytes: usize,
    /// Dead letters of each subscription so far.
    dead: HashMap<Arc<str>, usize>,
}

impl Pages {
    /// Writes a settlement down.
    fn write(&mut self, settlement: &Settlement, store: &dyn Store) {
        match settlement {
            Settlement::Delete((_, key)) | Settlement::Drop(key) => self.delete(0, key.clone()),
            Settlement::GiveUp(given_up) => {
                let mut page = 0;
                if let Some((key, value)) = dead_letter(given_up, store) {
                    let earlier = self.dead.entry(given_up.subscription.clone()).or_default();
                    page = *earlier;
                    *earlier += 1;
                    self.bytes += key.len() + value.len();
                    self.change(page, |transaction| transaction.put(key, value));
                }
                self.delete(page, given_up.place.1.clone());
            }
            // A subscription that is made anew under the same key has a life of its own.
            Settlement::Forget(subscription) if store.get(subscription).is_some() => {}
            Settlement::Forget(subscription) => {
                for place in [
                    keys::outgoing_of(subscription),
                    keys::dead_letters_of(subscription),
                ] {
                    for (key, _) in store.range(&place, None, usize::MAX).entries {
                        self.delete(0, key);
                    }
                }
            }
        }
    }

    fn delete(&mut self, page: usize, key: Arc<str>) {
        self.bytes += key.len();
        self.change(page, |transaction| transaction.delete(key));
    }

    fn change(&mut self, page: usize, change: impl FnOnce(Transaction) -> Transaction) {
        if self.transactions.len() <= page {
            self.transactions.resize_with(page + 1, Transaction::new);
        }
        let transaction = std::mem::take(&mut self.transactions[page]);
        self.transactions[page] = change(transaction);
    }
}

/// Key and value of the dead letter that a notification becomes; none for one that is gone or too large.
fn dead_letter(given_up: &GivenUp, store: &dyn Store) -> Option<(String, Vec<u8>)> {
    let key = &given_up.place.1;
    let entry = store.get(key)?;
    let letter = Letter::parse(&entry.value).ok()?;
    let (_, id) = keys::outgoing_at(key)?;
    let subscription = &given_up.subscription;
    let place = keys::dead_letter(subscription, &id);
    let dead = letter.into_dead(id, subscription, given_up.attempts, given_up.reason.clone());
    let value = serde_json::to_vec(&dead).ok()?;
    (place.len() <= LARGEST_KEY && value.len() <= LARGEST_VALUE).then_some((place, value))
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
