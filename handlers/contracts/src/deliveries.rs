//! The state of deliveries, for operators.

use mecforge_runtime::server::Problem;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::outbox::Target;
use crate::rules::Later;

/// How deliveries to one subscription are going.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryState {
    /// The key of the subscription in the store.
    pub subscription: String,
    /// Where its notifications go; absent if there has been none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Notifications that wait, the one that is being tried included.
    pub queued: u64,
    /// Notifications that were given up and are kept.
    pub dead: u64,
    /// Notifications that were delivered since the platform started.
    pub delivered: u64,
    /// Attempts that failed since the last success.
    pub failures: u64,
    /// When a notification was last acknowledged, in milliseconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<u64>,
    /// When an attempt last failed, in milliseconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<u64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When the next attempt is due, in milliseconds since 1970-01-01 UTC; absent if nothing waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<u64>,
}

/// A notification that was given up.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Its identifier, which the subscriber saw as `X-Notification-Id`.
    pub id: String,
    /// The key of the subscription in the store.
    pub subscription: String,
    /// Where it was to go.
    pub target: Target,
    /// The schema's name.
    pub notification: String,
    /// When it happened, in milliseconds since 1970-01-01 UTC.
    pub happened: u64,
    /// When it was given up, in milliseconds since 1970-01-01 UTC.
    pub given_up: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it was given up.
    pub reason: String,
    /// The body.
    pub body: Box<RawValue>,
}

/// Deliveries of notifications, seen by an operator.
pub trait Deliveries: Send + Sync + 'static {
    /// How it goes for every subscription that has had notifications, or for those whose key starts with a prefix.
    fn states(&self, prefix: &str) -> Vec<DeliveryState>;

    /// Notifications that were given up, oldest first, of subscriptions whose key starts with a prefix.
    fn dead_letters(&self, prefix: &str) -> Vec<DeadLetter>;

    /// Puts what was given up back into the queue, behind what waits: one notification of a subscription, or all of
    /// them. Returns how many.
    ///
    /// # Errors
    /// `404` if there is none; what the store says.
    fn replay(&self, subscription: &str, id: Option<&str>) -> Later<'_, Result<usize, Problem>>;

    /// Forgets what was given up: one notification of a subscription, or all of them. Returns how many.
    ///
    /// # Errors
    /// `404` if there is none; what the store says.
    fn discard(&self, subscription: &str, id: Option<&str>) -> Later<'_, Result<usize, Problem>>;
}
