//! What managers are told about a platform.

use mecforge_runtime::callbacks::Notification;
use mecforge_runtime::{Decode, Invalid, Json, ObjectReader, decode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventType {
    /// An application instance has registered.
    ApplicationRegistered,
    /// Its registration has changed.
    RegistrationChanged,
    /// It has deregistered, or was removed.
    ApplicationDeregistered,
    /// It has confirmed that it is up and running.
    ApplicationReady,
    /// It has been told that it is to end.
    ApplicationEnding,
    /// A manager's configuration of it has taken effect.
    ConfigurationChanged,
    /// Its configuration is gone, and all that belonged to it.
    ConfigurationRemoved,
    /// A service was registered.
    ServiceAdded,
    /// A service has changed.
    ServiceChanged,
    /// A service is gone.
    ServiceRemoved,
    /// A rule was added.
    RuleAdded,
    /// A rule has changed, or was activated or deactivated.
    RuleStateChanged,
    /// A rule is gone.
    RuleRemoved,
    /// A task has succeeded or failed.
    TaskFinished,
    /// Something else has changed rules in the kernel; the platform has put its own in force again.
    Drift,
    /// The platform was stopped before it could tell of something that went away: read lists again.
    EventsLost,
}

impl EventType {
    /// The texts on the wire.
    pub(crate) const VALUES: &'static [&'static str] = &[
        "APPLICATION_REGISTERED",
        "REGISTRATION_CHANGED",
        "APPLICATION_DEREGISTERED",
        "APPLICATION_READY",
        "APPLICATION_ENDING",
        "CONFIGURATION_CHANGED",
        "CONFIGURATION_REMOVED",
        "SERVICE_ADDED",
        "SERVICE_CHANGED",
        "SERVICE_REMOVED",
        "RULE_ADDED",
        "RULE_STATE_CHANGED",
        "RULE_REMOVED",
        "TASK_FINISHED",
        "DRIFT",
        "EVENTS_LOST",
    ];
}

/// One event, as it is sent to the callback address of a manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlatformEvent {
    /// What has happened.
    pub event_type: EventType,
    /// The subscription that asks for it.
    pub subscription_id: String,
    /// When it was noticed, in milliseconds since 1970-01-01 UTC.
    pub time_stamp: u64,
    /// The revision of the platform's store that it belongs to: events with greater revisions happened later.
    pub revision: u64,
    /// The application instance that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_instance_id: Option<String>,
    /// The service, rule or task that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// The state that the service, rule or task is in now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The service's name, the kind of rule, or words for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Decode for PlatformEvent {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        let object = ObjectReader::new(json)?;
        Ok(Self {
            event_type: object.required("eventType", event_type)?,
            subscription_id: object.required("subscriptionId", decode::string)?,
            time_stamp: object.required("timeStamp", u64::decode)?,
            revision: object.required("revision", u64::decode)?,
            app_instance_id: object.optional("appInstanceId", decode::string)?,
            resource_id: object.optional("resourceId", decode::string)?,
            state: object.optional("state", decode::string)?,
            detail: object.optional("detail", decode::string)?,
        })
    }
}

mecforge_runtime::deserialize!(PlatformEvent);

impl Notification for PlatformEvent {
    const NAME: &'static str = "PlatformEvent";
    const NOTIFICATION_TYPE: Option<&'static str> = None;
}

/// One of the texts of an enumeration.
pub(crate) fn enumeration<T: DeserializeOwned>(
    json: &Json<'_>,
    values: &'static [&'static str],
) -> Result<T, Invalid> {
    serde_json::from_value(json.to_value()).map_err(|_| decode::unknown_value(json, values))
}

/// The type of an event.
pub(crate) fn event_type(json: &Json<'_>) -> Result<EventType, Invalid> {
    enumeration(json, EventType::VALUES)
}
