//! Whose turn it is: receivers, how they fare, and how many attempts to them are in flight.
//!
//! A receiver is what answers at one scheme, host and port; subscriptions that notify it share it. What must not
//! happen here: knowledge of what is delivered.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use mecforge_contracts::outbox::Target;
use reqwest::Url;
use tokio::time::{Duration, Instant};

use crate::options::Options;

/// How a receiver fares. Each class has attempts of its own, so that receivers that hang cannot use up those of
/// receivers that answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// It acknowledged last.
    Proven,
    /// Nothing is known of it.
    New,
    /// It failed so often in a row that it is only tried, with one attempt at a time.
    Failing,
}

/// What an attempt says about the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// It answers.
    Good,
    /// It does not, or asks for less.
    Bad,
    /// Nothing: it was not reached for.
    Unknown,
}

const CLASSES: [Class; 3] = [Class::Proven, Class::New, Class::Failing];

/// How long a receiver that nobody notifies is remembered.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);

#[derive(Debug)]
struct Receiver {
    class: Class,
    /// Failures since the last success.
    failures: u32,
    in_flight: usize,
    /// Subscriptions whose next notification may be tried, first come, first served.
    ready: VecDeque<Arc<str>>,
    /// Subscriptions that wait after a failure.
    delayed: HashSet<Arc<str>>,
    /// Whether it is in the list of its class.
    listed: bool,
    used: Instant,
}

#[derive(Debug)]
pub(crate) struct Receivers {
    receivers: HashMap<Arc<str>, Receiver>,
    /// For each class, the receivers that may get an attempt, in turn.
    turns: [VecDeque<Arc<str>>; 3],
    in_flight: [usize; 3],
    budgets: [usize; 3],
    per_receiver: usize,
    failing_after: u32,
}

/// An attempt that may start; it counts as in flight.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) receiver: Arc<str>,
    pub(crate) subscription: Arc<str>,
    pub(crate) class: Class,
}

/// The name of the receiver at a target.
pub(crate) fn receiver_of(target: &Target) -> Arc<str> {
    match target {
        Target::WebSocket(subscription) => format!("websocket {subscription}").into(),
        Target::Callback(url) => match Url::parse(url) {
            Ok(parsed) => {
                let port = parsed.port_or_known_default().unwrap_or(0);
                format!(
                    "{}://{}:{port}",
                    parsed.scheme(),
                    parsed.host_str().unwrap_or_default()
                )
                .into()
            }
            Err(_) => "no address".into(),
        },
    }
}

impl Receivers {
    pub(crate) fn new(options: &Options) -> Self {
        let quarter = (options.in_flight / 4).max(1);
        let half = options.in_flight.saturating_sub(2 * quarter).max(1);
        Self {
            receivers: HashMap::new(),
            turns: Default::default(),
            in_flight: [0; 3],
            budgets: [half, quarter, quarter],
            per_receiver: options.in_flight_per_receiver.max(1),
            failing_after: options.failing_after.max(1),
        }
    }

    /// Attempts in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.iter().sum()
    }

    /// The one copy of a receiver's name.
    pub(crate) fn intern(&mut self, name: Arc<str>) -> Arc<str> {
        if let Some((known, _)) = self.receivers.get_key_value(&name) {
            return known.clone();
        }
        let receiver = Receiver {
            class: if name.starts_with("websocket ") {
                Class::Proven
            } else {
                Class::New
            },
            failures: 0,
            in_flight: 0,
            ready: VecDeque::new(),
            delayed: HashSet::new(),
            listed: false,
            used: Instant::now(),
        };
        self.receivers.insert(name.clone(), receiver);
        name
    }

    /// A subscription's next notification may be tried.
    pub(crate) fn ready(&mut self, name: &Arc<str>, subscription: Arc<str>) {
        let name = self.intern(name.clone());
        if let Some(receiver) = self.receivers.get_mut(&name) {
            receiver.ready.push_back(subscription);
        }
        self.list(&name);
    }

    /// A subscription waits after a failure, until it is ready or the receiver recovers.
    pub(crate) fn delayed(&mut self, name: &Arc<str>, subscription: Arc<str>) {
        if let Some(receiver) = self.receivers.get_mut(name) {
            receiver.delayed.insert(subscription);
        }
    }

    /// A subscription no longer waits after a failure.
    pub(crate) fn not_delayed(&mut self, name: &str, subscription: &str) {
        if let Some(receiver) = self.receivers.get_mut(name) {
            receiver.delayed.remove(subscription);
        }
    }

    /// The subscription whose turn it is, if any may start. Whoever cannot make use of it says [`Receivers::ended`].
    pub(crate) fn take(&mut self) -> Option<Turn> {
        CLASSES.into_iter().find_map(|class| self.take_of(class))
    }

    fn take_of(&mut self, class: Class) -> Option<Turn> {
        let index = class as usize;
        while self.in_flight[index] < self.budgets[index] {
            let name = self.turns[index].pop_front()?;
            let Some(receiver) = self.receivers.get_mut(&name) else {
                continue;
            };
            receiver.listed = false;
            let turn = (receiver.class == class && receiver.in_flight < allowed(receiver, self.per_receiver))
                .then(|| receiver.ready.pop_front())
                .flatten();
            if let Some(subscription) = turn {
                receiver.in_flight += 1;
                receiver.used = Instant::now();
                self.in_flight[index] += 1;
                self.list(&name);
                return Some(Turn {
                    receiver: name,
                    subscription,
                    class,
                });
            }
            self.list(&name);
        }
        None
    }

    /// An attempt is over. Returns the subscriptions that need not wait any longer, because the receiver has recovered.
    pub(crate) fn ended(&mut self, turn: &Turn, health: Health) -> Vec<Arc<str>> {
        let index = turn.class as usize;
        self.in_flight[index] = self.in_flight[index].saturating_sub(1);
        let Some(receiver) = self.receivers.get_mut(&turn.receiver) else {
            return Vec::new();
        };
        receiver.in_flight = receiver.in_flight.saturating_sub(1);
        receiver.used = Instant::now();
        let mut woken = Vec::new();
        match health {
            Health::Good => {
                if receiver.class == Class::Failing {
                    woken = receiver.delayed.drain().collect();
                }
                receiver.failures = 0;
                receiver.class = Class::Proven;
            }
            Health::Bad => {
                receiver.failures = receiver.failures.saturating_add(1);
                if receiver.class == Class::New || receiver.failures >= self.failing_after {
                    receiver.class = Class::Failing;
                }
            }
            Health::Unknown => {}
        }
        self.list(&turn.receiver);
        woken
    }

    /// Puts a receiver into the list of its class if it may get an attempt.
    fn list(&mut self, name: &Arc<str>) {
        let per_receiver = self.per_receiver;
        let Some(receiver) = self.receivers.get_mut(name) else {
            return;
        };
        if !receiver.listed
            && !receiver.ready.is_empty()
            && receiver.in_flight < allowed(receiver, per_receiver)
        {
            receiver.listed = true;
            self.turns[receiver.class as usize].push_back(name.clone());
        }
    }

    /// Forgets receivers that nobody has notified for long.
    pub(crate) fn forget_unused(&mut self) {
        let now = Instant::now();
        self.receivers.retain(|_, receiver| {
            receiver.in_flight > 0
                || receiver.listed
                || !receiver.ready.is_empty()
                || !receiver.delayed.is_empty()
                || now.duration_since(receiver.used) < REMEMBERED
        });
    }
}

fn allowed(receiver: &Receiver, per_receiver: usize) -> usize {
    match receiver.class {
        Class::Proven => per_receiver,
        Class::New | Class::Failing => 1,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]
    use super::*;

    fn receivers(in_flight: usize, per_receiver: usize) -> Receivers {
        Receivers::new(&Options {
            in_flight,
            in_flight_per_receiver: per_receiver,
            failing_after: 3,
            ..Options::default()
        })
    }

    fn ready(receivers: &mut Receivers, receiver: &str, subscription: &str) {
        receivers.ready(&receiver.into(), subscription.into());
    }

    #[tokio::test]
    async fn a_receiver_gets_one_attempt_until_it_has_acknowledged() {
        let mut receivers = receivers(100, 3);
        for index in 0..10 {
            ready(&mut receivers, "a", &index.to_string());
        }
        let first = receivers.take().unwrap();
        assert_eq!(first.class, Class::New);
        assert!(receivers.take().is_none());
        receivers.ended(&first, Health::Good);
        let turns: Vec<_> = std::iter::from_fn(|| receivers.take()).collect();
        assert_eq!(turns.len(), 3);
        for turn in &turns {
            receivers.ended(turn, Health::Bad);
        }
        assert_eq!(receivers.take().unwrap().class, Class::Failing);
        assert!(receivers.take().is_none());
    }

    #[tokio::test]
    async fn receivers_that_hang_leave_attempts_to_others() {
        let mut receivers = receivers(16, 4);
        for index in 0..100 {
            ready(&mut receivers, &format!("hanging {index}"), &format!("h{index}"));
        }
        let hanging: Vec<_> = std::iter::from_fn(|| receivers.take()).collect();
        assert_eq!(hanging.len(), 4);
        receivers.ended(&hanging[0], Health::Bad);
        receivers.receivers.get_mut("hanging 1").unwrap().class = Class::Proven;
        ready(&mut receivers, "hanging 1", "another");
        let turn = receivers.take().unwrap();
        assert_eq!((&*turn.receiver, turn.class), ("hanging 1", Class::Proven));
        // One ended, so that one new one may start; and no more.
        assert_eq!(receivers.take().unwrap().class, Class::New);
        assert!(receivers.take().is_none());
    }

    #[tokio::test]
    async fn a_recovery_wakes_who_waits() {
        let mut receivers = receivers(16, 4);
        ready(&mut receivers, "a", "one");
        let turn = receivers.take().unwrap();
        assert!(receivers.ended(&turn, Health::Bad).is_empty());
        receivers.delayed(&turn.receiver, "one".into());
        ready(&mut receivers, "a", "two");
        let turn = receivers.take().unwrap();
        assert_eq!(receivers.ended(&turn, Health::Good), vec!["one".into()]);
        assert_eq!(receivers.in_flight(), 0);
    }

    #[test]
    fn a_receiver_is_scheme_host_and_port() {
        let of = |url: &str| receiver_of(&Target::Callback(url.into()));
        assert_eq!(of("http://a/x"), of("http://A:80/y?z"));
        assert_ne!(of("http://a/x"), of("https://a/x"));
        assert_ne!(of("http://a/x"), of("http://a:81/x"));
        assert_eq!(&*of("http://[::1]/"), "http://[::1]:80");
        assert_eq!(&*of("nonsense"), "no address");
    }
}
