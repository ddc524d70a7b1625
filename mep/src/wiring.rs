//! Which handlers serve which APIs: the one place that knows them all.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use mec011_service_management::{GET_APPLICATION_SERVICE, GET_SERVICE, ServiceState};
use mecforge_app_support::{AppSupport, Instances};
use mecforge_contracts::keys;
use mecforge_registry::{Limits, Registry, Transports};
use mecforge_runtime::operation::Operation;
use mecforge_runtime::server::Mount;
use mecforge_store::Store;

use crate::config::Settings;
use crate::platform::{Api, Document, Service};
use crate::telemetry::metrics::{Gauge, Metrics};

/// The APIs of a platform, and what can be counted about them.
pub(crate) struct Wired {
    pub(crate) apis: Vec<Api>,
    pub(crate) metrics: Metrics,
    /// Operations whose answers depend on the store, the configuration and the request's target and `Host` alone.
    pub(crate) kept: Vec<&'static Operation>,
    /// Where in the store the answers of those operations come from.
    pub(crate) kept_from: Vec<&'static str>,
    /// What works in the background as long as this is kept.
    pub(crate) running: Vec<Box<dyn Any + Send + Sync>>,
}

/// An [`Api`] of a generated crate.
macro_rules! api {
    ($id:literal, $title:literal, $generated:ident, $handler:expr) => {
        Api {
            id: $id,
            title: $title,
            base_path: $generated::BASE_PATH,
            document: Some(Document {
                path: concat!("/openapi/", $id, ".json"),
                text: $generated::DOCUMENT.into(),
            }),
            service: Service::Generated(
                $generated::server::service($handler),
                Mount::new($generated::BASE_PATH),
            ),
        }
    };
}

/// Puts the handlers together on a store.
pub(crate) async fn wire(store: &Arc<dyn Store>, settings: &Settings, address: SocketAddr) -> Result<Wired> {
    let declared = settings
        .applications
        .iter()
        .map(|application| application.app_instance_id.clone())
        .collect();
    let instances = Arc::new(Instances::new(store.clone(), declared));
    let app_support = AppSupport::new(store.clone(), instances.clone());
    let limits = Limits {
        services_per_application: Some(settings.limits.services_per_application).filter(|most| *most > 0),
    };
    let transports = transports(settings, address)?;
    let registry = Arc::new(Registry::new(
        store.clone(),
        instances.clone(),
        transports,
        limits,
    ));
    registry
        .remove_orphans()
        .await
        .context("cannot remove the services of applications that are no longer declared")?;
    let count = |registry: &Arc<Registry>, state: Option<ServiceState>| -> Gauge {
        let registry = registry.clone();
        Box::new(move || as_gauge(registry.count(state)))
    };
    let gauges: Vec<(&'static str, &'static str, Gauge)> = vec![
        ("services", "Services registered", count(&registry, None)),
        (
            "services_active",
            "Services in state ACTIVE",
            count(&registry, Some(ServiceState::Active)),
        ),
        (
            "applications_registered",
            "Application instances that have registered",
            Box::new(move || as_gauge(instances.registered())),
        ),
    ];
    let apis = vec![
        api!(
            "mec011-service-management",
            "MEC 011 Service management",
            mec011_service_management,
            registry
        ),
        api!(
            "mec011-app-support",
            "MEC 011 Application support",
            mec011_app_support,
            app_support
        ),
    ];
    let kept = vec![&GET_SERVICE, &GET_APPLICATION_SERVICE];
    let metrics = Metrics::new(store.clone(), gauges);
    Ok(Wired {
        apis,
        metrics,
        kept,
        kept_from: vec![keys::SERVICES, keys::APPLICATIONS, keys::CONFIGURATIONS],
        running: Vec::new(),
    })
}

fn as_gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn transports(settings: &Settings, address: SocketAddr) -> Result<Transports> {
    match &settings.transports {
        Some(transports) => Ok(Transports::configured(transports)?),
        None => {
            let own = settings
                .public_url
                .clone()
                .unwrap_or_else(|| format!("http://{address}"));
            Ok(Transports::standard(&own))
        }
    }
}
