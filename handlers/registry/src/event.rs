//! What has happened to a service, in the standard's words.

use mec011_service_management::{
    GetService, LinkType, ServiceReferences, ServiceReferencesChangeType, ServiceState,
};
use mecforge_subscriptions::Subscription;

use crate::service::Content;

/// A service that comes, changes or goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event<'a> {
    /// `serInstanceId`.
    pub(crate) id: &'a str,
    /// What it was; `None` if it comes.
    pub(crate) before: Option<&'a Content>,
    /// What it is; `None` if it goes.
    pub(crate) after: Option<&'a Content>,
}

impl<'a> Event<'a> {
    /// What the standard calls it (MEC 011 clause 8.1.4.2); `None` if nothing has changed.
    pub(crate) fn change(&self) -> Option<ServiceReferencesChangeType> {
        match (self.before, self.after) {
            (None, None) => None,
            (None, Some(_)) => Some(ServiceReferencesChangeType::Added),
            (Some(_), None) => Some(ServiceReferencesChangeType::Removed),
            (Some(before), Some(after)) if before == after => None,
            (Some(before), Some(after)) if before.in_state(after.info.state) == *after => {
                Some(ServiceReferencesChangeType::StateChanged)
            }
            // This kind says nothing of the state, so that one reference tells of both.
            (Some(_), Some(_)) => Some(ServiceReferencesChangeType::AttributesChanged),
        }
    }

    /// What the service was and is, each once: a subscription that either matches is told.
    pub(crate) fn faces(&self) -> impl Iterator<Item = &'a Content> {
        self.before.into_iter().chain(self.after)
    }

    /// The state after the change, or the last one, which filters by state judge.
    pub(crate) fn state(&self) -> Option<ServiceState> {
        self.after.or(self.before).map(|content| content.info.state)
    }

    /// The event as a subscription is told of it; `None` if nothing has changed.
    pub(crate) fn reference(&self, subscription: &Subscription) -> Option<ServiceReferences> {
        let content = self.after.or(self.before)?;
        let change = self.change()?;
        let reference = ServiceReferences::new(&content.info.ser_name, self.id, content.info.state, change);
        Some(match change {
            ServiceReferencesChangeType::Removed => reference,
            _ => reference.link(LinkType::new(subscription.url(&GetService::path(self.id)))),
        })
    }
}
