//! What is counted.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use mecforge_contracts::time::unix_milliseconds;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::queues::{Cause, Verdict};

/// Upper ends of the buckets of the time from the happening to the acknowledgement, in seconds.
const BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: Cause,
}

impl EncodeLabelValue for Cause {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        let text = match self {
            Self::Attempts => "attempts",
            Self::Refused => "refused",
            Self::Age => "age",
            Self::QueueLength => "queue_length",
            Self::QueueBytes => "queue_bytes",
        };
        EncodeLabelValue::encode(&text, encoder)
    }
}

#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) queued: Gauge,
    pub(crate) queued_bytes: Gauge,
    pub(crate) in_flight: Gauge,
    attempts: Family<Outcome, Counter>,
    given_up: Family<Reason, Counter>,
    dropped: Counter,
    unreadable: Counter,
    latency: Histogram,
    /// What the log has not been told yet.
    unreported: Mutex<Unreported>,
}

/// What is told to the log once a minute.
#[derive(Debug, Default)]
struct Unreported {
    given_up: u64,
    dropped: u64,
    last_reason: String,
    /// Subscriptions whose loss has been told at once.
    named: HashSet<Arc<str>>,
}

/// How many subscriptions are named in the log each minute; the others are counted.
const NAMED: usize = 16;

impl Default for Metrics {
    fn default() -> Self {
        Self {
            queued: Gauge::default(),
            queued_bytes: Gauge::default(),
            in_flight: Gauge::default(),
            attempts: Family::default(),
            given_up: Family::default(),
            dropped: Counter::default(),
            unreadable: Counter::default(),
            latency: Histogram::new(BUCKETS),
            unreported: Mutex::default(),
        }
    }
}

impl Metrics {
    pub(crate) fn attempted(&self, verdict: &Verdict) {
        let outcome = match verdict {
            Verdict::Delivered { happened } => {
                let elapsed = unix_milliseconds().saturating_sub(*happened);
                #[expect(clippy::cast_precision_loss, reason = "milliseconds of a few years at most")]
                self.latency.observe(elapsed as f64 / 1000.0);
                "delivered"
            }
            Verdict::Later { .. } => "failed",
            Verdict::Never { .. } => "refused",
            Verdict::Parked | Verdict::Void => return,
            Verdict::Unreadable(_) => {
                self.unreadable();
                return;
            }
        };
        self.attempts.get_or_create(&Outcome { outcome }).inc();
    }

    pub(crate) fn unreadable(&self) {
        self.unreadable.inc();
    }

    pub(crate) fn gave_up(&self, subscription: &Arc<str>, cause: Cause, reason: &str) {
        self.given_up.get_or_create(&Reason { reason: cause }).inc();
        let mut unreported = self.unreported.lock().unwrap_or_else(PoisonError::into_inner);
        let named = &mut unreported.named;
        if named.len() < NAMED && named.insert(subscription.clone()) {
            tracing::warn!(
                subscription = &**subscription,
                reason,
                "a notification was given up and is a dead letter"
            );
        } else {
            unreported.given_up += 1;
            reason.clone_into(&mut unreported.last_reason);
        }
    }

    pub(crate) fn dropped(&self, count: u64) {
        self.dropped.inc_by(count);
        self.unreported
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .dropped += count;
    }

    /// Tells the log what has been lost since the last time.
    pub(crate) fn report(&self) {
        let mut unreported = self.unreported.lock().unwrap_or_else(PoisonError::into_inner);
        let Unreported {
            given_up,
            dropped,
            last_reason,
            named: _,
        } = std::mem::take(&mut *unreported);
        if given_up > 0 {
            tracing::warn!(
                given_up,
                last_reason,
                "further notifications were given up and are dead letters"
            );
        }
        if dropped > 0 {
            tracing::warn!(dropped, "dead letters were dropped, because there were too many");
        }
    }

    pub(crate) fn register(&self, registry: &mut Registry, dead: &Gauge) {
        let registry = registry.sub_registry_with_prefix("notifications");
        registry.register("queued", "Notifications that wait", self.queued.clone());
        let queued_bytes = self.queued_bytes.clone();
        registry.register_with_unit(
            "queued",
            "Bytes of notifications that wait",
            Unit::Bytes,
            queued_bytes,
        );
        registry.register("in_flight", "Attempts under way", self.in_flight.clone());
        registry.register(
            "dead_letters",
            "Notifications that were given up and are kept",
            dead.clone(),
        );
        registry.register(
            "attempts",
            "Attempts to deliver, by outcome",
            self.attempts.clone(),
        );
        registry.register(
            "given_up",
            "Notifications that were given up, by reason",
            self.given_up.clone(),
        );
        let help = "Dead letters that were dropped, because there were too many";
        registry.register("dead_letters_dropped", help, self.dropped.clone());
        let help = "Entries of the outbox that were no notifications and were removed";
        registry.register("unreadable", help, self.unreadable.clone());
        let help = "Time from the happening to the acknowledgement";
        registry.register_with_unit("latency", help, Unit::Seconds, self.latency.clone());
    }
}
