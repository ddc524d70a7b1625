//! A limit on requests per second, shared by all clones of a client.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How far the schedule may lag behind the clock: a timer wakes up to a millisecond late, which must not cost rate.
const SLACK: Duration = Duration::from_millis(20);

/// Gives out evenly spaced times to send.
#[derive(Debug)]
pub(crate) struct RateLimit {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl RateLimit {
    /// A limit of `per_second`, which the settings have checked to be positive and finite.
    pub(crate) fn new(per_second: f64) -> Self {
        Self {
            interval: Duration::from_secs_f64(1.0 / per_second),
            next: Mutex::new(None),
        }
    }

    /// Waits for the next free time.
    pub(crate) async fn wait(&self) {
        let now = Instant::now();
        let slot = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let earliest = now.checked_sub(SLACK).unwrap_or(now);
            let slot = next.map_or(now, |next| next.max(earliest));
            *next = Some(slot + self.interval);
            slot
        };
        if slot > now {
            tokio::time::sleep_until(slot).await;
        }
    }
}
