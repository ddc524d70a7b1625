//! Application instances, with how far their life is.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::response::Response;
use mecforge_contracts::keys;
use mecforge_contracts::lifecycle::EndAction;
use mecforge_runtime::server::Problem;
use mecforge_store::Entry;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::administration::Inner;
use crate::call::{self, Call};
use crate::resources::page::{Page, Paging};

/// An application instance.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApplicationState {
    /// Its identifier.
    app_instance_id: String,
    /// The name of the application, as it or its manager says.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_name: Option<String>,
    /// Whether it has registered itself.
    registered: bool,
    /// Whether a manager has configured it.
    configured: bool,
    /// Whether the platform's configuration declares it.
    declared: bool,
    /// Whether it has confirmed that it is up and running.
    ready: bool,
    /// The end that it has been told of and that has not come yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<Ending>,
    /// Services that it offers.
    services: u64,
    /// Its DNS rules, active or not.
    dns_rules: u64,
    /// Its traffic rules, active or not.
    traffic_rules: u64,
}

/// An end that has been announced.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ending {
    /// What it leads to.
    action: EndingAction,
    /// When it comes without an answer of the application, in milliseconds since 1970-01-01 UTC.
    deadline: u64,
}

/// What the end of an application instance leads to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum EndingAction {
    /// It is stopped and may start again.
    Stopping,
    /// It is terminated.
    Terminating,
}

/// The application instances that exist, by their identifiers.
#[utoipa::path(
    get,
    path = "/applications",
    operation_id = "listApplications",
    tag = "applications",
    params(
        ("limit" = Option<u16>, Query, description = "The most items on the page; 100 if absent.", minimum = 1, maximum = 1000),
        ("after" = Option<String>, Query, description = "`next` of the page before."),
    ),
    responses(
        (status = 200, description = "A page of application instances.", body = Page<ApplicationState>),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    call.allow(&["limit", "after"])?;
    let Page { items, next } = Paging::read(&call)?.of(identifiers(&inner), String::clone);
    let items = items.into_iter().map(|id| state(&inner, id)).collect();
    call::json(&Page { items, next })
}

/// The identifiers of all application instances that exist.
pub(crate) fn identifiers(inner: &Inner) -> BTreeSet<String> {
    let store = &inner.platform.store;
    let registered = store.range(keys::APPLICATIONS, None, usize::MAX).entries;
    let configured = store.range(keys::CONFIGURATIONS, None, usize::MAX).entries;
    let registered = registered.iter().filter_map(|(key, _)| keys::application_of(key));
    let configured = configured
        .iter()
        .filter_map(|(key, _)| keys::configuration_of(key));
    let declared = inner.options.declared.iter().cloned();
    registered.chain(configured).chain(declared).collect()
}

fn state(inner: &Inner, app_instance_id: String) -> ApplicationState {
    let store = &inner.platform.store;
    let registration = store.get(&keys::application(&app_instance_id));
    let configuration = store.get(&keys::configuration(&app_instance_id));
    let life = inner.platform.lifecycle.life(&app_instance_id);
    let count = |prefix: String| store.range(&prefix, None, usize::MAX).entries.len() as u64;
    ApplicationState {
        app_name: registration
            .as_ref()
            .and_then(name)
            .or_else(|| configuration.as_ref().and_then(name)),
        registered: registration.is_some(),
        configured: configuration.is_some(),
        declared: inner.options.declared.contains(&app_instance_id),
        ready: life.ready,
        pending: life.pending.map(|pending| Ending {
            action: match pending.action {
                EndAction::Stopping => EndingAction::Stopping,
                EndAction::Terminating => EndingAction::Terminating,
            },
            deadline: pending.deadline,
        }),
        services: count(keys::services_of(&app_instance_id)),
        dns_rules: count(keys::dns_rules_of(&app_instance_id)),
        traffic_rules: count(keys::traffic_rules_of(&app_instance_id)),
        app_instance_id,
    }
}

/// `appName` of a registration or configuration.
fn name(entry: &Entry) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        app_name: String,
    }
    let named: Named = serde_json::from_slice(&entry.value).ok()?;
    Some(named.app_name)
}
