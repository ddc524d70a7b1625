//! Beginning and end of application instances, for those who manage them.

use std::time::Duration;

use mecforge_runtime::server::Problem;
use serde::{Deserialize, Serialize};

use crate::rules::Later;

/// What a graceful end leads to (ETSI GS MEC 011 clause 7.1.4.3, `operationAction`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EndAction {
    /// The instance is stopped and may start again.
    Stopping,
    /// The instance is terminated.
    Terminating,
}

/// An end that has been announced to the application instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingEnd {
    /// What it leads to.
    pub action: EndAction,
    /// When it happens without an answer, in milliseconds since 1970-01-01 UTC.
    pub deadline: u64,
}

/// What is known of an application instance's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Life {
    /// Whether it has confirmed that it is up and running (`confirm_ready`).
    pub ready: bool,
    /// The end that it has been told of and that has not come yet.
    pub pending: Option<PendingEnd>,
}

/// Ends application instances.
pub trait Lifecycle: Send + Sync + 'static {
    /// What is known of an application instance.
    fn life(&self, app_instance_id: &str) -> Life;

    /// Announces the end of an application instance to its subscribers and returns. It comes when the application
    /// confirms, or when `grace` is over; at once if nobody has subscribed. A second call while an end is pending
    /// changes nothing.
    ///
    /// # Errors
    /// `404` for an application instance that does not exist; what the store says.
    fn end(
        &self,
        app_instance_id: &str,
        action: EndAction,
        grace: Duration,
    ) -> Later<'_, Result<(), Problem>>;

    /// Removes an application instance and all that belongs to it now, in one transaction: its rules leave the
    /// kernel first.
    ///
    /// # Errors
    /// `404` for an application instance that does not exist; what the store and the data plane say.
    fn remove(&self, app_instance_id: &str) -> Later<'_, Result<(), Problem>>;
}
