//! What comes, in which order, how often, and to whom.

use std::time::Duration;

use serde_json::{Value, json};

use super::scene::{Event, Expected, Scene, events};
use super::{ONCE, ORDER, letters};
use crate::suite::{Context, Failure, Outcome, Stop};

/// How long it takes to be fairly sure that nothing comes any more.
pub(super) const QUIET: Duration = Duration::from_millis(700);

/// The life of a service, each change after the notification of the one before.
pub(super) async fn life(context: &mut Context, scene: Scene) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let mailbox = context.mailbox()?;
    let mut subscription = scene
        .subscribe(context, mailbox, json!({"serNames": [name]}))
        .await?;
    let subscription = &mut subscription;
    let mut service = scene.register(context, &name, |_| {}).await?;
    let expected = |what, change, state| Expected { what, change, state };
    let step = expected("a registration", "ADDED", "ACTIVE");
    scene.expect(context, subscription, &service, step).await?;
    scene
        .replace(context, &mut service, |body| body["state"] = json!("INACTIVE"))
        .await?;
    let step = expected("a change of the state alone", "STATE_CHANGED", "INACTIVE");
    scene.expect(context, subscription, &service, step).await?;
    scene
        .replace(context, &mut service, |body| body["version"] = json!("1.0.1"))
        .await?;
    let step = expected("a change of attributes", "ATTRIBUTES_CHANGED", "INACTIVE");
    scene.expect(context, subscription, &service, step).await?;
    scene
        .replace(context, &mut service, |body| {
            body["version"] = json!("1.0.2");
            body["state"] = json!("ACTIVE");
        })
        .await?;
    let step = expected(
        "a change of attributes and the state",
        "ATTRIBUTES_CHANGED",
        "ACTIVE",
    );
    scene.expect(context, subscription, &service, step).await?;
    scene.remove(context, &mut service).await?;
    let step = expected("a removal", "REMOVED", "");
    scene.expect(context, subscription, &service, step).await?;
    context.pause(QUIET).await?;
    context.judge(ONCE.id, scene.api, Some(scene.subscribe));
    if let Some(event) = subscription.repeated().first() {
        let title = "a notification that was acknowledged with 204 comes again";
        let actual = format!("{} of one service more than once", event.change);
        context.report(Failure::new(title, "each notification once", actual).of(ONCE.id));
    }
    Ok(())
}

/// Who subscribes without criteria is told of every service.
pub(super) async fn unfiltered(context: &mut Context, scene: Scene) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let mailbox = context.mailbox()?;
    let mut subscription = scene.subscribe(context, mailbox, Value::Null).await?;
    let mut service = scene.register(context, &name, |_| {}).await?;
    let step = Expected {
        what: "a registration, without criteria",
        change: "ADDED",
        state: "ACTIVE",
    };
    scene.expect(context, &mut subscription, &service, step).await?;
    scene.remove(context, &mut service).await?;
    let step = Expected {
        what: "a removal, without criteria",
        change: "REMOVED",
        state: "",
    };
    scene.expect(context, &mut subscription, &service, step).await
}

/// A service that is registered as INACTIVE is added all the same.
pub(super) async fn inactive(context: &mut Context, scene: Scene) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let mailbox = context.mailbox()?;
    let mut subscription = scene
        .subscribe(context, mailbox, json!({"serNames": [name]}))
        .await?;
    let service = scene
        .register(context, &name, |body| body["state"] = json!("INACTIVE"))
        .await?;
    // What the platform makes of the state is not judged here.
    let state = service.made.answered["state"].as_str().unwrap_or("INACTIVE");
    let step = Expected {
        what: "the registration of a service that is INACTIVE",
        change: "ADDED",
        state,
    };
    scene.expect(context, &mut subscription, &service, step).await
}

/// Two subscribers want the same and both get it.
pub(super) async fn subscribers(context: &mut Context, scene: Scene) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let criteria = json!({"serNames": [name]});
    let (one, other) = (context.mailbox()?, context.mailbox()?);
    let values = context.values(scene.api, scene.subscribe).await?;
    let mut second = values.clone();
    let instances = context.suite.instances.get();
    if let Some(instance) = instances.and_then(|list| list.get(1)) {
        second.insert("appInstanceId".to_owned(), instance.clone());
    }
    let mut one = scene
        .subscribe_for(context, &values, one, criteria.clone())
        .await?;
    let mut other = match scene
        .subscribe_for(context, &second, other, criteria.clone())
        .await
    {
        // Credentials may be good for one application only.
        Err(Stop::Inconclusive(_)) => {
            let mailbox = context.mailbox()?;
            scene.subscribe_for(context, &values, mailbox, criteria).await?
        }
        other => other?,
    };
    let service = scene.register(context, &name, |_| {}).await?;
    let step = Expected {
        what: "a registration that two have subscribed to",
        change: "ADDED",
        state: "ACTIVE",
    };
    scene.expect(context, &mut one, &service, step).await?;
    scene.expect(context, &mut other, &service, step).await
}

/// Changes that follow each other quickly are told in their order.
pub(super) async fn order(context: &mut Context, scene: Scene) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let mailbox = context.mailbox()?;
    let subscription = scene
        .subscribe(context, mailbox, json!({"serNames": [name]}))
        .await?;
    let mut service = scene.register(context, &name, |_| {}).await?;
    let mut happened = vec![("ADDED", "ACTIVE")];
    for state in ["INACTIVE", "ACTIVE", "INACTIVE"] {
        scene
            .replace(context, &mut service, |body| body["state"] = json!(state))
            .await?;
        happened.push(("STATE_CHANGED", state));
    }
    scene.remove(context, &mut service).await?;
    happened.push(("REMOVED", ""));
    let complete = |count: usize| count >= happened.len();
    context
        .until(&subscription.mailbox, |letters| {
            let told = letters.iter().flat_map(|letter| events(letter));
            complete(told.filter(|event| event.concerns(&service)).count())
        })
        .await?;
    let told = subscription.events_of(&service);
    for letter in subscription.mailbox.letters() {
        context.show(&letter);
    }
    // What is missing, comes twice or tells something wrong is for other checks to say.
    let mut first: Vec<&Event> = Vec::new();
    for event in &told {
        let known = happened.iter().any(|step| is_step(event, step));
        let again = first.last().is_some_and(|last| *last == event);
        let single = event.change != "STATE_CHANGED";
        if known && !again && !(single && first.iter().any(|other| other.change == event.change)) {
            first.push(event);
        }
    }
    if !is_part_of(&first, &happened) {
        let show = |list: Vec<String>| list.join(", ");
        return Err(Failure::new(
            "notifications of one service come in another order than its changes",
            show(
                happened
                    .iter()
                    .map(|(change, state)| format!("{change} {state}"))
                    .collect(),
            ),
            show(
                told.iter()
                    .map(|event| format!("{} {}", event.change, event.state))
                    .collect(),
            ),
        )
        .of(ORDER.id)
        .stop());
    }
    match told.is_empty() {
        true => Err(Stop::Inconclusive(
            "no notification came, so there is no order to judge".to_owned(),
        )),
        false => Ok(()),
    }
}

/// Whether what was told is what happened, in its order, with or without gaps.
fn is_part_of(told: &[&Event], happened: &[(&str, &str)]) -> bool {
    let mut rest = happened.iter();
    told.iter().all(|event| rest.any(|step| is_step(event, step)))
}

fn is_step(event: &Event, (change, state): &(&str, &str)) -> bool {
    event.change == *change && (state.is_empty() || event.state == *state)
}

/// Path and query of the callback are those that were subscribed.
pub(super) async fn address(context: &mut Context, scene: Scene) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let mut mailbox = context.mailbox()?;
    mailbox.url.push_str("/deep/est?subscriber=one&kind=services");
    let address = mailbox.url.clone();
    let mut subscription = scene
        .subscribe(context, mailbox, json!({"serNames": [name]}))
        .await?;
    let service = scene.register(context, &name, |_| {}).await?;
    let step = Expected {
        what: "a registration, at a callback address with a query",
        change: "ADDED",
        state: "ACTIVE",
    };
    scene.expect(context, &mut subscription, &service, step).await?;
    match subscription.mailbox.letters().first() {
        Some(letter) => letters::went_to(letter, &address),
        None => Ok(()),
    }
}
