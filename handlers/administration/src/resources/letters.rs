//! Notifications that were given up: what they were, and what becomes of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use mecforge_contracts::deliveries::DeadLetter;
use mecforge_runtime::server::Problem;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::administration::Inner;
use crate::call::{self, Call};
use crate::resources::deliveries::{Destination, is_of};
use crate::resources::page::{Page, Paging};

/// A notification that was given up.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Letter {
    /// Its identifier, which the subscriber saw as `X-Notification-Id`.
    id: String,
    /// The key of the subscription.
    subscription: String,
    /// Where it was to go.
    target: Destination,
    /// What it is, for example `AppTerminationNotification`.
    notification: String,
    /// When it happened, in milliseconds since 1970-01-01 UTC.
    happened: u64,
    /// When it was given up, in milliseconds since 1970-01-01 UTC.
    given_up: u64,
    /// How often it was tried.
    attempts: u32,
    /// Why it was given up.
    reason: String,
    /// The body.
    #[schema(value_type = Object)]
    body: Box<RawValue>,
}

impl From<DeadLetter> for Letter {
    fn from(letter: DeadLetter) -> Self {
        Self {
            id: letter.id,
            subscription: letter.subscription,
            target: Destination::from(&letter.target),
            notification: letter.notification,
            happened: letter.happened,
            given_up: letter.given_up,
            attempts: letter.attempts,
            reason: letter.reason,
            body: letter.body,
        }
    }
}

/// How many notifications an operation was about.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Count {
    /// How many.
    count: u64,
}

/// What is done with notifications that were given up.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Replay,
    Discard,
}

/// Notifications that were given up, oldest first.
#[utoipa::path(
    get,
    path = "/dead-letters",
    operation_id = "listDeadLetters",
    tag = "dead letters",
    params(
        ("prefix" = Option<String>, Query, description = "Only those of subscriptions whose key starts with this."),
        ("application" = Option<String>, Query, description = "Only those of subscriptions of this application instance."),
        ("limit" = Option<u16>, Query, description = "The most items on the page; 100 if absent.", minimum = 1, maximum = 1000),
        ("after" = Option<String>, Query, description = "`next` of the page before."),
    ),
    responses(
        (status = 200, description = "A page of notifications.", body = Page<Letter>),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    call.allow(&["prefix", "application", "limit", "after"])?;
    let paging = Paging::read(&call)?;
    let prefix = call.query("prefix").unwrap_or_default();
    let mut letters = inner.platform.deliveries.dead_letters(prefix);
    letters.retain(|letter| is_of(&letter.subscription, call.query("application")));
    page(&paging, letters)
}

/// Notifications of one subscription that were given up, oldest first.
#[utoipa::path(
    get,
    path = "/dead-letters/{subscription}",
    operation_id = "listDeadLettersOfSubscription",
    tag = "dead letters",
    params(
        ("subscription" = String, Path, description = "The key of the subscription, percent-encoded as one segment."),
        ("limit" = Option<u16>, Query, description = "The most items on the page; 100 if absent.", minimum = 1, maximum = 1000),
        ("after" = Option<String>, Query, description = "`next` of the page before."),
    ),
    responses(
        (status = 200, description = "A page of notifications.", body = Page<Letter>),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_one(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    call.allow(&["limit", "after"])?;
    page(&Paging::read(&call)?, of(&inner, call.path("subscription")))
}

/// One notification that was given up.
#[utoipa::path(
    get,
    path = "/dead-letters/{subscription}/{id}",
    operation_id = "getDeadLetter",
    tag = "dead letters",
    params(
        ("subscription" = String, Path, description = "The key of the subscription, percent-encoded as one segment."),
        ("id" = String, Path, description = "The identifier of the notification."),
    ),
    responses(
        (status = 200, description = "The notification.", body = Letter),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 404, description = "There is none.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    call.allow(&[])?;
    let id = call.path("id");
    let found = of(&inner, call.path("subscription"))
        .into_iter()
        .find(|letter| letter.id == id);
    match found {
        Some(letter) => call::json(&Letter::from(letter)),
        None => {
            let detail = format!("no notification {id:?} of this subscription has been given up and kept");
            Err(Problem::not_found(detail).with_parameter("id"))
        }
    }
}

/// Puts everything that was given up back into the queues.
#[utoipa::path(
    post,
    path = "/dead-letters/replay",
    operation_id = "replayDeadLetters",
    tag = "dead letters",
    request_body(content_type = "application/json", content = Nothing, description = "Nothing, or an object without members."),
    responses(
        (status = 200, description = "How many it were.", body = Count),
        (status = 400, description = "A parameter or the body is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 403, description = "A page of another site asks for it.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 4 KiB.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 415, description = "`Content-Type` is not `application/json`.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn replay_all(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    all(&inner, &call, Fate::Replay).await
}

/// Puts what was given up of one subscription back into its queue, behind what waits.
#[utoipa::path(
    post,
    path = "/dead-letters/{subscription}/replay",
    operation_id = "replayDeadLettersOfSubscription",
    tag = "dead letters",
    params(("subscription" = String, Path, description = "The key of the subscription, percent-encoded as one segment.")),
    request_body(content_type = "application/json", content = Nothing, description = "Nothing, or an object without members."),
    responses(
        (status = 200, description = "How many it were.", body = Count),
        (status = 400, description = "A parameter or the body is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 403, description = "A page of another site asks for it.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 404, description = "There is none.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 4 KiB.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 415, description = "`Content-Type` is not `application/json`.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn replay_subscription(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    some(&inner, &call, None, Fate::Replay).await
}

/// Puts one notification that was given up back into the queue, behind what waits.
#[utoipa::path(
    post,
    path = "/dead-letters/{subscription}/{id}/replay",
    operation_id = "replayDeadLetter",
    tag = "dead letters",
    params(
        ("subscription" = String, Path, description = "The key of the subscription, percent-encoded as one segment."),
        ("id" = String, Path, description = "The identifier of the notification."),
    ),
    request_body(content_type = "application/json", content = Nothing, description = "Nothing, or an object without members."),
    responses(
        (status = 200, description = "How many it were.", body = Count),
        (status = 400, description = "A parameter or the body is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 403, description = "A page of another site asks for it.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 404, description = "There is none.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 4 KiB.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 415, description = "`Content-Type` is not `application/json`.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn replay(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    some(&inner, &call, Some(call.path("id")), Fate::Replay).await
}

/// Forgets everything that was given up.
#[utoipa::path(
    delete,
    path = "/dead-letters",
    operation_id = "discardDeadLetters",
    tag = "dead letters",
    responses(
        (status = 200, description = "How many it were.", body = Count),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 403, description = "A page of another site asks for it.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn discard_all(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    all(&inner, &call, Fate::Discard).await
}

/// Forgets what was given up of one subscription.
#[utoipa::path(
    delete,
    path = "/dead-letters/{subscription}",
    operation_id = "discardDeadLettersOfSubscription",
    tag = "dead letters",
    params(("subscription" = String, Path, description = "The key of the subscription, percent-encoded as one segment.")),
    responses(
        (status = 200, description = "How many it were.", body = Count),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 403, description = "A page of another site asks for it.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 404, description = "There is none.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn discard_subscription(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    some(&inner, &call, None, Fate::Discard).await
}

/// Forgets one notification that was given up.
#[utoipa::path(
    delete,
    path = "/dead-letters/{subscription}/{id}",
    operation_id = "discardDeadLetter",
    tag = "dead letters",
    params(
        ("subscription" = String, Path, description = "The key of the subscription, percent-encoded as one segment."),
        ("id" = String, Path, description = "The identifier of the notification."),
    ),
    responses(
        (status = 200, description = "How many it were.", body = Count),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 403, description = "A page of another site asks for it.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 404, description = "There is none.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn discard(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    some(&inner, &call, Some(call.path("id")), Fate::Discard).await
}

/// An object without members.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

fn of(inner: &Inner, subscription: &str) -> Vec<DeadLetter> {
    let mut letters = inner.platform.deliveries.dead_letters(subscription);
    letters.retain(|letter| letter.subscription == subscription);
    letters
}

/// A page of letters, oldest first; letters that go meanwhile do not disturb the cursor.
fn page(paging: &Paging<'_>, mut letters: Vec<DeadLetter>) -> Result<Response, Problem> {
    let cursor =
        |letter: &DeadLetter| format!("{:020}.{}.{}", letter.given_up, letter.id, letter.subscription);
    letters.sort_by_cached_key(cursor);
    let Page { items, next } = paging.of(letters, cursor);
    let items: Vec<Letter> = items.into_iter().map(Letter::from).collect();
    call::json(&Page { items, next })
}

async fn all(inner: &Inner, call: &Call, fate: Fate) -> Result<Response, Problem> {
    call.allow(&[])?;
    let letters = inner.platform.deliveries.dead_letters("");
    let subscriptions: BTreeSet<String> = letters.into_iter().map(|letter| letter.subscription).collect();
    let mut total = Count::default();
    for subscription in subscriptions {
        match meet(inner, &subscription, None, fate).await {
            Ok(count) => total.count += count as u64,
            // Somebody else was quicker.
            Err(problem) if problem.status() == StatusCode::NOT_FOUND => {}
            Err(problem) => return Err(problem),
        }
    }
    call::json(&total)
}

async fn some(inner: &Inner, call: &Call, id: Option<&str>, fate: Fate) -> Result<Response, Problem> {
    call.allow(&[])?;
    let count = meet(inner, call.path("subscription"), id, fate).await? as u64;
    call::json(&Count { count })
}

async fn meet(inner: &Inner, subscription: &str, id: Option<&str>, fate: Fate) -> Result<usize, Problem> {
    let deliveries = &inner.platform.deliveries;
    let count = match fate {
        Fate::Replay => deliveries.replay(subscription, id).await?,
        Fate::Discard => deliveries.discard(subscription, id).await?,
    };
    tracing::info!(
        subscription,
        id,
        count,
        ?fate,
        "an operator decided about dead letters"
    );
    Ok(count)
}
