//! The timers of watched services: one queue in one task, cost by what goes off.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use mecforge_subscriptions::Running;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key;

use super::suspension::LARGEST_BATCH;
use crate::registry::Registry;

/// The longest that a timer runs; it is set again when it goes off early. Timer wheels have an end.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// When services are looked at again that could not be suspended.
const RETRY: Duration = Duration::from_secs(5);

impl Registry {
    /// Starts to watch for heartbeats. Services that are there already have at least the configured grace.
    pub fn start(self: &Arc<Self>) -> Running {
        let (sender, changed) = unbounded_channel();
        self.index.watch(sender);
        let timers = Timers {
            registry: self.clone(),
            changed,
            queue: DelayQueue::new(),
            set: HashMap::new(),
        };
        Running::new([tokio::spawn(timers.run())])
    }
}

struct Timers {
    registry: Arc<Registry>,
    /// Services that have come, changed or gone.
    changed: UnboundedReceiver<Arc<str>>,
    queue: DelayQueue<Arc<str>>,
    set: HashMap<Arc<str>, (Key, Instant)>,
}

impl Timers {
    async fn run(mut self) {
        self.begin();
        loop {
            tokio::select! {
                changed = self.changed.recv() => match changed {
                    Some(id) => self.follow(&id),
                    None => return,
                },
                late = gone_off(&mut self.queue) => self.look(late).await,
            }
        }
    }

    /// Gives every service that is there its grace.
    fn begin(&mut self) {
        let grace = u64::try_from(self.registry.options.liveness.grace.as_millis()).unwrap_or(u64::MAX);
        let until = self.registry.clock.now().saturating_add(grace);
        for service in self.registry.index.watched() {
            service.pulse.beat(&self.registry.clock);
            service.pulse.excuse(until);
            self.follow(&service.id);
        }
    }

    /// Sets the timer of a service, unless it goes off early enough, or takes it away.
    fn follow(&mut self, id: &Arc<str>) {
        let Some(delay) = self.delay(id) else {
            if let Some((timer, _)) = self.set.remove(id) {
                self.queue.try_remove(&timer);
            }
            return;
        };
        let at = Instant::now() + delay;
        match self.set.get_mut(id) {
            Some((_, set)) if *set <= at => {}
            Some((timer, set)) => {
                self.queue.reset_at(timer, at);
                *set = at;
            }
            None => self.set(id.clone(), at),
        }
    }

    fn set(&mut self, id: Arc<str>, at: Instant) {
        let timer = self.queue.insert_at(id.clone(), at);
        self.set.insert(id, (timer, at));
    }

    /// How long it is until a service is late; `None` if it is not watched.
    fn delay(&self, id: &str) -> Option<Duration> {
        let service = self.registry.index.get(id)?;
        service.pulse.begin(&self.registry.clock);
        let left = self
            .registry
            .due(&service)?
            .saturating_sub(self.registry.clock.now());
        Some(Duration::from_millis(left).min(LONGEST))
    }

    /// Looks at services whose timers have gone off: sets those again that were heard of, suspends the others.
    async fn look(&mut self, gone_off: Vec<Arc<str>>) {
        let mut late = Vec::with_capacity(gone_off.len());
        for id in gone_off {
            self.set.remove(&id);
            match self.delay(&id) {
                None => {}
                Some(Duration::ZERO) => late.push(id),
                Some(delay) => self.set(id, Instant::now() + delay),
            }
        }
        if late.is_empty() {
            return;
        }
        if let Err(problem) = self.registry.suspend(&late).await {
            tracing::error!(%problem, "services without heartbeats could not be suspended");
            for id in late {
                self.set(id, Instant::now() + RETRY);
            }
        }
    }
}

/// The next entries of a queue whose time has come, at most as many as are suspended together.
async fn gone_off(queue: &mut DelayQueue<Arc<str>>) -> Vec<Arc<str>> {
    let mut all = Vec::new();
    poll_fn(|context| {
        while all.len() < LARGEST_BATCH {
            match queue.poll_expired(context) {
                Poll::Ready(Some(entry)) => all.push(entry.into_inner()),
                // Nothing is put into an empty queue while somebody waits for it.
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        match all.is_empty() {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    })
    .await;
    all
}
