//! Ends that have been announced, and the timer that brings them when nobody confirms.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mecforge_contracts::keys;
use mecforge_contracts::lifecycle::PendingEnd;
use mecforge_contracts::time::unix_milliseconds;
use mecforge_store::{Changes, View};
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::core::Core;
use crate::endings::{Cause, Outcome};
use crate::lives;

/// When an end is looked at again that somebody else is bringing about.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// When an end is looked at whose deadline no clock reaches, as only a damaged store has it.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The ends that are pending, as a [`View`] of the store.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    known: Mutex<Known>,
    changed: Notify,
    /// How many there are.
    pub(crate) pending: Gauge,
}

#[derive(Debug, Default)]
struct Known {
    pending: HashMap<String, PendingEnd>,
    /// Whose end has come or gone since the timer looked.
    changed: BTreeSet<String>,
}

impl Ends {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything counts as changed: for a timer that starts.
    fn begin(&self) {
        let mut known = self.known();
        known.changed = known.pending.keys().cloned().collect();
    }

    fn take_changes(&self) -> Vec<(String, Option<PendingEnd>)> {
        let mut known = self.known();
        let changed = std::mem::take(&mut known.changed);
        let with_end = |app: String| {
            let pending = known.pending.get(&app).copied();
            (app, pending)
        };
        changed.into_iter().map(with_end).collect()
    }
}

impl View for Ends {
    fn apply(&self, changes: &Changes) {
        let mut known = self.known();
        for change in &changes.changes {
            let Some(app) = keys::life_of(&change.key) else {
                continue;
            };
            let life = change
                .entry
                .as_ref()
                .and_then(|entry| lives::read(&change.key, entry));
            match life.and_then(|life| life.pending) {
                Some(pending) => known.pending.insert(app.clone(), pending),
                None => known.pending.remove(&app),
            };
            known.changed.insert(app);
        }
        self.pending
            .set(i64::try_from(known.pending.len()).unwrap_or(i64::MAX));
        drop(known);
        self.changed.notify_one();
    }
}

/// What is due when. Times are of the monotonic clock, so that setting the wall clock neither hastens nor delays an end
/// that was announced while the platform runs.
#[derive(Default)]
struct Queue {
    due: BTreeMap<(Instant, String), PendingEnd>,
    armed: HashMap<String, Instant>,
}

impl Queue {
    fn arm(&mut self, app: String, pending: Option<PendingEnd>, left: Duration) {
        let now = Instant::now();
        let at = now.checked_add(left).unwrap_or_else(|| now + NEVER);
        if let Some(armed) = self.armed.remove(&app) {
            self.due.remove(&(armed, app.clone()));
        }
        if let Some(pending) = pending {
            self.armed.insert(app.clone(), at);
            self.due.insert((at, app), pending);
        }
    }

    fn next(&self) -> Option<Instant> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    fn pop_due(&mut self, now: Instant) -> Option<(String, PendingEnd)> {
        let entry = self.due.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((_, app), pending) = entry.remove_entry();
        self.armed.remove(&app);
        Some((app, pending))
    }
}

/// Brings pending ends about when their time comes; those that were announced before a restart as well.
pub(crate) async fn run(core: Arc<Core>) {
    let mut queue = Queue::default();
    let mut endings = JoinSet::new();
    core.ends.begin();
    loop {
        for (app, pending) in core.ends.take_changes() {
            let left = pending.map_or(0, |pending| pending.deadline.saturating_sub(unix_milliseconds()));
            queue.arm(app, pending, Duration::from_millis(left));
        }
        let next = queue.next();
        tokio::select! {
            () = core.ends.changed.notified() => {}
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                while let Some((app, pending)) = queue.pop_due(Instant::now()) {
                    let core = core.clone();
                    endings.spawn(async move {
                        let ended = core.bring_about(&app, pending, Cause::Timeout).await;
                        (app, pending, ended)
                    });
                }
            }
            Some(ended) = endings.join_next() => {
                let (app, pending, ended) = match ended {
                    Ok(ended) => ended,
                    Err(error) => {
                        tracing::error!(%error, "the end of an application instance has failed within the platform");
                        continue;
                    }
                };
                let after = match ended {
                    Ok(Outcome::Ended) => continue,
                    Ok(Outcome::Busy) => LOOK_AGAIN,
                    Err(problem) => {
                        tracing::error!(%problem, %app, "an application instance could not be ended; trying again");
                        core.parts.options.retry_end_after
                    }
                };
                if !queue.armed.contains_key(&app) {
                    queue.arm(app, Some(pending), after);
                }
            }
        }
    }
}
