//! `mepctl notifications`.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::typed;
use crate::arguments::{Letters, Notifications};
use crate::failure::Failure;
use crate::platform::{ADMINISTRATION, Platform, decode, encoded};
use crate::show::{Output, or_dash};
use crate::when;

/// How deliveries to one subscription are going.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    subscription: String,
    target: Option<Target>,
    queued: u64,
    dead: u64,
    delivered: u64,
    last_success: Option<u64>,
    last_error: Option<String>,
}

/// A notification that was given up.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Letter {
    id: String,
    subscription: String,
    notification: String,
    given_up: u64,
    attempts: u32,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Target {
    Callback(String),
    WebSocket(serde::de::IgnoredAny),
}

#[derive(Deserialize, Serialize)]
struct Count {
    count: u64,
}

/// What is printed as JSON is what the platform says; the table shows some of it.
#[derive(Serialize)]
#[serde(transparent)]
struct Shown<T> {
    said: Value,
    #[serde(skip)]
    known: T,
}

pub(crate) async fn run(
    command: Notifications,
    platform: &Platform,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    match command {
        Notifications::List { app } => {
            let deliveries: Vec<Shown<Delivery>> = listed(platform, "deliveries", app).await?;
            let header = [
                "SUBSCRIPTION",
                "TARGET",
                "QUEUED",
                "DEAD",
                "DELIVERED",
                "LAST SUCCESS",
                "LAST ERROR",
            ];
            output.list(&deliveries, header, |Shown { known, .. }| {
                [
                    known.subscription.clone(),
                    or_dash(known.target.as_ref().map(target)),
                    known.queued.to_string(),
                    known.dead.to_string(),
                    known.delivered.to_string(),
                    or_dash(known.last_success.map(when::milliseconds)),
                    or_dash(known.last_error.as_ref()),
                ]
            })
        }
        Notifications::Dead { app } => {
            let letters: Vec<Shown<Letter>> = listed(platform, "dead-letters", app).await?;
            let header = [
                "SUBSCRIPTION",
                "NOTIFICATION",
                "WHAT",
                "GIVEN UP",
                "ATTEMPTS",
                "REASON",
            ];
            output.list(&letters, header, |Shown { known, .. }| {
                [
                    known.subscription.clone(),
                    known.id.clone(),
                    known.notification.clone(),
                    when::milliseconds(known.given_up),
                    known.attempts.to_string(),
                    known.reason.clone(),
                ]
            })
        }
        Notifications::Replay(letters) => {
            let path = format!("{}/replay", path(&letters));
            let count = counted(platform, Method::POST, &path).await?;
            output.done(&counted_sentence(count.count, "delivered again"), &count)
        }
        Notifications::Discard(letters) => {
            let count = counted(platform, Method::DELETE, &path(&letters)).await?;
            output.done(&counted_sentence(count.count, "forgotten"), &count)
        }
    }
}

async fn listed<T: serde::de::DeserializeOwned>(
    platform: &Platform,
    what: &str,
    app: Option<String>,
) -> Result<Vec<Shown<T>>, Failure> {
    let query: Vec<_> = app.iter().map(|app| ("application", app.as_str())).collect();
    let said = platform.list(&format!("{ADMINISTRATION}/{what}"), &query).await?;
    let known: Vec<T> = typed(said.clone(), what)?;
    let shown = said.into_iter().zip(known);
    Ok(shown.map(|(said, known)| Shown { said, known }).collect())
}

async fn counted(platform: &Platform, method: Method, path: &str) -> Result<Count, Failure> {
    decode(&platform.send(method, path, None).await?, path)
}

fn counted_sentence(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 notification is {what}"),
        count => format!("{count} notifications are {what}"),
    }
}

fn path(letters: &Letters) -> String {
    let parts = letters.subscription.iter().chain(&letters.notification);
    let parts = parts.map(|part| format!("/{}", encoded(part)));
    format!("{ADMINISTRATION}/dead-letters{}", parts.collect::<String>())
}

fn target(target: &Target) -> String {
    match target {
        Target::Callback(url) => url.clone(),
        Target::WebSocket(_) => "WebSocket".to_owned(),
    }
}
