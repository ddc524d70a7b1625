//! The API's description in OpenAPI.

use std::sync::Arc;

use axum::response::Response;
use mecforge_runtime::server::Problem;
use utoipa::{OpenApi, ToSchema};

use crate::administration::Inner;
use crate::call::{self, Call};
use crate::events;
use crate::resources::{applications, deliveries, letters, platform, rules, services};

/// Why a request is refused or has failed (RFC 9457).
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes what the runtime's `Problem` sends")]
pub(crate) struct ProblemDetails {
    /// The kind of problem, a URI reference.
    r#type: Option<String>,
    /// The kind of problem, in words.
    title: Option<String>,
    /// The status of the answer.
    status: Option<u16>,
    /// What is wrong this time.
    detail: Option<String>,
    /// The path of the request.
    instance: Option<String>,
    /// The place in the body that is at fault, as a JSON pointer.
    pointer: Option<String>,
    /// The parameter that is at fault.
    parameter: Option<String>,
    /// The rule that is broken, for example `maximum`.
    rule: Option<String>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Administration of a MEC platform",
        description = "What an operator sees and does: deliveries of notifications and their dead letters, rules with their counters, application instances, and everything that changes.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/administration/v1")),
    paths(
        platform::get,
        applications::list,
        services::services,
        services::subscriptions,
        rules::dns_rules,
        rules::traffic_rules,
        rules::data_plane,
        deliveries::list,
        deliveries::get,
        letters::list,
        letters::discard_all,
        letters::replay_all,
        letters::list_one,
        letters::discard_subscription,
        letters::replay_subscription,
        letters::get,
        letters::discard,
        letters::replay,
        events::follow,
    ),
    tags(
        (name = "platform", description = "The platform itself"),
        (name = "applications", description = "Application instances"),
        (name = "services", description = "Services"),
        (name = "subscriptions", description = "Subscriptions"),
        (name = "rules", description = "DNS rules, traffic rules and the data plane"),
        (name = "deliveries", description = "Notifications on their way"),
        (name = "dead letters", description = "Notifications that were given up"),
        (name = "events", description = "Everything that changes"),
    )
)]
struct Document;

/// The API's description in OpenAPI 3.1.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// The document, as the API itself serves it.
pub(crate) async fn get(_: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    call.allow(&[])?;
    call::json(&document())
}
