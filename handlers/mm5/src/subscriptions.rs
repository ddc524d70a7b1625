//! Subscriptions of managers to platform events.

use mecforge_contracts::time::unix_milliseconds;
use mecforge_contracts::{keys, outcome};
use mecforge_runtime::format::Format;
use mecforge_runtime::rules::{ArrayRules, StringRules};
use mecforge_runtime::server::Problem;
use mecforge_runtime::{Decode, Invalid, Json, ObjectReader, decode};
use mecforge_store::{CommitError, Entry, Expected, Revision, Transaction};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::events::{EventType, event_type};
use crate::keys as own_keys;
use crate::manager::{Mm5, TRIES};

/// The longest callback address, in characters.
const LONGEST_URI: u64 = 2048;
/// The most application instances that one subscription may name.
const MOST_APPLICATIONS: u64 = 100;

/// What a manager asks to be told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventSubscriptionRequest {
    /// Where events are sent, by POST: an absolute `http` or `https` URL.
    #[schema(format = "uri", max_length = 2048)]
    pub callback_uri: String,
    /// The events to be told of; all if absent. `EVENTS_LOST` always comes where it concerns one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, min_items = 1, max_items = 16)]
    pub event_types: Option<Vec<EventType>>,
    /// The application instances to be told of; all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, min_items = 1, max_items = 100)]
    pub app_instance_ids: Option<Vec<String>>,
}

/// A subscription to platform events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventSubscription {
    /// Its identifier.
    pub subscription_id: String,
    /// When it was made, in milliseconds since 1970-01-01 UTC.
    pub created: u64,
    /// Where events are sent.
    #[schema(format = "uri")]
    pub callback_uri: String,
    /// The events to be told of; all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub event_types: Option<Vec<EventType>>,
    /// The application instances to be told of; all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub app_instance_ids: Option<Vec<String>>,
}

impl Decode for EventSubscriptionRequest {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        let object = ObjectReader::new(json)?;
        object.refuse_undeclared(&["callbackUri", "eventTypes", "appInstanceIds"])?;
        Self::members(&object)
    }
}

impl EventSubscriptionRequest {
    fn members(object: &ObjectReader<'_, '_>) -> Result<Self, Invalid> {
        let uri = StringRules {
            max_length: Some(LONGEST_URI),
            format: Some(Format::Uri),
            ..StringRules::NONE
        };
        let some_of = |most| ArrayRules {
            min_items: Some(1),
            max_items: Some(most),
            unique: false,
        };
        Ok(Self {
            callback_uri: object.required("callbackUri", |json| decode::string_with(json, &uri))?,
            event_types: object
                .optional("eventTypes", |json| decode::array(json, &some_of(16), event_type))?,
            app_instance_ids: object.optional("appInstanceIds", |json| {
                decode::array(json, &some_of(MOST_APPLICATIONS), decode::string)
            })?,
        })
    }
}

impl EventSubscription {
    fn new(subscription_id: String, created: u64, request: EventSubscriptionRequest) -> Self {
        Self {
            subscription_id,
            created,
            callback_uri: request.callback_uri,
            event_types: request.event_types,
            app_instance_ids: request.app_instance_ids,
        }
    }

    /// Whether an event is asked for.
    pub(crate) fn wants(&self, event_type: EventType, app_instance_id: Option<&str>) -> bool {
        let typed = self
            .event_types
            .as_ref()
            .is_none_or(|types| types.contains(&event_type));
        let about = match (&self.app_instance_ids, app_instance_id) {
            (Some(wanted), Some(id)) => wanted.iter().any(|wanted| wanted == id),
            _ => true,
        };
        typed && about
    }
}

impl Decode for EventSubscription {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        let object = ObjectReader::new(json)?;
        let request = EventSubscriptionRequest::members(&object)?;
        let id = object.required("subscriptionId", decode::string)?;
        Ok(Self::new(id, object.required("created", u64::decode)?, request))
    }
}

/// The subscription in an entry of the store.
pub(crate) fn read(entry: &Entry) -> Result<EventSubscription, Problem> {
    mecforge_runtime::from_slice(&entry.value).map_err(Problem::internal)
}

fn unknown() -> Problem {
    Problem::not_found("there is no such subscription").with_parameter("subscriptionId")
}

impl Mm5 {
    /// Subscribes a manager to platform events that happen from now on.
    ///
    /// # Errors
    /// `400` for an address that must not be called; `403` if there are as many subscriptions as there may be.
    pub(crate) async fn subscribe(
        &self,
        request: EventSubscriptionRequest,
    ) -> Result<(EventSubscription, Revision), Problem> {
        self.policy.check(&request.callback_uri).map_err(|reason| {
            Problem::bad_request(format!("/callbackUri must not be called: {reason}"))
                .with_pointer("/callbackUri")
                .with_rule("callbackPolicy")
        })?;
        let prefix = keys::subscriptions(own_keys::EVENTS);
        let id = Uuid::new_v4().to_string();
        let subscription = EventSubscription::new(id, unix_milliseconds(), request);
        let value = serde_json::to_vec(&subscription).map_err(Problem::internal)?;
        let key = own_keys::subscription(&subscription.subscription_id);
        for _ in 0..TRIES {
            let range = self.store.range(&prefix, None, self.options.subscriptions);
            if range.entries.len() >= self.options.subscriptions {
                return Err(Problem::forbidden(format!(
                    "there are {} subscriptions to platform events already, as many as there may be",
                    self.options.subscriptions
                )));
            }
            let transaction = Transaction::new()
                .expect_none_newer(&*prefix, range.revision)
                .put(&*key, value.clone());
            let transaction = self.begin_at(range.revision, transaction)?;
            match self.store.commit(transaction).await {
                Ok(revision) => return Ok((subscription, revision)),
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(outcome::problem(error)),
            }
        }
        Err(Problem::conflict(
            "too many subscriptions at the same time; try again",
        ))
    }

    /// All subscriptions to platform events, oldest first.
    pub(crate) fn event_subscriptions(&self) -> Vec<(EventSubscription, Entry)> {
        let prefix = keys::subscriptions(own_keys::EVENTS);
        let entries = self.store.range(&prefix, None, usize::MAX).entries;
        let mut subscriptions: Vec<_> = entries
            .into_iter()
            .filter_map(|(_, entry)| Some((read(&entry).ok()?, entry)))
            .collect();
        subscriptions.sort_by_key(|(_, entry)| entry.created);
        subscriptions
    }

    /// One subscription to platform events.
    ///
    /// # Errors
    /// `404` if there is none.
    pub(crate) fn event_subscription(&self, id: &str) -> Result<(EventSubscription, Revision), Problem> {
        let entry = self.store.get(&own_keys::subscription(id)).ok_or_else(unknown)?;
        Ok((read(&entry)?, entry.modified))
    }

    /// Ends a subscription, with all events that wait for its receiver.
    ///
    /// # Errors
    /// `404` if there is none.
    pub(crate) async fn unsubscribe(&self, id: &str) -> Result<(), Problem> {
        let key = own_keys::subscription(id);
        let transaction = Transaction::new()
            .expect(&*key, Expected::Present)
            .delete_prefix(keys::outgoing_of(&key))
            .delete_prefix(keys::dead_letters_of(&key))
            .delete(key);
        match self.store.commit(transaction).await {
            Ok(_) => Ok(()),
            Err(CommitError::Conflict { .. }) => Err(unknown()),
            Err(error) => Err(outcome::problem(error)),
        }
    }
}
