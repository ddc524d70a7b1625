//! What waits for one subscription, and how deliveries to it are going.

use std::collections::BTreeMap;
use std::sync::Arc;

use mecforge_contracts::deliveries::DeliveryState;
use mecforge_contracts::outbox::Target;
use mecforge_contracts::time::unix_milliseconds;
use mecforge_store::Revision;
use tokio::time::Instant;
use tokio_util::time::delay_queue::Key;

/// Where a notification is in the order of deliveries: the revision that created it, then its key.
pub(crate) type Place = (Revision, Arc<str>);

/// A notification that waits. Its body stays in the store.
#[derive(Debug)]
pub(crate) struct Item {
    /// Bytes of its value.
    pub(crate) size: usize,
    /// Since when, in milliseconds since 1970-01-01 UTC.
    pub(crate) since: u64,
    pub(crate) receiver: Arc<str>,
}

/// What a queue waits for.
#[derive(Debug)]
pub(crate) enum Phase {
    /// A notification.
    Idle,
    /// Its turn.
    Ready,
    /// The outcome of an attempt.
    InFlight(Place),
    /// A time.
    Delayed {
        key: Key,
        until: Instant,
        receiver: Arc<str>,
    },
    /// A client that opens its WebSocket.
    Parked,
}

#[derive(Debug)]
pub(crate) struct Queue {
    waiting: BTreeMap<Place, Item>,
    /// Bytes of all that waits.
    pub(crate) bytes: usize,
    pub(crate) phase: Phase,
    /// Attempts at the first notification.
    pub(crate) attempts: u32,
    /// Failures since the last success.
    pub(crate) failures: u64,
    pub(crate) target: Target,
    pub(crate) receiver: Arc<str>,
    delivered: u64,
    last_success: Option<u64>,
    last_failure: Option<u64>,
    last_error: Option<String>,
}

impl Queue {
    pub(crate) fn new(target: Target, receiver: Arc<str>) -> Self {
        Self {
            waiting: BTreeMap::new(),
            bytes: 0,
            phase: Phase::Idle,
            attempts: 0,
            failures: 0,
            target,
            receiver,
            delivered: 0,
            last_success: None,
            last_failure: None,
            last_error: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_in_flight(&self) -> bool {
        matches!(self.phase, Phase::InFlight(_))
    }

    /// The notification that is next, or is being tried.
    pub(crate) fn head(&self) -> Option<(&Place, &Item)> {
        self.waiting.first_key_value()
    }

    /// The oldest notification that is not being tried.
    pub(crate) fn oldest(&self) -> Option<(&Place, &Item)> {
        self.waiting.iter().find(|(place, _)| match &self.phase {
            Phase::InFlight(tried) => tried != *place,
            _ => true,
        })
    }

    /// The places of all that waits, without the one that is being tried.
    pub(crate) fn places(&self) -> Vec<Place> {
        let tried = match &self.phase {
            Phase::InFlight(tried) => Some(tried),
            _ => None,
        };
        let places = self.waiting.keys().filter(|place| Some(*place) != tried);
        places.cloned().collect()
    }

    pub(crate) fn insert(&mut self, place: Place, item: Item) {
        self.bytes += item.size;
        self.waiting.insert(place, item);
    }

    pub(crate) fn remove(&mut self, place: &Place) -> Option<Item> {
        if self.head().is_some_and(|(head, _)| head == place) {
            self.attempts = 0;
        }
        let item = self.waiting.remove(place)?;
        self.bytes -= item.size;
        Some(item)
    }

    pub(crate) fn succeeded(&mut self) {
        self.delivered += 1;
        self.failures = 0;
        self.last_success = Some(unix_milliseconds());
    }

    pub(crate) fn failed(&mut self, error: &str) {
        self.failures += 1;
        self.last_failure = Some(unix_milliseconds());
        self.last_error = Some(error.to_owned());
    }

    /// How it goes; `dead` letters are counted elsewhere.
    pub(crate) fn state(&self, subscription: &str, dead: u64) -> DeliveryState {
        let now = unix_milliseconds();
        let next_attempt = match &self.phase {
            Phase::Idle | Phase::Parked => None,
            Phase::Ready | Phase::InFlight(_) => Some(now),
            Phase::Delayed { until, .. } => {
                let wait = until.saturating_duration_since(Instant::now()).as_millis();
                Some(now.saturating_add(u64::try_from(wait).unwrap_or(u64::MAX)))
            }
        };
        DeliveryState {
            subscription: subscription.to_owned(),
            target: Some(self.target.clone()),
            queued: self.waiting.len() as u64,
            dead,
            delivered: self.delivered,
            failures: self.failures,
            last_success: self.last_success,
            last_failure: self.last_failure,
            last_error: self.last_error.clone(),
            next_attempt,
        }
    }
}
