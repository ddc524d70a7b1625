//! Subscriptions to termination notifications (MEC 011 clauses 7.1.3.2, 7.2.3 and 7.2.4).

use mec011_app_support::{
    AppTerminationNotificationSubscription, AppTerminationNotificationSubscriptionLinks,
    AppTerminationNotificationSubscriptionRequest, CreateApplicationSubscription,
    DeleteApplicationSubscription, GetApplicationSubscription, LinkType, ListApplicationSubscriptions,
    SubscriptionLinkList, SubscriptionLinkListLinks, Subscriptions as Listed,
};
use mecforge_runtime::server::{Caller, Problem};
use mecforge_runtime::{EntityTag, Location};
use mecforge_subscriptions::Subscription;

use crate::core::Core;

/// The kind of these subscriptions in the store.
pub const TERMINATION: &str = "app-termination";
/// What the standard calls their type.
const TYPE: &str = "AppTerminationNotificationSubscription";

impl Core {
    pub(crate) async fn subscribe(
        &self,
        request: CreateApplicationSubscription,
        caller: &Caller,
    ) -> Result<(Location, EntityTag, AppTerminationNotificationSubscription), Problem> {
        let app = &request.app_instance_id;
        let presence = self.existing(caller, app)?;
        let wanted = request.app_termination_notification_subscription;
        if wanted.app_instance_id != *app {
            let detail = "/appInstanceId must be the identifier in the path: an application instance is told of its own end";
            return Err(Problem::bad_request(detail)
                .with_pointer("/appInstanceId")
                .with_rule("const"));
        }
        let subscription = self
            .parts
            .subscriptions
            .create(presence, app, &wanted.callback_reference, &wanted, caller)
            .await?;
        let location = Location::new(link(&subscription, caller));
        let tag = subscription.entity_tag();
        Ok((location, tag, shown(&subscription, caller)?))
    }

    pub(crate) fn subscription(
        &self,
        request: &GetApplicationSubscription,
        caller: &Caller,
    ) -> Result<(EntityTag, AppTerminationNotificationSubscription), Problem> {
        self.existing(caller, &request.app_instance_id)?;
        let subscriptions = &self.parts.subscriptions;
        let subscription = subscriptions.get(&request.app_instance_id, &request.subscription_id)?;
        Ok((subscription.entity_tag(), shown(&subscription, caller)?))
    }

    pub(crate) fn list_subscriptions(
        &self,
        app_instance_id: &str,
        caller: &Caller,
    ) -> Result<SubscriptionLinkList, Problem> {
        self.existing(caller, app_instance_id)?;
        let own = caller.url(&ListApplicationSubscriptions::path(app_instance_id));
        let listed = self.parts.subscriptions.list(app_instance_id);
        // `rel` is what V2.1.1 calls the type.
        let listed = listed
            .iter()
            .map(|subscription| Listed::new(link(subscription, caller), TYPE).rel(TYPE))
            .collect();
        let links = SubscriptionLinkListLinks::new(LinkType::new(own)).subscriptions(listed);
        Ok(SubscriptionLinkList::new(links))
    }

    pub(crate) async fn unsubscribe(
        &self,
        request: DeleteApplicationSubscription,
        caller: &Caller,
    ) -> Result<(), Problem> {
        self.existing(caller, &request.app_instance_id)?;
        self.parts
            .subscriptions
            .delete(
                &request.app_instance_id,
                &request.subscription_id,
                &request.preconditions,
            )
            .await
    }
}

fn link(subscription: &Subscription, caller: &Caller) -> String {
    caller.url(&GetApplicationSubscription::path(
        &subscription.app_instance_id,
        &subscription.id,
    ))
}

fn shown(
    subscription: &Subscription,
    caller: &Caller,
) -> Result<AppTerminationNotificationSubscription, Problem> {
    let request: AppTerminationNotificationSubscriptionRequest = subscription
        .request_as()
        .ok_or_else(|| Problem::internal(format!("{} is no termination subscription", subscription.key)))?;
    let links = AppTerminationNotificationSubscriptionLinks::new(LinkType::new(link(subscription, caller)));
    Ok(
        AppTerminationNotificationSubscription::new(request.callback_reference, request.app_instance_id)
            .links(links),
    )
}
