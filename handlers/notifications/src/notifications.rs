//! The engine as others see it.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::StatusCode;
use mecforge_contracts::deliveries::{DeadLetter, Deliveries, DeliveryState};
use mecforge_contracts::outbox::{CallbackPolicy, Target};
use mecforge_contracts::rules::Later;
use mecforge_contracts::{keys, outcome};
use mecforge_runtime::client::BuildError;
use mecforge_runtime::server::Problem;
use mecforge_store::{CommitError, Expected, Store, Transaction};
use prometheus_client::registry::Registry;
use reqwest::Url;
use tokio::task::JoinHandle;

use crate::courier::Courier;
use crate::dead_letters::DeadLetters;
use crate::dispatcher::{Dispatcher, Parts};
use crate::letter::Letter;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::queues::Queues;
use crate::resolver::{Lookup, SystemLookup};
use crate::websocket::WebSockets;

/// Delivers what is in the outbox; see the [crate](crate).
pub struct Notifications {
    store: Arc<dyn Store>,
    options: Arc<Options>,
    courier: Arc<Courier>,
    dead: Arc<DeadLetters>,
    metrics: Arc<Metrics>,
    /// Those of the dispatcher that was started last.
    queues: Mutex<Arc<Mutex<Queues>>>,
}

/// Deliveries under way; they stop when it is dropped. What was not acknowledged is delivered after the next start.
#[derive(Debug)]
#[must_use = "deliveries stop when it is dropped"]
pub struct Running(JoinHandle<()>);

impl Running {
    /// Stops deliveries and waits until nothing of them is left in memory.
    pub async fn stop(mut self) {
        self.0.abort();
        // It ends by being aborted, which is no error here.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Notifications {
    /// Deliveries of what is in the outbox of a store, once they are [started](Self::start).
    ///
    /// # Errors
    /// Where the HTTP client can't be set up, for example because of a certificate that is none.
    pub fn new(store: Arc<dyn Store>, options: Options) -> Result<Arc<Self>, BuildError> {
        Self::with_lookup(store, options, Arc::new(SystemLookup))
    }

    /// [`Notifications::new`] with another way to find the addresses of names than to ask the operating system.
    ///
    /// # Errors
    /// As [`Notifications::new`].
    pub fn with_lookup(
        store: Arc<dyn Store>,
        options: Options,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Arc<Self>, BuildError> {
        let courier = Arc::new(Courier::new(store.clone(), &options, lookup)?);
        let dead = Arc::new(DeadLetters::new(&options));
        store.attach(keys::DEAD_LETTERS, dead.clone());
        let options = Arc::new(options);
        let queues = Mutex::new(Arc::new(Mutex::new(Queues::new(options.clone()))));
        Ok(Arc::new(Self {
            store,
            options,
            courier,
            dead,
            metrics: Arc::default(),
            queues,
        }))
    }

    /// Starts deliveries, on the Tokio runtime that this is called on. To be called again only after they were
    /// stopped: two that run would deliver everything twice.
    pub fn start(self: &Arc<Self>) -> Running {
        let queues = Arc::new(Mutex::new(Queues::new(self.options.clone())));
        *lock(&self.queues) = queues.clone();
        let dispatcher = Dispatcher::new(Parts {
            store: self.store.clone(),
            options: self.options.clone(),
            courier: self.courier.clone(),
            dead: self.dead.clone(),
            metrics: self.metrics.clone(),
            queues,
        });
        Running(tokio::spawn(dispatcher.run()))
    }

    /// The WebSockets on which notifications with [`Target::WebSocket`] are delivered.
    #[must_use]
    pub fn web_sockets(&self) -> &Arc<WebSockets> {
        &self.courier.websockets
    }

    /// Delivers a body at once, past all queues and without retries: the test notification of ETSI GS MEC 009
    /// clause 6.12, which a subscriber asks for with `requestTestNotification`.
    ///
    /// # Errors
    /// `422` if the address must not be called or does not acknowledge in time; the detail tells why, but nothing
    /// about the platform's network.
    pub async fn test(&self, target: &Target, body: impl Into<Bytes>) -> Result<(), Problem> {
        let sent = self.courier.test(target, body.into()).await;
        sent.map_err(|reason| {
            let detail = format!("the test notification was not delivered: {reason}");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        })
    }

    /// Adds what is counted to the platform's metrics.
    pub fn register_metrics(&self, registry: &mut Registry) {
        self.metrics.register(registry, &self.dead.gauge);
    }

    fn current(&self) -> Arc<Mutex<Queues>> {
        lock(&self.queues).clone()
    }

    /// The keys of the dead letters that are meant.
    fn selected(&self, subscription: &str, id: Option<&str>) -> Result<Vec<Arc<str>>, Problem> {
        let keys = match id {
            Some(id) => {
                let key = keys::dead_letter(subscription, id);
                let found = self.store.get(&key).map(|_| key.into());
                found.into_iter().collect()
            }
            None => self.dead.keys_of(subscription),
        };
        match keys.is_empty() {
            false => Ok(keys),
            true => Err(none(subscription, id)),
        }
    }

    /// The transaction that puts a dead letter back into the queue.
    fn resurrection(&self, key: &str) -> Option<Transaction> {
        let entry = self.store.get(key)?;
        let dead: DeadLetter = serde_json::from_slice(&entry.value).ok()?;
        let value = serde_json::to_vec(&Letter::replayed(&dead)).ok()?;
        let waiting = keys::outgoing(&dead.subscription, &dead.id);
        let transaction = Transaction::new()
            .expect(key, Expected::Revision(entry.modified))
            .expect(dead.subscription.as_str(), Expected::Present)
            .delete(key)
            .put(waiting, value);
        Some(transaction)
    }

    /// Commits one transaction for each dead letter, in their order, and counts those that took effect; others were
    /// replayed or discarded by somebody else meanwhile.
    async fn commit_each(
        &self,
        transactions: Vec<Transaction>,
        subscription: &str,
        id: Option<&str>,
    ) -> Result<usize, Problem> {
        // Submitted in order at once, so that they have revisions in that order and share a write to disk.
        let commits: Vec<_> = transactions
            .into_iter()
            .map(|transaction| self.store.commit(transaction))
            .collect();
        let mut count = 0;
        for commit in commits {
            match commit.await {
                Ok(_) => count += 1,
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(outcome::problem(error)),
            }
        }
        match count {
            0 => Err(none(subscription, id)),
            count => Ok(count),
        }
    }
}

fn none(subscription: &str, id: Option<&str>) -> Problem {
    Problem::not_found(match id {
        Some(id) => format!("subscription {subscription:?} has no dead letter {id:?}"),
        None => format!("subscription {subscription:?} has no dead letters"),
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Deliveries for Notifications {
    fn states(&self, prefix: &str) -> Vec<DeliveryState> {
        let queues = self.current();
        let mut states = lock(&queues).states(prefix, |subscription| self.dead.count(subscription));
        let known: HashSet<_> = states.iter().map(|state| state.subscription.clone()).collect();
        for subscription in self.dead.subscriptions(prefix) {
            if !known.contains(&*subscription) {
                states.push(DeliveryState {
                    subscription: subscription.to_string(),
                    dead: self.dead.count(&subscription),
                    ..DeliveryState::default()
                });
            }
        }
        states.sort_by(|one, other| one.subscription.cmp(&other.subscription));
        states
    }

    fn dead_letters(&self, prefix: &str) -> Vec<DeadLetter> {
        let keys = self.dead.keys(prefix);
        let entries = keys.iter().filter_map(|key| self.store.get(key));
        entries
            .filter_map(|entry| serde_json::from_slice(&entry.value).ok())
            .collect()
    }

    fn replay(&self, subscription: &str, id: Option<&str>) -> Later<'_, Result<usize, Problem>> {
        let (subscription, id) = (subscription.to_owned(), id.map(str::to_owned));
        Box::pin(async move {
            let keys = self.selected(&subscription, id.as_deref())?;
            let transactions = keys.iter().filter_map(|key| self.resurrection(key)).collect();
            self.commit_each(transactions, &subscription, id.as_deref()).await
        })
    }

    fn discard(&self, subscription: &str, id: Option<&str>) -> Later<'_, Result<usize, Problem>> {
        let (subscription, id) = (subscription.to_owned(), id.map(str::to_owned));
        Box::pin(async move {
            let keys = self.selected(&subscription, id.as_deref())?;
            let removal = |key: &Arc<str>| {
                Transaction::new()
                    .expect(key.clone(), Expected::Present)
                    .delete(key.clone())
            };
            let transactions = keys.iter().map(removal).collect();
            self.commit_each(transactions, &subscription, id.as_deref()).await
        })
    }
}

impl CallbackPolicy for Notifications {
    fn check(&self, url: &str) -> Result<(), String> {
        let parsed = Url::parse(url).map_err(|_| "it is no absolute URL".to_owned())?;
        // `Url` looks for a host behind any number of slashes, as browsers do; RFC 9110 section 4.2.1 refuses an empty
        // one.
        let authority = url.split_once("://").map(|(_, rest)| rest);
        if authority.is_none_or(|authority| authority.starts_with(['/', '\\', '?', '#'])) {
            return Err("it names no host".to_owned());
        }
        self.options.policy.check_url(&parsed)
    }
}

impl fmt::Debug for Notifications {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Notifications")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
