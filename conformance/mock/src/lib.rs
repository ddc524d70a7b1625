//! A server for any OpenAPI document: it keeps what it is given, in memory, and obeys its document.
//!
//! It is the reference that the conformance suite must find nothing wrong with, and a sandbox for those who write
//! applications. It knows documents and HTTP; the few rules that are MEC's and not in a document are named where
//! they are (`list.rs`, `liveness.rs`, `notify.rs`, `websocket.rs`).

mod answer;
mod attributes;
mod callback;
mod change;
mod conditions;
mod json;
mod list;
mod liveness;
mod mock;
mod negotiate;
mod notify;
mod parameters;
mod plan;
mod problem;
mod read;
mod represent;
mod respond;
mod schemas;
mod seeds;
mod shape;
mod single;
mod store;
mod websocket;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use mecforge_api::Api;
use mecforge_instances::Unsupported;
use tokio::net::TcpListener;

use crate::mock::Mock;

/// The time since 1970, as often as it is asked.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// How the server behaves.
#[derive(Clone)]
pub struct Options {
    /// From what identifiers and seeded things are made: the same seed and the same requests give the same answers.
    pub seed: u64,
    /// The clock; it decides about expiry, heartbeats and timestamps.
    pub now: Clock,
    /// Whether notifications are sent to the addresses that subscribers give, and WebSockets offered to who asks for one.
    pub callbacks: bool,
    /// The application instances that exist, besides those that register themselves; `None`: any.
    pub known_instances: Option<Vec<String>>,
    /// Scheme and host that clients see, for example `https://mec.example`; else `http` and the request's `Host`.
    pub public_url: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            seed: 0,
            now: Arc::new(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
            callbacks: false,
            known_instances: None,
            public_url: None,
        }
    }
}

/// Why a document can't be served.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// A schema that nothing can be judged by.
    #[error("{operation}: a schema of it can't be used")]
    Schema {
        /// `METHOD /path`.
        operation: String,
        /// What stands in the way.
        source: Box<Unsupported>,
    },
    /// Two documents want the same path.
    #[error("{one} and {other} both have the path {path}; serve one of them")]
    Conflict {
        /// An API's id.
        one: String,
        /// The other's.
        other: String,
        /// The path, base path included.
        path: String,
    },
    /// The listener failed.
    #[error("the listener failed")]
    Listener(#[source] std::io::Error),
}

/// The server as a service, each API below its base path.
///
/// # Errors
/// A schema that can't be used; two APIs with the same path.
pub fn router(apis: Vec<Arc<Api>>, options: Options) -> Result<Router, MockError> {
    let mock = Arc::new(Mock::new(apis, options)?);
    Ok(service(mock))
}

fn service(mock: Arc<Mock>) -> Router {
    Router::new().fallback(mock::handle).with_state(mock)
}

/// Serves until `shutdown` ends.
///
/// # Errors
/// Those of [`router`]; a listener that fails.
pub async fn serve(
    listener: TcpListener,
    apis: Vec<Arc<Api>>,
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), MockError> {
    let mock = Arc::new(Mock::new(apis, options)?);
    let watched = mock.clone();
    // Services that are not heard of fall silent without anybody asking.
    let watch = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            watched.settle();
        }
    });
    let served = axum::serve(listener, service(mock))
        .with_graceful_shutdown(shutdown)
        .await;
    watch.abort();
    served.map_err(MockError::Listener)
}

/// The address of a listener as a URL, for those who print it.
pub fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}
