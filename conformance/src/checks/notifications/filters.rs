//! Criteria of subscriptions: what matches comes, what does not match does not.

use serde_json::{Value, json};

use super::FILTER;
use super::events::QUIET;
use super::scene::{Expected, Scene, Service};
use crate::suite::{Context, Failure, Outcome, Role, Stop};

/// The criteria (MEC 011, 8.1.3.2).
pub(super) const CRITERIA: [&str; 5] = ["serNames", "serInstanceIds", "serCategories", "states", "isLocal"];

/// A service that matches and one that does not both change; the one that does not changes first.
pub(super) async fn criterion(context: &mut Context, scene: Scene, criterion: &'static str) -> Outcome {
    let (right, wrong) = (
        format!("conformance-{}", context.unique()),
        format!("conformance-{}", context.unique()),
    );
    let shared = format!("conformance-{}", context.unique());
    // The name is that of all, and is no identifier of any.
    let category = |id: &str| {
        let href = format!("http://192.0.2.1/categories/{id}");
        json!({"href": href, "id": id, "name": shared, "version": "1"})
    };
    let mut matching = scene
        .register(context, &right, |body| {
            body["serCategory"] = category(&right);
            body["isLocal"] = json!(true);
        })
        .await?;
    let mut other = scene
        .register(context, &wrong, |body| {
            body["serCategory"] = category(&wrong);
            body["isLocal"] = json!(false);
        })
        .await?;
    if criterion == "isLocal" {
        needs_remote(context, scene, &other).await?;
    }
    // Of several values the first one is that of somebody who does not change.
    let idle = format!("conformance-{}", context.unique());
    let idler = match criterion {
        "serInstanceIds" => scene.register(context, &idle, |_| {}).await?.id,
        _ => String::new(),
    };
    // Names narrow what the others would let pass of services that are not ours.
    let criteria = match criterion {
        "serNames" => json!({"serNames": [idle, right]}),
        "serInstanceIds" => json!({"serInstanceIds": [idler, matching.id]}),
        "serCategories" => json!({"serCategories": [category(&idle), category(&right)]}),
        "states" => json!({"serNames": [right, wrong], "states": ["INACTIVE"]}),
        _ => json!({"serNames": [right, wrong], "isLocal": true}),
    };
    let mailbox = context.mailbox()?;
    let mut subscription = scene.subscribe(context, mailbox, criteria.clone()).await?;
    let newer = |body: &mut Value| body["version"] = json!("1.0.1");
    scene.replace(context, &mut other, newer).await?;
    let state = if criterion == "states" {
        "INACTIVE"
    } else {
        "ACTIVE"
    };
    scene
        .replace(context, &mut matching, |body| match criterion {
            "states" => body["state"] = json!(state),
            _ => newer(body),
        })
        .await?;
    let what = format!("a change that matches the criterion {criterion}");
    let change = if criterion == "states" {
        "STATE_CHANGED"
    } else {
        "ATTRIBUTES_CHANGED"
    };
    let step = Expected {
        what: &what,
        change,
        state,
    };
    scene.expect(context, &mut subscription, &matching, step).await?;
    context.pause(QUIET).await?;
    context.judge(FILTER.id, scene.api, Some(scene.subscribe));
    if let Some(event) = subscription.events_of(&other).first() {
        let title =
            format!("a notification comes of a service that does not match the criterion {criterion}");
        let actual = format!("{} of {}, {}", event.change, event.name, event.state);
        let expected = format!("nothing of {}, with filteringCriteria {criteria}", other.name);
        return Err(Failure::new(title, expected, actual).of(FILTER.id).stop());
    }
    Ok(())
}

/// Whether a service is local is relative to who reads it, so a platform may tell every service as local.
async fn needs_remote(context: &mut Context, scene: Scene, service: &Service) -> Outcome {
    let call = context.call(scene.api, scene.read, &service.made.values);
    let exchange = context.send(call.role(Role::Control)).await?;
    let local = exchange
        .json()
        .map_or(Value::Null, |body| body["isLocal"].clone());
    match local {
        Value::Bool(false) => Ok(()),
        _ => Err(Stop::NotApplicable(
            "the platform tells every service as local, whatever its application says".to_owned(),
        )),
    }
}
