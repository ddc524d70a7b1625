//! How it goes, for `/healthz` and `/readyz`.

use serde::Serialize;

/// How the agent is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Whether everything of the configuration is with the platform.
    pub ready: bool,
    /// Whether the platform answered last time.
    pub connected: bool,
    /// The application instance, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_instance_id: Option<String>,
    /// What stands in the way of everything; absent if nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The services, in the order of the configuration.
    pub services: Vec<ServiceStatus>,
}

/// How it goes for one service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// Its name.
    pub ser_name: String,
    /// What the platform calls it; absent while it is not registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ser_instance_id: Option<String>,
    /// Its state, as the platform last said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The seconds within which the platform expects a heartbeat; absent if it expects none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness_interval: Option<u64>,
    /// Why it is not registered; absent if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
