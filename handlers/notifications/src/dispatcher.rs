//! The task that moves everything: it takes in what the store tells, starts attempts, and writes down how they ended.

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mecforge_contracts::keys;
use mecforge_contracts::time::unix_milliseconds;
use mecforge_store::{Change, Changes, Entry, KeyRange, Store, Watch, WatchError};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Duration, Instant, MissedTickBehavior, interval_at};

use crate::courier::Courier;
use crate::dead_letters::DeadLetters;
use crate::ledger::{Ledger, Settlement};
use crate::letter::{Head, Letter};
use crate::metrics::Metrics;
use crate::options::Options;
use crate::queues::{Attempt, GivenUp, Outcome, Queues, Verdict};

/// How often old notifications and what is no longer needed are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

/// What a platform that starts may try at once, in subscriptions; beyond that it spreads the attempts.
const AT_ONCE: usize = 256;

/// How many attempts that ended are taken in before others get a turn.
const ENDED_AT_ONCE: usize = 256;

/// What the dispatcher works with; all but its own state.
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) options: Arc<Options>,
    pub(crate) courier: Arc<Courier>,
    pub(crate) dead: Arc<DeadLetters>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) queues: Arc<Mutex<Queues>>,
}

pub(crate) struct Dispatcher {
    parts: Parts,
    ledger: Ledger,
    attempts: JoinSet<Verdict>,
    in_flight: HashMap<Id, Attempt>,
}

/// The change feeds that matter: of the outbox and of subscriptions.
struct Feeds {
    outbox: Watch,
    subscriptions: Watch,
}

impl Dispatcher {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            parts,
            ledger: Ledger::default(),
            attempts: JoinSet::new(),
            in_flight: HashMap::new(),
        }
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.parts.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs until the store is closed or the task is aborted.
    pub(crate) async fn run(mut self) {
        let mut first = true;
        loop {
            let mut feeds = match self.scan(first) {
                Ok(feeds) => feeds,
                Err(WatchError::Closed) => return,
                // Between reading and watching, more happened than the store keeps: read again.
                Err(WatchError::Compacted { .. }) => {
                    tokio::task::yield_now().await;
                    continue;
                }
            };
            first = false;
            match self.follow(&mut feeds).await {
                WatchError::Closed => return,
                error @ WatchError::Compacted { .. } => {
                    tracing::info!(%error, "too much has happened at once, reading the outbox again");
                }
            }
        }
    }

    /// Reads the outbox as it is, and watches from there.
    fn scan(&mut self, first: bool) -> Result<Feeds, WatchError> {
        let KeyRange { revision, entries } = self.parts.store.range(keys::OUTBOX, None, usize::MAX);
        let feeds = Feeds {
            outbox: self.parts.store.watch(keys::OUTBOX, revision)?,
            subscriptions: self.parts.store.watch(keys::SUBSCRIPTIONS, revision)?,
        };
        let spread = if first {
            self.spread(&entries)
        } else {
            Duration::ZERO
        };
        let present: HashSet<&str> = entries.iter().map(|(key, _)| &**key).collect();
        let known = self.queues().keys();
        for key in known {
            if !present.contains(&*key) {
                self.vanished(&key);
            }
        }
        for (key, entry) in &entries {
            let delay = (!spread.is_zero()).then(|| spread.mul_f64(fastrand::f64()));
            self.arrived(key, entry, delay);
        }
        self.forget_what_is_gone();
        Ok(feeds)
    }

    /// Over which time the first attempts of a platform that starts are spread.
    fn spread(&self, entries: &[(Arc<str>, Entry)]) -> Duration {
        let subscriptions: HashSet<&str> = entries
            .iter()
            .filter_map(|(key, _)| key.rsplit_once('/').map(|(subscription, _)| subscription))
            .collect();
        let beyond = u64::try_from(subscriptions.len().saturating_sub(AT_ONCE)).unwrap_or(u64::MAX);
        Duration::from_millis(beyond).min(self.parts.options.restart_spread)
    }

    async fn follow(&mut self, feeds: &mut Feeds) -> WatchError {
        let mut housekeeping = interval_at(Instant::now() + HOUSEKEEPING, HOUSEKEEPING);
        housekeeping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let courier = self.parts.courier.clone();
        loop {
            self.start_attempts();
            self.ledger.start(&*self.parts.store);
            self.show();
            let queues = self.parts.queues.clone();
            let expired = poll_fn(|context| {
                queues
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .poll_expired(context)
            });
            tokio::select! {
                changes = feeds.outbox.next() => match changes {
                    Ok(changes) => self.outbox_changed(&changes),
                    Err(error) => return error,
                },
                changes = feeds.subscriptions.next() => match changes {
                    Ok(changes) => self.subscriptions_changed(&changes),
                    Err(error) => return error,
                },
                Some(ended) = self.attempts.join_next_with_id() => self.attempts_ended(ended),
                dead = self.ledger.committed() => if dead { self.bound_dead_letters() },
                subscription = expired => self.queues().expired(&subscription),
                () = courier.websockets.bell.notified() => {
                    for subscription in courier.websockets.newly_connected() {
                        self.queues().connected(&subscription);
                    }
                }
                _ = housekeeping.tick() => self.keep_house(),
            }
        }
    }

    fn show(&self) {
        let gauge = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let queues = self.queues();
        let metrics = &self.parts.metrics;
        metrics.queued.set(gauge(queues.len()));
        metrics.queued_bytes.set(gauge(queues.bytes()));
        metrics.in_flight.set(gauge(queues.in_flight()));
    }

    fn outbox_changed(&mut self, changes: &Changes) {
        for Change { key, entry } in &changes.changes {
            match entry {
                Some(entry) => self.arrived(key, entry, None),
                None => self.vanished(key),
            }
        }
    }

    fn arrived(&mut self, key: &Arc<str>, entry: &Entry, delay: Option<Duration>) {
        let place = (entry.created, key.clone());
        if self.ledger.has_settled(&place) || self.queues().contains(&place) {
            return;
        }
        let read = keys::outgoing_at(key).ok_or_else(|| "its key is none of the outbox".to_owned());
        let read = read.and_then(|(subscription, _)| Ok((subscription, head(entry)?)));
        match read {
            Ok((subscription, head)) => {
                let size = key.len() + entry.value.len();
                let mut queues = self.queues();
                queues.arrive(&subscription, place, head, size, delay);
                let given_up = queues.overflow(&subscription);
                drop(queues);
                self.give_up(given_up);
            }
            Err(reason) => {
                tracing::error!(
                    key = &**key,
                    reason,
                    "an entry of the outbox is no notification; it is removed"
                );
                self.parts.metrics.unreadable();
                self.ledger.add(Settlement::Delete(place));
            }
        }
    }

    fn vanished(&mut self, key: &str) {
        if let Some((subscription, _)) = keys::outgoing_at(key) {
            self.queues().vanish(&subscription, key);
        }
    }

    fn subscriptions_changed(&mut self, changes: &Changes) {
        for Change { key, entry } in &changes.changes {
            if entry.is_none() {
                self.forget(key);
            }
        }
    }

    /// Forgets a subscription that is gone and all its notifications.
    fn forget(&mut self, subscription: &Arc<str>) {
        if self.parts.store.get(subscription).is_some() {
            return;
        }
        self.queues().forget(subscription);
        self.parts.courier.websockets.disconnect(subscription);
        self.ledger.add(Settlement::Forget(subscription.clone()));
    }

    fn forget_what_is_gone(&mut self) {
        let mut subscriptions = self.queues().subscriptions();
        subscriptions.extend(self.parts.dead.subscriptions(""));
        subscriptions.extend(self.parts.courier.websockets.subscriptions());
        for subscription in subscriptions {
            self.forget(&subscription);
        }
    }

    fn start_attempts(&mut self) {
        while !self.ledger.is_behind() {
            let Some(attempt) = self.queues().next() else {
                break;
            };
            let courier = self.parts.courier.clone();
            let subscription = attempt.turn.subscription.clone();
            let key = attempt.place.1.clone();
            let started = self
                .attempts
                .spawn(async move { courier.attempt(&subscription, &key).await });
            self.in_flight.insert(started.id(), attempt);
        }
    }

    fn attempts_ended(&mut self, ended: Result<(Id, Verdict), JoinError>) {
        self.attempt_ended(ended);
        for _ in 1..ENDED_AT_ONCE {
            let Some(ended) = self.attempts.try_join_next_with_id() else {
                break;
            };
            self.attempt_ended(ended);
        }
    }

    fn attempt_ended(&mut self, ended: Result<(Id, Verdict), JoinError>) {
        let (id, verdict) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "an attempt to deliver a notification has failed within the platform");
                let verdict = Verdict::Later {
                    reason: "the platform has failed; its log tells why".to_owned(),
                    retry_after: None,
                };
                (error.id(), verdict)
            }
        };
        let Some(attempt) = self.in_flight.remove(&id) else {
            return;
        };
        let subscription = &attempt.turn.subscription;
        let key = &attempt.place.1;
        self.parts.metrics.attempted(&verdict);
        match &verdict {
            Verdict::Later { reason, .. } | Verdict::Never { reason, .. } => {
                tracing::debug!(
                    subscription = &**subscription,
                    key = &**key,
                    reason,
                    "not delivered"
                );
            }
            Verdict::Unreadable(reason) => {
                tracing::error!(
                    key = &**key,
                    reason,
                    "an entry of the outbox is no notification; it is removed"
                );
            }
            _ => {}
        }
        let outcome = self.queues().finish(&attempt, &verdict);
        match outcome {
            Outcome::Delete(place) => self.ledger.add(Settlement::Delete(place)),
            Outcome::GiveUp(given_up) => self.give_up(vec![given_up]),
            Outcome::Keep => {}
        }
        // It may have connected while the attempt was ending.
        if matches!(verdict, Verdict::Parked) && self.parts.courier.websockets.is_connected(subscription) {
            self.queues().connected(subscription);
        }
    }

    fn give_up(&mut self, given_up: Vec<GivenUp>) {
        for given_up in given_up {
            self.parts
                .metrics
                .gave_up(&given_up.subscription, given_up.cause, &given_up.reason);
            self.ledger.add(Settlement::GiveUp(given_up));
        }
    }

    fn bound_dead_letters(&mut self) {
        let beyond = self.parts.dead.beyond_bounds();
        self.parts.metrics.dropped(beyond.len() as u64);
        for key in beyond {
            self.ledger.add(Settlement::Drop(key));
        }
    }

    fn keep_house(&mut self) {
        let given_up = self.queues().too_old(unix_milliseconds());
        self.give_up(given_up);
        self.forget_what_is_gone();
        self.queues().forget_unused_receivers();
        if self.ledger.is_empty() {
            self.bound_dead_letters();
        }
        self.parts.metrics.report();
    }
}

/// What the queue has to know of a notification.
fn head(entry: &Entry) -> Result<Head, String> {
    let letter = Letter::parse(&entry.value).map_err(|error| error.to_string())?;
    Ok(letter.head())
}
