//! The file of EdgeGallery's mep-agent, `app_instance_info.yaml`, and what its environment says.
//!
//! Where that agent and ours differ, the file works as its author meant it. `transportInfo` wins over a
//! `transportId` beside it (MEC 011 has exactly one of them); a transport without `security` needs none. The
//! predecessor never sent the subscriptions of its file, and its samples hold ones that no platform takes: such
//! a subscription is left out with a warning.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::file::{Service, Subscription, listen};
use super::{Application, Configuration, DEFAULT_URL, Environment, Platform, typed};

/// What tells the predecessor's file from ours: the names at its top.
#[derive(Debug, Deserialize)]
pub(super) struct Marks(BTreeMap<String, IgnoredAny>);

impl Marks {
    pub(super) fn is_predecessor(&self) -> bool {
        let names = ["serviceInfoPosts", "serAvailabilityNotificationSubscriptions"];
        names.iter().any(|name| self.0.contains_key(*name))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File {
    app_instance_id: Option<String>,
    #[serde(rename = "mepServerIP")]
    mep_server_ip: Option<String>,
    #[serde(rename = "mepServerPORT")]
    mep_server_port: Option<String>,
    service_info_posts: Option<Vec<Service>>,
    ser_availability_notification_subscriptions: Option<Vec<Subscription>>,
}

impl File {
    pub(super) fn resolve(self, environment: &Environment) -> Result<Configuration> {
        let url = match (environment.url()?, self.mep_server_ip, self.mep_server_port) {
            (Some(url), _, _) => url,
            (None, Some(host), Some(port)) => {
                super::environment::address(&host, &port).context("mepServerIP and mepServerPORT")?
            }
            _ => DEFAULT_URL.to_owned(),
        };
        let services = self.service_info_posts.unwrap_or_default();
        let services = services.into_iter().enumerate().map(|(index, mut service)| {
            amend(&mut service);
            service.request(&format!("serviceInfoPosts[{index}]"))
        });
        let subscriptions = self
            .ser_availability_notification_subscriptions
            .unwrap_or_default();
        Ok(Configuration {
            platform: Platform {
                url,
                ca_certificate: None,
                timeout: Duration::from_secs(5),
            },
            application: Application {
                app_instance_id: environment.app_instance_id().or(self.app_instance_id),
                registration: None,
                confirm_ready: false,
            },
            services: services.collect::<Result<_>>()?,
            subscriptions: subscriptions.iter().enumerate().filter_map(usable).collect(),
            listen: listen(None)?,
            state_file: None,
            check_interval: Duration::from_secs(30),
            longest_delay: Duration::from_secs(30),
            remove_on_stop: true,
            stop_timeout: Duration::from_secs(10),
        })
    }
}

fn amend(service: &mut Service) {
    if let Some(transport) = &mut service.transport_info {
        service.transport_id = None;
        let is_empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        transport.endpoint.retain(|_, value| !is_empty(value));
        transport.security.retain(|_, value| !is_empty(value));
    }
    service.liveness_interval = service.liveness_interval.filter(|interval| *interval > 0);
}

fn usable<T: mecforge_runtime::Decode>((index, subscription): (usize, &Subscription)) -> Option<T> {
    let place = format!("serAvailabilityNotificationSubscriptions[{index}]");
    match typed(&place, subscription) {
        Ok(subscription) => Some(subscription),
        Err(error) => {
            tracing::warn!(%error, "a subscription of the file is left out");
            None
        }
    }
}
