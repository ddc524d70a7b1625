//! Purposes that read.

use mecforge_api::{Location, Template};
use serde_json::Value;

use super::super::state::comparison::{is_at, items};
use super::scene::{Scene, Thing};
use crate::suite::{Call, Outcome, Role, Stop, Values, follow};

/// Adds the query of the purpose, in place of what a required parameter has otherwise.
pub(super) fn with_query(mut call: Call, query: Option<&str>) -> Call {
    match query.and_then(|query| query.split_once('=')) {
        Some((name, value)) => {
            call.query.retain(|(other, _)| other != name);
            call.query(name, value)
        }
        None => call,
    }
}

/// What is there can be read: one of two objects that were made, a list that has both, or what was found.
pub(super) async fn reads(scene: &mut Scene<'_>) -> Outcome {
    let path = scene.path();
    if path.text().ends_with("/liveness") {
        return liveness(scene).await.map(|_| ());
    }
    let item = scene.suite.apis[scene.api]
        .api
        .resource(path.text())
        .and_then(|resource| resource.items.clone());
    match (path.last_parameter(), item) {
        (Some(_), _) => one_of_two(scene, &path).await,
        (None, Some(item)) => list(scene, &path, &Template::new(&item)).await,
        (None, None) => single(scene, &path).await,
    }
}

async fn one_of_two(scene: &mut Scene<'_>, path: &Template) -> Outcome {
    let one = scene.thing(path).await?;
    let other = match one.made {
        Some(_) => Some(scene.thing(path).await?),
        None => None,
    };
    differ(scene, &one, other.as_ref())?;
    let read = read(scene, &one).await?;
    is_that(scene, &one, other.as_ref(), &read, "what was made")?;
    let call = scene.call(scene.operation, &one.values);
    scene.knows_no_stranger(&call, path, &one.values).await
}

/// Reads a thing by the purpose's operation; gives the body, `null` where it is no JSON.
pub(super) async fn read(scene: &mut Scene<'_>, thing: &Thing) -> Result<Value, Stop> {
    let call = scene.call(scene.operation, &thing.values);
    let exchange = scene.good(call, "reading what exists").await?;
    Ok(exchange.json().unwrap_or(Value::Null))
}

/// Fails if two objects have one identifier.
pub(super) fn differ(scene: &Scene<'_>, one: &Thing, other: Option<&Thing>) -> Outcome {
    let same = other.is_some_and(|other| other.identifier() == one.identifier());
    match same {
        true => Err(scene
            .failure(
                "two objects that were made have the same identifier",
                "two identifiers",
                one.identifier().unwrap_or_default(),
            )
            .stop()),
        false => Ok(()),
    }
}

/// Fails unless a body is that of one thing, and not of the other.
pub(super) fn is_that(
    scene: &Scene<'_>,
    one: &Thing,
    other: Option<&Thing>,
    body: &Value,
    what: &str,
) -> Outcome {
    // A short identifier, 1 or 2, may stand in a body by chance.
    let foreign = other
        .and_then(Thing::identifier)
        .is_some_and(|identifier| identifier.len() > 3 && is_at(body, identifier));
    let is_document = !body.is_null();
    match is_document && (foreign || !one.is(body)) {
        false => Ok(()),
        true => Err(scene
            .failure(
                format!("the answer is not {what}"),
                "the object that was asked for",
                body.to_string(),
            )
            .stop()),
    }
}

async fn list(scene: &mut Scene<'_>, path: &Template, item: &Template) -> Outcome {
    let made = match scene.maker(item) {
        Some(_) => vec![scene.thing(item).await?, scene.thing(item).await?],
        None => Vec::new(),
    };
    if let [one, other] = made.as_slice() {
        differ(scene, one, Some(other))?;
    }
    let values = match made.first() {
        Some(thing) => thing.values.clone(),
        None => scene.context.values(scene.api, scene.operation).await?,
    };
    let query = scene.purpose.query.as_deref();
    let call = with_query(scene.call(scene.operation, &values), query);
    let exchange = scene.good(call.clone(), "reading the list").await?;
    let body = exchange.json().unwrap_or(Value::Null);
    for thing in made.iter().filter(|_| query.is_none()) {
        let identifier = thing.identifier().unwrap_or_default();
        if !is_at(&body, identifier) {
            return Err(scene.fail(
                "an object that was made is not in the list",
                "both objects",
                &exchange,
            ));
        }
    }
    if made.is_empty() && items(&body).is_none_or(Vec::is_empty) {
        return Err(Stop::Inconclusive(format!(
            "the list at {} is empty, and the API can't fill it; let something be there",
            path.text()
        )));
    }
    Ok(())
}

async fn single(scene: &mut Scene<'_>, path: &Template) -> Outcome {
    let thing = scene.thing(path).await?;
    let call = with_query(
        scene.call(scene.operation, &thing.values),
        scene.purpose.query.as_deref(),
    );
    let first = scene.good(call.clone(), "reading it").await?;
    if path.text().ends_with("/current_time") {
        let seconds = |body: Option<Value>| body.and_then(|body| body.get("seconds").and_then(Value::as_u64));
        let second = scene.good(call.clone(), "reading it again").await?;
        if seconds(second.json()) < seconds(first.json()) {
            return Err(scene.fail("the time goes back", first.summary(), &second));
        }
    }
    is_not_another(scene, first.json()).await?;
    scene.knows_no_stranger(&call, path, &thing.values).await
}

/// The control of what has no identifier: another object of the API that has none either is another one.
async fn is_not_another(scene: &mut Scene<'_>, body: Option<Value>) -> Outcome {
    let api = &scene.suite.apis[scene.api].api;
    let another = api.operations.iter().find(|operation| {
        operation.method == "GET"
            && operation.index != scene.operation
            && operation.path.parameters().next().is_none()
            && !operation
                .parameters_in(Location::Query)
                .any(|parameter| parameter.required)
    });
    let Some(another) = another.map(|operation| operation.index) else {
        return Ok(());
    };
    let other = scene.call(another, &Values::new()).role(Role::Control);
    let exchange = scene.context.send(other).await?;
    match exchange.json().filter(Value::is_object) == body && body.is_some() {
        true => Err(scene.fail(
            "two different objects of the API are answered alike, so that no answer says anything",
            "different objects",
            &exchange,
        )),
        false => Ok(()),
    }
}

/// A request about the liveness of a service, sent to where the link of the service leads.
pub(super) async fn linked(scene: &mut Scene<'_>, thing: &Thing, call: Call) -> Result<Call, Stop> {
    let answered = thing.made.as_ref().map(|made| &made.answered);
    let link = answered.and_then(|answered| answered.pointer("/_links/liveness/href"));
    let Some(link) = link.and_then(Value::as_str) else {
        return Err(Stop::NotApplicable(
            "the platform asks for no heartbeats: its answer to a service with livenessInterval has no _links.liveness"
                .to_owned(),
        ));
    };
    let linked = follow(&scene.suite, call, link)?;
    if let Some(doubt) = linked.doubt {
        // Whether it is there at all, before anything is held against the platform.
        let mut read = linked.call.clone().role(Role::Control);
        read.operation = scene.at("GET", scene.path().text());
        read.method = "GET".to_owned();
        let exchange = scene.context.send(read).await?;
        if exchange.status() == 404 {
            return Err(Stop::Inconclusive(format!("{doubt}: {}", exchange.summary())));
        }
    }
    Ok(linked.call)
}

/// Makes a service with heartbeats and reads its liveness: the path of the liveness and the service.
pub(super) async fn liveness(scene: &mut Scene<'_>) -> Result<(Call, Thing), Stop> {
    let path = scene.path();
    let thing = scene.thing(&path).await?;
    let answered = thing
        .made
        .as_ref()
        .map(|made| made.answered.clone())
        .unwrap_or_default();
    let Some(get) = scene.at("GET", path.text()) else {
        return Err(Stop::NotApplicable("the API has no GET for liveness".to_owned()));
    };
    let call = scene.call(get, &thing.values).role(Role::Judged);
    let call = linked(scene, &thing, call).await?;
    let exchange = scene
        .good(call.clone(), "reading the liveness of a service")
        .await?;
    let body = exchange.json().unwrap_or(Value::Null);
    let agreed = answered.get("livenessInterval");
    if agreed.is_some() && body.get("interval") != agreed {
        return Err(scene.fail(
            "the interval of the liveness is not that of the service",
            format!("interval {}", agreed.unwrap_or(&Value::Null)),
            &exchange,
        ));
    }
    scene.knows_no_stranger(&call, &path, &thing.values).await?;
    Ok((call, thing))
}

/// A query that nothing meets: nothing is found, with 200 or 404.
pub(super) async fn finds_nothing(scene: &mut Scene<'_>) -> Outcome {
    let values = scene.context.values(scene.api, scene.operation).await?;
    let mut call = with_query(
        scene.call(scene.operation, &values),
        scene.purpose.query.as_deref(),
    );
    if scene.declared().json_body().is_some() {
        let body = scene.body(scene.operation, &values)?;
        call = call.json(body);
    }
    let before = scene.context.reported.len();
    let exchange = scene.context.send(call).await?;
    scene.sound(before)?;
    match exchange.status() {
        404 => {}
        _ if exchange.is_success() => {}
        _ => return Err(scene.refused(&exchange, "the query")),
    }
    scene.observe(format!("answered {}", exchange.status()));
    Ok(())
}
