//! A subscription as it is kept.

use std::sync::Arc;

use mecforge_contracts::outbox::{Outgoing, Target};
use mecforge_contracts::{keys, outcome};
use mecforge_runtime::callbacks::Notification;
use mecforge_runtime::server::Problem;
use mecforge_runtime::{Decode, EntityTag};
use mecforge_store::{Entry, Revision, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A subscription of an application instance.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// What is subscribed to: a word of ours, such as `service-availability`.
    pub kind: Arc<str>,
    /// The application instance that has subscribed.
    pub app_instance_id: Arc<str>,
    /// Its identifier, given by the platform.
    pub id: Arc<str>,
    /// Its key in the store.
    pub key: Arc<str>,
    /// Scheme, authority and mount of the API as the subscriber saw them, without a final `/`: links in its
    /// notifications begin with this.
    pub base_url: Arc<str>,
    /// Where its notifications go.
    pub target: Target,
    /// When it ends by itself, in milliseconds since 1970-01-01 UTC; `None` if it does not.
    pub expires: Option<u64>,
    /// What was subscribed to: the body of the request as JSON.
    pub request: Arc<RawValue>,
    /// The revision that created it.
    pub created: Revision,
    /// The revision that last changed it.
    pub modified: Revision,
}

impl Subscription {
    /// Its entity tag.
    #[must_use]
    pub fn entity_tag(&self) -> EntityTag {
        outcome::entity_tag(self.modified)
    }

    /// The body of the request as a type; `None` if it is no such value, as may be after an upgrade.
    #[must_use]
    pub fn request_as<T: Decode>(&self) -> Option<T> {
        mecforge_runtime::from_slice(self.request.get().as_bytes()).ok()
    }

    /// The absolute URL of a path of its API, for links in notifications.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// A notification for it that happens now.
    ///
    /// # Errors
    /// As [`Outgoing::new`].
    pub fn outgoing<N: Notification>(&self, notification: &N) -> Result<Outgoing, Problem> {
        Outgoing::new(self.key.clone(), self.target.clone(), notification)
    }

    /// The subscription in an entry of the store; `None` if the entry is none.
    pub(crate) fn read(key: &Arc<str>, entry: &Entry) -> Option<Self> {
        let (kind, app_instance_id, id) = keys::subscription_at(key)?;
        let stored: Stored = serde_json::from_slice(&entry.value).ok()?;
        Some(Self {
            kind: kind.into(),
            app_instance_id: app_instance_id.into(),
            id: id.into(),
            key: key.clone(),
            base_url: stored.base_url,
            target: stored.target,
            expires: stored.expires,
            request: stored.request.into(),
            created: entry.created,
            modified: entry.modified,
        })
    }
}

/// The value of an entry of the store.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stored {
    pub(crate) base_url: Arc<str>,
    pub(crate) target: Target,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) expires: Option<u64>,
    pub(crate) request: Box<RawValue>,
}

/// Removes a subscription, if it still is as it was found, and all its notifications.
pub(crate) fn remove(transaction: Transaction, key: &Arc<str>) -> Transaction {
    transaction
        .delete(key.clone())
        .delete_prefix(keys::outgoing_of(key))
        .delete_prefix(keys::dead_letters_of(key))
}
