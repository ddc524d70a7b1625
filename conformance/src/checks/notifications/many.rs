//! Many changes in a row: each is told, once.

use serde_json::{Value, json};

use super::events::QUIET;
use super::scene::{Scene, Service, Subscription, events, not_delivered};
use super::{DELIVERED, ONCE};
use crate::suite::{Context, Failure, Letter, Outcome, Stop};

/// How many services change. No two changes of one kind are of one service, so that a platform which tells several
/// changes of a service as one has nothing to tell as one.
const SERVICES: usize = 20;

/// The most letters that are shown.
const SHOWN: usize = 10;

/// One kind of change, made of all services before the next kind begins.
struct Round {
    /// Which one it is, from 1.
    number: usize,
    /// `changeType`.
    change: &'static str,
    /// Of what, as it stands in titles.
    what: &'static str,
}

/// Services are registered, changed twice and removed, all of them before the next change.
pub(super) async fn many(context: &mut Context, scene: Scene) -> Outcome {
    let names: Vec<_> = (0..SERVICES)
        .map(|_| format!("conformance-{}", context.unique()))
        .collect();
    let mailbox = context.mailbox()?;
    let subscription = scene
        .subscribe(context, mailbox, json!({"serNames": names}))
        .await?;
    let mut services: Vec<Service> = Vec::new();
    for name in &names {
        match scene.register(context, name, |_| {}).await {
            Err(Stop::Fail(failure)) if !services.is_empty() => {
                return Err(Stop::Inconclusive(format!(
                    "the platform takes no more than {} services of this case: {}",
                    services.len(),
                    failure.actual
                )));
            }
            service => services.push(service?),
        }
    }
    let round = |number, change, what| Round { number, change, what };
    let first = round(1, "ADDED", "registrations");
    complete(context, scene, &subscription, &services, first).await?;
    let state = |body: &mut Value| body["state"] = json!("INACTIVE");
    for service in &mut services {
        scene.replace(context, service, state).await?;
    }
    let second = round(2, "STATE_CHANGED", "changes of the state");
    complete(context, scene, &subscription, &services, second).await?;
    let version = |body: &mut Value| body["version"] = json!("1.0.1");
    for service in &mut services {
        scene.replace(context, service, version).await?;
    }
    let third = round(3, "ATTRIBUTES_CHANGED", "changes of attributes");
    complete(context, scene, &subscription, &services, third).await?;
    for service in &mut services {
        scene.remove(context, service).await?;
    }
    let last = round(4, "REMOVED", "removals");
    complete(context, scene, &subscription, &services, last).await?;
    context.pause(QUIET).await?;
    once(context, scene, &subscription);
    Ok(())
}

/// Waits until a change of each service has been told.
async fn complete(
    context: &mut Context,
    scene: Scene,
    subscription: &Subscription,
    services: &[Service],
    round: Round,
) -> Outcome {
    context.judge(DELIVERED.id, scene.api, Some(scene.subscribe));
    let found = context
        .until(&subscription.mailbox, |letters| {
            untold(letters.iter().map(AsRef::as_ref), services, &round).is_empty()
        })
        .await?;
    if found {
        return Ok(());
    }
    let letters = subscription.mailbox.letters();
    let missing = untold(letters.iter().map(AsRef::as_ref), services, &round);
    if letters.is_empty() || subscription.mailbox.has_refused() {
        return Err(not_delivered(
            context,
            &subscription.mailbox,
            "a registration",
            &letters,
        ));
    }
    for letter in letters.iter().rev().take(SHOWN).rev() {
        context.show(letter);
    }
    let numbers: Vec<_> = missing.iter().map(|at| (at + 1).to_string()).collect();
    let came: usize = letters.iter().map(|letter| events(letter).len()).sum();
    let expected = format!(
        "a notification of each of {SERVICES} {}, at {}",
        round.what, subscription.mailbox.url
    );
    let actual = format!(
        "nothing of the {} of service {} within {:?}; {came} changes were told before and since, in {} notifications",
        round.what,
        numbers.join(", "),
        context.patience(),
        letters.len(),
    );
    let title = "of many changes in a row some are not notified";
    Err(Failure::new(title, expected, actual).of(DELIVERED.id).stop())
}

/// The services of which a change has not been told. Telling it as one of another kind is for others to judge.
fn untold<'a>(letters: impl Iterator<Item = &'a Letter>, services: &[Service], round: &Round) -> Vec<usize> {
    let all: Vec<_> = letters.flat_map(events).collect();
    let is_told = |service: &Service| {
        let own: Vec<_> = all.iter().filter(|event| event.concerns(service)).collect();
        own.len() >= round.number || own.iter().any(|event| event.change == round.change)
    };
    let untold = services
        .iter()
        .enumerate()
        .filter(|(_, service)| !is_told(service));
    untold.map(|(at, _)| at).collect()
}

/// No notification came again.
fn once(context: &mut Context, scene: Scene, subscription: &Subscription) {
    context.judge(ONCE.id, scene.api, Some(scene.subscribe));
    let repeated = subscription.repeated();
    let Some(event) = repeated.first() else { return };
    for letter in subscription.mailbox.letters() {
        if events(&letter).contains(event) {
            context.show(&letter);
        }
    }
    let title = "a notification that was acknowledged with 204 comes again";
    let actual = format!(
        "{} of {} changes more than once, the first one: {} of {}",
        repeated.len(),
        4 * SERVICES,
        event.change,
        event.name
    );
    context.report(Failure::new(title, "each notification once", actual).of(ONCE.id));
}
