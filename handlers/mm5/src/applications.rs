//! Application instances as a manager sees them.

use std::collections::BTreeSet;

use mecforge_contracts::lifecycle::{EndAction, Life};
use mecforge_contracts::{Presence, access, keys};
use mecforge_runtime::server::Problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::manager::Mm5;

/// How an application instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ApplicationState {
    /// It exists and has not confirmed that it is up and running.
    NotReady,
    /// It has confirmed that it is up and running.
    Ready,
    /// It has been told that it is to stop.
    Stopping,
    /// It has been told that it is to terminate.
    Terminating,
}

impl ApplicationState {
    /// The texts on the wire.
    pub(crate) const VALUES: &'static [&'static str] = &["NOT_READY", "READY", "STOPPING", "TERMINATING"];

    fn of(life: Life) -> Self {
        match life.pending.map(|pending| pending.action) {
            Some(EndAction::Stopping) => Self::Stopping,
            Some(EndAction::Terminating) => Self::Terminating,
            None if life.ready => Self::Ready,
            None => Self::NotReady,
        }
    }
}

/// An application instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationInstance {
    /// Its identifier.
    pub app_instance_id: String,
    /// Its name: as configured, else as registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_name: Option<String>,
    /// Whether a manager has configured it.
    pub configured: bool,
    /// Whether it has registered.
    pub registered: bool,
    /// How it is.
    pub state: ApplicationState,
    /// Whether it has confirmed that it is up and running.
    pub ready: bool,
    /// When a pending end comes without an answer, in milliseconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<u64>,
    /// How many services it offers.
    pub services: usize,
    /// How many DNS rules it has.
    pub dns_rules: usize,
    /// How many traffic rules it has.
    pub traffic_rules: usize,
    /// The task that runs for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running_task: Option<String>,
}

/// Which application instances are asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApplicationFilter {
    pub(crate) app_name: Option<String>,
    pub(crate) configured: Option<bool>,
    pub(crate) registered: Option<bool>,
    pub(crate) state: Option<ApplicationState>,
}

impl ApplicationFilter {
    fn passes(&self, instance: &ApplicationInstance) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, is: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == is)
        }
        is(self.configured.as_ref(), &instance.configured)
            && is(self.registered.as_ref(), &instance.registered)
            && is(self.state.as_ref(), &instance.state)
            && (self.app_name.is_none() || self.app_name == instance.app_name)
    }
}

impl Mm5 {
    /// At most `limit` application instances that are configured or registered, in the order of their keys, behind
    /// `after` if given; and whether there are more.
    pub(crate) fn instances(
        &self,
        filter: &ApplicationFilter,
        after: Option<&str>,
        limit: usize,
    ) -> (Vec<ApplicationInstance>, bool) {
        let mut found = Vec::new();
        // The part of a key that names the instance, which is the same at both places.
        let mut position = after.map(|after| part(&keys::application(after), keys::APPLICATIONS));
        loop {
            let chunk = self.identifiers(position.as_deref(), limit + 1);
            let is_last = chunk.len() <= limit;
            for encoded in chunk {
                let instance = keys::decode(&encoded).map(|id| self.instance(&id));
                position = Some(encoded);
                let Some(instance) = instance.filter(|instance| filter.passes(instance)) else {
                    continue;
                };
                if found.len() == limit {
                    return (found, true);
                }
                found.push(instance);
            }
            if is_last {
                return (found, false);
            }
        }
    }

    /// At most `limit` encoded identifiers behind a position, from both places.
    fn identifiers(&self, after: Option<&str>, limit: usize) -> Vec<String> {
        let mut found = BTreeSet::new();
        for place in [keys::CONFIGURATIONS, keys::APPLICATIONS] {
            let after = after.map(|after| format!("{place}{after}"));
            let range = self.store.range(place, after.as_deref(), limit);
            found.extend(range.entries.iter().map(|(key, _)| part(key, place)));
        }
        found.into_iter().take(limit).collect()
    }

    /// One application instance, also one that only the platform's configuration declares.
    ///
    /// # Errors
    /// `404` for one that does not exist.
    pub(crate) fn existing_instance(&self, app_instance_id: &str) -> Result<ApplicationInstance, Problem> {
        let instance = self.instance(app_instance_id);
        let exists = instance.configured
            || instance.registered
            || self.applications.presence(app_instance_id) != Presence::Absent;
        exists
            .then_some(instance)
            .ok_or_else(|| access::unknown(app_instance_id))
    }

    fn instance(&self, app_instance_id: &str) -> ApplicationInstance {
        let name_at = |key: String| {
            let entry = self.store.get(&key)?;
            let value: Value = serde_json::from_slice(&entry.value).unwrap_or_default();
            Some(value["appName"].as_str().map(str::to_owned))
        };
        let configured = name_at(keys::configuration(app_instance_id));
        let registered = name_at(keys::application(app_instance_id));
        let life = self.lifecycle.life(app_instance_id);
        let count = |prefix: String| self.store.range(&prefix, None, usize::MAX).entries.len();
        let running = self.store.get(&crate::keys::running(app_instance_id));
        ApplicationInstance {
            configured: configured.is_some(),
            registered: registered.is_some(),
            app_name: configured.flatten().or(registered.flatten()),
            state: ApplicationState::of(life),
            ready: life.ready,
            deadline: life.pending.map(|pending| pending.deadline),
            services: count(keys::services_of(app_instance_id)),
            dns_rules: self.dns.list(app_instance_id).len(),
            traffic_rules: self.traffic.list(app_instance_id).len(),
            running_task: running.map(|entry| String::from_utf8_lossy(&entry.value).into_owned()),
            app_instance_id: app_instance_id.to_owned(),
        }
    }
}

/// The part of a key behind its place.
fn part(key: &str, place: &str) -> String {
    key.strip_prefix(place).unwrap_or_default().to_owned()
}
