//! The announcement of an application's end, which somebody else than an application has to let happen.

use std::process::Stdio;
use std::time::Duration;

use mecforge_transport::{Client, Request, Settings, TargetUrl};
use serde_json::Value;

use super::scene::Scene;
use crate::purposes::{Kind, Purpose};
use crate::suite::{Action, Role, Stop, Values};

/// How long an action may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// What an announcement may need to become effective.
const PAUSE: Duration = Duration::from_millis(500);

/// Whether a purpose confirms an announced end.
pub(super) fn is_needed(purpose: &Purpose) -> bool {
    purpose.kind == Kind::Performs && purpose.operation.ends_with("/confirm_termination")
}

/// Lets the application subscribe to announcements, and the operator's action announce the end: gives the
/// `operationAction` that was announced, as far as it can be told.
pub(super) async fn termination(scene: &mut Scene<'_>) -> Result<String, Stop> {
    let path = "/applications/{appInstanceId}/subscriptions";
    let subscribe = scene.at("POST", path);
    let values: Values = scene.context.values(scene.api, scene.operation).await?;
    if let Some(subscribe) = subscribe {
        let body = scene.context.body(scene.api, subscribe, &values)?;
        let call = scene.call(subscribe, &values).json(body).role(Role::SetUp);
        scene
            .good(call, "a subscription to the announcement of the end")
            .await?;
    }
    let suite = std::sync::Arc::clone(&scene.suite);
    let Some(action) = &suite.fixtures.announce_termination else {
        return Err(Stop::Inconclusive(
            "nothing announces an end; say in --fixtures what does: [announce_termination.request] or [announce_termination] command = \"…\""
                .to_owned(),
        ));
    };
    perform(action).await.map_err(|reason| {
        Stop::Inconclusive(format!(
            "the end could not be announced: {reason}; see announce_termination in --fixtures"
        ))
    })?;
    tokio::time::sleep(PAUSE).await;
    let announced = match action {
        Action::Request { body: Some(body), .. } => body.get("operationAction").and_then(Value::as_str),
        _ => None,
    };
    Ok(announced.unwrap_or("TERMINATING").to_owned())
}

/// Performs an action of the operator's.
async fn perform(action: &Action) -> Result<(), String> {
    match action {
        Action::Command(command) => {
            let mut child = tokio::process::Command::new("sh");
            child
                .args(["-c", command])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .kill_on_drop(true);
            let ended = tokio::time::timeout(PATIENCE, child.status()).await;
            match ended {
                Err(_) => Err(format!("the command takes longer than {} s", PATIENCE.as_secs())),
                Ok(Err(error)) => Err(error.to_string()),
                Ok(Ok(status)) if status.success() => Ok(()),
                Ok(Ok(status)) => Err(format!("the command ended with {status}")),
            }
        }
        Action::Request { method, url, body } => {
            let target = TargetUrl::parse(url).map_err(|error| error.to_string())?;
            let origin = TargetUrl::parse(&target.origin()).map_err(|error| error.to_string())?;
            let path = url.strip_prefix(&target.origin()).unwrap_or(target.base_path());
            let client = Client::new(Settings::new(origin)).map_err(|error| error.to_string())?;
            let mut headers = Vec::new();
            if body.is_some() {
                headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
            }
            let request = Request {
                method: method.clone(),
                target: path.to_owned(),
                headers,
                body: body.as_ref().map(|body| body.to_string().into()),
                authenticate: false,
            };
            match client.send(&request).await.outcome {
                Ok(response) if (200..300).contains(&response.status) => Ok(()),
                Ok(response) => Err(format!("{method} {url} is answered {}", response.status)),
                Err(fault) => Err(fault.to_string()),
            }
        }
    }
}
