//! The settings of a platform and their defaults.

use std::path::PathBuf;

use serde::Deserialize;

use super::sections::{
    DataPlaneSettings, DnsSettings, LivenessSettings, ManagementSettings, NotificationSettings,
};

/// Everything that can be configured.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Settings {
    /// Address and port to listen on.
    pub listen: String,
    /// Where the store is.
    pub data_dir: PathBuf,
    /// Under which URL clients reach the platform; without it, links follow the `Host` of each request.
    pub public_url: Option<String>,
    /// Logging.
    pub log: LogSettings,
    /// What one client, or all of them, may use at most.
    pub limits: Limits,
    /// Heartbeats of services.
    pub liveness: LivenessSettings,
    /// Notifications.
    pub notifications: NotificationSettings,
    /// The name server.
    pub dns: DnsSettings,
    /// The data plane.
    pub dataplane: DataPlaneSettings,
    /// Management (Mm5).
    pub management: ManagementSettings,
    /// Application instances that exist without registering.
    pub applications: Vec<DeclaredApplication>,
    /// Transports that the platform offers, as the standard's TransportInfo; `None` for the default one.
    pub transports: Option<Vec<serde_json::Value>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            data_dir: PathBuf::from("mep-data"),
            public_url: None,
            log: LogSettings::default(),
            limits: Limits::default(),
            liveness: LivenessSettings::default(),
            notifications: NotificationSettings::default(),
            dns: DnsSettings::default(),
            dataplane: DataPlaneSettings::default(),
            management: ManagementSettings::default(),
            applications: Vec::new(),
            transports: None,
        }
    }
}

/// How the platform logs (to the standard error output).
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct LogSettings {
    /// For people or for machines.
    pub format: LogFormat,
    /// Which events, in `tracing-subscriber`'s notation: `info`, `mep=debug,info`, …
    pub filter: String,
    /// Whether every request gets a line.
    pub access: bool,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Human,
            filter: "info".to_owned(),
            access: true,
        }
    }
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line of text per event.
    #[default]
    Human,
    /// One JSON object per event.
    Json,
}

/// Limits that protect the platform from its clients.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Limits {
    /// The largest request body, in bytes.
    pub body_bytes: usize,
    /// The largest head of a request (request line and headers), in bytes.
    pub header_bytes: usize,
    /// The most connections at a time; more wait to be accepted.
    pub connections: usize,
    /// How long a client may take to send the head of a request, and how long a connection may be idle, in seconds.
    pub header_seconds: u64,
    /// How long a client may take to send a body and be answered, in seconds.
    pub request_seconds: u64,
    /// How long requests may take to finish when the platform is told to stop, in seconds.
    pub shutdown_seconds: u64,
    /// The most services that one application instance may offer; 0 for no limit.
    pub services_per_application: usize,
    /// The most subscriptions of one kind that one application instance may have; 0 for no limit.
    pub subscriptions_per_application: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            header_bytes: 32 * 1024,
            connections: 10_000,
            header_seconds: 30,
            request_seconds: 30,
            shutdown_seconds: 10,
            services_per_application: 0,
            subscriptions_per_application: 50,
        }
    }
}

/// An application instance that exists because the configuration says so.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct DeclaredApplication {
    /// Its identifier.
    pub app_instance_id: String,
    /// Its name.
    pub app_name: String,
}
