//! Silence where nothing has changed; a real change afterwards shows that it would have been heard.

use serde_json::json;

use super::events::QUIET;
use super::scene::{Event, Expected, Scene, Service, Subscription, events};
use super::{SAME, UNCHANGED};
use crate::checks::time::watched::Lively;
use crate::suite::{Check, Context, Failure, Outcome, Stop};

/// A heartbeat of a service that is ACTIVE already.
pub(super) async fn heartbeat(context: &mut Context, lively: Lively) -> Outcome {
    let scene = lively.scene;
    let (name, mut subscription) = subscribed(context, scene).await?;
    let mut watched = lively.register(context, &name, 60).await?;
    let step = Expected {
        what: "a registration",
        change: "ADDED",
        state: "ACTIVE",
    };
    scene
        .expect(context, &mut subscription, &watched.service, step)
        .await?;
    let before = settled(context, &subscription, &watched.service).await?;
    watched.beat(context).await?;
    watched.beat(context).await?;
    let what = "a heartbeat of a service that is ACTIVE already";
    silent(
        context,
        scene,
        &subscription,
        &mut watched.service,
        (&UNCHANGED, what, before),
    )
    .await
}

/// A replacement by what is there already.
pub(super) async fn same(context: &mut Context, scene: Scene) -> Outcome {
    let (name, mut subscription) = subscribed(context, scene).await?;
    let mut service = scene.register(context, &name, |_| {}).await?;
    let step = |what, change| Expected {
        what,
        change,
        state: "ACTIVE",
    };
    let added = step("a registration", "ADDED");
    scene.expect(context, &mut subscription, &service, added).await?;
    // What was registered may have been completed; what was put is there as it was sent.
    scene
        .replace(context, &mut service, |body| body["version"] = json!("1.0.1"))
        .await?;
    let changed = step("a change of attributes", "ATTRIBUTES_CHANGED");
    scene
        .expect(context, &mut subscription, &service, changed)
        .await?;
    let before = settled(context, &subscription, &service).await?;
    scene.replace(context, &mut service, |_| {}).await?;
    let what = "a replacement by what is there already";
    silent(context, scene, &subscription, &mut service, (&SAME, what, before)).await
}

async fn subscribed(context: &mut Context, scene: Scene) -> Result<(String, Subscription), Stop> {
    let name = format!("conformance-{}", context.unique());
    let mailbox = context.mailbox()?;
    let subscription = scene
        .subscribe(context, mailbox, json!({"serNames": [name]}))
        .await?;
    Ok((name, subscription))
}

/// The events that came so far, when no more come.
async fn settled(
    context: &mut Context,
    subscription: &Subscription,
    service: &Service,
) -> Result<Vec<Event>, Stop> {
    context.pause(QUIET).await?;
    if !subscription.repeated().is_empty() {
        return Err(Stop::Inconclusive(
            "notifications come more than once, which is judged elsewhere".to_owned(),
        ));
    }
    Ok(subscription.events_of(service))
}

/// Waits, changes the service, and judges what came beside the notification of that change.
async fn silent(
    context: &mut Context,
    scene: Scene,
    subscription: &Subscription,
    service: &mut Service,
    (check, what, before): (&Check, &str, Vec<Event>),
) -> Outcome {
    context.pause(QUIET).await?;
    scene
        .replace(context, service, |body| body["state"] = json!("INACTIVE"))
        .await?;
    let is_change = |event: &Event| event.concerns(service) && event.state == "INACTIVE";
    let came = context
        .until(&subscription.mailbox, |letters| {
            letters.iter().any(|letter| events(letter).iter().any(is_change))
        })
        .await?;
    if !came {
        return Err(Stop::Inconclusive(
            "no notification of a real change came afterwards, so that silence says nothing".to_owned(),
        ));
    }
    let all = subscription.events_of(service);
    if all.iter().any(|event| event.state == "SUSPENDED") {
        return Err(Stop::Inconclusive(
            "the service was suspended meanwhile; give it more rest".to_owned(),
        ));
    }
    let Some(event) = all.iter().skip(before.len()).find(|event| !is_change(event)) else {
        return Ok(());
    };
    for letter in subscription.mailbox.letters() {
        context.show(&letter);
    }
    let title = format!("a notification comes of {what}");
    let actual = format!("{} of {}, {}", event.change, event.name, event.state);
    Err(Failure::new(title, "none, as nothing has changed", actual)
        .of(check.id)
        .stop())
}
