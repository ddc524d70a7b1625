//! Handlers of application instances.

use std::sync::Arc;
use std::time::Duration;

use mecforge_contracts::lifecycle::EndAction;
use mecforge_contracts::{Presence, access};
use mecforge_runtime::rules::IntegerRules;
use mecforge_runtime::server::{Call, Problem, Reply};
use mecforge_runtime::{Decode, Invalid, Json, ObjectReader, decode};
use serde::Serialize;
use utoipa::ToSchema;

use super::operations::LIST_APPLICATIONS;
use super::paging::{self, Page};
use super::{JSON, accepted};
use crate::applications::{ApplicationFilter, ApplicationInstance, ApplicationState};
use crate::events::enumeration;
use crate::manager::{Mm5, manager};
use crate::submit::Request;
use crate::task::{Task, Wanted};

/// What a graceful end leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(
    dead_code,
    reason = "the document's words for EndAction, whose crate knows no documents"
)]
pub(crate) enum OperationAction {
    /// The instance is stopped and may start again.
    Stopping,
    /// The instance is terminated: all that belongs to it goes.
    Terminating,
}

/// How an application instance is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Termination {
    /// What the end leads to.
    #[schema(value_type = OperationAction)]
    pub(crate) operation_action: EndAction,
    /// How long the application may take, in seconds; the operator sets how long at most.
    #[schema(required = false, maximum = 4_294_967_295_u64)]
    pub(crate) max_graceful_timeout: Option<u64>,
}

impl Decode for Termination {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        let object = ObjectReader::new(json)?;
        object.refuse_undeclared(&["operationAction", "maxGracefulTimeout"])?;
        let seconds = IntegerRules::range(0, i128::from(u32::MAX));
        Ok(Self {
            operation_action: object.required("operationAction", |json| {
                enumeration(json, &["STOPPING", "TERMINATING"])
            })?,
            max_graceful_timeout: object
                .optional("maxGracefulTimeout", |json| decode::unsigned(json, &seconds))?,
        })
    }
}

impl Mm5 {
    /// How long an application instance may take for its end.
    pub(crate) fn grace(&self, seconds: Option<u64>) -> Result<u64, String> {
        let most = self
            .options
            .longest_grace
            .min(Duration::from_secs(u64::from(u32::MAX)));
        match seconds {
            Some(seconds) if seconds > most.as_secs() => Err(format!(
                "must be at most {}, as the platform's operator has set",
                most.as_secs()
            )),
            Some(seconds) => Ok(seconds),
            None => Ok(self.options.grace.min(most).as_secs()),
        }
    }
}

/// Lists application instances that are configured or registered.
#[utoipa::path(
    get,
    path = "/applications",
    tag = "applications",
    params(
        ("appName" = Option<String>, Query, description = "Only instances of this name"),
        ("configured" = Option<bool>, Query, description = "Only instances that a manager has configured, or has not"),
        ("registered" = Option<bool>, Query, description = "Only instances that have registered, or have not"),
        ("state" = Option<ApplicationState>, Query, description = "Only instances in this state"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "The most instances of a page, 100 if absent"),
        ("after" = Option<String>, Query, description = "The identifier behind which the page begins"),
    ),
    responses((status = 200, description = "A page", body = Vec<ApplicationInstance>,
        headers(("link" = Option<String>, description = "The next page, where there is one (rel=next)")))),
)]
pub(super) async fn list_applications(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let page = Page::of(&call)?;
    let filter = ApplicationFilter {
        app_name: call.query("appName", decode::string)?,
        configured: call.query("configured", decode::boolean)?,
        registered: call.query("registered", decode::boolean)?,
        state: call.query("state", |json| enumeration(json, ApplicationState::VALUES))?,
    };
    let (instances, more) = mm5.instances(&filter, page.after.as_deref(), page.limit);
    let next = instances
        .last()
        .filter(|_| more)
        .map(|instance| instance.app_instance_id.as_str());
    Ok(paging::reply(&call, &LIST_APPLICATIONS, &instances, next))
}

/// Reads an application instance, also one that only the platform's configuration declares.
#[utoipa::path(
    get,
    path = "/applications/{appInstanceId}",
    tag = "applications",
    params(("appInstanceId" = String, Path, description = "The identifier of the application instance")),
    responses((status = 200, description = "The instance", body = ApplicationInstance)),
)]
pub(super) async fn get_application(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = call.path("appInstanceId", decode::string)?;
    Ok(Reply::json(200, JSON, &mm5.existing_instance(&id)?))
}

/// Ends an application instance: its subscribers are told, and it may take its time.
#[utoipa::path(
    post,
    path = "/applications/{appInstanceId}/terminate",
    tag = "applications",
    params(("appInstanceId" = String, Path, description = "The identifier of the application instance")),
    request_body = Termination,
    responses((status = 202, description = "The task that ends it", body = Task,
        headers(("location" = String, description = "The task")))),
)]
pub(super) async fn terminate_application(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = call.path("appInstanceId", decode::string)?;
    let termination = call.json(Termination::decode)?;
    let grace = mm5
        .grace(termination.max_graceful_timeout)
        .map_err(|message| Invalid::new("maximum", message).within("maxGracefulTimeout"))?;
    if mm5.applications.presence(&id) == Presence::Absent {
        return Err(access::unknown(&id));
    }
    let wanted = Wanted::End {
        action: termination.operation_action,
        grace,
    };
    let record = mm5.submit(&id, wanted, &Request::default()).await?;
    Ok(accepted(&record, call.caller()))
}
