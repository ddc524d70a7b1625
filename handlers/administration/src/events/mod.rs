//! Server-sent events: what changes, as it changes.
//!
//! Each client is a position in the store's change feed, not a queue: nothing is kept for a client that does not
//! read, and one that falls behind what the store remembers is told to start again.

mod batch;
mod stream;

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, header};
use mecforge_runtime::server::Problem;
use mecforge_store::{Revision, WatchError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::administration::Inner;
use crate::call::Call;
use crate::kind::Kind;

use stream::{Begin, Events};

/// The number of the last change that a client has seen, which browsers send when they come back.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Something has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    /// What it is.
    kind: Kind,
    /// What has happened to it.
    change: ChangeKind,
    /// The application instance that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_instance_id: Option<String>,
    /// Its identifier; the key of the subscription for `delivery`.
    id: String,
    /// The key of the subscription, for what belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription: Option<String>,
    /// The number of the change.
    revision: u64,
}

/// The data of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum EventData {
    /// That of an event that is named by a kind.
    Event(Event),
    /// That of `ready` and `reset`.
    Position(Position),
}

/// Where a client is: the data of `ready` and `reset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    /// The number of the change after which events follow.
    revision: u64,
}

/// What has happened to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ChangeKind {
    /// It is new.
    Added,
    /// It is not what it was. All that is ever said of `delivery`.
    Changed,
    /// It is gone.
    Removed,
}

/// Everything that changes, as server-sent events.
///
/// Each event is named by its kind, and its data is an `Event`; that of `ready` and `reset` is a `Position`. `id` is
/// the number of the change; a client that comes back with it as `Last-Event-ID` is told what it has missed. The first
/// event is `ready`, or `reset` where that is not possible: then the client has to read again whatever it shows.
/// `reset` also comes later to a client that reads too slowly.
#[utoipa::path(
    get,
    path = "/events",
    operation_id = "followEvents",
    tag = "events",
    params(
        ("kinds" = Option<Vec<Kind>>, Query, style = Form, explode = false, min_items = 1, description = "Only events of these kinds, separated by commas."),
        ("Last-Event-ID" = Option<String>, Header, description = "The number of the last change that the client has seen."),
    ),
    responses(
        (status = 200, description = "Events, without end.", body = EventData, content_type = "text/event-stream"),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
        (status = 503, description = "Too many clients, or the platform is stopping.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn follow(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    call.allow(&["kinds"])?;
    let kinds = kinds(&call)?;
    let closing = inner.closing.subscribe();
    if *closing.borrow() {
        return Err(Problem::service_unavailable("the platform is stopping"));
    }
    let place = inner.event_places.clone().try_acquire_owned().map_err(|_| {
        let most = inner.options.event_clients;
        Problem::service_unavailable(format!("{most} clients follow events already"))
            .with_header(header::RETRY_AFTER, "10")
    })?;
    let (watch, begin) = begin(&inner, &call)?;
    let events = Events::new(&inner, watch, begin, kinds, closing, place);
    let body = match call.parts.method {
        http::Method::HEAD => Body::empty(),
        _ => Body::from_stream(events.into_stream()),
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Some reverse proxies collect an answer before they pass it on, unless they are told not to.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// Where the client begins.
fn begin(inner: &Inner, call: &Call) -> Result<(mecforge_store::Watch, Begin), Problem> {
    let store = &inner.platform.store;
    let now = store.revision();
    let gone = |error: WatchError| Problem::service_unavailable("the store is closed").with_cause(error);
    let Some(last) = call.headers().get(LAST_EVENT_ID) else {
        let watch = store.watch("", now).map_err(gone)?;
        return Ok((watch, Begin::Now(now)));
    };
    let last = last
        .to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .map(Revision);
    // A number that has not been yet is one of another store, of which this one knows nothing.
    let missed = last.filter(|last| *last <= now).map(|last| store.watch("", last));
    match missed {
        Some(Ok(watch)) => Ok((watch, Begin::Resumed)),
        Some(Err(WatchError::Closed)) => Err(gone(WatchError::Closed)),
        Some(Err(WatchError::Compacted { .. })) | None => {
            inner.event_figures.resets.inc();
            let watch = store.watch("", now).map_err(gone)?;
            Ok((watch, Begin::Reset(now)))
        }
    }
}

/// The kinds that a client wants.
fn kinds(call: &Call) -> Result<Vec<Kind>, Problem> {
    let Some(list) = call.query("kinds") else {
        return Ok(Kind::ALL.to_vec());
    };
    list.split(',')
        .map(|name| {
            let found = Kind::ALL.into_iter().find(|kind| kind.name() == name.trim());
            found.ok_or_else(|| {
                let known = Kind::ALL.map(Kind::name).join(", ");
                Problem::bad_request(format!("parameter kinds: there is no {name:?}, only {known}"))
                    .with_parameter("kinds")
                    .with_rule("enum")
            })
        })
        .collect()
}
