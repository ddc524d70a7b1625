//! Purposes that make, replace, change, delete, and tell the platform something.

use mecforge_api::Template;
use serde_json::{Value, json};

use super::super::state::comparison::lost;
use super::announce;
use super::reads::{differ, is_that, liveness};
use super::scene::{Scene, Thing};
use crate::suite::{Call, Exchange, Intent, Outcome, Role, Stop, reading};

/// The statuses of what is gone or was never there; a stranger may be told nothing of it.
pub(super) fn is_gone(exchange: &Exchange) -> bool {
    matches!(exchange.status(), 404 | 410 | 401 | 403)
}

/// The template of what the purpose's operation makes.
fn item(scene: &Scene<'_>) -> Option<Template> {
    let path = scene.path();
    let resource = scene.suite.apis[scene.api].api.resource(path.text())?;
    resource.items.as_deref().map(Template::new)
}

/// Two objects are made; each is where Location says, with what was sent.
pub(super) async fn creates(scene: &mut Scene<'_>) -> Outcome {
    let Some(item) = item(scene) else {
        return performs(scene).await;
    };
    let one = scene.thing(&item).await?;
    let other = scene.thing(&item).await?;
    differ(scene, &one, Some(&other))?;
    keeps(scene, scene.operation, &one)?;
    for (thing, beside) in [(&one, &other), (&other, &one)] {
        match getting(scene, thing) {
            Some(call) => {
                let read = scene.good(call, "reading what was made at its Location").await?;
                let body = read.json().unwrap_or_default();
                is_that(scene, thing, Some(beside), &body, "what was made")?;
            }
            None => return deletion(scene, &item, &one, &other).await,
        }
    }
    match getting(scene, &one) {
        Some(call) => scene.knows_no_stranger(&call, &item, &one.values).await,
        None => Ok(()),
    }
}

/// A request that reads a thing.
fn getting(scene: &Scene<'_>, thing: &Thing) -> Option<Call> {
    let made = thing.made.as_ref()?;
    reading(&scene.suite, scene.api, &made.path)
}

/// Fails if what was sent is not in the answer. Where little is known of the standard, the answer may be of a type that
/// has less.
fn keeps(scene: &Scene<'_>, operation: usize, thing: &Thing) -> Outcome {
    let Some(made) = thing.made.as_ref().filter(|made| made.answered.is_object()) else {
        return Ok(());
    };
    agrees(
        scene,
        operation,
        &made.sent,
        &made.answered,
        "the answer to a creation",
    )
}

fn agrees(scene: &Scene<'_>, operation: usize, sent: &Value, answered: &Value, what: &str) -> Outcome {
    let state = &scene.suite.apis[scene.api];
    let key = &state.api.operations[operation].key;
    let open = state.knowledge.may_refuse(key).is_some();
    match lost(sent, answered, state.knowledge.assigned(key), open) {
        Some(difference) => Err(scene
            .failure(
                format!("{what} does not have what was sent at {}", difference.place()),
                difference.expected.clone(),
                difference.actual.clone(),
            )
            .stop()),
        None => Ok(()),
    }
}

/// A replacement is accepted, reads as it was sent, and leaves the neighbour alone.
pub(super) async fn replaces(scene: &mut Scene<'_>) -> Outcome {
    let path = scene.path();
    if scene.maker(&path).is_none() {
        return replaces_found(scene, &path).await;
    }
    let one = scene.thing(&path).await?;
    let other = scene.thing(&path).await?;
    differ(scene, &one, Some(&other))?;
    let body = scene.body(scene.operation, &one.values)?;
    let call = scene.call(scene.operation, &one.values).json(body.clone());
    scene.good(call.clone(), "the replacement of what exists").await?;
    if let Some(get) = scene.at("GET", path.text()) {
        let read = scene
            .good(scene.call(get, &one.values), "reading what was replaced")
            .await?;
        let found = read.json().unwrap_or_default();
        agrees(
            scene,
            scene.operation,
            &body,
            &found,
            "the object after its replacement",
        )?;
        let beside = scene
            .good(scene.call(get, &other.values), "reading what was not replaced")
            .await?;
        is_that(
            scene,
            &other,
            Some(&one),
            &beside.json().unwrap_or_default(),
            "the other object, which nobody changed",
        )?;
    }
    scene.knows_no_stranger(&call, &path, &one.values).await
}

/// The same of something that the API can't make: its state is changed, read, and changed back.
async fn replaces_found(scene: &mut Scene<'_>, path: &Template) -> Outcome {
    let thing = scene.thing(path).await?;
    let Some(get) = scene
        .at("GET", path.text())
        .filter(|_| path.last_parameter().is_some())
    else {
        let body = scene.body(scene.operation, &thing.values)?;
        let call = scene.call(scene.operation, &thing.values).json(body);
        scene.good(call.clone(), "the replacement").await?;
        return scene.knows_no_stranger(&call, path, &thing.values).await;
    };
    let before = scene
        .good(scene.call(get, &thing.values), "reading what exists")
        .await?;
    let original = before.json().unwrap_or_default();
    let mut changed = original.clone();
    if let Some(state) = changed.get_mut("state") {
        *state = json!(if *state == json!("ACTIVE") {
            "INACTIVE"
        } else {
            "ACTIVE"
        });
    }
    let put = scene.call(scene.operation, &thing.values);
    let before = scene.context.reported.len();
    let answered = scene.context.send(put.clone().json(changed.clone())).await?;
    if answered.status() == 503 {
        // It is kept as it was; that nothing is there to put rules in force is no fault of the API.
        scene.context.reported.truncate(before);
        return Err(Stop::Inconclusive(format!(
            "the platform can't change the state of rules now: {}",
            answered.summary()
        )));
    }
    scene.sound(before)?;
    if !answered.is_success() {
        return Err(scene.refused(&answered, "the replacement of what exists with another state"));
    }
    let after = scene
        .good(scene.call(get, &thing.values), "reading what was replaced")
        .await?;
    let back = put.json(original).role(Role::CleanUp);
    let _ = scene.context.send(back.clone()).await?;
    agrees(
        scene,
        scene.operation,
        &changed,
        &after.json().unwrap_or_default(),
        "the object after its replacement",
    )?;
    scene.knows_no_stranger(&back, path, &thing.values).await
}

/// A change in part is accepted.
pub(super) async fn changes(scene: &mut Scene<'_>) -> Outcome {
    let path = scene.path();
    if path.text().ends_with("/liveness") {
        let (get, _) = liveness(scene).await?;
        let mut call = get.clone().json(json!({"state": "ACTIVE"}));
        call.method = "PATCH".to_owned();
        call.operation = Some(scene.operation);
        scene.good(call, "a heartbeat").await?;
        let after = scene.good(get, "reading the liveness after a heartbeat").await?;
        let state = after.json().and_then(|body| body.get("state").cloned());
        return match state == Some(json!("ACTIVE")) {
            true => Ok(()),
            false => Err(scene.fail(
                "the state after a heartbeat is not ACTIVE",
                "state ACTIVE",
                &after,
            )),
        };
    }
    let thing = scene.thing(&path).await?;
    let body = scene.body(scene.operation, &thing.values)?;
    let call = scene.call(scene.operation, &thing.values).json(body);
    scene.good(call.clone(), "the change of what exists").await?;
    scene.knows_no_stranger(&call, &path, &thing.values).await
}

/// Of two objects one is deleted: it is gone, the other is there.
pub(super) async fn deletes(scene: &mut Scene<'_>) -> Outcome {
    let path = scene.path();
    if scene.maker(&path).is_none() {
        return Err(Stop::Inconclusive(format!(
            "the API can't make what DELETE {} would delete, and nothing that somebody else made is deleted",
            path.text()
        )));
    }
    let one = scene.thing(&path).await?;
    let other = scene.thing(&path).await?;
    deletion(scene, &path, &one, &other).await
}

async fn deletion(scene: &mut Scene<'_>, path: &Template, one: &Thing, other: &Thing) -> Outcome {
    differ(scene, one, Some(other))?;
    let Some(delete) = scene.at("DELETE", path.text()) else {
        return Ok(());
    };
    if let Some(call) = getting(scene, one) {
        scene.good(call, "reading what is to be deleted").await?;
    }
    let call = scene.call(delete, &one.values);
    scene.good(call.clone(), "the deletion of what exists").await?;
    if let Some(read) = getting(scene, one) {
        let read = scene.context.send(read).await?;
        if !is_gone(&read) {
            return Err(scene.fail("what was deleted can be read", "404", &read));
        }
    }
    let again = scene.context.send(call).await?;
    if !is_gone(&again) {
        return Err(scene.fail("what was deleted can be deleted again", "404", &again));
    }
    if let Some(read) = getting(scene, other) {
        scene
            .good(read, "reading an object beside the one that was deleted")
            .await?;
    }
    Ok(())
}

/// A task is accepted; of an identifier that nobody has, it is not.
pub(super) async fn performs(scene: &mut Scene<'_>) -> Outcome {
    let path = scene.path();
    let thing = scene.thing(&path).await?;
    let mut body = match scene.declared().json_body() {
        Some(_) => Some(scene.body(scene.operation, &thing.values)?),
        None => None,
    };
    let call = task(scene, &thing, body.clone());
    scene.knows_no_stranger(&call, &path, &thing.values).await?;
    if let Some(schema) = scene.suite.apis[scene.api].body_schema(scene.operation) {
        let empty = json!({});
        let broken = call
            .clone()
            .json(empty.clone())
            .role(Role::Control)
            .intent(Intent::Odd);
        let exchange = scene.context.send(broken).await?;
        if !schema.is_valid(&empty) && exchange.is_success() {
            let title = "a body without what is required is answered like a valid one, so that no answer says anything";
            return Err(scene.fail(title, "400", &exchange));
        }
    }
    if announce::is_needed(scene.purpose) {
        let action = announce::termination(scene).await?;
        body = Some(json!({"operationAction": action}));
    }
    let call = task(scene, &thing, body);
    let before = scene.context.reported.len();
    let exchange = scene.context.send(call).await?;
    scene.sound(before)?;
    match exchange.status() {
        409 if path.text().contains("/confirm_") => Err(Stop::Inconclusive(format!(
            "answered {}; let the application instance be one whose confirmation the platform waits for (--app-instance-id)",
            exchange.summary()
        ))),
        _ if exchange.is_success() => Ok(()),
        _ => Err(scene.refused(&exchange, "the task")),
    }
}

/// A request for a task.
pub(super) fn task(scene: &Scene<'_>, thing: &Thing, body: Option<Value>) -> Call {
    let call = scene.call(scene.operation, &thing.values);
    match body {
        Some(body) => call.json(body),
        None => call,
    }
}
