//! Judging letters: their form by the document, their contents by what has happened.

use std::sync::Arc;

use mecforge_instances::Schema;
use serde_json::Value;

use super::scene::{Event, Expected, Scene, Service, Subscription};
use super::{ADDRESS, CONTENT, FORM};
use crate::suite::{Call, Context, Failure, Letter, Outcome, Role, path_below};

/// The schema of notifications of a subscription: of the document's callback, else of the component of a name.
pub(super) fn schema(context: &Context, api: usize, operation: usize, component: &str) -> Option<Schema> {
    let state = &context.suite.apis[api];
    let callbacks = &state.api.operations[operation].callbacks;
    let declared = callbacks
        .iter()
        .flat_map(|callback| &callback.content)
        .find_map(|content| content.schema.clone());
    let pointer = declared.unwrap_or_else(|| format!("/components/schemas/{component}"));
    state.schema(&pointer)
}

/// All schemas of notifications that an operation's callbacks have.
pub(super) fn schemas(context: &Context, api: usize, operation: usize) -> Vec<Schema> {
    let state = &context.suite.apis[api];
    let callbacks = &state.api.operations[operation].callbacks;
    let contents = callbacks.iter().flat_map(|callback| &callback.content);
    let pointers = contents.filter_map(|content| content.schema.as_deref());
    pointers.filter_map(|pointer| state.schema(pointer)).collect()
}

/// The same as [`obeys`], by any of several schemas.
pub(super) fn obeys_any(schemas: &[Schema], body: &Value) -> Result<(), Box<Failure>> {
    match schemas.first() {
        Some(first) if !schemas.iter().any(|schema| schema.is_valid(body)) => obeys(first, body),
        _ => Ok(()),
    }
}

/// Method, media type, JSON.
pub(super) fn envelope(letter: &Letter) -> Result<Value, Box<Failure>> {
    let wrong = |title: &str, expected: &str, actual: String| {
        Err(Box::new(Failure::new(title, expected, actual).of(FORM.id)))
    };
    if letter.method != "POST" {
        return wrong(
            "notifications are not sent with POST",
            "POST",
            letter.method.clone(),
        );
    }
    let media_type = letter.header("content-type").unwrap_or("(none)");
    let essence = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if essence != "application/json" && !essence.ends_with("+json") {
        return wrong(
            "notifications are not declared as JSON",
            "Content-Type: application/json",
            media_type.to_owned(),
        );
    }
    match letter.json() {
        Some(body) => Ok(body),
        None => wrong(
            "the body of a notification is no JSON",
            "a JSON text",
            letter.text(),
        ),
    }
}

/// The first rule of a schema that a notification breaks.
pub(super) fn obeys(schema: &Schema, body: &Value) -> Result<(), Box<Failure>> {
    let errors = schema.errors(body);
    let Some(first) = errors.first() else {
        return Ok(());
    };
    let place = if first.instance_pointer.is_empty() {
        "the root"
    } else {
        &first.instance_pointer
    };
    // Numbers of list entries differ from run to run.
    let place: Vec<_> = place
        .split('/')
        .map(|part| if part.parse::<u64>().is_ok() { "*" } else { part })
        .collect();
    let title = format!("a notification breaks its schema at {}", place.join("/"));
    let failure = Failure::new(title, first.message.clone(), body.to_string());
    Err(Box::new(
        failure.of(FORM.id).pointer(first.schema_pointer.clone()),
    ))
}

/// Whether a notification's link to its subscription leads to it.
pub(super) fn names_subscription(body: &Value, path: &str) -> Result<(), Box<Failure>> {
    let href = body.pointer("/_links/subscription/href").and_then(Value::as_str);
    let leads = |href: &str| {
        let href = href
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .trim_end_matches('/');
        href.ends_with(path)
    };
    match href {
        Some(href) if !leads(href) => {
            let title = "_links.subscription of a notification is not the subscription";
            let failure = Failure::new(title, format!("an address that ends in {path}"), href);
            Err(Box::new(failure.of(CONTENT.id)))
        }
        _ => Ok(()),
    }
}

/// The form of a letter about services.
pub(super) fn form(context: &mut Context, scene: &Scene, subscription: &Subscription, letter: &Letter) {
    context.judge(FORM.id, scene.api, Some(scene.subscribe));
    let schema = schema(
        context,
        scene.api,
        scene.subscribe,
        "ServiceAvailabilityNotification",
    );
    let judged = envelope(letter).and_then(|body| {
        if let Some(schema) = &schema {
            obeys(schema, &body)?;
        }
        let kind = body["notificationType"].as_str().unwrap_or_default();
        if kind != "SerAvailabilityNotification" {
            let failure = Failure::new("notificationType is wrong", "SerAvailabilityNotification", kind);
            return Err(Box::new(failure.of(CONTENT.id)));
        }
        if body["serviceReferences"].as_array().is_some_and(Vec::is_empty) {
            let failure = Failure::new(
                "a notification tells of no service",
                "one reference at least",
                body.to_string(),
            );
            return Err(Box::new(failure.of(CONTENT.id)));
        }
        names_subscription(&body, &subscription.made.path)
    });
    if let Err(failure) = judged {
        context.report(*failure);
    }
}

/// The contents of a letter about a service.
pub(super) async fn content(
    context: &mut Context,
    scene: &Scene,
    service: &Service,
    event: &Event,
    expected: Expected<'_>,
) -> Outcome {
    let what = expected.what;
    let pairs = [
        ("changeType", expected.change, &event.change),
        ("serInstanceId", service.id.as_str(), &event.id),
        ("serName", service.name.as_str(), &event.name),
        ("state", expected.state, &event.state),
    ];
    for (name, right, told) in pairs {
        if !right.is_empty() && right != told {
            let title = format!("{name} is wrong in the notification of {what}");
            context.report(Failure::new(title, right, told.as_str()).of(CONTENT.id));
        }
    }
    if expected.change == "REMOVED" {
        return Ok(());
    }
    if let Some(href) = event.link.as_deref() {
        link(context, scene, service, href, what).await?;
    }
    Ok(())
}

/// Path and query of a callback are those that were subscribed.
pub(super) fn went_to(letter: &Letter, address: &str) -> Outcome {
    let wanted = format!("/{}", address.splitn(4, '/').nth(3).unwrap_or_default());
    // Behind --callback-url something may take a prefix away.
    if wanted.ends_with(&letter.target) && letter.target.contains('?') == wanted.contains('?') {
        return Ok(());
    }
    let title = "notifications go to another address than the callback";
    let failure = Failure::new(title, wanted, letter.target.clone());
    Err(failure.of(ADDRESS.id).stop())
}

/// The link of a notification leads to the service.
async fn link(context: &mut Context, scene: &Scene, service: &Service, href: &str, what: &str) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let Some(path) = path_below(&suite, scene.api, href) else {
        // A gateway may give the API another prefix to others than to us.
        return Ok(());
    };
    let document = &suite.apis[scene.api].api;
    let operation = document
        .resource_at(&path)
        .and_then(|resource| resource.operation("GET"));
    let call = Call {
        api: scene.api,
        operation,
        method: "GET".to_owned(),
        path,
        role: Role::Judged,
        ..Call::default()
    };
    let exchange = context.send(call).await?;
    if matches!(exchange.status(), 401 | 403 | 429 | 503) || exchange.outcome.is_err() {
        return Ok(());
    }
    let body = exchange.json().unwrap_or_default();
    if !exchange.is_success() || body["serInstanceId"] != service.id.as_str() {
        let title = format!("the link in the notification of {what} does not lead to the service");
        let failure = Failure::new(
            title,
            format!("200 with the service at {href}"),
            exchange.summary(),
        );
        context.report(failure.of(CONTENT.id));
    }
    Ok(())
}
