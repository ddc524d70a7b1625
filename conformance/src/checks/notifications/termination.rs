//! The end of an application instance, as its platform announces it (MEC 011, 7.1.4.2 and 7.2.11).

use std::sync::Arc;

use serde_json::{Value, json};

use super::scene::not_delivered;
use super::{TERMINATION, letters};
use crate::checks::input::bodies::refuse_all;
use crate::suite::{Action, Context, Failure, Letter, Mode, Outcome, Role, Stop, Suite, path_below};

/// The operations of an API by which an application is told of its end and confirms it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub(super) api: usize,
    pub(super) subscribe: usize,
    confirm: usize,
}

impl Ending {
    /// Those of an API; none where it has none.
    pub(super) fn of(suite: &Suite, api: usize) -> Option<Self> {
        let document = &suite.apis[api].api;
        let find = |path: &str| {
            let path = format!("/applications/{{appInstanceId}}{path}");
            document.operation("POST", &path).map(|operation| operation.index)
        };
        Some(Ending {
            api,
            subscribe: find("/subscriptions")?,
            confirm: find("/confirm_termination")?,
        })
    }
}

/// What was asked of the platform, as far as the fixtures show it.
fn asked(action: &Action, name: &str) -> Value {
    match action {
        Action::Request { body: Some(body), .. } => body[name].clone(),
        _ => Value::Null,
    }
}

/// Subscribes, lets the platform announce the end, judges the notification, and confirms.
pub(super) async fn announced(context: &mut Context, ending: Ending) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let Some(action) = suite.fixtures.announce_termination.as_ref() else {
        return Err(Stop::Inconclusive(super::NO_END.to_owned()));
    };
    if let (Mode::Again, Some(reset)) = (&context.mode, &suite.fixtures.reset) {
        reset
            .perform()
            .await
            .map_err(|reason| Stop::Inconclusive(format!("reset of --fixtures: {reason}")))?;
    }
    let values = context.values(ending.api, ending.subscribe).await?;
    let mailbox = context.mailbox()?;
    let mut body = context.body(ending.api, ending.subscribe, &values)?;
    body["callbackReference"] = json!(mailbox.url);
    let made = context
        .make(ending.api, ending.subscribe, &values, Some(body))
        .await?;
    action
        .perform()
        .await
        .map_err(|reason| Stop::Inconclusive(format!("announce_termination of --fixtures: {reason}")))?;
    let came = context.until(&mailbox, |letters| !letters.is_empty()).await?;
    let Some(letter) = mailbox.letters().first().cloned().filter(|_| came) else {
        confirm(context, ending, &values, &asked(action, "operationAction")).await?;
        return match not_delivered(context, &mailbox, "the announced end of an application", &[]) {
            Stop::Fail(failure) => Err(failure.of(TERMINATION.id).stop()),
            stop => Err(stop),
        };
    };
    context.show(&letter);
    judge(context, ending, &letter, &made.path, action);
    let told = letter
        .json()
        .map_or(Value::Null, |body| body["operationAction"].clone());
    let wanted = match asked(action, "operationAction") {
        Value::Null => told,
        asked => asked,
    };
    confirm(context, ending, &values, &wanted).await
}

/// The notification: its form, and that it tells what was asked.
fn judge(context: &mut Context, ending: Ending, letter: &Letter, path: &str, action: &Action) {
    let schema = letters::schema(
        context,
        ending.api,
        ending.subscribe,
        "AppTerminationNotification",
    );
    let judged = letters::envelope(letter).and_then(|body| {
        if let Some(schema) = &schema {
            letters::obeys(schema, &body)?;
        }
        letters::names_subscription(&body, path)?;
        Ok(body)
    });
    let body = match judged {
        Err(failure) => return context.report(failure.of(TERMINATION.id)),
        Ok(body) => body,
    };
    if body["notificationType"] != "AppTerminationNotification" {
        let actual = body["notificationType"].to_string();
        let failure = Failure::new("notificationType is wrong", "AppTerminationNotification", actual);
        context.report(failure);
    }
    let wanted = asked(action, "operationAction");
    if !wanted.is_null() && body["operationAction"] != wanted {
        let actual = body["operationAction"].to_string();
        context.report(Failure::new(
            "operationAction is not what was announced",
            wanted.to_string(),
            actual,
        ));
    }
    let grace = asked(action, "maxGracefulTimeout").as_f64();
    if let (Some(most), Some(told)) = (grace, body["maxGracefulTimeout"].as_f64())
        && told > most
    {
        context.report(Failure::new(
            "maxGracefulTimeout is longer than the platform was told",
            format!("{most} at most"),
            told.to_string(),
        ));
    }
    let href = body
        .pointer("/_links/confirmTermination/href")
        .and_then(Value::as_str);
    let suite = Arc::clone(&context.suite);
    let leads = href.and_then(|href| path_below(&suite, ending.api, href));
    let template = &suite.apis[ending.api].api.operations[ending.confirm].path;
    if let (Some(href), Some(path)) = (href, leads)
        && template.matches(&path).is_none()
    {
        let failure = Failure::new(
            "_links.confirmTermination is not where the end is confirmed",
            template.text().to_owned(),
            href,
        );
        context.report(failure);
    }
}

/// Confirms the end, so that nothing is left pending; the platform waits for just this.
async fn confirm(
    context: &mut Context,
    ending: Ending,
    values: &crate::suite::Values,
    told: &Value,
) -> Outcome {
    if told.is_null() {
        return Ok(());
    }
    // While the platform waits, so that it refuses a broken one for what is broken.
    let right = json!({"operationAction": told});
    let broken = context.suite.apis[ending.api]
        .body_schema(ending.confirm)
        .map(|schema| schema.invalid_cases(&right));
    let broken = broken.unwrap_or_default();
    refuse_all(context, ending.api, ending.confirm, values, broken).await?;
    let call = context
        .call(ending.api, ending.confirm, values)
        .json(json!({"operationAction": told}))
        .role(Role::Judged);
    let exchange = context.send(call).await?;
    if exchange.is_refusal() && !matches!(exchange.status(), 401 | 403 | 429) {
        let suite = Arc::clone(&context.suite);
        let key = &suite.apis[ending.api].api.operations[ending.confirm].key;
        let failure = Failure::new(
            "the confirmation of an announced end is refused",
            "204, as the platform waits for it",
            exchange.summary(),
        );
        context.report(failure.at(key.clone()));
    }
    Ok(())
}
