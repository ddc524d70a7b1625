//! Subscriptions to the availability of services (MEC 011 clauses 8.2.8 and 8.2.9).

use std::sync::Arc;

use mec011_service_management::{
    GetApplicationSubscription, LinkType, ListApplicationSubscriptions,
    SerAvailabilityNotificationSubscription, SerAvailabilityNotificationSubscriptionLinks,
    SerAvailabilityNotificationSubscriptionRequest, SubscriptionLinkList, SubscriptionLinkListLinks,
    Subscriptions,
};
use mecforge_contracts::Presence;
use mecforge_runtime::server::{Caller, Problem};
use mecforge_subscriptions::Subscription;

use crate::registry::Registry;

/// What the standard calls a subscription of this kind.
const TYPE: &str = "SerAvailabilityNotificationSubscription";

impl Registry {
    /// Subscribes; returns the subscription, and as answers show it.
    pub(crate) async fn subscribe(
        &self,
        presence: Presence,
        app_instance_id: &str,
        request: &SerAvailabilityNotificationSubscriptionRequest,
        caller: &Caller,
    ) -> Result<(Arc<Subscription>, SerAvailabilityNotificationSubscription), Problem> {
        let callback = &request.callback_reference;
        let made = self
            .subscriptions()
            .create(presence, app_instance_id, callback, request, caller)
            .await?;
        let body = shown(&made, caller)?;
        Ok((made, body))
    }

    /// A subscription, and as answers show it.
    pub(crate) fn subscription(
        &self,
        app_instance_id: &str,
        subscription_id: &str,
        caller: &Caller,
    ) -> Result<(Arc<Subscription>, SerAvailabilityNotificationSubscription), Problem> {
        let found = self.subscriptions().get(app_instance_id, subscription_id)?;
        let body = shown(&found, caller)?;
        Ok((found, body))
    }

    /// The subscriptions of an application instance, as links.
    pub(crate) fn subscription_links(&self, app_instance_id: &str, caller: &Caller) -> SubscriptionLinkList {
        let own = caller.url(&ListApplicationSubscriptions::path(app_instance_id));
        let listed = self.subscriptions().list(app_instance_id);
        // V2.1.1 calls the type `rel`.
        let link =
            |subscription: &Arc<Subscription>| Subscriptions::new(href(subscription, caller), TYPE).rel(TYPE);
        let links = SubscriptionLinkListLinks::new(LinkType::new(own))
            .subscriptions(listed.iter().map(link).collect());
        SubscriptionLinkList::new(links)
    }
}

/// The absolute URL of a subscription.
fn href(subscription: &Subscription, caller: &Caller) -> String {
    let path = GetApplicationSubscription::path(&subscription.app_instance_id, &subscription.id);
    caller.url(&path)
}

fn shown(
    subscription: &Subscription,
    caller: &Caller,
) -> Result<SerAvailabilityNotificationSubscription, Problem> {
    let request: SerAvailabilityNotificationSubscriptionRequest = subscription
        .request_as()
        .ok_or_else(|| Problem::internal("a subscription cannot be read as it was written"))?;
    let links = SerAvailabilityNotificationSubscriptionLinks::new(LinkType::new(href(subscription, caller)));
    let mut shown = SerAvailabilityNotificationSubscription::new(request.callback_reference).links(links);
    shown.filtering_criteria = request.filtering_criteria;
    Ok(shown)
}
