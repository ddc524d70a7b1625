//! What exists, exists everywhere where the API shows it, and what was removed is gone everywhere.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use mecforge_report::Severity;
use serde_json::{Value, json};

use super::security::{read, with_liveness};
use super::state::comparison::{is_at, is_identified, is_part, items, last};
use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Intent, Made, Outcome, Plan, Role, Source, Stop, Suite,
    Values,
};

static EVERYWHERE: Check = Check {
    id: "exists-everywhere-or-nowhere",
    group: Group::State,
    title: "an object is in every list that has it to show, and after its removal in none",
    severity: Severity::Error,
    explanation: "Where the API shows one object at several paths (a service below its application and below /services), one that can be read by itself must be in the list there, once. After its removal it must be gone at all of these paths, with everything below it, and stay so when another one is made. Each is asked for again for a second before it is held against the platform.",
    sources: &[Source::Document, Source::Rfc(9110, "9.3.5")],
};

static ONCE: Check = Check {
    id: "lists-have-each-once",
    group: Group::State,
    title: "no list has an object twice",
    severity: Severity::Error,
    explanation: "The identifiers in the answer of a list are looked at, where its objects have a property with the identifier.",
    sources: &[Source::Document],
};

pub(super) static CHECKS: &[&Check] = &[&EVERYWHERE, &ONCE];

/// An object's paths: where it is made, and where else it is shown.
#[derive(Clone, Debug)]
struct Places {
    maker: usize,
    delete: usize,
    parameter: String,
    /// Operations that read it by itself, each with the one that lists, if there is one.
    shown: Vec<(usize, Option<usize>)>,
    /// Operations that read what is below it.
    below: Vec<usize>,
}

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for (api, state) in suite.apis.iter().enumerate() {
        for resource in &state.api.resources {
            if let Some(places) = places(suite, api, resource) {
                let maker = places.maker;
                plan.add(
                    suite,
                    &EVERYWHERE,
                    api,
                    Some(maker),
                    "everywhere",
                    move |context| {
                        let places = places.clone();
                        Box::pin(async move { everywhere(context, api, &places).await })
                    },
                );
            }
            let list = resource.operation("GET");
            let item = resource
                .items
                .as_deref()
                .and_then(|items| state.api.resource(items));
            let made = |item: &mecforge_api::Resource| {
                let parameter = item.path.last_parameter();
                let makers = state.api.resources.iter().filter(|other| other.maker.is_some());
                makers
                    .into_iter()
                    .any(|other| other.path.last_parameter() == parameter)
            };
            // Of what nobody makes, one may well be there several times: readings of one sensor.
            let item = item.filter(|item| made(item));
            if let (Some(list), Some(parameter)) = (list, item.and_then(|item| item.path.last_parameter())) {
                let property = state.knowledge.identifier_property(parameter).to_owned();
                let maker = item.and_then(|item| item.maker);
                plan.add(suite, &ONCE, api, Some(list), "once", move |context| {
                    let property = property.clone();
                    Box::pin(async move { once(context, api, (list, maker), &property).await })
                });
            }
        }
    }
}

/// The places of an object; none where it can't be made or removed, or is shown nowhere.
fn places(suite: &Suite, api: usize, resource: &mecforge_api::Resource) -> Option<Places> {
    let document = &suite.apis[api].api;
    let (maker, delete) = (resource.maker?, resource.operation("DELETE")?);
    let template = resource.path.text();
    let parameter = resource.path.last_parameter()?;
    let own: BTreeSet<_> = resource.path.parameters().collect();
    let mut shown = Vec::new();
    for other in &document.resources {
        let same = other.path.last_parameter() == Some(parameter)
            && other.path.parameters().all(|name| own.contains(name))
            && (other.maker.is_none() || other.path.text() == template);
        let Some(get) = other.operation("GET").filter(|_| same) else {
            continue;
        };
        let list = other
            .collection
            .as_deref()
            .and_then(|path| document.operation("GET", path));
        shown.push((get, list.map(|list| list.index)));
    }
    let below = document.operations.iter().filter(|operation| {
        let rest = operation.path.text().strip_prefix(template);
        operation.method == "GET"
            && rest.is_some_and(|rest| rest.starts_with('/'))
            && operation.path.parameters().all(|name| own.contains(name))
    });
    let below: Vec<_> = below.map(|operation| operation.index).collect();
    (!shown.is_empty()).then(|| Places {
        maker,
        delete,
        parameter: parameter.to_owned(),
        shown,
        below,
    })
}

async fn everywhere(context: &mut Context, api: usize, places: &Places) -> Outcome {
    let values = context.values(api, places.maker).await?;
    for inactive in [false, true] {
        let mut body = context.body(api, places.maker, &values)?;
        match (inactive, body.get("state").is_some_and(|state| state == "ACTIVE")) {
            (true, false) => break,
            (true, true) => body["state"] = json!("INACTIVE"),
            _ => {}
        }
        let schema = context.suite.apis[api].body_schema(places.maker);
        if inactive && schema.is_none_or(|schema| !schema.is_valid(&body)) {
            break;
        }
        let body = with_liveness(context, (api, places.maker), body);
        let made = context.make(api, places.maker, &values, Some(body)).await?;
        let shown = listed_where_shown(context, api, places, &made).await?;
        let below = existing_below(context, api, places, &made).await?;
        removed(context, api, places, &made, &shown, &below).await?;
    }
    Ok(())
}

fn get(context: &Context, api: usize, operation: usize, values: &Values) -> Call {
    context.call(api, operation, values).intent(Intent::Odd)
}

/// Where the object can be read by itself; there it must be in the list too.
async fn listed_where_shown(
    context: &mut Context,
    api: usize,
    places: &Places,
    made: &Made,
) -> Result<Vec<(usize, Option<usize>)>, Stop> {
    let mut shown = Vec::new();
    for (item, list) in &places.shown {
        let call = get(context, api, *item, &made.values).role(Role::Control);
        let alone = context.send(call).await?;
        if !alone.is_success() {
            continue;
        }
        shown.push((*item, *list));
        let Some(list) = *list else { continue };
        let call = get(context, api, list, &made.values);
        let wanted = |exchange: &Exchange| has(exchange, &made.path) != Some(false);
        let exchange = until(context, &call, wanted).await?;
        // Objects that do not show their identifier can't be found in a list.
        let (alone, all) = (
            alone.json().unwrap_or_default(),
            exchange.json().unwrap_or_default(),
        );
        let told = is_identified(&alone, &all, last(&made.path));
        if told && !wanted(&exchange) && !is_part(&context.suite, &exchange) {
            let failure = Failure::new(
                "an object that can be read by itself is not in the list",
                format!("{} in the list", last(&made.path)),
                exchange.summary(),
            );
            let key = context.suite.apis[api].api.operations[list].key.clone();
            context.report(failure.at(key).shown_by(&exchange.call));
        }
    }
    Ok(shown)
}

async fn existing_below(
    context: &mut Context,
    api: usize,
    places: &Places,
    made: &Made,
) -> Result<Vec<usize>, Stop> {
    let mut existing = Vec::new();
    for operation in &places.below {
        let call = get(context, api, *operation, &made.values).role(Role::Control);
        if context.send(call).await?.is_success() {
            existing.push(*operation);
        }
    }
    Ok(existing)
}

/// Removes the object; it is gone everywhere, also when another one has been made.
async fn removed(
    context: &mut Context,
    api: usize,
    places: &Places,
    made: &Made,
    shown: &[(usize, Option<usize>)],
    below: &[usize],
) -> Outcome {
    let delete = context.call(api, places.delete, &made.values).role(Role::SetUp);
    if !context.send(delete).await?.is_success() {
        // Judged by `delete-removes`.
        return Ok(());
    }
    for another in [false, true] {
        let when = if another {
            "when another one is made"
        } else {
            "after it was removed"
        };
        if another {
            let values = context.values(api, places.maker).await?;
            let new = context.make(api, places.maker, &values, None).await?;
            if new.values.get(&places.parameter) == made.values.get(&places.parameter) {
                // The identifier is given again: what is there now is the new one.
                return Ok(());
            }
        }
        let items = shown.iter().map(|(item, _)| *item).chain(below.iter().copied());
        for operation in items.collect::<Vec<_>>() {
            let call = get(context, api, operation, &made.values);
            let gone = |exchange: &Exchange| !exchange.is_success();
            let exchange = until(context, &call, gone).await?;
            if !gone(&exchange) {
                lingers(
                    context,
                    api,
                    operation,
                    &format!("it can be read {when}"),
                    &exchange,
                );
            }
        }
        for list in shown.iter().filter_map(|(_, list)| *list) {
            let call = get(context, api, list, &made.values);
            let gone = |exchange: &Exchange| has(exchange, &made.path) != Some(true);
            let exchange = until(context, &call, gone).await?;
            if !gone(&exchange) {
                lingers(
                    context,
                    api,
                    list,
                    &format!("it is in the list {when}"),
                    &exchange,
                );
            }
        }
    }
    Ok(())
}

fn lingers(context: &mut Context, api: usize, operation: usize, how: &str, exchange: &Exchange) {
    let key = context.suite.apis[api].api.operations[operation].key.clone();
    let title = format!("an object that was removed is not gone: {how}");
    let failure = Failure::new(title, "404, or a list without it", exchange.summary());
    context.report(failure.at(key).shown_by(&exchange.call));
}

/// Whether a list has the object of a path; none where the answer is no list.
fn has(exchange: &Exchange, path: &str) -> Option<bool> {
    let body = exchange.json().filter(|_| exchange.is_success())?;
    let list = items(&body)?;
    Some(list.iter().any(|item| is_at(item, last(path))))
}

/// Asks until the answer is as it should be, for a second at most; what was asked for meanwhile is forgotten.
async fn until(
    context: &mut Context,
    call: &Call,
    right: impl Fn(&Exchange) -> bool,
) -> Result<Exchange, Stop> {
    let before = context.trace.len();
    for wait in [0, 200, 300, 500] {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        context.trace.truncate(before);
        let exchange = context.send(call.clone()).await?;
        if right(&exchange) || wait == 500 {
            return Ok(exchange);
        }
    }
    context.send(call.clone()).await
}

async fn once(
    context: &mut Context,
    api: usize,
    (list, maker): (usize, Option<usize>),
    property: &str,
) -> Outcome {
    let mut values = context.values(api, list).await?;
    if let Some(maker) = maker.filter(|_| !context.suite.options.read_only) {
        let made = context.make(api, maker, &values, None).await?;
        values = made.values;
        read(context, api, &made.path, Role::Control).await?;
    }
    let exchange = context.send(context.call(api, list, &values)).await?;
    let body = exchange.json().unwrap_or_default();
    let list = items(&body)
        .filter(|_| exchange.is_success())
        .cloned()
        .unwrap_or_default();
    let mut seen = BTreeSet::new();
    let mut ids = list
        .iter()
        .filter_map(|item| item.get(property).and_then(Value::as_str));
    let twice = ids.find(|id| !seen.insert((*id).to_owned())).map(str::to_owned);
    match (twice, seen.is_empty()) {
        (Some(id), _) => Err(Failure::new(
            "a list has an object twice",
            format!("{property} {id} once"),
            exchange.summary(),
        )
        .shown_by(&exchange.call)
        .stop()),
        (None, true) => Err(Stop::NotApplicable(format!(
            "nothing in the list has a property {property}"
        ))),
        (None, false) => Ok(()),
    }
}
