//! Purposes about what does not exist; each beside something that does.

use std::sync::atomic::Ordering;

use mecforge_api::Template;
use serde_json::{Value, json};

use super::reads::{linked, with_query};
use super::refusals::{precondition, valid_body};
use super::scene::{Scene, Thing};
use super::writes::is_gone;
use crate::suite::{Call, Exchange, Intent, Outcome, Role, Stop};

/// The same request with an identifier that somebody has is accepted, with one that nobody has answered 404.
pub(super) async fn identifier(scene: &mut Scene<'_>) -> Outcome {
    let path = scene.path();
    if scene.declared().method == "DELETE" {
        return deletion(scene, &path).await;
    }
    let (call, thing) = known(scene, &path).await?;
    let (values, name) = scene.stranger(&path, &thing.values);
    let mut unknown = call.clone().intent(Intent::Odd).role(Role::Judged);
    unknown.path = scene.path_of_stranger(&call, &path, &values, &name);
    if let crate::suite::Payload::Json(body) = &mut unknown.payload {
        rename(body, &name, values.get(&name).map_or("", String::as_str));
    }
    let exchange = scene.context.send(unknown).await?;
    if exchange.is_success() && name == "appInstanceId" && scene.suite.invented.load(Ordering::Relaxed) {
        // The one that was accepted before is as unknown as this one.
        return Err(Stop::Inconclusive(
            "no application instance of the platform is known; give one with --app-instance-id".to_owned(),
        ));
    }
    must_be_unknown(scene, &exchange, &format!("an unknown {name}"))?;
    if scene.purpose.operation.starts_with("PUT ") && path.text().contains("_rules/") {
        precondition(scene, &path, &thing).await?;
    }
    Ok(())
}

/// The control: the request with an identifier that somebody has. Gives the request.
async fn known(scene: &mut Scene<'_>, path: &Template) -> Result<(Call, Thing), Stop> {
    let creates = scene.declared().method == "POST" && path.last_parameter().is_none();
    let items = scene.suite.apis[scene.api]
        .api
        .resource(path.text())
        .and_then(|resource| resource.items.clone())
        .filter(|_| creates);
    if let Some(items) = items {
        let thing = scene.thing(&Template::new(&items)).await?;
        let body = thing
            .made
            .as_ref()
            .map(|made| made.sent.clone())
            .unwrap_or_default();
        let call = scene.call(scene.operation, &thing.values).json(body);
        return Ok((call, thing));
    }
    let thing = scene.thing(path).await?;
    let mut call = with_query(
        scene.call(scene.operation, &thing.values),
        scene.purpose.query.as_deref(),
    );
    if path.text().ends_with("/liveness") {
        if scene.maker(path).is_some() {
            call = linked(scene, &thing, call).await?;
        }
    } else if scene.declared().json_body().is_some() {
        let body = valid_body(scene, path, &thing).await?;
        call = call.json(body);
    }
    let before = scene.context.reported.len();
    let exchange = scene.context.send(call.clone().role(Role::Control)).await?;
    scene.sound(before)?;
    // A confirmation that nobody waits for is a conflict; it is about an application that is known.
    let waits = exchange.status() == 409 && path.text().contains("/confirm_");
    match exchange.is_success() || waits {
        true => Ok((call, thing)),
        false => Err(scene.refused(&exchange, "the same request with an identifier that somebody has")),
    }
}

/// Puts an identifier where the body repeats that of the path.
fn rename(body: &mut Value, name: &str, identifier: &str) {
    if let Some(member) = body.as_object_mut().and_then(|members| members.get_mut(name)) {
        *member = json!(identifier);
    }
}

fn must_be_unknown(scene: &Scene<'_>, exchange: &Exchange, what: &str) -> Outcome {
    let right = is_gone(exchange) || scene.purpose.wanted.contains(&exchange.status());
    match right {
        true => Ok(()),
        false => Err(scene.fail(
            format!("{what} is answered {}", exchange.status()),
            "404",
            exchange,
        )),
    }
}

/// Something is deleted, and then unknown; so is what nobody ever made.
async fn deletion(scene: &mut Scene<'_>, path: &Template) -> Outcome {
    if scene.maker(path).is_none() {
        return Err(Stop::Inconclusive(format!(
            "the API can't make what DELETE {} would delete beside what is unknown",
            path.text()
        )));
    }
    let thing = scene.thing(path).await?;
    let call = scene.call(scene.operation, &thing.values);
    let (values, name) = scene.stranger(path, &thing.values);
    let stranger = scene.call(scene.operation, &values).intent(Intent::Odd);
    let exchange = scene.context.send(stranger).await?;
    must_be_unknown(scene, &exchange, &format!("an unknown {name}"))?;
    scene
        .good(call.clone().role(Role::Control), "the deletion of what exists")
        .await?;
    let again = scene.context.send(call).await?;
    must_be_unknown(scene, &again, &format!("a {name} that was deleted"))
}

/// A path that the API does not have, beside the one that it has.
pub(super) async fn path(scene: &mut Scene<'_>) -> Outcome {
    let path = scene.path();
    let wrong = Template::new(scene.purpose.path.as_deref().unwrap_or("/mec-conformance"));
    let (call, thing) = known(scene, &path).await?;
    let mut call = call.intent(Intent::Odd).role(Role::Judged);
    call.operation = None;
    call.path = wrong.expand(&thing.values);
    call.rooted = false;
    let exchange = scene.context.send(call).await?;
    match exchange.status() {
        405 => Ok(()),
        _ => must_be_unknown(scene, &exchange, "a path that the API does not have"),
    }
}
