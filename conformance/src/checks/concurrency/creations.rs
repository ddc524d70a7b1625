//! Parallel creations make different objects; parallel removals remove one once.

use std::sync::Arc;

use serde_json::Value;

use super::clients::together;
use super::marker;
use super::order::Subject;
use crate::checks::model::content::chosen_by_client;
use crate::checks::state::comparison::{is_at, is_part, items, last};
use crate::suite::{Context, Failure, Outcome, Role, Stop, location_path};

/// Clients at the same time.
const CLIENTS: u32 = 6;

pub(super) async fn creations(context: &mut Context, object: Subject, list: Option<usize>) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let values = context.values(object.api, object.maker).await?;
    // One alone first: whether it works at all.
    let alone = context.make(object.api, object.maker, &values, None).await?;
    let template = &suite.apis[object.api].api.operations[object.get].path;
    let parameter = template.last_parameter().unwrap_or_default();
    if chosen_by_client(&alone, parameter) {
        return Err(Stop::NotApplicable(
            "clients choose the identifiers, so that they can choose the same".to_owned(),
        ));
    }
    let (body, marker) = marker::find(context, object.api, object.maker, &values)?;
    let calls = (1..=CLIENTS)
        .map(|number| {
            let own = marker
                .as_ref()
                .map_or_else(|| body.clone(), |marker| marker.mark(&body, number));
            vec![context.call(object.api, object.maker, &values).json(own)]
        })
        .collect();
    let done = together(context, calls).await?;
    let mut made: Vec<(String, u32)> = Vec::new();
    for done in done.iter().filter(|done| done.exchange.status() == 201) {
        let number = u32::try_from(done.client).unwrap_or_default() + 1;
        let Some(path) = location_path(&suite, &done.exchange) else {
            continue;
        };
        if made.iter().any(|(other, _)| *other == path) {
            return Err(Failure::new(
                "two creations at the same time have one Location",
                "a Location for each",
                path,
            )
            .signature("one Location")
            .stop());
        }
        made.push((path, number));
    }
    if made.len() < 2 {
        return Err(Stop::Inconclusive(
            "fewer than two of the parallel creations succeeded; is there a limit at the platform?"
                .to_owned(),
        ));
    }
    let identifier = |path: &str| {
        let found = template
            .matches(path)
            .and_then(|mut values| values.remove(parameter));
        found.unwrap_or_else(|| last(path).to_owned())
    };
    // Objects that do not have their identifier in their body can't be found in a list.
    let mut named = true;
    for (path, number) in &made {
        let Some(call) = crate::suite::reading(&suite, object.api, path) else {
            break;
        };
        let read = context.send(call.role(Role::Judged)).await?;
        named &= read.json().is_some_and(|body| is_at(&body, &identifier(path)));
        let wrong = match read.status() {
            404 | 410 => true,
            200 => {
                let body = read.json().unwrap_or_default();
                let found = marker.as_ref().and_then(|marker| marker.read(&body));
                found.is_some_and(|found| found != *number)
            }
            _ => false,
        };
        if wrong {
            return Err(Failure::new(
                "one of several objects that were made at the same time is not what was sent",
                "the object of its own request",
                read.summary(),
            )
            .signature("another object")
            .stop());
        }
    }
    let Some(list) = list else { return Ok(()) };
    let listed = context.send(context.call(object.api, list, &values)).await?;
    let body = listed.json().unwrap_or_default();
    let part = is_part(&suite, &listed);
    let Some(items) = items(&body).filter(|_| listed.status() == 200 && !part) else {
        return Ok(());
    };
    let links = |item: &Value| item.is_string() || item.get("href").is_some();
    if !named && items.len() >= made.len() && !items.iter().any(links) {
        return Ok(());
    }
    let missing = |path: &str| !items.iter().any(|item: &Value| is_at(item, &identifier(path)));
    match made.iter().find(|(path, _)| missing(path)) {
        None => Ok(()),
        Some((path, _)) => Err(Failure::new(
            "one of several objects that were made at the same time is not in the list",
            format!("an item for {path}"),
            format!("{} items, none of them it", items.len()),
        )
        .signature("not in the list")
        .stop()),
    }
}

pub(super) async fn removal(context: &mut Context, object: Subject, delete: usize) -> Outcome {
    let values = context.values(object.api, object.maker).await?;
    let alone = context.make(object.api, object.maker, &values, None).await?;
    let call = context
        .call(object.api, delete, &alone.values)
        .role(Role::Control);
    context.send(call.clone()).await?;
    let second = context.send(call).await?;
    if !matches!(second.status(), 404 | 410) {
        return Err(Stop::NotApplicable(
            "a second DELETE is not answered 404, so that the answer does not say who removed it".to_owned(),
        ));
    }
    let made = context.make(object.api, object.maker, &values, None).await?;
    let call = context.call(object.api, delete, &made.values);
    let calls = (0..CLIENTS).map(|_| vec![call.clone()]).collect();
    let done = together(context, calls).await?;
    let won = done.iter().filter(|done| done.exchange.is_success()).count();
    let read = context.call(object.api, object.get, &made.values);
    let read = context.send(read).await?;
    if won > 0 && read.status() == 200 && made.answered.is_object() && read.json() == Some(made.answered) {
        let failure = Failure::new(
            "an object exists after parallel removals",
            "404, as one was answered with success",
            read.summary(),
        );
        return Err(failure.of(super::ORDER.id).stop());
    }
    if won > 1 {
        return Err(Failure::new(
            "several removals of one object at the same time are answered with success",
            "one success, and 404 for the others",
            format!("{won} successes"),
        )
        .stop());
    }
    Ok(())
}
