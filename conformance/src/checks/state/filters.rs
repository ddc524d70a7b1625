//! Filters are metamorphic: a filtered list is the unfiltered one, filtered.

use std::sync::Arc;

use mecforge_api::{Location, Parameter};
use mecforge_report::Severity;
use serde_json::{Value, json};

use super::comparison::{items, same};
use crate::suite::{Check, Context, Failure, Group, Outcome, Plan, Role, Source, Stop, Suite, Values};

pub(super) static FILTER: Check = Check {
    id: "filters-filter",
    group: Group::State,
    title: "a filtered list is the unfiltered one, filtered",
    severity: Severity::Error,
    explanation: "Objects with different values are made; for each value, the list with the filter has all of them that have the value, and nothing that has another. Objects that others make meanwhile count only if they don't fit. Where the text allows two readings (is_local), nothing is held against either.",
    sources: &[
        Source::Etsi("ETSI GS MEC 011", "8.2.3.3.1 and 8.2.6.3.1"),
        Source::Document,
    ],
};

/// Query parameters of MEC 011 and what they look at.
const PARAMETERS: [(&str, &str); 5] = [
    ("ser_instance_id", "/serInstanceId"),
    ("ser_name", "/serName"),
    ("ser_category_id", "/serCategory/id"),
    ("scope_of_locality", "/scopeOfLocality"),
    ("consumed_local_only", "/consumedLocalOnly"),
];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let document = &suite.apis[api].api;
    if document.id != "mec011-service-management" {
        return;
    }
    let Some(maker) = document
        .operation("POST", "/applications/{appInstanceId}/services")
        .map(|operation| operation.index)
    else {
        return;
    };
    for path in ["/services", "/applications/{appInstanceId}/services"] {
        let Some(list) = document.operation("GET", path) else {
            continue;
        };
        for parameter in list.parameters_in(Location::Query) {
            let Some((_, pointer)) = PARAMETERS.iter().find(|(name, _)| *name == parameter.name) else {
                continue;
            };
            let (list, parameter) = (list.index, parameter.clone());
            plan.add(
                suite,
                &FILTER,
                api,
                Some(list),
                &parameter.name.clone(),
                move |context| {
                    let parameter = parameter.clone();
                    Box::pin(async move { filter(context, api, maker, list, &parameter, pointer).await })
                },
            )
            .read_only = false;
        }
    }
}

/// Three services that differ in everything that can be filtered by.
async fn services(
    context: &mut Context,
    api: usize,
    maker: usize,
    values: &Values,
) -> Result<Vec<Value>, Stop> {
    let mut made = Vec::new();
    for at in 0..3_u8 {
        let mut body = context.body(api, maker, values)?;
        let name = context.unique();
        if let Some(object) = body.as_object_mut() {
            // The second name begins with the first, the third is the first in upper case.
            let name = match at {
                0 => "filter".to_owned() + &name,
                1 => format!(
                    "{}-more",
                    made.first()
                        .and_then(|first: &Value| first.get("serName"))
                        .and_then(Value::as_str)
                        .unwrap_or("filter")
                ),
                _ => made
                    .first()
                    .and_then(|first: &Value| first.get("serName"))
                    .and_then(Value::as_str)
                    .unwrap_or("filter")
                    .to_uppercase(),
            };
            object.insert("serName".to_owned(), json!(name));
            object.insert("serCategory".to_owned(), json!({"href": "http://192.0.2.1/catalogue", "id": format!("category-{name}"), "name": "conformance", "version": "1.0"}));
            object.insert(
                "scopeOfLocality".to_owned(),
                json!(["MEC_HOST", "MEC_SYSTEM", "ZONE"][usize::from(at)]),
            );
            object.insert("consumedLocalOnly".to_owned(), json!(at == 0));
        }
        made.push(context.make(api, maker, values, Some(body)).await?.answered);
    }
    Ok(made)
}

async fn filter(
    context: &mut Context,
    api: usize,
    maker: usize,
    list: usize,
    parameter: &Parameter,
    pointer: &str,
) -> Outcome {
    let values = context.values(api, maker).await?;
    let made = services(context, api, maker, &values).await?;
    let control = context
        .send(context.call(api, list, &values).role(Role::Control))
        .await?;
    let all = control.json().unwrap_or_default();
    let seen = |service: &Value, list: &Value| {
        items(list).is_some_and(|items| {
            items
                .iter()
                .any(|item| item.get("serInstanceId") == service.get("serInstanceId"))
        })
    };
    if !control.is_success() || !made.iter().all(|service| seen(service, &all)) {
        return Err(Failure::new(
            "the unfiltered list lacks services that were made",
            "all of them",
            control.summary(),
        )
        .of("list-agrees")
        .stop());
    }
    for wanted in &made {
        let Some(value) = wanted.pointer(pointer) else {
            return Err(Failure::new(
                format!("the answer does not have what was sent at {pointer}"),
                "the value that was sent",
                wanted.to_string(),
            )
            .of("keeps-what-is-sent")
            .signature(pointer)
            .stop());
        };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let exchange = context
            .send(
                context
                    .call(api, list, &values)
                    .query(&parameter.name, text.clone()),
            )
            .await?;
        if !exchange.is_success() && exchange.status() != 404 {
            return Err(Failure::new(
                format!("the filter {} is refused", parameter.name),
                "200",
                exchange.summary(),
            )
            .of("accepts-valid")
            .shown_by(&exchange.call)
            .stop());
        }
        let found = exchange.json().unwrap_or_default();
        let fits = |service: &Value| service.pointer(pointer).is_some_and(|other| same(other, value));
        if let Some(missing) = made
            .iter()
            .find(|service| fits(service) && !seen(service, &found))
        {
            let failure = Failure::new(
                format!("the filter {} leaves out what fits", parameter.name),
                format!("{} in the list", missing["serInstanceId"]),
                exchange.summary(),
            );
            return Err(failure.signature("leaves out").stop());
        }
        // What lacks the property may have its default, which fits or not: nothing is held against it.
        let wrong = items(&found)
            .into_iter()
            .flatten()
            .filter(|_| exchange.is_success())
            .find(|service| service.pointer(pointer).is_some() && !fits(service));
        if let Some(wrong) = wrong {
            let failure = Failure::new(
                format!("the filter {} lets through what does not fit", parameter.name),
                format!("only services whose {pointer} is {value}"),
                wrong.to_string(),
            );
            return Err(failure.signature("lets through").stop());
        }
    }
    Ok(())
}
