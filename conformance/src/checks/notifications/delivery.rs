//! Receivers that fail, hang or redirect, and subscribers that have left.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::events::QUIET;
use super::scene::{Expected, Scene, Subscription};
use super::{APART, REDIRECT, RETRIED, UNSUBSCRIBED};
use crate::suite::{Behaviour, Context, Failure, Outcome, Stop, Values};

/// One receiver does not answer; another one gets its notifications all the same.
pub(super) async fn hanging(context: &mut Context, scene: Scene) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let criteria = json!({"serNames": [name]});
    let hangs = context.mailbox_apart(Behaviour::Hang).await?;
    let _hangs = scene.subscribe(context, hangs, criteria.clone()).await?;
    let mailbox = context.mailbox()?;
    let mut subscription = scene.subscribe(context, mailbox, criteria).await?;
    let mut service = scene.register(context, &name, |_| {}).await?;
    let steps = [
        ("1.0.0", "ACTIVE", "ADDED"),
        ("1.0.1", "ACTIVE", "ATTRIBUTES_CHANGED"),
        ("1.0.2", "INACTIVE", "ATTRIBUTES_CHANGED"),
    ];
    for (version, state, change) in steps {
        if change != "ADDED" {
            scene
                .replace(context, &mut service, |body| {
                    body["version"] = json!(version);
                    body["state"] = json!(state);
                })
                .await?;
        }
        let what = "a change while another receiver does not answer";
        let step = Expected { what, change, state };
        match scene.expect(context, &mut subscription, &service, step).await {
            Err(Stop::Fail(failure)) => return Err(failure.of(APART.id).stop()),
            outcome => outcome?,
        }
    }
    Ok(())
}

/// A receiver that fails once is tried again.
pub(super) async fn retried(context: &mut Context, scene: Scene) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let mailbox = context
        .mailbox_apart(Behaviour::Fail {
            status: 503,
            times: 1,
        })
        .await?;
    let subscription = scene
        .subscribe(context, mailbox, json!({"serNames": [name]}))
        .await?;
    let _service = scene.register(context, &name, |_| {}).await?;
    if !context
        .until(&subscription.mailbox, |letters| !letters.is_empty())
        .await?
    {
        return Err(super::scene::not_delivered(
            context,
            &subscription.mailbox,
            "a registration",
            &[],
        ));
    }
    let again = context
        .until(&subscription.mailbox, |letters| letters.len() > 1)
        .await?;
    let letters = subscription.mailbox.letters();
    for letter in &letters {
        context.show(letter);
    }
    if !again {
        let actual = format!("nothing more within {:?}", context.patience());
        return Err(Failure::new(
            "a notification that the receiver answered with 503 is not sent again",
            "the same notification again",
            actual,
        )
        .of(RETRIED.id)
        .stop());
    }
    if letters.first().map(|letter| letter.json()) != letters.get(1).map(|letter| letter.json()) {
        return Err(Failure::new(
            "the second attempt at a notification has another body than the first",
            letters[0].text(),
            letters[1].text(),
        )
        .of(RETRIED.id)
        .stop());
    }
    Ok(())
}

/// A receiver that answers with a redirection to another host and port.
pub(super) async fn redirected(context: &mut Context, scene: Scene) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let elsewhere = context.mailbox()?;
    let mailbox = context
        .mailbox_apart(Behaviour::Redirect(elsewhere.url.clone()))
        .await?;
    let subscription = scene
        .subscribe(context, mailbox, json!({"serNames": [name]}))
        .await?;
    let _service = scene.register(context, &name, |_| {}).await?;
    if !context
        .until(&subscription.mailbox, |letters| !letters.is_empty())
        .await?
    {
        return Err(super::scene::not_delivered(
            context,
            &subscription.mailbox,
            "a registration",
            &[],
        ));
    }
    context.pause(QUIET).await?;
    if let Some(letter) = elsewhere.letters().first() {
        context.show(letter);
        return Err(Failure::new(
            "a redirection of a receiver is followed to another port",
            "no request to where the receiver points",
            format!("{} {}", letter.method, letter.url),
        )
        .of(REDIRECT.id)
        .stop());
    }
    Ok(())
}

/// Who has left gets nothing any more, as the one who stays shows.
pub(super) async fn unsubscribed(context: &mut Context, scene: Scene) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let criteria = json!({"serNames": [name]});
    let (leaves, stays) = (context.mailbox()?, context.mailbox()?);
    let mut leaves = scene.subscribe(context, leaves, criteria.clone()).await?;
    let mut stays = scene.subscribe(context, stays, criteria).await?;
    let mut service = scene.register(context, &name, |_| {}).await?;
    let step = |what, change| Expected {
        what,
        change,
        state: "ACTIVE",
    };
    let added = step("a registration", "ADDED");
    scene.expect(context, &mut leaves, &service, added).await?;
    scene.expect(context, &mut stays, &service, added).await?;
    if !scene.unsubscribe(context, &leaves).await? {
        return Err(Stop::NotApplicable(
            "the API has no DELETE for subscriptions".to_owned(),
        ));
    }
    let before = leaves.mailbox.letters().len();
    scene
        .replace(context, &mut service, |body| body["version"] = json!("1.0.1"))
        .await?;
    let changed = step("a change of attributes", "ATTRIBUTES_CHANGED");
    scene.expect(context, &mut stays, &service, changed).await?;
    context.pause(QUIET + Duration::from_millis(300)).await?;
    if let Some(letter) = leaves.mailbox.letters().get(before) {
        context.show(letter);
        return Err(Failure::new(
            "notifications come after the subscription was deleted",
            "nothing",
            letter.text(),
        )
        .of(UNSUBSCRIBED.id)
        .stop());
    }
    Ok(())
}

/// Who leaves takes nobody along: of three subscriptions of one application the one in the middle is deleted, then the
/// last.
pub(super) async fn neighbours(context: &mut Context, scene: Scene) -> Outcome {
    let name = format!("conformance-{}", context.unique());
    let mut all = of_one(context, scene, &json!({"serNames": [name]})).await?;
    let mut service = scene.register(context, &name, |_| {}).await?;
    let added = Expected {
        what: "a registration that three have subscribed to",
        change: "ADDED",
        state: "ACTIVE",
    };
    for subscription in &mut all {
        scene.expect(context, subscription, &service, added).await?;
    }
    for (version, state) in [("1.0.1", "ACTIVE"), ("1.0.2", "INACTIVE")] {
        let gone = all.remove(1);
        if !scene.unsubscribe(context, &gone).await? {
            return Err(Stop::NotApplicable(
                "the API has no DELETE for subscriptions".to_owned(),
            ));
        }
        scene
            .replace(context, &mut service, |body| {
                body["version"] = json!(version);
                body["state"] = json!(state);
            })
            .await?;
        let changed = Expected {
            what: "a change after another subscription of the application was deleted",
            change: "ATTRIBUTES_CHANGED",
            state,
        };
        for subscription in &mut all {
            scene.expect(context, subscription, &service, changed).await?;
        }
    }
    Ok(())
}

/// Three subscriptions of an application that nobody else uses, if there may be one: what others delete does not play a
/// part then.
async fn of_one(context: &mut Context, scene: Scene, criteria: &Value) -> Result<Vec<Subscription>, Stop> {
    let usual = context.values(scene.api, scene.subscribe).await?;
    let mut own = usual.clone();
    if let Some(instance) = instance(context).await? {
        own.insert("appInstanceId".to_owned(), instance);
    }
    let mut all = Vec::new();
    for _ in 0..3 {
        let mailbox = context.mailbox()?;
        let made = scene
            .subscribe_for(context, &own, mailbox, criteria.clone())
            .await;
        match made {
            Ok(subscription) => all.push(subscription),
            // Credentials may be good for one application only.
            Err(Stop::Inconclusive(_) | Stop::Fail(_)) if all.is_empty() && own != usual => {
                own.clone_from(&usual);
                let mailbox = context.mailbox()?;
                let first = scene.subscribe_for(context, &own, mailbox, criteria.clone());
                all.push(first.await?);
            }
            Err(stop) => return Err(stop),
        }
    }
    Ok(all)
}

/// An application instance that is registered for the case, else the second one.
async fn instance(context: &mut Context) -> Result<Option<String>, Stop> {
    let suite = Arc::clone(&context.suite);
    let registration = suite.apis.iter().enumerate().find_map(|(index, state)| {
        let operation = state.api.operation("POST", "/registrations")?;
        Some((index, operation.index))
    });
    if let Some((api, operation)) = registration {
        match context.make(api, operation, &Values::new(), None).await {
            Ok(made) => {
                if let Some(id) = made.values.get("appInstanceId") {
                    return Ok(Some(id.clone()));
                }
            }
            Err(stop @ (Stop::Gone(_) | Stop::Over)) => return Err(stop),
            Err(_) => {}
        }
    }
    Ok(suite.second_instance())
}
