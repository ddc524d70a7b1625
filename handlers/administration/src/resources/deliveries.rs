//! How deliveries of notifications are going.

use std::sync::Arc;

use axum::response::Response;
use mecforge_contracts::deliveries::DeliveryState;
use mecforge_contracts::keys;
use mecforge_contracts::outbox::Target;
use mecforge_runtime::server::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use crate::administration::Inner;
use crate::call::{self, Call};
use crate::resources::page::{Page, Paging};

/// How deliveries to one subscription are going.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    /// The key of the subscription.
    subscription: String,
    /// The kind of the subscription, for example `service-availability`.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// The application instance that has subscribed.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_instance_id: Option<String>,
    /// The identifier of the subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription_id: Option<String>,
    /// Where its notifications go; absent if there has been none.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Destination>,
    /// Notifications that wait, the one that is being tried included.
    queued: u64,
    /// Notifications that were given up and are kept.
    dead: u64,
    /// Notifications that were delivered since the platform started.
    delivered: u64,
    /// Attempts that failed since the last success.
    failures: u64,
    /// When a notification was last acknowledged, in milliseconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_success: Option<u64>,
    /// When an attempt last failed, in milliseconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure: Option<u64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// When the next attempt is due, in milliseconds since 1970-01-01 UTC; absent if nothing waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt: Option<u64>,
}

/// Where notifications go.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Destination {
    /// `POST` to this URL.
    Callback(String),
    /// The WebSocket of the subscription with this key.
    WebSocket(String),
}

impl From<&Target> for Destination {
    fn from(target: &Target) -> Self {
        match target {
            Target::Callback(url) => Self::Callback(url.to_string()),
            Target::WebSocket(subscription) => Self::WebSocket(subscription.to_string()),
        }
    }
}

impl From<DeliveryState> for Delivery {
    fn from(state: DeliveryState) -> Self {
        let parts = keys::subscription_at(&state.subscription);
        let (kind, app_instance_id, subscription_id) = match parts {
            Some((kind, application, id)) => (Some(kind), Some(application), Some(id)),
            None => (None, None, None),
        };
        Self {
            kind,
            app_instance_id,
            subscription_id,
            target: state.target.as_ref().map(Destination::from),
            subscription: state.subscription,
            queued: state.queued,
            dead: state.dead,
            delivered: state.delivered,
            failures: state.failures,
            last_success: state.last_success,
            last_failure: state.last_failure,
            last_error: state.last_error,
            next_attempt: state.next_attempt,
        }
    }
}

/// Whether a subscription is one of an application instance, or nobody asks.
pub(crate) fn is_of(subscription: &str, application: Option<&str>) -> bool {
    application.is_none_or(|wanted| {
        keys::subscription_at(subscription).is_some_and(|(_, application, _)| application == wanted)
    })
}

/// How deliveries are going, for every subscription that has had notifications.
#[utoipa::path(
    get,
    path = "/deliveries",
    operation_id = "listDeliveries",
    tag = "deliveries",
    params(
        ("prefix" = Option<String>, Query, description = "Only those of subscriptions whose key starts with this, for example `subscriptions/service-availability/`."),
        ("application" = Option<String>, Query, description = "Only those of subscriptions of this application instance."),
        ("limit" = Option<u16>, Query, description = "The most items on the page; 100 if absent.", minimum = 1, maximum = 1000),
        ("after" = Option<String>, Query, description = "`next` of the page before."),
    ),
    responses(
        (status = 200, description = "A page of deliveries, by the keys of their subscriptions.", body = Page<Delivery>),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    call.allow(&["prefix", "application", "limit", "after"])?;
    let paging = Paging::read(&call)?;
    let prefix = call.query("prefix").unwrap_or_default();
    let mut states = inner.platform.deliveries.states(prefix);
    states.retain(|state| is_of(&state.subscription, call.query("application")));
    states.sort_by(|one, other| one.subscription.cmp(&other.subscription));
    let Page { items, next } = paging.of(states, |state| state.subscription.clone());
    let items: Vec<Delivery> = items.into_iter().map(Delivery::from).collect();
    call::json(&Page { items, next })
}

/// How deliveries to one subscription are going.
#[utoipa::path(
    get,
    path = "/deliveries/{subscription}",
    operation_id = "getDelivery",
    tag = "deliveries",
    params(("subscription" = String, Path, description = "The key of the subscription, percent-encoded as one segment.")),
    responses(
        (status = 200, description = "How it goes.", body = Delivery),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 404, description = "There is no such subscription.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    call.allow(&[])?;
    let subscription = call.path("subscription");
    let states = inner.platform.deliveries.states(subscription);
    let found = states
        .into_iter()
        .find(|state| state.subscription == subscription);
    // A subscription that nothing has been sent to yet is no mistake of whoever asks.
    match found.or_else(|| silent(&inner, subscription)) {
        Some(state) => call::json(&Delivery::from(state)),
        None => Err(unknown(subscription)),
    }
}

/// The state of a subscription that exists and has had no notification.
fn silent(inner: &Inner, subscription: &str) -> Option<DeliveryState> {
    keys::subscription_at(subscription)?;
    inner.platform.store.get(subscription)?;
    Some(DeliveryState {
        subscription: subscription.to_owned(),
        ..DeliveryState::default()
    })
}

/// The refusal of a subscription that has neither deliveries nor letters.
pub(crate) fn unknown(subscription: &str) -> Problem {
    Problem::not_found(format!(
        "nothing has been sent to a subscription {subscription:?}"
    ))
    .with_parameter("subscription")
}
