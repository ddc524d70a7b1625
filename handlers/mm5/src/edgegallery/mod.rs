//! The predecessor's Mm5 (EdgeGallery MEP): its paths, bodies and answers, over the same code as our own API.
//!
//! A thin adapter: bodies are translated ([`body`]), tasks are the same tasks, and refusals are problem documents here
//! as well, which the predecessor sent as plain text.

mod body;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::routing::any;
use http::{HeaderValue, Request, StatusCode, header};
use mecforge_contracts::lifecycle::EndAction;
use mecforge_contracts::{Presence, keys};
use mecforge_runtime::decode;
use mecforge_runtime::operation::{Kind, Operation, Parameter, Place, RequestBody, Style};
use mecforge_runtime::server::{Call, Problem, Reply, Routes};
use serde::Serialize;
use serde_json::{Value, json};

use crate::api::JSON;
use crate::api::configurations::new_identifier;
use crate::capabilities::{Capability, CapabilityFilter, CapabilityKind};
use crate::manager::{Mm5, manager};
use crate::submit::Request as Submission;
use crate::task::{Record, TaskState, Wanted};

/// The paths of the predecessor that [`Mm5::edgegallery_router`] answers, as templates.
pub const EDGEGALLERY_PATHS: [&str; 5] = [CONFIGURATION, TASK, CAPABILITIES, CAPABILITY, TERMINATION];

const CONFIGURATION: &str = "/mepcfg/app_lcm/v1/applications/{appInstanceId}/appd_configuration";
const TASK: &str = "/mepcfg/app_lcm/v1/tasks/{taskId}/appd_configuration";
const CAPABILITIES: &str = "/mepcfg/mec_platform_config/v1/capabilities";
const CAPABILITY: &str = "/mepcfg/mec_platform_config/v1/capabilities/{capabilityId}";
const TERMINATION: &str = "/mep/mec_app_support/v1/applications/{appInstanceId}/AppInstanceTermination";

/// Whether [`Mm5::edgegallery_router`] is to answer requests for a path.
#[must_use]
pub fn is_edgegallery_path(path: &str) -> bool {
    let termination = TERMINATION.split_once("{appInstanceId}");
    path.starts_with("/mepcfg/")
        || termination.is_some_and(|(before, behind)| path.starts_with(before) && path.ends_with(behind))
}

/// How long a manager waits for a termination beyond the time that the platform takes for it.
const MARGIN: Duration = Duration::from_secs(5);

const fn path(name: &'static str) -> Parameter {
    Parameter {
        name,
        place: Place::Path,
        kind: Kind::Text,
        style: Style::Comma,
    }
}

const APPLICATION: &[Parameter] = &[path("appInstanceId")];

macro_rules! operation {
    ($name:ident, $method:literal, $path:expr, $parameters:expr, $body:expr) => {
        static $name: Operation = Operation {
            name: concat!("EDGEGALLERY_", stringify!($name)),
            method: $method,
            path: $path,
            parameters: $parameters,
            body: $body,
            produces: &[JSON],
        };
    };
}

operation!(
    CREATE,
    "POST",
    CONFIGURATION,
    APPLICATION,
    RequestBody::Required(&[JSON])
);
operation!(
    REPLACE,
    "PUT",
    CONFIGURATION,
    APPLICATION,
    RequestBody::Required(&[JSON])
);
operation!(READ, "GET", CONFIGURATION, APPLICATION, RequestBody::None);
operation!(DELETE, "DELETE", CONFIGURATION, APPLICATION, RequestBody::None);
operation!(READ_TASK, "GET", TASK, &[path("taskId")], RequestBody::None);
operation!(LIST_CAPABILITIES, "GET", CAPABILITIES, &[], RequestBody::None);
operation!(
    READ_CAPABILITY,
    "GET",
    CAPABILITY,
    &[path("capabilityId")],
    RequestBody::None
);
operation!(TERMINATE, "DELETE", TERMINATION, APPLICATION, RequestBody::None);

/// How far a task is, in the predecessor's words.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskProgress {
    task_id: String,
    app_instance_id: String,
    config_result: &'static str,
    config_phase: &'static str,
    #[serde(rename = "Detailed")]
    detailed: String,
}

impl TaskProgress {
    fn of(record: Record) -> Self {
        let task = record.task;
        let problem = task.problem.and_then(|problem| problem.detail);
        let (config_result, config_phase, detailed) = match task.state {
            TaskState::Pending | TaskState::Processing => {
                ("PROCESSING", "0", "Operation In progress".to_owned())
            }
            TaskState::Succeeded => ("SUCCESS", "100", "Operation completed".to_owned()),
            TaskState::Failed => ("FAILURE", "0", problem.unwrap_or_default()),
        };
        Self {
            task_id: task.task_id,
            app_instance_id: task.app_instance_id,
            config_result,
            config_phase,
            detailed,
        }
    }
}

impl Mm5 {
    /// The predecessor's Mm5 paths ([`EDGEGALLERY_PATHS`]), from the root.
    pub fn edgegallery_router(self: &Arc<Self>) -> axum::Router {
        let service = Routes::new()
            .route(&CREATE, self, create)
            .route(&REPLACE, self, replace)
            .route(&READ, self, read)
            .route(&DELETE, self, delete)
            .route(&READ_TASK, self, read_task)
            .route(&LIST_CAPABILITIES, self, list_capabilities)
            .route(&READ_CAPABILITY, self, read_capability)
            .route(&TERMINATE, self, terminate)
            .into_service();
        let answer = any(move |mut request: Request<Body>| {
            let service = service.clone();
            async move {
                // The predecessor's rule manager sends its bodies without saying that they are JSON.
                request
                    .headers_mut()
                    .entry(header::CONTENT_TYPE)
                    .or_insert(HeaderValue::from_static(JSON));
                service.answer(request).await
            }
        });
        axum::Router::new()
            .route("/mepcfg/{*path}", answer.clone())
            .route(TERMINATION, answer)
    }

    /// The task that a request of the predecessor's manager becomes.
    async fn submit_as_predecessor(
        &self,
        app_instance_id: &str,
        call: &Call,
        must_be_new: bool,
    ) -> Result<Reply, Problem> {
        let wanted = body::to_configuration(&call.bytes())?;
        if !must_be_new {
            let kept = self.kept(app_instance_id)?.ok_or_else(unknown)?;
            if kept.configuration.app_name != wanted.app_name {
                return Err(Problem::bad_request("/appName must stay what it is")
                    .with_pointer("/appName")
                    .with_rule("const"));
            }
        }
        let request = Submission {
            must_be_new,
            ..Submission::default()
        };
        let submitted = self
            .submit_configuration(app_instance_id, wanted, None, &request)
            .await;
        let record = submitted.map_err(|problem| as_predecessor(&body::in_its_words(problem)))?;
        Ok(Reply::json(200, JSON, &TaskProgress::of(record)))
    }

    /// Waits until a task is finished, for so long at most.
    async fn finished(&self, task_id: &str, longest: Duration) -> Result<Record, Problem> {
        let deadline = tokio::time::Instant::now() + longest;
        let watched = self.store.watch(&keys::task(task_id), self.store.revision());
        let mut watch = watched.map_err(Problem::internal)?;
        loop {
            let (record, _) = self.record(task_id)?;
            if record.task.state.is_final() {
                return Ok(record);
            }
            match tokio::time::timeout_at(deadline, watch.next()).await {
                Ok(changes) => changes.map_err(Problem::internal)?,
                Err(_) => {
                    return Err(Problem::new(
                        StatusCode::GATEWAY_TIMEOUT,
                        "the application instance has not ended yet",
                    ));
                }
            };
        }
    }
}

fn unknown() -> Problem {
    Problem::not_found("this application instance has no configuration").with_parameter("appInstanceId")
}

/// Conflicts as the predecessor's manager knows them: 403 while another task runs, 400 for what exists already.
fn as_predecessor(problem: &Problem) -> Problem {
    let details = problem.details();
    let status = match problem.status() {
        StatusCode::CONFLICT if details.extension("taskId").is_some() => StatusCode::FORBIDDEN,
        StatusCode::CONFLICT => StatusCode::BAD_REQUEST,
        status => status,
    };
    let extensions = details.extensions.clone();
    let same = Problem::new(status, details.detail.clone().unwrap_or_default());
    extensions.into_iter().fold(same, |problem, (name, value)| {
        problem.with_extension(&name, value)
    })
}

async fn create(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = new_identifier(&call)?;
    mm5.submit_as_predecessor(&id, &call, true).await
}

async fn replace(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = new_identifier(&call)?;
    mm5.submit_as_predecessor(&id, &call, false).await
}

async fn read(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = call.path("appInstanceId", decode::string)?;
    let kept = mm5.kept(&id)?.ok_or_else(unknown)?;
    Ok(Reply::json(
        200,
        JSON,
        &body::from_configuration(&kept.configuration)?,
    ))
}

async fn delete(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = call.path("appInstanceId", decode::string)?;
    mm5.kept(&id)?.ok_or_else(unknown)?;
    let record = mm5.submit(&id, mm5.usual_end(), &Submission::default()).await;
    let record = record.map_err(|problem| as_predecessor(&problem))?;
    Ok(Reply::json(200, JSON, &TaskProgress::of(record)))
}

async fn read_task(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = call.path("taskId", decode::string)?;
    let (record, _) = mm5.record(&id)?;
    Ok(Reply::json(200, JSON, &TaskProgress::of(record)))
}

impl Mm5 {
    fn usual_end(&self) -> Wanted {
        Wanted::End {
            action: EndAction::Terminating,
            grace: self.grace(None).unwrap_or_default(),
        }
    }
}

/// A capability as the predecessor shows it.
fn shown(capability: &Capability) -> Value {
    json!({
        "capabilityId": capability.capability_id,
        "capabilityName": capability.capability_name,
        "status": capability.status,
        "version": capability.version,
        "consumers": capability.consumers,
    })
}

async fn list_capabilities(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let filter = CapabilityFilter {
        kind: Some(CapabilityKind::Service),
        ..CapabilityFilter::default()
    };
    let capabilities: Vec<Value> = mm5.capabilities(&filter).iter().map(shown).collect();
    Ok(Reply::json(200, JSON, &capabilities))
}

async fn read_capability(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = call.path("capabilityId", decode::string)?;
    let capability = mm5.capability(&id)?;
    Ok(Reply::json(200, JSON, &shown(&capability)))
}

/// Ends an application instance and answers when it is gone. One that does not exist is gone already.
async fn terminate(mm5: Arc<Mm5>, call: Call) -> Result<Reply, Problem> {
    manager(call.caller())?;
    let id = call.path("appInstanceId", decode::string)?;
    if mm5.applications.presence(&id) == Presence::Absent && mm5.kept(&id)?.is_none() {
        return Ok(Reply::json(200, JSON, ""));
    }
    let record = mm5.submit(&id, mm5.usual_end(), &Submission::default()).await;
    let record = record.map_err(|problem| as_predecessor(&problem))?;
    let longest = mm5.options.grace + mm5.options.patience + MARGIN;
    let record = mm5.finished(&record.task.task_id, longest).await?;
    match record.task.problem {
        None => Ok(Reply::json(200, JSON, "")),
        Some(problem) => {
            let status = problem
                .status
                .and_then(|status| StatusCode::from_u16(status).ok());
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Err(Problem::new(status, problem.detail.unwrap_or_default()))
        }
    }
}
