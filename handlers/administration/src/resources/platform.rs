//! The platform itself: version, age, listeners, figures.

use std::sync::Arc;

use axum::response::Response;
use mecforge_runtime::server::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use crate::administration::Inner;
use crate::call::{self, Call};
use crate::kind::Kind;
use crate::resources::applications;

/// A platform, now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlatformState {
    /// The version of the platform.
    version: String,
    /// When it started, in milliseconds since 1970-01-01 UTC.
    started: u64,
    /// For how many seconds it has been running.
    uptime_seconds: u64,
    /// Whether it takes changes.
    healthy: bool,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Where it takes requests.
    listeners: Vec<ListenerState>,
    /// How many things of each kind there are.
    counts: KindCounts,
    /// Clients that follow events.
    event_clients: i64,
    /// Figures of the store.
    store: StoreFigures,
}

/// A place where the platform takes requests.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListenerState {
    /// What is spoken there: `HTTP`, `DNS`.
    name: String,
    /// Address and port, for example `127.0.0.1:8080`.
    address: String,
}

/// How many things of each kind there are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KindCounts {
    /// Application instances that exist, however they came to.
    applications: u64,
    /// Services.
    services: u64,
    /// Subscriptions of all kinds.
    subscriptions: u64,
    /// DNS rules, active or not.
    dns_rules: u64,
    /// Traffic rules, active or not.
    traffic_rules: u64,
    /// Notifications that wait.
    queued: u64,
    /// Notifications that were given up and are kept.
    dead_letters: u64,
    /// Tasks of managers, finished ones included.
    tasks: u64,
}

/// Figures of the store; counters start at zero when the platform starts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoreFigures {
    /// The number of the last change.
    revision: u64,
    /// Keys in the store.
    entries: u64,
    /// Bytes of keys and values in the store.
    bytes: u64,
    /// Transactions committed.
    commits: u64,
    /// Transactions refused because a condition did not hold.
    conflicts: u64,
    /// Times that the disk was asked to make writes durable.
    syncs: u64,
    /// Time spent waiting for those, in nanoseconds.
    sync_nanoseconds: u64,
    /// Bytes of journal on disk that a start would have to replay.
    journal_bytes: u64,
    /// Snapshots written.
    snapshots: u64,
}

/// The platform: version, age, listeners, figures.
#[utoipa::path(
    get,
    path = "/platform",
    operation_id = "getPlatform",
    tag = "platform",
    responses(
        (status = 200, description = "The platform, now.", body = PlatformState),
        (status = 400, description = "A parameter that is wrong.", body = crate::document::ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(inner: Arc<Inner>, call: Call) -> Result<Response, Problem> {
    call.allow(&[])?;
    let platform = &inner.platform;
    let health = platform.store.health();
    let (started, since) = inner.started;
    call::json(&PlatformState {
        version: inner.options.version.clone(),
        started,
        uptime_seconds: since.elapsed().as_secs(),
        healthy: health.is_ok(),
        reason: health.err(),
        listeners: listeners(&inner),
        counts: counts(&inner),
        event_clients: inner.event_figures.clients.get(),
        store: figures(&inner),
    })
}

fn listeners(inner: &Inner) -> Vec<ListenerState> {
    let own = inner.options.listeners.iter().map(|listener| ListenerState {
        name: listener.name.clone(),
        address: listener.address.to_string(),
    });
    let name_server = inner.platform.dns_rules.listens_on();
    let name_server = name_server.iter().map(|address| ListenerState {
        name: "DNS".to_owned(),
        address: address.to_string(),
    });
    own.chain(name_server).collect()
}

fn counts(inner: &Inner) -> KindCounts {
    let of = |kind| inner.counts.of(kind);
    KindCounts {
        applications: applications::identifiers(inner).len() as u64,
        services: of(Kind::Service),
        subscriptions: of(Kind::Subscription),
        dns_rules: of(Kind::DnsRule),
        traffic_rules: of(Kind::TrafficRule),
        queued: of(Kind::Delivery),
        dead_letters: of(Kind::DeadLetter),
        tasks: of(Kind::Task),
    }
}

fn figures(inner: &Inner) -> StoreFigures {
    let figures = inner.platform.store.figures();
    StoreFigures {
        revision: figures.revision,
        entries: figures.entries,
        bytes: figures.bytes,
        commits: figures.commits,
        conflicts: figures.conflicts,
        syncs: figures.syncs,
        sync_nanoseconds: figures.sync_nanoseconds,
        journal_bytes: figures.journal_bytes,
        snapshots: figures.snapshots,
    }
}
