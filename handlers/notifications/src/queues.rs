//! All queues: what waits, for whom, and what is to be tried next. In memory, without I/O.
//!
//! Bodies are not here: an item is a key of the store and a few numbers. A subscription for which nothing waits costs
//! its entry in a map, one that waits after a failure an entry in one timer queue.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::task::{Context, Poll};

use mecforge_contracts::deliveries::DeliveryState;
use mecforge_store::Revision;
use tokio::time::{Duration, Instant};
use tokio_util::time::DelayQueue;

use crate::letter::Head;
use crate::options::Options;
use crate::queue::{Item, Phase, Place, Queue};
use crate::receivers::{Health, Receivers, Turn, receiver_of};

/// What a timer takes at most, whatever the options say.
const LONGEST_DELAY: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The subscriber has acknowledged what happened then (milliseconds since 1970-01-01 UTC).
    Delivered { happened: u64 },
    /// It has not; it may do so later, and may have asked for a pause.
    Later {
        reason: String,
        retry_after: Option<Duration>,
    },
    /// It never will, or must not be asked. `answered` if it was reached.
    Never { reason: String, answered: bool },
    /// Its WebSocket is not open.
    Parked,
    /// Notification or subscription are gone.
    Void,
    /// What is stored is no notification.
    Unreadable(String),
}

/// An attempt to make.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) turn: Turn,
    pub(crate) place: Place,
}

/// A notification that left its queue without being delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GivenUp {
    pub(crate) subscription: Arc<str>,
    pub(crate) place: Place,
    pub(crate) attempts: u32,
    pub(crate) reason: String,
    pub(crate) cause: Cause,
}

/// Why, as metrics count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cause {
    Attempts,
    Refused,
    Age,
    QueueLength,
    QueueBytes,
}

/// What becomes of a notification after an attempt.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It goes.
    Delete(Place),
    /// It is kept as a dead letter.
    GiveUp(GivenUp),
    /// It stays.
    Keep,
}

#[derive(Debug)]
pub(crate) struct Queues {
    options: Arc<Options>,
    queues: HashMap<Arc<str>, Queue>,
    /// The revision that created each notification that waits.
    places: HashMap<Arc<str>, Revision>,
    receivers: Receivers,
    delays: DelayQueue<Arc<str>>,
    bytes: usize,
}

impl Queues {
    pub(crate) fn new(options: Arc<Options>) -> Self {
        Self {
            receivers: Receivers::new(&options),
            options,
            queues: HashMap::new(),
            places: HashMap::new(),
            delays: DelayQueue::new(),
            bytes: 0,
        }
    }

    /// Notifications that wait.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Their bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Attempts that were started and have not ended.
    pub(crate) fn in_flight(&self) -> usize {
        self.receivers.in_flight()
    }

    pub(crate) fn contains(&self, place: &Place) -> bool {
        self.places.get(&place.1) == Some(&place.0)
    }

    /// The keys of all notifications that wait.
    pub(crate) fn keys(&self) -> Vec<Arc<str>> {
        self.places.keys().cloned().collect()
    }

    /// The subscriptions that are known.
    pub(crate) fn subscriptions(&self) -> Vec<Arc<str>> {
        self.queues.keys().cloned().collect()
    }

    pub(crate) fn states(&self, prefix: &str, dead: impl Fn(&str) -> u64) -> Vec<DeliveryState> {
        let matching = self
            .queues
            .iter()
            .filter(|(subscription, _)| subscription.starts_with(prefix));
        matching
            .map(|(subscription, queue)| queue.state(subscription, dead(subscription)))
            .collect()
    }

    /// Adds a notification to the queue of its subscription; `delay` if that is empty and should not be tried at once.
    pub(crate) fn arrive(
        &mut self,
        subscription: &str,
        place: Place,
        head: Head,
        size: usize,
        delay: Option<Duration>,
    ) {
        if self.contains(&place) {
            return;
        }
        let known = self
            .queues
            .get_key_value(subscription)
            .map(|(known, _)| known.clone());
        let subscription = known.unwrap_or_else(|| subscription.into());
        let receivers = &mut self.receivers;
        let queue = self.queues.entry(subscription.clone()).or_insert_with(|| {
            let receiver = receivers.intern(receiver_of(&head.target));
            Queue::new(head.target.clone(), receiver)
        });
        if queue.target != head.target {
            queue.receiver = receivers.intern(receiver_of(&head.target));
            queue.target = head.target;
        }
        let item = Item {
            size,
            since: head.since,
            receiver: queue.receiver.clone(),
        };
        self.bytes += size;
        self.places.insert(place.1.clone(), place.0);
        queue.insert(place, item);
        if matches!(queue.phase, Phase::Idle) {
            match delay {
                Some(delay) => self.delay(&subscription, delay, false),
                None => self.make_ready(&subscription),
            }
        }
    }

    /// A notification is no longer in the store. One that is being tried is left to the end of the attempt.
    pub(crate) fn vanish(&mut self, subscription: &str, key: &str) {
        let Some((key, created)) = self.places.get_key_value(key) else {
            return;
        };
        let place = (*created, key.clone());
        let tried = self
            .queues
            .get(subscription)
            .is_none_or(|queue| matches!(&queue.phase, Phase::InFlight(tried) if *tried == place));
        if !tried {
            self.take_out(subscription, &place);
        }
    }

    /// Gives up the oldest notifications of a subscription for which too many wait, or of those for whom most waits if
    /// all are too large.
    pub(crate) fn overflow(&mut self, subscription: &str) -> Vec<GivenUp> {
        let mut given_up = Vec::new();
        let limit = self.options.queue_length.max(1);
        while let Some(queue) = self.queues.get(subscription)
            && queue.len() > limit
        {
            let Some(place) = queue.oldest().map(|(place, _)| place.clone()) else {
                break;
            };
            let reason = format!("more than {limit} notifications waited");
            given_up.extend(self.give_up(subscription, place, reason, Cause::QueueLength));
        }
        if self.bytes > self.options.queue_bytes {
            self.overflow_bytes(&mut given_up);
        }
        given_up
    }

    /// Takes from those for whom most waits: who is down must not cost others theirs. Makes room for a while, not for
    /// one notification only, because that takes a look at every queue.
    fn overflow_bytes(&mut self, given_up: &mut Vec<GivenUp>) {
        let limit = self.options.queue_bytes;
        let goal = limit - limit / 20;
        let entry = |subscription: &Arc<str>, queue: &Queue| {
            let (place, _) = queue.oldest()?;
            Some((queue.bytes, Reverse(place.clone()), subscription.clone()))
        };
        let mut heap: BinaryHeap<_> = self
            .queues
            .iter()
            .filter_map(|(subscription, queue)| entry(subscription, queue))
            .collect();
        while self.bytes > goal {
            let Some((_, Reverse(place), subscription)) = heap.pop() else {
                break;
            };
            let reason = format!("the notifications that waited came to more than {limit} bytes");
            given_up.extend(self.give_up(&subscription, place, reason, Cause::QueueBytes));
            let queue = self.queues.get(&subscription);
            heap.extend(queue.and_then(|queue| entry(&subscription, queue)));
        }
    }

    /// Gives up what has waited too long; `now` in milliseconds since 1970-01-01 UTC.
    pub(crate) fn too_old(&mut self, now: u64) -> Vec<GivenUp> {
        let longest = u64::try_from(self.options.longest_age.as_millis()).unwrap_or(u64::MAX);
        let mut given_up = Vec::new();
        for subscription in self.subscriptions() {
            while let Some((place, item)) = self.queues.get(&subscription).and_then(Queue::oldest)
                && now.saturating_sub(item.since) > longest
            {
                let place = place.clone();
                let reason = format!("it waited for more than {} s", longest / 1000);
                given_up.extend(self.give_up(&subscription, place, reason, Cause::Age));
            }
        }
        given_up
    }

    /// Forgets a subscription that is gone, and what waits for it.
    pub(crate) fn forget(&mut self, subscription: &str) {
        let places = self
            .queues
            .get(subscription)
            .map(Queue::places)
            .unwrap_or_default();
        for place in places {
            self.take_out(subscription, &place);
        }
        if self
            .queues
            .get(subscription)
            .is_some_and(|queue| !queue.is_in_flight())
        {
            self.queues.remove(subscription);
        }
    }

    pub(crate) fn forget_unused_receivers(&mut self) {
        self.receivers.forget_unused();
    }

    /// The next attempt to make, if any may be made now.
    pub(crate) fn next(&mut self) -> Option<Attempt> {
        loop {
            let turn = self.receivers.take()?;
            let Some(queue) = self.queues.get_mut(&turn.subscription) else {
                self.receivers.ended(&turn, Health::Unknown);
                continue;
            };
            let head = queue
                .head()
                .map(|(place, item)| (place.clone(), item.receiver.clone()));
            match (head, &queue.phase) {
                (Some((place, receiver)), Phase::Ready) if receiver == turn.receiver => {
                    queue.phase = Phase::InFlight(place.clone());
                    return Some(Attempt { turn, place });
                }
                // What was to be tried is gone, and what is next has a turn of its own.
                _ => {
                    self.receivers.ended(&turn, Health::Unknown);
                }
            }
        }
    }

    /// An attempt is over.
    pub(crate) fn finish(&mut self, attempt: &Attempt, verdict: &Verdict) -> Outcome {
        let health = match verdict {
            Verdict::Delivered { .. } | Verdict::Never { answered: true, .. } => Health::Good,
            Verdict::Later { .. } => Health::Bad,
            _ => Health::Unknown,
        };
        let woken = self.receivers.ended(&attempt.turn, health);
        let outcome = self.conclude(attempt, verdict);
        for subscription in woken {
            self.expired(&subscription);
        }
        outcome
    }

    fn conclude(&mut self, attempt: &Attempt, verdict: &Verdict) -> Outcome {
        let Attempt { turn, place } = attempt;
        let subscription = &turn.subscription;
        let Some(queue) = self.queues.get_mut(subscription) else {
            return Outcome::Delete(place.clone());
        };
        queue.phase = Phase::Idle;
        match verdict {
            Verdict::Delivered { .. } => queue.succeeded(),
            Verdict::Void | Verdict::Unreadable(_) => {}
            Verdict::Parked => {
                queue.phase = Phase::Parked;
                return Outcome::Keep;
            }
            Verdict::Never { reason, .. } => {
                queue.attempts += 1;
                queue.failed(reason);
                let given_up = self.give_up(subscription, place.clone(), reason.clone(), Cause::Refused);
                self.make_ready(subscription);
                return given_up.map_or(Outcome::Keep, Outcome::GiveUp);
            }
            Verdict::Later { reason, retry_after } => {
                queue.attempts += 1;
                queue.failed(reason);
                return self.again(subscription, place, reason, *retry_after);
            }
        }
        self.take_out(subscription, place);
        self.make_ready(subscription);
        Outcome::Delete(place.clone())
    }

    fn again(
        &mut self,
        subscription: &Arc<str>,
        place: &Place,
        reason: &str,
        retry_after: Option<Duration>,
    ) -> Outcome {
        let Some(queue) = self.queues.get(subscription) else {
            return Outcome::Keep;
        };
        let mut delay = self.options.delay(queue.failures);
        if let Some(asked) = retry_after {
            delay = delay.max(asked.min(self.options.longest_retry_after));
        }
        let given_up = (queue.attempts >= self.options.attempts)
            .then(|| self.give_up(subscription, place.clone(), reason.to_owned(), Cause::Attempts))
            .flatten();
        // The next notification would meet the same receiver, so that it waits as well.
        self.delay(subscription, delay, retry_after.is_none());
        given_up.map_or(Outcome::Keep, Outcome::GiveUp)
    }

    /// The next subscription whose wait is over.
    pub(crate) fn poll_expired(&mut self, context: &mut Context<'_>) -> Poll<Arc<str>> {
        match self.delays.poll_expired(context) {
            Poll::Ready(Some(expired)) => Poll::Ready(expired.into_inner()),
            // Nothing waits: whoever inserts something wakes the task by other means.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    /// The wait of a subscription is over.
    pub(crate) fn expired(&mut self, subscription: &str) {
        let Some((known, queue)) = self.queues.get_key_value(subscription) else {
            return;
        };
        if let Phase::Delayed { key, receiver, .. } = &queue.phase {
            self.delays.try_remove(key);
            self.receivers.not_delayed(receiver, subscription);
            let known = known.clone();
            self.make_ready(&known);
        }
    }

    /// The WebSocket of a subscription is open.
    pub(crate) fn connected(&mut self, subscription: &str) {
        if let Some((known, queue)) = self.queues.get_key_value(subscription)
            && matches!(queue.phase, Phase::Parked)
        {
            let known = known.clone();
            self.make_ready(&known);
        }
    }

    fn give_up(&mut self, subscription: &str, place: Place, reason: String, cause: Cause) -> Option<GivenUp> {
        let (subscription, queue) = self.queues.get_key_value(subscription)?;
        let is_head = queue.head().is_some_and(|(head, _)| *head == place);
        let given_up = GivenUp {
            subscription: subscription.clone(),
            attempts: if is_head { queue.attempts } else { 0 },
            place,
            reason,
            cause,
        };
        self.take_out(&given_up.subscription, &given_up.place);
        Some(given_up)
    }

    fn take_out(&mut self, subscription: &str, place: &Place) {
        let Some(queue) = self.queues.get_mut(subscription) else {
            return;
        };
        let Some(item) = queue.remove(place) else {
            return;
        };
        self.bytes = self.bytes.saturating_sub(item.size);
        self.places.remove(&place.1);
        let next = queue.head().map(|(_, item)| item.receiver.clone());
        if let (Phase::Ready, Some(next)) = (&queue.phase, &next)
            && *next != item.receiver
            && let Some((subscription, _)) = self.queues.get_key_value(subscription)
        {
            self.receivers.ready(next, subscription.clone());
            return;
        }
        let Some(queue) = self.queues.get_mut(subscription) else {
            return;
        };
        if queue.len() == 0 && !queue.is_in_flight() {
            let phase = std::mem::replace(&mut queue.phase, Phase::Idle);
            if let Phase::Delayed { key, receiver, .. } = phase {
                self.delays.try_remove(&key);
                self.receivers.not_delayed(&receiver, subscription);
            }
        }
    }

    fn make_ready(&mut self, subscription: &Arc<str>) {
        let Some(queue) = self.queues.get_mut(subscription) else {
            return;
        };
        match queue.head().map(|(_, item)| item.receiver.clone()) {
            None => queue.phase = Phase::Idle,
            Some(receiver) => {
                queue.phase = Phase::Ready;
                self.receivers.ready(&receiver, subscription.clone());
            }
        }
    }

    /// Lets a queue wait; `woken` if a recovery of the receiver ends that.
    fn delay(&mut self, subscription: &Arc<str>, delay: Duration, woken: bool) {
        let Some(queue) = self.queues.get_mut(subscription) else {
            return;
        };
        let Some(receiver) = queue.head().map(|(_, item)| item.receiver.clone()) else {
            queue.phase = Phase::Idle;
            return;
        };
        let until = Instant::now() + delay.min(LONGEST_DELAY);
        let key = self.delays.insert_at(subscription.clone(), until);
        if woken {
            self.receivers.delayed(&receiver, subscription.clone());
        }
        queue.phase = Phase::Delayed { key, until, receiver };
    }
}

#[cfg(test)]
#[path = "queues_tests.rs"]
mod tests;
