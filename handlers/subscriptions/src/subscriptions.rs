//! The subscriptions of a kind: made, read, replaced, deleted.

use std::fmt;
use std::sync::Arc;

use mecforge_contracts::outbox::{CallbackPolicy, Target};
use mecforge_contracts::{Belongings, Presence, access, keys, outcome};
use mecforge_runtime::Preconditions;
use mecforge_runtime::server::{Caller, Problem};
use mecforge_store::{CommitError, Entry, Expected, Revision, Store, Transaction};
use serde::Serialize;
use tokio::sync::{RwLock, RwLockWriteGuard};
use uuid::Uuid;

use crate::subscription::{Stored, Subscription, remove};
use crate::view::{Index, LastChange, Mark, Records};

/// How often a change is tried that other changes of the same application instance's subscriptions get in the way of.
const ATTEMPTS: usize = 64;

/// What one application may use at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most subscriptions of a kind that one application instance may have, 50 unless told; `None` for no limit.
    pub per_application: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_application: Some(50),
        }
    }
}

/// Where the notifications of a subscription are to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery<'a> {
    /// To an absolute URL that the subscriber gave.
    Callback {
        /// The URL.
        url: &'a str,
        /// Where in the request's body it stands, as a JSON pointer: problems name it.
        pointer: &'a str,
    },
    /// On a WebSocket that the subscriber opens.
    WebSocket,
}

/// What the platform must know of a subscription, whatever its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms<'a> {
    /// Where its notifications are to go.
    pub delivery: Delivery<'a>,
    /// When it ends by itself, in milliseconds since 1970-01-01 UTC; `None` if it does not.
    pub expires: Option<u64>,
}

impl<'a> Terms<'a> {
    /// Notifications to the `callbackReference` of the request, without an end.
    #[must_use]
    pub fn callback(callback_reference: &'a str) -> Self {
        Self {
            delivery: Delivery::Callback {
                url: callback_reference,
                pointer: "/callbackReference",
            },
            expires: None,
        }
    }
}

/// The subscriptions of one kind.
pub struct Subscriptions {
    pub(crate) store: Arc<dyn Store>,
    kind: &'static str,
    policy: Arc<dyn CallbackPolicy>,
    limits: Limits,
    pub(crate) records: Arc<Records>,
    pub(crate) last_change: Arc<LastChange>,
    /// Held by those who need subscriptions to stay as they are until they have committed.
    gate: RwLock<()>,
}

/// While this exists, nobody but the end of an application instance changes subscriptions of the kind.
#[derive(Debug)]
pub struct Hold<'a>(#[expect(dead_code, reason = "held, not looked at")] RwLockWriteGuard<'a, ()>);

impl Subscriptions {
    /// The subscriptions of a kind in `store`. A kind is a word of ours, such as `service-availability`.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        kind: &'static str,
        policy: Arc<dyn CallbackPolicy>,
        limits: Limits,
    ) -> Self {
        Self::build(store, kind, policy, limits, None)
    }

    /// [`Subscriptions::new`], with an index that is kept current.
    #[must_use]
    pub fn with_index(
        store: Arc<dyn Store>,
        kind: &'static str,
        policy: Arc<dyn CallbackPolicy>,
        limits: Limits,
        index: Arc<dyn Index>,
    ) -> Self {
        Self::build(store, kind, policy, limits, Some(index))
    }

    fn build(
        store: Arc<dyn Store>,
        kind: &'static str,
        policy: Arc<dyn CallbackPolicy>,
        limits: Limits,
        index: Option<Arc<dyn Index>>,
    ) -> Self {
        let records = Arc::new(Records::new(index));
        let last_change = Arc::new(LastChange::new(kind));
        // In this order: who reads the mark and then the records sees records that are at least as new.
        store.attach(&keys::subscriptions(kind), records.clone());
        store.attach(last_change.key(), last_change.clone());
        Self {
            store,
            kind,
            policy,
            limits,
            records,
            last_change,
            gate: RwLock::default(),
        }
    }

    /// What is subscribed to.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Subscribes, with notifications to the `callbackReference` of the request and without an end.
    ///
    /// # Errors
    /// As [`Subscriptions::create_on`].
    pub async fn create<R: Serialize>(
        &self,
        presence: Presence,
        app_instance_id: &str,
        callback_reference: &str,
        request: &R,
        caller: &Caller,
    ) -> Result<Arc<Subscription>, Problem> {
        let terms = Terms::callback(callback_reference);
        self.create_on(presence, app_instance_id, terms, request, caller)
            .await
    }

    /// Subscribes.
    ///
    /// # Errors
    /// `400` for a callback address that must not be called, `403` above the limit, `404` for an application instance
    /// that goes away meanwhile; what the store says.
    pub async fn create_on<R: Serialize>(
        &self,
        presence: Presence,
        app_instance_id: &str,
        terms: Terms<'_>,
        request: &R,
        caller: &Caller,
    ) -> Result<Arc<Subscription>, Problem> {
        let id = Uuid::new_v4().to_string();
        let key: Arc<str> = keys::subscription(self.kind, app_instance_id, &id).into();
        let value = self.value(&key, terms, request, caller)?;
        for _ in 0..ATTEMPTS {
            let transaction = Transaction::new()
                .expect(key.clone(), Expected::Absent)
                .put(key.clone(), value.clone());
            let transaction = presence.guard(transaction, app_instance_id);
            let transaction = self.within_limit(app_instance_id, transaction)?;
            match self.commit(transaction).await {
                Ok(revision) => return written(&key, value, revision, revision),
                Err(CommitError::Conflict { key, .. }) if key.starts_with(keys::SUBSCRIPTIONS) => {}
                Err(CommitError::Conflict { .. }) => return Err(access::unknown(app_instance_id)),
                Err(error) => return Err(outcome::problem(error)),
            }
        }
        Err(busy())
    }

    /// The subscriptions of an application instance, oldest first.
    #[must_use]
    pub fn list(&self, app_instance_id: &str) -> Vec<Arc<Subscription>> {
        self.records.of(app_instance_id)
    }

    /// One subscription of an application instance.
    ///
    /// # Errors
    /// `404` if there is none.
    pub fn get(&self, app_instance_id: &str, id: &str) -> Result<Arc<Subscription>, Problem> {
        self.records
            .get(&keys::subscription(self.kind, app_instance_id, id))
            .ok_or_else(|| unknown(id))
    }

    /// The subscription at a key of the store.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<Arc<Subscription>> {
        self.records.get(key)
    }

    /// All subscriptions of the kind, in no order.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Subscription>> {
        self.records.all()
    }

    /// How many subscriptions of the kind there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.records.count()
    }

    /// The application instances that have subscriptions of the kind.
    #[must_use]
    pub fn applications(&self) -> Vec<Arc<str>> {
        self.records.applications()
    }

    /// Replaces a subscription. What waits to be delivered goes where it was to go when it happened.
    ///
    /// # Errors
    /// `404` if there is none, `412` if a condition does not hold, `400` for a callback address that must not be
    /// called; what the store says.
    pub async fn replace<R: Serialize>(
        &self,
        app_instance_id: &str,
        id: &str,
        terms: Terms<'_>,
        request: &R,
        preconditions: &Preconditions,
        caller: &Caller,
    ) -> Result<Arc<Subscription>, Problem> {
        let found = self.get(app_instance_id, id)?;
        preconditions.check(Some(&found.entity_tag()))?;
        let key = found.key.clone();
        let value = self.value(&key, terms, request, caller)?;
        let expected = outcome::expected(preconditions, found.modified);
        let transaction = Transaction::new()
            .expect(key.clone(), expected)
            .put(key.clone(), value.clone());
        match self.commit(transaction).await {
            Ok(revision) => written(&key, value, found.created, revision),
            Err(error) => Err(self.lost(error, app_instance_id, id)),
        }
    }

    /// Ends a subscription. What waits to be delivered to it, or was given up, goes with it.
    ///
    /// # Errors
    /// `404` if there is none, `412` if a condition does not hold; what the store says.
    pub async fn delete(
        &self,
        app_instance_id: &str,
        id: &str,
        preconditions: &Preconditions,
    ) -> Result<(), Problem> {
        let found = self.get(app_instance_id, id)?;
        preconditions.check(Some(&found.entity_tag()))?;
        let expected = outcome::expected(preconditions, found.modified);
        let transaction = Transaction::new().expect(found.key.clone(), expected);
        let committed = self.commit(remove(transaction, &found.key)).await;
        committed
            .map(|_| ())
            .map_err(|error| self.lost(error, app_instance_id, id))
    }

    /// The present moment. To be taken before looking for subscriptions that match.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.last_change.mark()
    }

    /// Makes subscriptions of the kind stay as they are: for who has met conflicts at the [`Mark`] too often.
    pub async fn hold(&self) -> Hold<'_> {
        Hold(self.gate.write().await)
    }

    /// Commits a change of subscriptions.
    pub(crate) async fn commit(&self, transaction: Transaction) -> Result<Revision, CommitError> {
        let _open = self.gate.read().await;
        self.store.commit(self.last_change.leave(transaction)).await
    }

    /// What the store is to hold of a subscription.
    fn value<R: Serialize>(
        &self,
        key: &Arc<str>,
        terms: Terms<'_>,
        request: &R,
        caller: &Caller,
    ) -> Result<Vec<u8>, Problem> {
        let target = match terms.delivery {
            Delivery::WebSocket => Target::WebSocket(key.clone()),
            Delivery::Callback { url, pointer } => {
                self.policy.check(url).map_err(|reason| {
                    Problem::bad_request(format!("{pointer} must not be called: {reason}"))
                        .with_pointer(pointer)
                        .with_rule("callbackPolicy")
                })?;
                Target::Callback(url.into())
            }
        };
        let stored = Stored {
            base_url: caller.url("").into(),
            target,
            expires: terms.expires,
            request: serde_json::value::to_raw_value(request).map_err(Problem::internal)?,
        };
        serde_json::to_vec(&stored).map_err(Problem::internal)
    }

    /// Adds to a transaction that the application instance gains no other subscription than this one.
    fn within_limit(&self, app_instance_id: &str, transaction: Transaction) -> Result<Transaction, Problem> {
        let Some(most) = self.limits.per_application else {
            return Ok(transaction);
        };
        let prefix = keys::subscriptions_of(self.kind, app_instance_id);
        let existing = self.store.range(&prefix, None, most);
        if existing.entries.len() >= most {
            return Err(Problem::forbidden(format!(
                "this application instance has {most} subscriptions of this kind, which is as many as it may have"
            )));
        }
        Ok(transaction.expect_none_newer(prefix, existing.revision))
    }

    /// What to say when another request was quicker: the subscription is gone, or no longer what the condition named.
    fn lost(&self, error: CommitError, app_instance_id: &str, id: &str) -> Problem {
        match error {
            CommitError::Conflict { .. } => match self.get(app_instance_id, id) {
                Ok(_) => Problem::precondition_failed(
                    "the subscription was changed by another request at the same time",
                )
                .with_parameter("If-Match"),
                Err(gone) => gone,
            },
            error => outcome::problem(error),
        }
    }
}

impl Belongings for Subscriptions {
    fn remove_all(&self, app_instance_id: &str, mut transaction: Transaction) -> Transaction {
        let prefix = keys::subscriptions_of(self.kind, app_instance_id);
        let existing = self.store.range(&prefix, None, usize::MAX);
        transaction = transaction.expect_none_newer(prefix, existing.revision);
        if existing.entries.is_empty() {
            return transaction;
        }
        for (key, entry) in existing.entries {
            transaction = transaction.expect(key.clone(), Expected::Revision(entry.modified));
            transaction = remove(transaction, &key);
        }
        self.last_change.leave(transaction)
    }
}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Subscriptions")
            .field("kind", &self.kind)
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}

/// The subscription that was written, as it is read.
fn written(
    key: &Arc<str>,
    value: Vec<u8>,
    created: Revision,
    modified: Revision,
) -> Result<Arc<Subscription>, Problem> {
    let entry = Entry {
        value: value.into(),
        created,
        modified,
    };
    Subscription::read(key, &entry)
        .map(Arc::new)
        .ok_or_else(|| Problem::internal("a subscription cannot be read as it was written"))
}

fn unknown(id: &str) -> Problem {
    let shown: String = id.chars().take(access::LONGEST_IDENTIFIER).collect();
    Problem::not_found(format!("there is no subscription {shown:?}")).with_parameter("subscriptionId")
}

fn busy() -> Problem {
    Problem::service_unavailable(
        "too many subscriptions of this application instance change at the same time; try again",
    )
}
