//! A platform to test against: the real handlers of Mp1 on a real store, behind a socket. Also used by the tests of
//! `mepctl`.
#![allow(dead_code, reason = "each of the two test programs needs a part of this")]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use mecforge_app_support::{AppSupport, Instances, Parts, TERMINATION};
use mecforge_contracts::outbox::CallbackPolicy;
use mecforge_registry::{Liveness, Options, Registry, Transports};
use mecforge_store::{Embedded, Store};
use mecforge_subscriptions::{Limits, Running, Subscriptions};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::rules::Rules;

/// An application instance that exists on every such platform.
pub(crate) const APP: &str = "5abe4782-2c70-4e47-9a4e-0ee3a1a0fd1f";

/// A running platform.
pub(crate) struct TestPlatform {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<dyn Store>,
    directory: Arc<TempDir>,
    end: oneshot::Sender<()>,
    server: JoinHandle<()>,
    _running: [Running; 2],
}

/// What APIs beyond Mp1 are made of.
pub(crate) struct Made {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) instances: Arc<Instances>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) support: Arc<AppSupport>,
}

/// Every callback address but those of `forbidden.example`.
struct Policy;

impl CallbackPolicy for Policy {
    fn check(&self, url: &str) -> Result<(), String> {
        match url.contains("forbidden.example") {
            true => Err("the host is not allowed".to_owned()),
            false => Ok(()),
        }
    }
}

impl TestPlatform {
    /// A new platform on a free port.
    pub(crate) async fn start() -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        Self::start_at(([127, 0, 0, 1], 0).into(), directory, |router, _| router).await
    }

    /// A platform at an address, with what is in a directory, and more APIs.
    pub(crate) async fn start_at(
        address: SocketAddr,
        directory: Arc<TempDir>,
        extend: impl FnOnce(Router, &Made) -> Router,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let store: Arc<dyn Store> = Arc::new(Embedded::open(directory.path()).unwrap());
        let (router, made, running) = make(&store);
        let router = extend(router, &made);
        let (end, ended) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            let graceful = axum::serve(listener, router).with_graceful_shutdown(async {
                let _ = ended.await;
            });
            graceful.await.unwrap();
        });
        Self {
            address,
            store,
            directory,
            end,
            server,
            _running: running,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops the platform. Its data stay where the returned directory is.
    pub(crate) async fn stop(self) -> (SocketAddr, Arc<TempDir>) {
        let Self {
            address,
            store,
            directory,
            end,
            server,
            _running,
        } = self;
        let _ = end.send(());
        // Connections that are kept alive without a request end at once; any other is cut off.
        let abort = server.abort_handle();
        if tokio::time::timeout(Duration::from_secs(2), server)
            .await
            .is_err()
        {
            abort.abort();
        }
        drop(_running);
        drop(store);
        (address, directory)
    }
}

fn make(store: &Arc<dyn Store>) -> (Router, Made, [Running; 2]) {
    let declared = BTreeSet::from([APP.to_owned()]);
    let instances = Arc::new(Instances::new(store.clone(), declared));
    let options = Options {
        liveness: Liveness {
            shortest_seconds: 1,
            tolerance_percent: 50,
            grace: Duration::from_secs(2),
            ..Liveness::default()
        },
        ..Options::default()
    };
    let transports = Transports::standard("http://mep.example");
    let registry = Arc::new(Registry::new(
        store.clone(),
        instances.clone(),
        transports,
        Arc::new(Policy),
        options,
    ));
    let rules = Arc::new(Rules::new(store.clone()));
    let subscriptions = Subscriptions::new(store.clone(), TERMINATION, Arc::new(Policy), Limits::default());
    let support = Arc::new(AppSupport::new(Parts {
        store: store.clone(),
        instances: instances.clone(),
        traffic_rules: rules.clone(),
        dns_rules: rules.clone(),
        belongings: vec![registry.clone()],
        subscriptions: Arc::new(subscriptions),
        clock: Arc::new(mecforge_clock::Machine::new(mecforge_clock::Options::default())),
        options: mecforge_app_support::Options::default(),
    }));
    let running = [registry.start(), support.start()];
    let router = Router::new()
        .nest(
            mec011_service_management::BASE_PATH,
            mec011_service_management::server::router(registry),
        )
        .nest(
            mec011_app_support::BASE_PATH,
            mec011_app_support::server::router(support.clone()),
        );
    let made = Made {
        store: store.clone(),
        instances,
        rules,
        support,
    };
    (router, made, running)
}
