//! What a fault has at hand: the platform, a memory, chance, and the callbacks.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::callbacks::Callbacks;
use crate::message::{Answer, Request};
use crate::upstream::{Lane, NoAnswer, Upstream};

/// What a fault remembers.
#[derive(Debug, Default)]
struct Memory {
    values: HashMap<String, Value>,
    answers: HashMap<String, Answer>,
    counters: HashMap<String, u64>,
}

/// What all exchanges of a proxy share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The platform.
    pub(crate) upstream: Upstream,
    /// The callbacks that subscriptions have named.
    pub(crate) callbacks: Callbacks,
    memory: Mutex<Memory>,
    random: Mutex<fastrand::Rng>,
}

impl Shared {
    /// An empty memory in front of a platform.
    pub(crate) fn new(upstream: Upstream, callbacks: Callbacks, seed: u64) -> Self {
        Self {
            upstream,
            callbacks,
            memory: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a value; returns what was there.
    pub(crate) fn remember(&self, key: &str, value: Value) -> Option<Value> {
        self.memory().values.insert(key.to_owned(), value)
    }

    /// What was remembered.
    pub(crate) fn recall(&self, key: &str) -> Option<Value> {
        self.memory().values.get(key).cloned()
    }

    /// Forgets a value.
    pub(crate) fn forget(&self, key: &str) -> Option<Value> {
        self.memory().values.remove(key)
    }

    /// Marks a key.
    pub(crate) fn mark(&self, key: &str) {
        self.remember(key, Value::Bool(true));
    }

    /// Whether a key is marked.
    pub(crate) fn is_marked(&self, key: &str) -> bool {
        self.memory().values.contains_key(key)
    }

    /// Keeps an answer; returns the one that was kept before.
    pub(crate) fn keep(&self, key: &str, answer: Answer) -> Option<Answer> {
        self.memory().answers.insert(key.to_owned(), answer)
    }

    /// The answer that was kept.
    pub(crate) fn kept(&self, key: &str) -> Option<Answer> {
        self.memory().answers.get(key).cloned()
    }

    /// Takes the answer that was kept.
    pub(crate) fn take(&self, key: &str) -> Option<Answer> {
        self.memory().answers.remove(key)
    }

    /// Counts: 1 the first time.
    pub(crate) fn count(&self, key: &str) -> u64 {
        let mut memory = self.memory();
        let counter = memory.counters.entry(key.to_owned()).or_default();
        *counter += 1;
        *counter
    }

    /// Counts down again, and never below 0: what is left.
    pub(crate) fn count_down(&self, key: &str) -> u64 {
        let mut memory = self.memory();
        let counter = memory.counters.entry(key.to_owned()).or_default();
        *counter = counter.saturating_sub(1);
        *counter
    }

    /// True once in `times` on average.
    pub(crate) fn one_in(&self, times: u64) -> bool {
        self.random
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .u64(0..times)
            == 0
    }
}

/// One exchange: the shared state and the connection that the request would take.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// What all exchanges share.
    pub(crate) shared: std::sync::Arc<Shared>,
    /// The client's connection to the platform.
    pub(crate) lane: std::sync::Arc<Lane>,
}

impl Context {
    /// Passes a request on as it is.
    pub(crate) async fn pass(&self, request: Request) -> Result<Answer, NoAnswer> {
        self.lane.send(request).await
    }

    /// Asks the platform for something else, on a connection of its own.
    pub(crate) async fn ask(&self, method: http::Method, path: &str, like: &Request) -> Option<Answer> {
        self.shared
            .upstream
            .call(Request::to(method, path, like)?)
            .await
            .ok()
    }

    /// What `GET` of a path gives, as JSON.
    pub(crate) async fn read(&self, path: &str, like: &Request) -> Option<Value> {
        let answer = self.ask(http::Method::GET, path, like).await?;
        answer.json().filter(|_| answer.is_success())
    }
}

impl std::ops::Deref for Context {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}
