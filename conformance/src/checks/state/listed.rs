//! Links of the objects in lists, and of those objects themselves.

use std::sync::Arc;

use mecforge_report::Severity;
use serde_json::Value;

use super::comparison::{is_at, items, last, other_type};
use crate::checks::security::with_liveness;
use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite, Values,
    each_named, path_below, resolved,
};

pub(super) static LINKS: Check = Check {
    id: "listed-links-lead",
    group: Group::State,
    title: "the links of listed objects lead to these objects",
    severity: Severity::Error,
    explanation: "Objects that are made for it, or those of a list in which nothing can be made, are followed where their own links lead (href, _links.self, resourceURL): the answer is a success, it has the identifiers that the listed object shows, and the type of subscription that the link says; the same is asked of the link that the object itself then shows. A list that shows what is made elsewhere (/services) shows every member that the objects have. Links that lead outside the API's base path, or to another host, are not followed, and an object that is not in the list any more is not judged.",
    sources: &[Source::Etsi("ETSI GS MEC 009", "links"), Source::Document],
};

/// Objects of a list that are followed, and objects that are made for it.
const MOST: usize = 4;
const OBJECTS: usize = 2;

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let state = &suite.apis[api];
    if !state.knowledge.is_of_etsi() {
        return;
    }
    for resource in &state.api.resources {
        let Some(list) = resource.operation("GET").filter(|_| resource.items.is_some()) else {
            continue;
        };
        let maker = resource.operation("POST");
        let maker = maker.filter(|maker| state.api.resources.iter().any(|made| made.maker == Some(*maker)));
        // A list without items of its own, such as that of all services, or of what the platform knows.
        let view = state.api.operations.iter().find(|other| {
            let shown = state.knowledge.view(&other.key);
            shown.is_some_and(|(shown, _)| shown == resource.path.text())
        });
        let is_view = maker.is_none() && view.is_some();
        let maker = maker.or(view.map(|maker| maker.index));
        let case = plan.add(suite, &LINKS, api, Some(list), "listed links", move |context| {
            Box::pin(async move { lead(context, (api, list), maker, is_view).await })
        });
        case.read_only = maker.is_none();
        // What others make and remove meanwhile would be links that lead nowhere.
        case.alone();
    }
}

/// The link that an object has to itself.
fn own_link(object: &Value) -> Option<&str> {
    let places = [
        "/href",
        "/_links/self/href",
        "/_links/self",
        "/resourceURL",
        "/resourceURL/href",
    ];
    let mut links = places.iter().filter_map(|place| object.pointer(place)?.as_str());
    links.next()
}

/// An object, out of the member that it may be wrapped in.
fn unwrapped(body: &Value) -> &Value {
    let only = body.as_object().filter(|members| members.len() == 1);
    let inner = only.and_then(|members| members.values().next());
    inner.filter(|inner| inner.is_object()).unwrap_or(body)
}

/// An identifier that one object shows and another one has otherwise: name, the one, the other.
fn other_identity<'both>(
    item: &'both Value,
    object: &'both Value,
) -> Option<(&'both str, &'both Value, &'both Value)> {
    let members = item.as_object()?.iter();
    let mut identifiers = members.filter(|(name, value)| {
        let name = name.to_ascii_lowercase();
        name.ends_with("id") && (value.is_string() || value.is_number())
    });
    identifiers.find_map(|(name, shown)| {
        let has = object.get(name)?;
        (has != shown).then_some((name.as_str(), shown, has))
    })
}

/// Follows the links of a list. One that only shows what another list has too must show it as wholly as the object.
async fn lead(
    context: &mut Context,
    (api, list): (usize, usize),
    maker: Option<usize>,
    is_view: bool,
) -> Outcome {
    let mut made = Vec::new();
    let values = match maker {
        Some(maker) => {
            let values = context.values(api, maker).await?;
            let some = context
                .make_some((api, maker), &values, OBJECTS, Some(with_liveness))
                .await?;
            made.extend(some.into_iter().map(|made| made.path));
            values
        }
        None => context.values(api, list).await?,
    };
    let call = context.call(api, list, &values);
    let listed = context.send(call.clone().role(Role::Control)).await?;
    let body = listed.json().filter(|_| listed.is_success()).unwrap_or_default();
    let linked = |item: &&Value| item.is_object() && own_link(item).is_some();
    let mut all: Vec<Value> = items(&body)
        .into_iter()
        .flatten()
        .filter(linked)
        .cloned()
        .collect();
    // What others have made may be gone by the time that it is followed, or what it belongs to.
    let own = |item: &Value| made.iter().any(|path| is_at(item, last(path)));
    if all.iter().any(own) {
        all.retain(own);
    }
    if all.is_empty() {
        return Err(Stop::NotApplicable(
            "nothing in the answer is a list of objects that have links".to_owned(),
        ));
    }
    let mut followed = 0;
    for item in all.iter().take(MOST) {
        let Some(read) = follow(context, &call, item).await? else {
            continue;
        };
        followed += 1;
        judge(context, &call, item, &read, "a listed object").await?;
        let body = read.json().unwrap_or_default();
        let object = unwrapped(&body);
        if is_view && let Some(name) = missing(item, object) {
            let title = format!("an object has no {name} in a list, and has it where the link leads");
            let failure = Failure::new(title, object.to_string(), item.to_string());
            return Err(failure
                .signature(format!("no {name}"))
                .shown_by(&read.call)
                .stop());
        }
        let mut shown = vec![(object.clone(), read.call.clone())];
        if is_view && let Some(other) = in_view(context, &call, item).await? {
            shown.push((other.json().unwrap_or_default(), other.call));
        }
        for (object, from) in shown {
            let own = own_link(&object);
            if own.is_some()
                && own != own_link(item)
                && let Some(again) = follow(context, &from, &object).await?
            {
                judge(context, &call, &object, &again, "an object").await?;
            }
        }
    }
    match followed {
        0 => Err(Stop::NotApplicable(
            "the links of the listed objects lead outside the API's base path".to_owned(),
        )),
        _ => Ok(()),
    }
}

/// An object as it is read below the list itself, wherever its link leads; none where that is no success.
async fn in_view(context: &mut Context, list: &Call, item: &Value) -> Result<Option<Exchange>, Stop> {
    let suite = Arc::clone(&context.suite);
    let mut resources = suite.apis[list.api].api.resources.iter();
    let template = list
        .operation
        .map(|list_operation| suite.apis[list.api].api.operations[list_operation].path.text());
    let below = resources.find(|resource| resource.collection.as_deref() == template);
    let operation = below.and_then(|below| below.operation("GET"));
    let parameter = below.and_then(|below| below.path.last_parameter());
    let (Some(operation), Some(parameter)) = (operation, parameter) else {
        return Ok(None);
    };
    let named = each_named(vec![item.clone()], &Values::new(), parameter);
    let Some((values, _)) = named.first() else {
        return Ok(None);
    };
    let call = context.call(list.api, operation, values).role(Role::Judged);
    let read = context.send(call).await?;
    Ok(read.is_success().then_some(read))
}

/// A member that an object has and its item in a list has not; links apart.
fn missing<'object>(item: &Value, object: &'object Value) -> Option<&'object str> {
    let mut names = object.as_object()?.keys();
    let lacks = |name: &&String| !name.starts_with('_') && item.get(name.as_str()).is_none();
    names.find(lacks).map(String::as_str)
}

/// Asks for where an object's own link leads; none where that is outside the API.
async fn follow(context: &mut Context, from: &Call, object: &Value) -> Result<Option<Exchange>, Stop> {
    let suite = Arc::clone(&context.suite);
    let link = own_link(object).map(|link| resolved(&suite, from, link));
    let Some(path) = link.and_then(|link| path_below(&suite, from.api, &link)) else {
        return Ok(None);
    };
    let resource = suite.apis[from.api].api.resource_at(&path);
    let call = Call {
        operation: resource.and_then(|resource| resource.operation("GET")),
        path,
        query: Vec::new(),
        raw_query: None,
        ..from.clone()
    };
    // Where no resource of the document is, whatever is answered is judged here alone.
    let intent = if call.operation.is_some() {
        Intent::Valid
    } else {
        Intent::Odd
    };
    context
        .send(call.intent(intent).role(Role::Judged))
        .await
        .map(Some)
}

/// What is behind a link is the object that has it.
async fn judge(context: &mut Context, list: &Call, item: &Value, read: &Exchange, what: &str) -> Outcome {
    let link = own_link(item).unwrap_or_default();
    match read.status() {
        200..300 => {}
        401 | 403 | 429 | 500.. => return Ok(()),
        status => {
            let again = context.send(list.clone().role(Role::Control)).await?;
            let body = again.json().unwrap_or_default();
            let mut links = items(&body).into_iter().flatten().filter_map(own_link);
            // The link of the object itself need not be in the list.
            if what == "a listed object" && !links.any(|other| other == link) {
                return Ok(());
            }
            let title = format!("the link of {what} to itself is answered {status}");
            let failure = Failure::new(title, format!("200 at {link}"), read.summary());
            return Err(failure.signature(what).shown_by(&read.call).stop());
        }
    }
    let body = read.json().unwrap_or_default();
    let object = unwrapped(&body);
    if let Some((name, shown, has)) = other_identity(item, object) {
        let title = format!("the link of {what} leads to another one: its {name} differs");
        let failure = Failure::new(title, format!("{name} {shown} at {link}"), has.to_string());
        return Err(failure
            .signature(format!("{what} {name}"))
            .shown_by(&read.call)
            .stop());
    }
    if body.is_array() {
        let title = format!("the link of {what} leads to a list");
        let failure = Failure::new(title, format!("the object at {link}"), read.summary());
        return Err(failure.signature("list").shown_by(&read.call).stop());
    }
    if let Some([linked, own]) = other_type(item, &body) {
        let title = "a link of the list has another subscriptionType than its object";
        return Err(Failure::new(title, own, linked).shown_by(&read.call).stop());
    }
    Ok(())
}
