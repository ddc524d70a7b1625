//! What the platform keeps: reads equal what was written, lists agree with items, what is deleted is gone, applications
//! do not see each other, filters filter, preconditions hold.

pub(super) mod comparison;
mod declared;
mod filters;
mod links;
mod listed;
mod many;
mod replacement;

use std::sync::Arc;

use mecforge_report::Severity;

use comparison::{is_at, is_identified, is_part, items, last, lost, other_type, same};
use declared::shown;
use replacement::{precondition, replaces};

use serde_json::Value;

use crate::suite::{Call, Check, Context, Failure, Group, Outcome, Plan, Role, Source, Stop, Suite, reading};

pub(super) static KEEPS: Check = Check {
    id: "keeps-what-is-sent",
    group: Group::State,
    title: "the answer to a creation or replacement has everything that was sent",
    severity: Severity::Error,
    explanation: "Every property that was sent is in the answer with the same value. What the standard lets the platform set, properties that the answer's schema does not name or that are `writeOnly`, and properties that no schema names, are left out. For documents that are none of ETSI's, a POST makes something only where it answers 201.",
    sources: &[Source::Document, Source::Rfc(9110, "9.3.4")],
};

static LIST: Check = Check {
    id: "list-agrees",
    group: Group::State,
    title: "a list has exactly what exists, and its items equal the single ones",
    severity: Severity::Error,
    explanation: "Two objects are made; both are in the list, once each, with different identifiers, and as GET of each answers.",
    sources: &[Source::Document],
};

static DELETE: Check = Check {
    id: "delete-removes",
    group: Group::State,
    title: "what was deleted is gone",
    severity: Severity::Error,
    explanation: "After DELETE, GET is answered 404 (or 410), and the list does not have it any more.",
    sources: &[Source::Rfc(9110, "9.3.5"), Source::Document],
};

static AGAIN: Check = Check {
    id: "delete-tells-what-is-gone",
    group: Group::State,
    title: "a second DELETE of an object is answered 404",
    severity: Severity::Warning,
    explanation: "What was deleted does not exist, so that 404 (or 410) tells a client that somebody was faster. DELETE is idempotent, and HTTP forbids no success where there is nothing to remove.",
    sources: &[Source::Rfc(9110, "9.2.2"), Source::Rfc(9110, "15.5.5")],
};

static REPLACE: Check = Check {
    id: "put-replaces",
    group: Group::State,
    title: "PUT replaces the whole object, and doing it twice is doing it once",
    severity: Severity::Error,
    explanation: "An object with optional properties is replaced by one without them; GET then does not have them. The same PUT again changes nothing.",
    sources: &[Source::Rfc(9110, "9.3.4"), Source::Rfc(9110, "9.2.2")],
};

static ISOLATED: Check = Check {
    id: "applications-are-apart",
    group: Group::State,
    title: "an application's objects can't be reached below another application's path",
    severity: Severity::Error,
    explanation: "An object is made for one application instance; GET and DELETE with its identifier below another's path are refused, the other's list does not have it, and it is still there afterwards.",
    sources: &[
        Source::Practice("OWASP API Security Top 10 2023, API1"),
        Source::Document,
    ],
};

static PRECONDITION: Check = Check {
    id: "preconditions",
    group: Group::State,
    title: "If-Match with an old entity tag is answered 412 and changes nothing",
    severity: Severity::Error,
    explanation: "Judged where the document declares If-Match or 412 and the platform answers with an ETag; the ETag is not mandatory.",
    sources: &[Source::Rfc(9110, "13.1.1"), Source::Document],
};

static TAG: Check = Check {
    id: "entity-tag-changes",
    group: Group::State,
    title: "an entity tag stays while the object stays, and changes with it",
    severity: Severity::Error,
    explanation: "Two GETs without a change between them have the same strong ETag; after a change it is another.",
    sources: &[Source::Rfc(9110, "8.8.3")],
};

/// The checks of this module.
pub(super) static CHECKS: &[&Check] = &[
    &KEEPS,
    &links::LOCATION,
    &links::STANDS,
    &many::MANY,
    &LIST,
    &listed::LINKS,
    &DELETE,
    &AGAIN,
    &REPLACE,
    &ISOLATED,
    &PRECONDITION,
    &TAG,
    &filters::FILTER,
];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for (api, state) in suite.apis.iter().enumerate() {
        for resource in &state.api.resources {
            let Some(maker) = resource.maker else { continue };
            let template = resource.path.text().to_owned();
            plan.add(
                suite,
                &links::LOCATION,
                api,
                Some(maker),
                "location",
                move |context| Box::pin(async move { links::location(context, api, maker).await }),
            );
            let collection = resource
                .collection
                .as_deref()
                .and_then(|path| state.api.operation("GET", path));
            let list = collection.map(|operation| operation.index);
            plan.add(suite, &many::MANY, api, Some(maker), "many", move |context| {
                Box::pin(async move { many::alike(context, api, maker, list).await })
            })
            .stage = 2;
            if let Some(list) = list {
                plan.add(suite, &LIST, api, Some(list), "list", move |context| {
                    Box::pin(async move { list_agrees(context, api, maker, list).await })
                })
                .read_only = false;
            }
            if let Some(delete) = resource.operation("DELETE") {
                plan.add(suite, &DELETE, api, Some(delete), "delete", move |context| {
                    Box::pin(async move {
                        deletes(context, api, maker, delete, collection_of(context, api, maker)).await
                    })
                });
            }
            if let Some(put) = resource.operation("PUT") {
                plan.add(suite, &REPLACE, api, Some(put), "replace", move |context| {
                    Box::pin(async move { replaces(context, api, maker, put).await })
                });
                plan.add(suite, &PRECONDITION, api, Some(put), "if-match", move |context| {
                    Box::pin(async move { precondition(context, api, maker, put).await })
                });
            }
            if template.starts_with("/applications/{appInstanceId}/")
                && let Some(get) = resource.operation("GET")
            {
                plan.add(suite, &ISOLATED, api, Some(get), "apart", move |context| {
                    Box::pin(async move { apart(context, api, maker, get).await })
                })
                .read_only = false;
            }
        }
        filters::plan(suite, plan, api);
        listed::plan(suite, plan, api);
    }
}

/// The operation that lists what another one makes.
fn collection_of(context: &Context, api: usize, maker: usize) -> Option<usize> {
    let document = &context.suite.apis[api].api;
    let path = document.operations[maker].path.text();
    document.operation("GET", path).map(|operation| operation.index)
}

/// Reports what was sent with a creation or replacement and is not in the answer. `open` says that the body has
/// properties that no schema names.
pub(super) fn keeps(
    context: &mut Context,
    (api, operation): (usize, usize),
    sent: &Value,
    answered: &Value,
    open: bool,
    call: &Call,
) {
    let suite = Arc::clone(&context.suite);
    let state = &suite.apis[api];
    let key = &state.api.operations[operation].key;
    context.judge(KEEPS.id, api, Some(operation));
    // Who makes a thing may propose an identifier; the server chooses it.
    let chosen = state
        .api
        .resources
        .iter()
        .find(|resource| resource.maker == Some(operation))
        .and_then(|resource| resource.path.last_parameter());
    let mut assigned = state.knowledge.assigned(key).to_vec();
    assigned.extend(chosen);
    let sent = shown(state, operation, sent);
    // Where little is known beyond the document, the answer may be of a type that has less than what was sent.
    let open = open || state.knowledge.may_refuse(key).is_some();
    if let Some(difference) = lost(&sent, answered, &assigned, open) {
        let title = format!("the answer does not have what was sent at {}", difference.place());
        let failure = Failure::new(title, difference.expected.clone(), difference.actual.clone());
        context.report(failure.of(KEEPS.id).signature(difference.place()).shown_by(call));
    }
}

async fn list_agrees(context: &mut Context, api: usize, maker: usize, list: usize) -> Outcome {
    let values = context.values(api, maker).await?;
    let one = context.make(api, maker, &values, None).await?;
    let other = context.make(api, maker, &values, None).await?;
    if one.path == other.path {
        return Err(Failure::new(
            "two objects have the same identifier",
            "two identifiers",
            one.path,
        )
        .signature("same identifier")
        .stop());
    }
    let exchange = context.send(context.call(api, list, &values)).await?;
    let body = exchange.json().unwrap_or_default();
    let Some(items) = items(&body).filter(|_| exchange.is_success()) else {
        return Err(Failure::new(
            "the list has no objects though two were made",
            "a list with two objects at least",
            exchange.summary(),
        )
        .shown_by(&exchange.call)
        .stop());
    };
    for made in [&one, &other] {
        let found: Vec<_> = items
            .iter()
            .filter(|item| is_at(item, last(&made.path)) || same(item, &made.answered))
            .collect();
        if found.len() > 1 && !found.iter().any(|item| is_at(item, last(&made.path))) {
            return Err(Stop::Inconclusive(
                "objects of equal content can't be told apart: they have no identifier".to_owned(),
            ));
        }
        match found.as_slice() {
            [] => {
                let id = last(&made.path);
                let own = match reading(&context.suite, api, &made.path) {
                    Some(call) => context.send(call).await?.json(),
                    None => Some(made.answered.clone()),
                };
                if is_part(&context.suite, &exchange) {
                    return Err(Stop::Inconclusive("the list may come in pages".to_owned()));
                }
                if own.is_some_and(|own| !is_identified(&own, &body, id)) {
                    return Err(Stop::Inconclusive(
                        "nothing in an item of the list tells which object it is".to_owned(),
                    ));
                }
                return Err(Failure::new(
                    "an object that was made is not in the list",
                    format!("{} in the list", made.path),
                    exchange.summary(),
                )
                .signature("missing")
                .stop());
            }
            [item] => {
                links::leads(context, api, item.get("href"), &made.path).await?;
                if let Some([linked, own]) = other_type(item, &made.answered) {
                    let title = "a link of the list has another subscriptionType than its object";
                    return Err(Failure::new(title, own, linked).stop());
                }
                let mut own = made.answered.clone();
                context.suite.apis[api].knowledge.shorten(
                    &context.suite.apis[api].api.operations[list].key,
                    item,
                    &mut own,
                );
                let whole = own
                    .as_object()
                    .is_some_and(|object| object.len() > 2 && item.get("href").is_none());
                if whole && !same(item, &own) {
                    let difference = lost(&own, item, &[], false).or_else(|| lost(item, &own, &[], false));
                    let place = difference.map_or_else(
                        || "the root".to_owned(),
                        |difference| difference.place().to_owned(),
                    );
                    return Err(Failure::new(
                        format!("an item of the list differs from the object at {place}"),
                        own.to_string(),
                        item.to_string(),
                    )
                    .signature(place)
                    .stop());
                }
            }
            _ => {
                return Err(Failure::new(
                    "an object is in the list more than once",
                    "once",
                    exchange.summary(),
                )
                .signature("twice")
                .stop());
            }
        }
    }
    Ok(())
}

async fn deletes(
    context: &mut Context,
    api: usize,
    maker: usize,
    delete: usize,
    list: Option<usize>,
) -> Outcome {
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let call = context.call(api, delete, &made.values);
    let deleted = context.send(call.clone()).await?;
    if !deleted.is_success() {
        return Err(
            Failure::new("an object that exists can't be deleted", "204", deleted.summary())
                .shown_by(&deleted.call)
                .stop(),
        );
    }
    let gone = |status: u16| matches!(status, 404 | 410 | 401 | 403);
    if let Some(read) = reading(&context.suite, api, &made.path) {
        let read = context.send(read.role(Role::Judged)).await?;
        if !gone(read.status()) && read.status() != 202 {
            return Err(Failure::new(
                "an object can be read after it was deleted",
                "404",
                read.summary(),
            )
            .stop());
        }
    }
    let again = context.send(call).await?;
    context.judge(AGAIN.id, api, Some(delete));
    if !gone(again.status()) && again.status() < 500 {
        let title = format!("a second DELETE is answered {}", again.status());
        let failure = Failure::new(title, "404", again.summary());
        context.report(failure.of(AGAIN.id).shown_by(&again.call));
    }
    if let Some(list) = list {
        let exchange = context.send(context.call(api, list, &values)).await?;
        let body = exchange.json().unwrap_or_default();
        if items(&body).is_some_and(|items| items.iter().any(|item| is_at(item, last(&made.path)))) {
            return Err(Failure::new(
                "a deleted object is still in the list",
                "a list without it",
                exchange.summary(),
            )
            .stop());
        }
    }
    Ok(())
}

async fn apart(context: &mut Context, api: usize, maker: usize, get: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let instances = suite.instances.get().cloned().unwrap_or_default();
    let Some(other) = instances.get(1) else {
        return Err(Stop::Inconclusive(
            "two application instances are needed; give them with --app-instance-id A,B".to_owned(),
        ));
    };
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let mut foreign = made.values.clone();
    foreign.insert("appInstanceId".to_owned(), other.clone());
    let read = context.send(context.call(api, get, &foreign)).await?;
    if read.is_success() {
        return Err(Failure::new(
            "an object can be read below another application's path",
            "404 or 403",
            read.summary(),
        )
        .stop());
    }
    if let Some(list) = collection_of(context, api, maker) {
        let exchange = context.send(context.call(api, list, &foreign)).await?;
        let body = exchange.json().unwrap_or_default();
        if items(&body).is_some_and(|items| items.iter().any(|item| is_at(item, last(&made.path)))) {
            return Err(Failure::new(
                "an object is in another application's list",
                "a list without it",
                exchange.summary(),
            )
            .stop());
        }
    }
    if let Some(delete) = suite.apis[api]
        .api
        .resource_at(&made.path)
        .and_then(|resource| resource.operation("DELETE"))
    {
        let deleted = context.send(context.call(api, delete, &foreign)).await?;
        if deleted.is_success() {
            return Err(Failure::new(
                "an object can be deleted below another application's path",
                "404 or 403",
                deleted.summary(),
            )
            .stop());
        }
    }
    let own = context.send(context.call(api, get, &made.values)).await?;
    match own.is_success() {
        true => Ok(()),
        false => Err(Failure::new(
            "an object is gone after it was asked for below another application's path",
            "200",
            own.summary(),
        )
        .stop()),
    }
}
