//! `mepctl apps`.

use std::io::Read;
use std::time::Duration;

use mec011_app_support::AppInfo;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::typed;
use crate::arguments::{Apps, EndAction};
use crate::failure::Failure;
use crate::files;
use crate::platform::{ADMINISTRATION, MM5, Platform, decode, encoded};
use crate::show::{Output, or_dash, yes};
use crate::when;

/// How long to wait between two looks at a task.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// An application instance, as administration shows it.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Instance {
    app_instance_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_name: Option<String>,
    registered: bool,
    configured: bool,
    declared: bool,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<Ending>,
    services: u64,
    dns_rules: u64,
    traffic_rules: u64,
}

#[derive(Deserialize, Serialize)]
struct Ending {
    action: String,
    deadline: u64,
}

/// All that is known of one application instance.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    app_instance_id: String,
    /// How it is, as its manager sees it (Mm5).
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<Value>,
    /// What it has registered with (Mp1).
    #[serde(skip_serializing_if = "Option::is_none")]
    registration: Option<AppInfo>,
    /// What its manager has configured (Mm5).
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<Value>,
}

/// A manager's task.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    task_id: String,
    state: String,
    problem: Option<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    detail: Option<String>,
}

pub(crate) async fn run(
    command: Apps,
    platform: &Platform,
    input: &mut dyn Read,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    match command {
        Apps::List => list(platform, output).await,
        Apps::Get { app } => get(platform, app, output).await,
        Apps::Register { file } => {
            let info: AppInfo = files::read(&file, input)?;
            let created = platform.support.create_registration(&info).await?;
            let id = created
                .body
                .app_instance_id
                .clone()
                .or_else(|| created.location.last_segment());
            let sentence = format!(
                "application {} is registered as {}",
                created.body.app_name,
                or_dash(id)
            );
            output.done(&sentence, &created.body)
        }
        Apps::Delete { app } => {
            platform.support.delete_registration(&app).await?;
            let sentence = format!("application instance {app} is no longer registered");
            output.done(&sentence, &json!({ "appInstanceId": app }))
        }
        Apps::Terminate {
            app,
            action,
            grace,
            wait,
        } => terminate(platform, &app, action, grace, wait, output).await,
    }
}

async fn list(platform: &Platform, output: &mut Output<'_>) -> Result<(), Failure> {
    let instances = platform
        .list(&format!("{ADMINISTRATION}/applications"), &[])
        .await?;
    let instances: Vec<Instance> = typed(instances, "application instances")?;
    output.list(
        &instances,
        [
            "ID",
            "NAME",
            "KNOWN BY",
            "READY",
            "ENDS",
            "SERVICES",
            "DNS RULES",
            "TRAFFIC RULES",
        ],
        |instance| {
            let known = [
                (instance.registered, "registration"),
                (instance.configured, "manager"),
                (instance.declared, "configuration"),
            ];
            let known = known.into_iter().filter_map(|(is, word)| is.then_some(word));
            let pending = instance.pending.as_ref();
            [
                instance.app_instance_id.clone(),
                or_dash(instance.app_name.as_ref()),
                known.collect::<Vec<_>>().join(","),
                yes(instance.ready),
                or_dash(pending.map(|end| format!("{} {}", end.action, when::milliseconds(end.deadline)))),
                instance.services.to_string(),
                instance.dns_rules.to_string(),
                instance.traffic_rules.to_string(),
            ]
        },
    )
}

async fn get(platform: &Platform, app: String, output: &mut Output<'_>) -> Result<(), Failure> {
    let path = format!("{MM5}/applications/{}", encoded(&app));
    let registration = known(
        platform
            .support
            .get_registration(&app)
            .await
            .map_err(Failure::from),
    )?;
    let instance: Option<Value> = known(platform.get(&path).await)?;
    let configuration: Option<Value> = known(platform.get(&format!("{path}/configuration")).await)?;
    let registration = registration.map(|found| found.body);
    if registration.is_none() && instance.is_none() && configuration.is_none() {
        return Err(Failure::Failed(format!(
            "there is no application instance {app:?}"
        )));
    }
    let of_instance = |member: &str| match instance.as_ref()?.get(member)? {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(yes(*value)),
        other => Some(other.to_string()),
    };
    let info = registration.as_ref();
    let properties = [
        ("Identifier", Some(app.clone())),
        (
            "Name",
            of_instance("appName").or_else(|| info.map(|info| info.app_name.clone())),
        ),
        ("Provider", info.and_then(|info| info.app_provider.clone())),
        ("Registered", Some(yes(registration.is_some()))),
        ("Configured", Some(yes(configuration.is_some()))),
        ("State", of_instance("state")),
        ("Services", of_instance("services")),
        ("DNS rules", of_instance("dnsRules")),
        ("Traffic rules", of_instance("trafficRules")),
        ("Running task", of_instance("runningTask")),
    ];
    let known = Known {
        app_instance_id: app,
        instance,
        registration,
        configuration,
    };
    output.one(&known, &properties)
}

/// What the platform knows; `None` where it knows nothing of the kind, or does not have the API.
fn known<T>(result: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match result {
        Err(failure) if failure.is_unknown() => Ok(None),
        other => other.map(Some),
    }
}

async fn terminate(
    platform: &Platform,
    app: &str,
    action: EndAction,
    grace: u64,
    wait: bool,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let action = match action {
        EndAction::Stopping => "STOPPING",
        EndAction::Terminating => "TERMINATING",
    };
    let path = format!("{MM5}/applications/{}/terminate", encoded(app));
    let body = json!({ "operationAction": action, "maxGracefulTimeout": grace });
    let answer = platform.send(Method::POST, &path, Some(&body)).await?;
    let mut task: Value = decode(&answer, &path)?;
    loop {
        let known: Task = serde_json::from_value(task.clone())
            .map_err(|error| Failure::Failed(format!("the task can't be understood: {error}")))?;
        match known.state.as_str() {
            "FAILED" => {
                let reason = known.problem.and_then(|problem| problem.detail);
                let reason = reason.unwrap_or_else(|| "the platform does not say why".to_owned());
                return Err(Failure::Failed(format!(
                    "task {} has failed: {reason}",
                    known.task_id
                )));
            }
            "SUCCEEDED" => return output.done(&format!("application instance {app} has ended"), &task),
            _ if !wait => {
                let sentence = format!(
                    "application instance {app} is told to end: task {}",
                    known.task_id
                );
                return output.done(&sentence, &task);
            }
            _ => tokio::time::sleep(LOOK_AGAIN).await,
        }
        task = platform
            .get(&format!("{MM5}/tasks/{}", encoded(&known.task_id)))
            .await?;
    }
}
