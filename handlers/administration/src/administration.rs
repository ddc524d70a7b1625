//! The API as a whole: what it is made of, and its routes.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post};
use mecforge_contracts::deliveries::Deliveries;
use mecforge_contracts::lifecycle::Lifecycle;
use mecforge_contracts::rules::{DnsRules, TrafficRules};
use mecforge_contracts::time::unix_milliseconds;
use mecforge_runtime::server::Problem;
use mecforge_store::Store;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::Semaphore;

use crate::call::{self, Call};
use crate::counts::Counts;
use crate::events;
use crate::resources::{applications, deliveries, letters, platform, rules, services};

/// The handlers that this API shows.
#[derive(Clone)]
pub struct Platform {
    /// Where all of them keep what they keep.
    pub store: Arc<dyn Store>,
    /// How notifications fare.
    pub deliveries: Arc<dyn Deliveries>,
    /// DNS rules and the name server.
    pub dns_rules: Arc<dyn DnsRules>,
    /// Traffic rules and the data plane.
    pub traffic_rules: Arc<dyn TrafficRules>,
    /// How far the life of each application instance is.
    pub lifecycle: Arc<dyn Lifecycle>,
}

impl fmt::Debug for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Platform").finish_non_exhaustive()
    }
}

/// A place where the platform takes requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// What is spoken there, for example `HTTP`.
    pub name: String,
    /// The address.
    pub address: SocketAddr,
}

/// What the platform knows of itself, and limits.
#[derive(Clone, Debug)]
pub struct Options {
    /// The version that is shown.
    pub version: String,
    /// Application instances that the platform's configuration declares.
    pub declared: Vec<String>,
    /// Where the platform takes requests; the name server says itself where it does.
    pub listeners: Vec<Listener>,
    /// Names under which browsers know the platform, without a port. Addresses, `localhost` and the request's
    /// `PublicUrl` need not be listed.
    pub hosts: Vec<String>,
    /// How many clients may follow events at a time. More are answered 503.
    pub event_clients: usize,
    /// The least time between two batches of events to one client.
    pub event_interval: Duration,
    /// How long nothing happens before a client of events gets a comment that keeps the connection alive.
    pub event_keep_alive: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            declared: Vec::new(),
            listeners: Vec::new(),
            hosts: Vec::new(),
            event_clients: 256,
            event_interval: Duration::from_millis(100),
            event_keep_alive: Duration::from_secs(15),
        }
    }
}

/// The operator's API.
pub struct Administration {
    inner: Arc<Inner>,
}

/// What handlers of requests have.
pub(crate) struct Inner {
    pub(crate) platform: Platform,
    pub(crate) options: Options,
    pub(crate) counts: Arc<Counts>,
    /// When this platform started: by the wall clock in milliseconds since 1970-01-01 UTC, and by one that is never
    /// set.
    pub(crate) started: (u64, Instant),
    pub(crate) event_places: Arc<Semaphore>,
    pub(crate) closing: tokio::sync::watch::Sender<bool>,
    pub(crate) event_figures: Figures,
}

/// What is counted about events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) clients: Gauge,
    pub(crate) resets: Counter,
}

impl Administration {
    /// An API on the handlers of a platform. Attaches a view to the store, which counts what is in it.
    #[must_use]
    pub fn new(platform: Platform, options: Options) -> Self {
        let counts = Arc::new(Counts::default());
        platform.store.attach("", counts.clone());
        let inner = Inner {
            event_places: Arc::new(Semaphore::new(options.event_clients.min(Semaphore::MAX_PERMITS))),
            platform,
            options,
            counts,
            started: (unix_milliseconds(), Instant::now()),
            closing: tokio::sync::watch::Sender::new(false),
            event_figures: Figures::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The routes, without [`BASE_PATH`](crate::BASE_PATH).
    ///
    /// Refusals name the whole path where the router is nested, or where who dispatches to it inserts a
    /// [`Mount`](mecforge_runtime::server::Mount).
    pub fn router(&self) -> Router {
        Router::new()
            .route("/platform", self.get(platform::get))
            .route("/applications", self.get(applications::list))
            .route("/services", self.get(services::services))
            .route("/subscriptions", self.get(services::subscriptions))
            .route("/dns-rules", self.get(rules::dns_rules))
            .route("/traffic-rules", self.get(rules::traffic_rules))
            .route("/data-plane", self.get(rules::data_plane))
            .route("/deliveries", self.get(deliveries::list))
            .route("/deliveries/{subscription}", self.get(deliveries::get))
            .route(
                "/dead-letters",
                self.get(letters::list).merge(self.delete(letters::discard_all)),
            )
            .route("/dead-letters/replay", self.post(letters::replay_all))
            .route(
                "/dead-letters/{subscription}",
                self.get(letters::list_one)
                    .merge(self.delete(letters::discard_subscription)),
            )
            .route(
                "/dead-letters/{subscription}/replay",
                self.post(letters::replay_subscription),
            )
            .route(
                "/dead-letters/{subscription}/{id}",
                self.get(letters::get).merge(self.delete(letters::discard)),
            )
            .route(
                "/dead-letters/{subscription}/{id}/replay",
                self.post(letters::replay),
            )
            .route("/events", self.get(events::follow))
            .route("/openapi.json", self.get(crate::document::get))
            .fallback(call::nowhere)
            .method_not_allowed_fallback(call::not_allowed)
    }

    /// Ends all streams of events, so that connections can be closed. New ones are refused.
    pub fn close(&self) {
        self.inner.closing.send_replace(true);
    }

    /// Adds how many clients follow events, and how often one had to start again, to the platform's metrics.
    pub fn register_metrics(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("administration");
        let Figures { clients, resets } = &self.inner.event_figures;
        registry.register("event_clients", "Clients that follow events", clients.clone());
        registry.register(
            "event_resets",
            "Clients of events that were told to start again because they had missed changes",
            resets.clone(),
        );
    }

    fn get<F, A>(&self, handler: F) -> MethodRouter
    where
        F: Fn(Arc<Inner>, Call) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let inner = self.inner.clone();
        get(move |request: Request| call::answer(inner.clone(), request, handler.clone()))
    }

    fn post<F, A>(&self, handler: F) -> MethodRouter
    where
        F: Fn(Arc<Inner>, Call) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let inner = self.inner.clone();
        post(move |request: Request| call::answer_change(inner.clone(), request, handler.clone()))
    }

    fn delete<F, A>(&self, handler: F) -> MethodRouter
    where
        F: Fn(Arc<Inner>, Call) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let inner = self.inner.clone();
        delete(move |request: Request| call::answer_change(inner.clone(), request, handler.clone()))
    }
}

impl fmt::Debug for Administration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Administration")
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}
