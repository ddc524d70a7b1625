//! Services and subscriptions, as they are kept.

use std::sync::Arc;

use axum::response::Response;
use mecforge_contracts::keys;
use mecforge_runtime::server::Problem;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::administration::Inner;
use crate::call::{self, Call};
use crate::resources::page::{self, Page, Paging};

/// A service.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceState {
    /// The application instance that offers it.
    app_instance_id: String,
    /// Its identifier.
    ser_instance_id: String,
    /// The change that last changed it.
    revision: u64,
    /// The service as it is kept, in the terms of `ServiceInfo` of MEC 011.
    #[schema(value_type = Object)]
    service: Box<RawValue>,
}

/// A subscription.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionState {
    /// Its key, which deliveries name it by.
    key: String,
    /// Its kind, for example `service-availability`.
    kind: String,
    /// The application instance that has subscribed.
    app_instance_id: String,
    /// Its identifier.
    subscription_id: String,
    /// The change that last changed it.
    revision: u64,
    /// The subscription as it is kept.
    #[schema(value_type = Object)]
    subscription: Box<RawValue>,
}

/// All services, of all application instances.
#[utoipa::path(
    get,
    path = "/services",
    operation_id = "listServices",
    tag = "services",
    params(
        ("application" = Option<String>, Query, description = "Only those of this application instance."),
        ("limit" = Option<u16>, Query, description = "The most items on the page; 100 if absent.", minimum = 1, maximum = 1000),
        ("after" = Option<String>, Query, description = "`next` of the page before."),
    ),
    responses(
        (status = 200, description = "A page of services.", body = Page<ServiceState>),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn services(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    call.allow(&["application", "limit", "after"])?;
    let prefix = call
        .query("application")
        .map_or_else(|| keys::SERVICES.to_owned(), keys::services_of);
    let page = Paging::read(&call)?.of_store(&*inner.platform.store, &prefix, |key, entry| {
        let (app_instance_id, ser_instance_id) = keys::service_at(key)?;
        Some(ServiceState {
            app_instance_id,
            ser_instance_id,
            revision: entry.modified.0,
            service: page::raw(entry)?,
        })
    });
    call::json(&page)
}

/// All subscriptions of all kinds, of all application instances.
#[utoipa::path(
    get,
    path = "/subscriptions",
    operation_id = "listSubscriptions",
    tag = "subscriptions",
    params(
        ("kind" = Option<String>, Query, description = "Only those of this kind, for example `service-availability`."),
        ("limit" = Option<u16>, Query, description = "The most items on the page; 100 if absent.", minimum = 1, maximum = 1000),
        ("after" = Option<String>, Query, description = "`next` of the page before."),
    ),
    responses(
        (status = 200, description = "A page of subscriptions.", body = Page<SubscriptionState>),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn subscriptions(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    call.allow(&["kind", "limit", "after"])?;
    let prefix = call
        .query("kind")
        .map_or_else(|| keys::SUBSCRIPTIONS.to_owned(), keys::subscriptions);
    let page = Paging::read(&call)?.of_store(&*inner.platform.store, &prefix, |key, entry| {
        let (kind, app_instance_id, subscription_id) = keys::subscription_at(key)?;
        Some(SubscriptionState {
            key: key.to_owned(),
            kind,
            app_instance_id,
            subscription_id,
            revision: entry.modified.0,
            subscription: page::raw(entry)?,
        })
    });
    call::json(&page)
}
