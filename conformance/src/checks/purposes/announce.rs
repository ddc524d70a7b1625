//! The announcement of an application's end, which somebody else than an application has to let happen.

use std::time::Duration;

use serde_json::Value;

use super::scene::Scene;
use crate::purposes::{Kind, Purpose};
use crate::suite::{Action, Role, Stop, Values};

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
    action.perform().await.map_err(|reason| {
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
