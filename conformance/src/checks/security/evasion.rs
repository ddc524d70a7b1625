//! What a request says in one place must not be undone by what it says in another: filters that are code, methods that
//! are others.

use std::sync::Arc;

use mecforge_api::Location;
use mecforge_report::Severity;

use super::super::state::comparison::items;
use super::{properties, read};
use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite,
};

static CODE: Check = Check {
    id: "filters-are-not-code",
    group: Group::Security,
    title: "a filter's value is compared, not run",
    severity: Severity::Error,
    explanation: "A filter with a value that nothing has gives an empty list, the list without it does not. The same value with the quotes and conditions of SQL and of other query languages behind it must not give more.",
    sources: &[Source::Practice("CWE-89, CWE-943"), Source::Document],
};

static METHODS: Check = Check {
    id: "safe-methods-remove-nothing",
    group: Group::Security,
    title: "GET stays GET whatever header field or parameter names another method",
    severity: Severity::Warning,
    explanation: "X-HTTP-Method-Override, X-Method-Override and the parameter _method name DELETE; the object must still be there. Firewalls and caches go by the method; no standard names these fields.",
    sources: &[
        Source::Rfc(9110, "9.2.1"),
        Source::Practice("gateways and caches go by the method of a request"),
    ],
};

pub(super) static CHECKS: &[&Check] = &[&CODE, &METHODS];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let state = &suite.apis[api];
    for operation in state
        .api
        .operations
        .iter()
        .filter(|operation| operation.method == "GET")
    {
        let index = operation.index;
        for parameter in operation.parameters_in(Location::Query) {
            let schema = state.api.node(&parameter.schema);
            if !schema.is_some_and(|schema| properties::is_free_text(schema) || schema["type"] == "array") {
                continue;
            }
            let name = parameter.name.clone();
            let case = format!("filter-{name}");
            plan.add(suite, &CODE, api, Some(index), &case, move |context| {
                let name = name.clone();
                Box::pin(async move { code(context, api, index, &name).await })
            });
        }
    }
    for resource in &state.api.resources {
        if let (Some(maker), Some(get), Some(_)) = (
            resource.maker,
            resource.operation("GET"),
            resource.operation("DELETE"),
        ) {
            plan.add(suite, &METHODS, api, Some(get), "override", move |context| {
                Box::pin(async move { overridden(context, api, maker, get).await })
            })
            .read_only = false;
        }
    }
}

/// How many objects are in the answer; none where it is no list.
fn count(exchange: &Exchange) -> Option<usize> {
    let body = exchange.json().filter(|_| exchange.is_success())?;
    items(&body).map(Vec::len)
}

async fn code(context: &mut Context, api: usize, list: usize, name: &str) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[api].api;
    let mut values = context.values(api, list).await?;
    // Something has to be there that may wrongly be given.
    let collection = document.resource(document.operations[list].path.text());
    let item = collection.and_then(|collection| document.resource(collection.items.as_deref()?));
    if let Some(maker) = item
        .and_then(|item| item.maker)
        .filter(|_| !suite.options.read_only)
    {
        values = context.make(api, maker, &values, None).await?.values;
    }
    let nothing = format!("none-{}", context.unique());
    let call = context.call(api, list, &values).intent(Intent::Odd);
    let control = call.clone().query(name, nothing.clone()).role(Role::Control);
    if count(&context.send(control).await?) != Some(0) {
        return Err(Stop::NotApplicable(format!(
            "{name} with a value that nothing has does not give an empty list"
        )));
    }
    for behind in [
        "' OR '1'='1",
        "' OR 1=1 -- ",
        "\" OR \"1\"=\"1",
        "') OR ('1'='1",
        "' || 'a'=='a",
        "'; return true; //",
        ")(|(a=*",
    ] {
        let exchange = context
            .send(call.clone().query(name, format!("{nothing}{behind}")))
            .await?;
        if count(&exchange).is_some_and(|count| count > 0) {
            let failure = Failure::new(
                format!("a condition behind the value of {name} gives objects that do not match"),
                "an empty list, or a 4xx",
                exchange.summary(),
            );
            return Err(failure.shown_by(&exchange.call).stop());
        }
    }
    Ok(())
}

async fn overridden(context: &mut Context, api: usize, maker: usize, get: usize) -> Outcome {
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let own = read(context, api, &made.path, Role::Control).await?;
    if !own.is_some_and(|own| own.is_success()) {
        return Err(Stop::Inconclusive("what was made can't be read".to_owned()));
    }
    // What comes is the answer to another method, if the platform knows the field.
    let call = Call {
        operation: None,
        intent: Intent::Odd,
        ..context.call(api, get, &made.values)
    };
    let calls: [Call; 4] = [
        call.clone().header("X-HTTP-Method-Override", "DELETE"),
        call.clone().header("X-Method-Override", "DELETE"),
        call.clone().header("X-HTTP-Method", "DELETE"),
        call.query("_method", "DELETE"),
    ];
    for call in calls {
        let exchange = context.send(call).await?;
        let still = read(context, api, &made.path, Role::Control).await?;
        if still.is_some_and(|still| matches!(still.status(), 404 | 410)) {
            let failure = Failure::new(
                "GET with the name of another method has removed the object",
                "the object as it was",
                "404",
            );
            return Err(failure.shown_by(&exchange.call).stop());
        }
    }
    Ok(())
}
