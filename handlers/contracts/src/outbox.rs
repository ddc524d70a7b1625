//! Notifications on their way: written in the transaction that causes them, delivered by whoever watches them.
//!
//! An entry at [`keys::OUTBOX`] is one notification for one subscription. Entries of one subscription are delivered
//! one after the other, in the order of the revisions that created them; the entry goes when the subscriber has
//! acknowledged, and moves to [`keys::DEAD_LETTERS`] when it is given up.

use std::sync::Arc;

use mecforge_runtime::callbacks::Notification;
use mecforge_runtime::server::Problem;
use mecforge_store::Transaction;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::keys;

/// Where a notification goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// `POST` to this absolute `http` or `https` URL (ETSI GS MEC 009 clause 6.12.1).
    Callback(Arc<str>),
    /// A text frame on the WebSocket that the subscriber has opened for its subscription (ETSI GS MEC 009
    /// clause 6.12.2). The text is the subscription's key.
    WebSocket(Arc<str>),
}

/// One notification for one subscription.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outgoing {
    /// The key of the subscription in the store. A notification of a subscription that is gone is not delivered.
    pub subscription: Arc<str>,
    /// Where it goes.
    pub target: Target,
    /// The schema's name, for example `AppTerminationNotification`.
    pub notification: Arc<str>,
    /// When it happened, in milliseconds since 1970-01-01 UTC.
    pub happened: u64,
    /// The body, as JSON.
    pub body: Box<RawValue>,
}

impl Outgoing {
    /// A notification that happens now.
    ///
    /// # Errors
    /// `500` for a body that breaks the rules of its own schema: a fault of the platform.
    pub fn new<N: Notification>(
        subscription: impl Into<Arc<str>>,
        target: Target,
        notification: &N,
    ) -> Result<Self, Problem> {
        mecforge_runtime::check(notification).map_err(|invalid| Problem::internal(invalid.to_string()))?;
        let body = serde_json::value::to_raw_value(notification).map_err(Problem::internal)?;
        Ok(Self {
            subscription: subscription.into(),
            target,
            notification: N::NAME.into(),
            happened: crate::time::unix_milliseconds(),
            body,
        })
    }

    /// Adds the notification to the transaction of the change that causes it, under a new identifier.
    ///
    /// # Errors
    /// Those of writing JSON, which do not occur.
    pub fn post(&self, transaction: Transaction) -> Result<Transaction, Problem> {
        // Version 7 grows with time, so that several notifications of one transaction keep the order in which they
        // were written.
        let id = Uuid::now_v7().to_string();
        let value = serde_json::to_vec(self).map_err(Problem::internal)?;
        Ok(transaction.put(keys::outgoing(&self.subscription, &id), value))
    }
}

/// Which callback addresses may be called.
pub trait CallbackPolicy: Send + Sync + 'static {
    /// Judges an address when a subscription is made. The address is judged again, with what its name then resolves
    /// to, at each delivery.
    ///
    /// # Errors
    /// Why the address may not be called, in words that complete "… must not be called: ".
    fn check(&self, url: &str) -> Result<(), String>;
}
