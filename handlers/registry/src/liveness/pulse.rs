//! When a service was last heard of.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mec011_service_management::TimeStamp;
use tokio::time::Instant;

/// Moments as numbers: milliseconds since a second before the clock was made, so that none is zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    const FIRST: Duration = Duration::from_secs(1);

    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        let since = self.origin.elapsed() + Self::FIRST;
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// The heartbeats of a service, in memory only.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// The last sign of life by the [`Clock`]; zero if there has been none.
    last: AtomicU64,
    /// The same by the wall clock, in nanoseconds since 1970-01-01 UTC.
    wall: AtomicU64,
    /// Before this moment by the [`Clock`] the service is not late.
    excused: AtomicU64,
    /// How many signs of life there were.
    count: AtomicU64,
}

impl Pulse {
    /// Takes a sign of life.
    pub(crate) fn beat(&self, clock: &Clock) {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX);
        self.wall.store(wall, Ordering::SeqCst);
        self.last.fetch_max(clock.now(), Ordering::SeqCst);
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// Takes the present for the last sign of life if there has been none.
    pub(crate) fn begin(&self, clock: &Clock) {
        if self.last.load(Ordering::SeqCst) == 0 {
            self.beat(clock);
        }
    }

    /// Excuses the service until a moment.
    pub(crate) fn excuse(&self, until: u64) {
        self.excused.fetch_max(until, Ordering::SeqCst);
    }

    /// The moment after which a service that is allowed so much silence is late.
    pub(crate) fn due(&self, patience: Duration) -> u64 {
        let patience = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let due = self.last.load(Ordering::SeqCst).saturating_add(patience);
        due.max(self.excused.load(Ordering::SeqCst))
    }

    /// A number that every sign of life changes.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// When the service was last heard of, in nanoseconds since 1970-01-01 UTC.
    pub(crate) fn nanoseconds(&self) -> u64 {
        self.wall.load(Ordering::SeqCst)
    }

    /// The same in the standard's words.
    pub(crate) fn time_stamp(&self) -> TimeStamp {
        let nanoseconds = self.nanoseconds();
        TimeStamp::new(nanoseconds / NANOSECONDS, nanoseconds % NANOSECONDS)
    }
}

const NANOSECONDS: u64 = 1_000_000_000;
