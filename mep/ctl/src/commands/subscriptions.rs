//! `mepctl subscriptions`.

use mec011_app_support::AppTerminationNotificationSubscriptionRequest;
use mec011_service_management::{FilteringCriteria, SerAvailabilityNotificationSubscriptionRequest};
use mecforge_runtime::Location;
use serde::Serialize;
use serde_json::json;

use crate::arguments::{NewSubscription, SubscriptionKind, Subscriptions};
use crate::failure::Failure;
use crate::platform::Platform;
use crate::show::{Output, or_dash};

/// A subscription in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    subscription_id: Option<String>,
    subscription_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_reference: Option<String>,
    href: String,
}

pub(crate) async fn run(
    command: Subscriptions,
    platform: &Platform,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    match command {
        Subscriptions::List { app, kind } => {
            let listed = list(platform, &app, kind).await?;
            output.list(&listed, ["ID", "TYPE", "CALLBACK"], |subscription| {
                [
                    or_dash(subscription.subscription_id.as_ref()),
                    subscription.subscription_type.clone(),
                    or_dash(subscription.callback_reference.as_ref()),
                ]
            })
        }
        Subscriptions::Create(new) => create(platform, new, output).await,
        Subscriptions::Delete {
            app,
            subscription,
            kind,
        } => {
            delete(platform, &app, &subscription, kind).await?;
            let sentence = format!("subscription {subscription} has ended");
            output.done(&sentence, &json!({ "subscriptionId": subscription }))
        }
    }
}

async fn list(
    platform: &Platform,
    app: &str,
    kind: Option<SubscriptionKind>,
) -> Result<Vec<Listed>, Failure> {
    let mut listed = Vec::new();
    if kind != Some(SubscriptionKind::Termination) {
        let list = platform.services.list_application_subscriptions(app).await?.body;
        for link in list.links.subscriptions.unwrap_or_default() {
            let id = Location::new(&link.href).last_segment();
            let found = match &id {
                Some(id) => platform.services.get_application_subscription(app, id).await.ok(),
                None => None,
            };
            listed.push(Listed {
                subscription_id: id,
                subscription_type: link.subscription_type,
                callback_reference: found.map(|found| found.body.callback_reference),
                href: link.href,
            });
        }
    }
    if kind != Some(SubscriptionKind::Availability) {
        let list = platform.support.list_application_subscriptions(app).await?.body;
        for link in list.links.subscriptions.unwrap_or_default() {
            let id = Location::new(&link.href).last_segment();
            let found = match &id {
                Some(id) => platform.support.get_application_subscription(app, id).await.ok(),
                None => None,
            };
            listed.push(Listed {
                subscription_id: id,
                subscription_type: link.subscription_type,
                callback_reference: found.map(|found| found.body.callback_reference),
                href: link.href,
            });
        }
    }
    Ok(listed)
}

async fn create(platform: &Platform, new: NewSubscription, output: &mut Output<'_>) -> Result<(), Failure> {
    let some = |texts: Vec<String>| (!texts.is_empty()).then_some(texts);
    let criteria = FilteringCriteria {
        ser_instance_ids: some(new.id),
        ser_names: some(new.name),
        ser_categories: None,
        states: (!new.state.is_empty()).then_some(new.state),
        is_local: new.local,
    };
    let filters = criteria != FilteringCriteria::default();
    let told = |location: &Location| format!("subscribed as {}", or_dash(location.last_segment()));
    match new.kind {
        SubscriptionKind::Availability => {
            let mut request = SerAvailabilityNotificationSubscriptionRequest::new(new.callback);
            request.filtering_criteria = filters.then_some(criteria);
            let created = platform
                .services
                .create_application_subscription(&new.app, &request)
                .await?;
            output.done(&told(&created.location), &created.body)
        }
        SubscriptionKind::Termination if filters => Err(Failure::Usage(
            "--name, --id, --state and --local select services, and a subscription to the end has none"
                .to_owned(),
        )),
        SubscriptionKind::Termination => {
            let request = AppTerminationNotificationSubscriptionRequest::new(new.callback, &new.app);
            let created = platform
                .support
                .create_application_subscription(&new.app, &request)
                .await?;
            output.done(&told(&created.location), &created.body)
        }
    }
}

async fn delete(
    platform: &Platform,
    app: &str,
    subscription: &str,
    kind: Option<SubscriptionKind>,
) -> Result<(), Failure> {
    if kind != Some(SubscriptionKind::Termination) {
        let request = platform
            .services
            .delete_application_subscription(app, subscription);
        match request.await.map_err(Failure::from) {
            Err(failure) if failure.is_unknown() && kind.is_none() => {}
            outcome => return outcome.map(drop),
        }
    }
    platform
        .support
        .delete_application_subscription(app, subscription)
        .await?;
    Ok(())
}
