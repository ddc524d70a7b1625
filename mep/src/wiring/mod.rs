//! Which handlers serve which APIs: the one place that knows them all.

mod apis;
mod options;

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use mec011_service_management::{GET_APPLICATION_SERVICE, GET_SERVICE, ServiceState};
use mecforge_administration::Administration;
use mecforge_app_support::{AppSupport, Instances, Parts, TERMINATION};
use mecforge_clock::Machine;
use mecforge_contracts::keys;
use mecforge_contracts::rules::{DnsRules, TrafficRules};
use mecforge_dataplane::DataPlane;
use mecforge_dns::NameServer;
use mecforge_mm5::Mm5;
use mecforge_notifications::Notifications;
use mecforge_registry::Registry;
use mecforge_runtime::operation::Operation;
use mecforge_store::Store;
use mecforge_subscriptions::{Running, Subscriptions};
use tokio::sync::broadcast;

use crate::config::Settings;
use crate::platform::Api;
use crate::telemetry::metrics::{Gauge, Metrics};

/// The APIs of a platform, and what can be counted about them.
pub(crate) struct Wired {
    pub(crate) apis: Vec<Api>,
    pub(crate) metrics: Metrics,
    /// Operations whose answers depend on the store, the configuration and the request's target and `Host` alone.
    pub(crate) kept: Vec<&'static Operation>,
    /// Where in the store the answers of those operations come from.
    pub(crate) kept_from: Vec<&'static str>,
    /// Where the name server answers.
    pub(crate) name_server: Arc<dyn DnsRules>,
    /// What works in the background as long as this is kept.
    pub(crate) running: Vec<Box<dyn Any + Send + Sync>>,
}

/// The handlers of a platform.
struct Handlers {
    instances: Arc<Instances>,
    notifications: Arc<Notifications>,
    name_server: Arc<NameServer>,
    data_plane: Arc<DataPlane>,
    registry: Arc<Registry>,
    app_support: Arc<AppSupport>,
    mm5: Arc<Mm5>,
    administration: Administration,
}

/// Puts the handlers together on a store and starts what they do in the background.
pub(crate) async fn wire(store: &Arc<dyn Store>, settings: &Settings, address: SocketAddr) -> Result<Wired> {
    let handlers = Handlers::open(store, settings, address).await?;
    let removed = handlers.app_support.remove_orphans().await;
    removed.map_err(|problem| {
        anyhow!("cannot remove what belongs to applications that are no longer declared: {problem}")
    })?;
    let removed = handlers.registry.remove_orphans().await;
    removed.context("cannot remove the services of applications that are no longer declared")?;
    let answering = handlers.name_server.bind().await?;
    let metrics = handlers.metrics(store);
    let running: Vec<Box<dyn Any + Send + Sync>> = vec![
        Box::new(answering),
        Box::new(handlers.notifications.start()),
        Box::new(handlers.data_plane.start()),
        Box::new(handlers.registry.start()),
        Box::new(handlers.app_support.start()),
        Box::new(handlers.mm5.start()),
        Box::new(Running::new([tokio::spawn(tell_of_drift(
            handlers.data_plane.drifts(),
            handlers.mm5.clone(),
        ))])),
    ];
    Ok(Wired {
        apis: apis::of(&handlers)?,
        metrics,
        kept: vec![&GET_SERVICE, &GET_APPLICATION_SERVICE],
        kept_from: vec![keys::SERVICES, keys::APPLICATIONS, keys::CONFIGURATIONS],
        name_server: handlers.name_server,
        running,
    })
}

impl Handlers {
    async fn open(store: &Arc<dyn Store>, settings: &Settings, address: SocketAddr) -> Result<Self> {
        let declared = settings.applications.iter();
        let declared = declared
            .map(|application| application.app_instance_id.clone())
            .collect();
        let instances = Arc::new(Instances::new(store.clone(), declared));
        let notifications =
            Notifications::new(store.clone(), options::notifications(&settings.notifications)?)
                .context("cannot set up notifications")?;
        let name_server = NameServer::new(store, options::dns(&settings.dns)?);
        let (kind, data_plane) = options::data_plane(&settings.dataplane);
        let data_plane = DataPlane::open(store.clone(), kind, data_plane).await?;
        let transports = options::transports(settings, address)?;
        let transport_names = transports
            .all()
            .iter()
            .map(|transport| transport.name.clone())
            .collect();
        let registry = Arc::new(Registry::new(
            store.clone(),
            instances.clone(),
            transports,
            notifications.clone(),
            options::registry(settings),
        ));
        let dns_rules: Arc<dyn DnsRules> = name_server.clone();
        let traffic_rules: Arc<dyn TrafficRules> = data_plane.clone();
        let app_support = Arc::new(AppSupport::new(Parts {
            store: store.clone(),
            instances: instances.clone(),
            traffic_rules: traffic_rules.clone(),
            dns_rules: dns_rules.clone(),
            belongings: vec![registry.clone()],
            subscriptions: Arc::new(Subscriptions::new(
                store.clone(),
                TERMINATION,
                notifications.clone(),
                options::subscriptions(settings),
            )),
            clock: Arc::new(Machine::new(mecforge_clock::Options::default())),
            options: mecforge_app_support::Options::default(),
        }));
        let mm5 = Mm5::new(
            store.clone(),
            instances.clone(),
            dns_rules.clone(),
            traffic_rules.clone(),
            app_support.clone(),
            notifications.clone(),
            options::mm5(&settings.management, transport_names),
        );
        let shown = mecforge_administration::Platform {
            store: store.clone(),
            deliveries: notifications.clone(),
            dns_rules,
            traffic_rules,
            lifecycle: app_support.clone(),
        };
        let administration = Administration::new(shown, options::administration(settings, address));
        Ok(Self {
            instances,
            notifications,
            name_server,
            data_plane,
            registry,
            app_support,
            mm5,
            administration,
        })
    }

    fn metrics(&self, store: &Arc<dyn Store>) -> Metrics {
        let count = |state: Option<ServiceState>| -> Gauge {
            let registry = self.registry.clone();
            Box::new(move || as_gauge(registry.count(state)))
        };
        let instances = self.instances.clone();
        let gauges: Vec<(&'static str, &'static str, Gauge)> = vec![
            ("services", "Services registered", count(None)),
            (
                "services_active",
                "Services in state ACTIVE",
                count(Some(ServiceState::Active)),
            ),
            (
                "applications_registered",
                "Application instances that have registered",
                Box::new(move || as_gauge(instances.registered())),
            ),
        ];
        let mut metrics = Metrics::new(store.clone(), gauges);
        let registry = metrics.registry();
        self.notifications.register_metrics(registry);
        self.name_server.register_metrics(registry);
        self.data_plane.register_metrics(registry);
        self.registry.register_metrics(registry);
        self.app_support.register_metrics(registry);
        self.mm5.register_metrics(registry);
        self.administration.register_metrics(registry);
        metrics
    }
}

/// Makes events for managers of what the data plane has put back.
async fn tell_of_drift(mut drifts: broadcast::Receiver<String>, mm5: Arc<Mm5>) {
    loop {
        match drifts.recv().await {
            Ok(what) => {
                if let Err(problem) = mm5.tell_of_drift(&what).await {
                    tracing::error!(%problem, "managers cannot be told of drift");
                }
            }
            // The log has them all.
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

fn as_gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
