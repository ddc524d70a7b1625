//! The agent's own file: the platform, the application, and services as ETSI GS MEC 011 writes them.
//!
//! Fields that are text in the API are text here, so that an unquoted `version: 1.10` in YAML stays `1.10`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mec011_service_management::ServiceInfoRequest;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Application, Configuration, DEFAULT_LISTEN, DEFAULT_URL, Environment, Platform, typed};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    platform: PlatformTable,
    #[serde(default)]
    application: ApplicationTable,
    #[serde(default)]
    services: Vec<Service>,
    #[serde(default)]
    subscriptions: Vec<Subscription>,
    listen: Option<String>,
    state_file: Option<PathBuf>,
    check_interval: Option<u64>,
    longest_delay: Option<u64>,
    remove_on_stop: Option<bool>,
    stop_timeout: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PlatformTable {
    url: Option<String>,
    ca_certificate: Option<PathBuf>,
    timeout: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ApplicationTable {
    app_instance_id: Option<String>,
    registration: Option<Registration>,
    confirm_ready: Option<bool>,
}

/// ETSI's `AppInfo`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Registration {
    app_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_category: Option<Category>,
    #[serde(rename = "appDId", skip_serializing_if = "Option::is_none")]
    app_d_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_instance_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_service_required: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_service_optional: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_feature_required: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_feature_optional: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_ins_by_mec: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_profile: Option<Value>,
}

/// ETSI's `ServiceInfo`. What the platform assigns may stand here, as a GET returns it, and is not sent.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Service {
    pub(super) ser_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ser_category: Option<Category>,
    version: String,
    #[serde(default = "active")]
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transport_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transport_info: Option<Transport>,
    #[serde(default = "json")]
    serializer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope_of_locality: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_local_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_local: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) liveness_interval: Option<u64>,
    #[serde(rename = "serInstanceId", skip_serializing)]
    _ser_instance_id: Option<IgnoredAny>,
    #[serde(rename = "_links", skip_serializing)]
    _links: Option<IgnoredAny>,
}

fn active() -> String {
    "ACTIVE".to_owned()
}

fn json() -> String {
    "JSON".to_owned()
}

/// ETSI's `CategoryRef`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Category {
    #[serde(skip_serializing_if = "Option::is_none")]
    href: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

/// ETSI's `TransportInfo`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Transport {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    r#type: String,
    protocol: String,
    version: String,
    pub(super) endpoint: serde_json::Map<String, Value>,
    #[serde(default)]
    pub(super) security: serde_json::Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impl_specific_info: Option<Value>,
}

/// ETSI's `SerAvailabilityNotificationSubscription`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Subscription {
    #[serde(default = "subscription_type")]
    subscription_type: String,
    pub(super) callback_reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    filtering_criteria: Option<Criteria>,
    #[serde(rename = "_links", alias = "links", skip_serializing)]
    _links: Option<IgnoredAny>,
}

/// ETSI's `filteringCriteria`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Criteria {
    #[serde(skip_serializing_if = "Option::is_none")]
    ser_instance_ids: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ser_names: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ser_categories: Option<Vec<Category>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    states: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_local: Option<bool>,
}

fn subscription_type() -> String {
    "SerAvailabilityNotificationSubscription".to_owned()
}

impl Service {
    pub(super) fn request(&self, place: &str) -> Result<ServiceInfoRequest> {
        typed(place, self)
    }
}

impl File {
    pub(super) fn resolve(self, environment: &Environment) -> Result<Configuration> {
        let services = self.services.iter().enumerate();
        let services = services.map(|(index, service)| service.request(&format!("services[{index}]")));
        let subscriptions = self.subscriptions.iter().enumerate();
        let subscriptions = subscriptions
            .map(|(index, subscription)| typed(&format!("subscriptions[{index}]"), subscription));
        Ok(Configuration {
            services: services.collect::<Result<_>>()?,
            subscriptions: subscriptions.collect::<Result<_>>()?,
            platform: self.platform.resolve(environment)?,
            application: self.application.resolve(environment)?,
            listen: listen(self.listen.as_deref())?,
            state_file: self.state_file,
            check_interval: seconds("checkInterval", self.check_interval, 30, 1..=86_400)?,
            longest_delay: seconds("longestDelay", self.longest_delay, 30, 1..=3_600)?,
            remove_on_stop: self.remove_on_stop.unwrap_or(true),
            stop_timeout: seconds("stopTimeout", self.stop_timeout, 10, 0..=3_600)?,
        })
    }
}

impl PlatformTable {
    fn resolve(self, environment: &Environment) -> Result<Platform> {
        let url = match environment.url()? {
            Some(url) => url,
            None => self.url.unwrap_or_else(|| DEFAULT_URL.to_owned()),
        };
        let read = |path: PathBuf| {
            std::fs::read(&path)
                .with_context(|| format!("platform.caCertificate: cannot read {}", path.display()))
        };
        Ok(Platform {
            url,
            ca_certificate: self.ca_certificate.map(read).transpose()?,
            timeout: seconds("platform.timeout", self.timeout, 5, 1..=300)?,
        })
    }
}

impl ApplicationTable {
    fn resolve(self, environment: &Environment) -> Result<Application> {
        let registration: Option<mec011_app_support::AppInfo> = match &self.registration {
            Some(registration) => Some(typed("application.registration", registration)?),
            None => None,
        };
        let registered_as = registration
            .as_ref()
            .and_then(|info| info.app_instance_id.clone());
        if let (Some(own), Some(registered)) = (&self.app_instance_id, &registered_as)
            && own != registered
        {
            bail!("application.appInstanceId and application.registration/appInstanceId are not the same");
        }
        Ok(Application {
            app_instance_id: environment
                .app_instance_id()
                .or(self.app_instance_id)
                .or(registered_as),
            registration,
            confirm_ready: self.confirm_ready.unwrap_or(true),
        })
    }
}

/// An address to listen on, or nothing for `off`.
pub(super) fn listen(text: Option<&str>) -> Result<Option<std::net::SocketAddr>> {
    match text.unwrap_or(DEFAULT_LISTEN) {
        "off" => Ok(None),
        text => match text.parse() {
            Ok(address) => Ok(Some(address)),
            Err(_) => bail!(
                "listen must be an IP address and a port such as {DEFAULT_LISTEN}, or off, not {text:?}"
            ),
        },
    }
}

fn seconds(
    place: &str,
    value: Option<u64>,
    default: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<Duration> {
    let value = value.unwrap_or(default);
    if !range.contains(&value) {
        bail!(
            "{place} must be {} to {} seconds, not {value}",
            range.start(),
            range.end()
        );
    }
    Ok(Duration::from_secs(value))
}
