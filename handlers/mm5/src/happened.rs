//! What changes of the store mean to managers.

use std::collections::BTreeMap;

use mecforge_contracts::lifecycle::Life;
use mecforge_contracts::outbox::{Outgoing, Target};
use mecforge_contracts::{keys, time::unix_milliseconds};
use mecforge_runtime::server::Problem;
use mecforge_store::{Change, Entry, Revision, Transaction};
use serde_json::Value;

use crate::events::{EventType, PlatformEvent};
use crate::keys as own_keys;
use crate::subscriptions::EventSubscription;
use crate::task::Record;

/// Something that has happened, before it is known who wants to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Happened {
    pub(crate) event_type: EventType,
    pub(crate) revision: Revision,
    pub(crate) app_instance_id: Option<String>,
    resource_id: Option<String>,
    state: Option<String>,
    detail: Option<String>,
}

impl Happened {
    pub(crate) fn new(event_type: EventType, revision: Revision) -> Self {
        Self {
            event_type,
            revision,
            app_instance_id: None,
            resource_id: None,
            state: None,
            detail: None,
        }
    }

    fn about(mut self, app_instance_id: String) -> Self {
        self.app_instance_id = Some(app_instance_id);
        self
    }

    fn resource(mut self, id: String) -> Self {
        self.resource_id = Some(id);
        self
    }

    fn state(mut self, state: Option<&Value>) -> Self {
        self.state = state.and_then(Value::as_str).map(str::to_owned);
        self
    }

    pub(crate) fn detail(mut self, detail: Option<&str>) -> Self {
        self.detail = detail.map(str::to_owned);
        self
    }

    /// Adds the event to a transaction, as a notification for a subscription.
    pub(crate) fn post_to(
        &self,
        subscription: &EventSubscription,
        transaction: Transaction,
    ) -> Result<Transaction, Problem> {
        let event = PlatformEvent {
            event_type: self.event_type,
            subscription_id: subscription.subscription_id.clone(),
            time_stamp: unix_milliseconds(),
            revision: self.revision.0,
            app_instance_id: self.app_instance_id.clone(),
            resource_id: self.resource_id.clone(),
            state: self.state.clone(),
            detail: self.detail.clone(),
        };
        let key = own_keys::subscription(&subscription.subscription_id);
        let target = Target::Callback(subscription.callback_uri.as_str().into());
        Outgoing::new(key, target, &event)?.post(transaction)
    }
}

/// What a change means to managers, if anything.
pub(crate) fn event_of(
    change: &Change,
    revision: Revision,
    lives: &mut BTreeMap<String, Life>,
) -> Option<Happened> {
    let key = &*change.key;
    let entry = change.entry.as_ref();
    let value = || -> Value {
        entry
            .and_then(|entry| serde_json::from_slice(&entry.value).ok())
            .unwrap_or_default()
    };
    let choose = |added, changed, removed| match entry {
        None => Happened::new(removed, revision),
        Some(entry) if entry.created == entry.modified => Happened::new(added, revision),
        Some(_) => Happened::new(changed, revision),
    };
    if key.starts_with(keys::APPLICATIONS) {
        let event = choose(
            EventType::ApplicationRegistered,
            EventType::RegistrationChanged,
            EventType::ApplicationDeregistered,
        );
        return Some(
            event
                .about(keys::application_of(key)?)
                .detail(value()["appName"].as_str()),
        );
    }
    if key.starts_with(keys::CONFIGURATIONS) {
        let event = choose(
            EventType::ConfigurationChanged,
            EventType::ConfigurationChanged,
            EventType::ConfigurationRemoved,
        );
        return Some(
            event
                .about(keys::configuration_of(key)?)
                .detail(value()["appName"].as_str()),
        );
    }
    if let Some((application, service)) = keys::service_at(key) {
        let event = choose(
            EventType::ServiceAdded,
            EventType::ServiceChanged,
            EventType::ServiceRemoved,
        );
        let value = value();
        let event = event
            .about(application)
            .resource(service)
            .state(value.get("state"));
        return Some(event.detail(value["serName"].as_str()));
    }
    let rule = keys::dns_rule_at(key)
        .map(|at| (at, "DNS"))
        .or_else(|| keys::traffic_rule_at(key).map(|at| (at, "TRAFFIC")));
    if let Some(((application, rule), kind)) = rule {
        let event = choose(
            EventType::RuleAdded,
            EventType::RuleStateChanged,
            EventType::RuleRemoved,
        );
        let event = event
            .about(application)
            .resource(rule)
            .state(value().get("state"));
        return Some(event.detail(Some(kind)));
    }
    if key.starts_with(keys::LIVES) {
        return life_event(keys::life_of(key)?, entry, revision, lives);
    }
    if key.starts_with(keys::TASKS) {
        let Record { task, .. } = serde_json::from_slice(&entry?.value).ok()?;
        let state = serde_json::to_value(task.state).ok();
        return task.state.is_final().then(|| {
            Happened::new(EventType::TaskFinished, revision)
                .about(task.app_instance_id)
                .resource(task.task_id)
                .state(state.as_ref())
        });
    }
    None
}

/// What a change in the life of an application instance means.
fn life_event(
    app_instance_id: String,
    entry: Option<&Entry>,
    revision: Revision,
    lives: &mut BTreeMap<String, Life>,
) -> Option<Happened> {
    let Some(entry) = entry else {
        lives.remove(&app_instance_id);
        return None;
    };
    let life: Life = serde_json::from_slice(&entry.value).ok()?;
    let before = lives.insert(app_instance_id.clone(), life).unwrap_or_default();
    let event_type = if life.pending.is_some() && before.pending.is_none() {
        EventType::ApplicationEnding
    } else if life.ready && !before.ready {
        EventType::ApplicationReady
    } else {
        return None;
    };
    Some(Happened::new(event_type, revision).about(app_instance_id))
}
