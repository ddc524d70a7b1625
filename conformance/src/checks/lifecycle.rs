//! What may be made and changed: identifiers that are taken, objects that do not exist, applications that have just
//! registered, tasks that are asked for twice.

use std::sync::Arc;
use std::time::Duration;

use mecforge_report::Severity;
use serde_json::json;

use super::security::{properties, read};
use super::state::comparison::{last, same};
use crate::suite::{
    Check, Context, Exchange, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite, Values,
    location_path,
};

static TAKEN: Check = Check {
    id: "taken-identifiers-stay",
    group: Group::State,
    title: "a creation under an identifier that is taken replaces nothing",
    severity: Severity::Error,
    explanation: "Where a client may bring the identifier and the platform takes it: a second creation under the same identifier, with other content, must not be answered 201 for the same place, and what was there must stay.",
    sources: &[Source::Rfc(9110, "15.3.2"), Source::Document],
};

static NEEDED: Check = Check {
    id: "changes-need-an-object",
    group: Group::State,
    title: "a change of what does not exist is not answered with a success",
    severity: Severity::Error,
    explanation: "PUT and PATCH with a valid body at an identifier that nobody made. Either may make what it names, where the document declares 201 or the API is none of ETSI's: then GET must find it.",
    sources: &[
        Source::Rfc(9110, "9.3.4"),
        Source::Rfc(9110, "15.5.5"),
        Source::Document,
    ],
};

static USABLE: Check = Check {
    id: "registered-applications-are-usable",
    group: Group::State,
    title: "an application that has registered can offer services",
    severity: Severity::Error,
    explanation: "An application registers, and registers a service at once, as the main application instance can. 404 for a second long is a breach, as the registration said that the application exists.",
    sources: &[
        Source::Etsi("ETSI GS MEC 011", "7.2.13.3.4"),
        Source::Etsi("ETSI GS MEC 011", "8.2.6.3.4"),
    ],
};

static TWICE: Check = Check {
    id: "tasks-may-be-asked-for-twice",
    group: Group::Input,
    title: "the same valid request a second time is no reason for a 5xx",
    severity: Severity::Error,
    explanation: "Operations that make nothing (confirmations) are asked for twice. What the platform answers is its choice, a 5xx is not.",
    sources: &[Source::Rfc(9110, "15.6")],
};

pub(super) static CHECKS: &[&Check] = &[&TAKEN, &NEEDED, &USABLE, &TWICE];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for (api, state) in suite.apis.iter().enumerate() {
        for resource in &state.api.resources {
            let parameter = resource.path.last_parameter();
            for method in ["PUT", "PATCH"] {
                if let (Some(operation), Some(_)) = (resource.operation(method), parameter) {
                    plan.add(suite, &NEEDED, api, Some(operation), "nobody", move |context| {
                        Box::pin(async move { needed(context, api, operation).await })
                    });
                }
            }
            if let (Some(maker), Some(parameter)) = (resource.maker, parameter) {
                let property = state.knowledge.identifier_property(parameter).to_owned();
                let known = state.knowledge.server_set(&state.api.operations[maker].key);
                let of_body = properties::of_body(suite, api, maker);
                let chosen = of_body
                    .get(&property)
                    .is_some_and(|schema| schema["readOnly"] != true);
                if chosen && !known.contains(&property.as_str()) {
                    plan.add(suite, &TAKEN, api, Some(maker), "taken", move |context| {
                        let property = property.clone();
                        Box::pin(async move { taken(context, api, maker, &property).await })
                    });
                }
            }
        }
        let makers: Vec<_> = state
            .api
            .resources
            .iter()
            .filter_map(|resource| resource.maker)
            .collect();
        for operation in &state.api.operations {
            let index = operation.index;
            if operation.method == "POST" && !makers.contains(&index) {
                let case = plan.add(suite, &TWICE, api, Some(index), "twice", move |context| {
                    Box::pin(async move { twice(context, api, index).await })
                });
                // It may end the application that the others act for.
                case.stage = 4;
                case.alone();
            }
        }
        applications(suite, plan, api);
    }
}

/// Checks of applications that register (MEC 011): where their registration and their services are under test.
fn applications(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let registration = suite.apis[api].api.operation("POST", "/registrations");
    let services = suite.apis.iter().enumerate().find_map(|(other, state)| {
        let maker = state
            .api
            .operation("POST", "/applications/{appInstanceId}/services")?;
        Some((other, maker.index))
    });
    let (Some(registration), Some(services)) = (registration, services) else {
        return;
    };
    if !suite.apis[api].knowledge.is_of_etsi() {
        return;
    }
    let registration = registration.index;
    plan.add(
        suite,
        &USABLE,
        api,
        Some(registration),
        "usable",
        move |context| Box::pin(async move { usable(context, (api, registration), services).await }),
    );
}

async fn needed(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let declared = &suite.apis[api].api.operations[operation];
    let mut values = context.values(api, operation).await?;
    let Some(parameter) = declared.path.last_parameter() else {
        return Ok(());
    };
    values.insert(parameter.to_owned(), format!("unknown-{}", context.unique()));
    let mut call = context.call(api, operation, &values).intent(Intent::Odd);
    if declared.json_body().is_some() {
        call = call.json(context.body(api, operation, &values)?);
    }
    let path = call.path.clone();
    let exchange = context.send(call).await?;
    if !exchange.is_success() {
        return Ok(());
    }
    let Some(found) = read(context, api, &path, Role::Control)
        .await?
        .filter(|_| exchange.status() != 202)
    else {
        return Err(Stop::NotApplicable("nothing tells what came of it".to_owned()));
    };
    let made = found.is_success();
    let makes = declared.response(201).is_some() || !suite.apis[api].knowledge.is_of_etsi();
    if makes && made {
        return Ok(());
    }
    let title = format!(
        "{} of what does not exist is answered {}",
        declared.method,
        exchange.status()
    );
    Err(Failure::new(title, "404", exchange.summary())
        .shown_by(&exchange.call)
        .stop())
}

async fn taken(context: &mut Context, api: usize, maker: usize, property: &str) -> Outcome {
    let values = context.values(api, maker).await?;
    let chosen = format!("mec-conformance-{}", context.unique());
    let mut first = context.body(api, maker, &values)?;
    first[property] = json!(chosen);
    let call = context.call(api, maker, &values).json(first).intent(Intent::Odd);
    let one = context.send(call.role(Role::Control)).await?;
    let path = location_path(&context.suite, &one).filter(|path| one.status() == 201 && last(path) == chosen);
    let Some(path) = path else {
        return Err(Stop::NotApplicable(
            "the platform gives the identifiers itself".to_owned(),
        ));
    };
    let Some(before) = read(context, api, &path, Role::Control)
        .await?
        .filter(Exchange::is_success)
    else {
        return Err(Stop::NotApplicable(
            "the API has no GET for what it makes".to_owned(),
        ));
    };
    let mut second = context.body(api, maker, &values)?;
    second[property] = json!(chosen);
    let call = context.call(api, maker, &values).json(second).intent(Intent::Odd);
    let two = context.send(call).await?;
    let after = read(context, api, &path, Role::Judged).await?;
    let (old, new) = (
        before.json().unwrap_or_default(),
        after.and_then(|after| after.json()).unwrap_or_default(),
    );
    if two.status() == 201 && location_path(&context.suite, &two).as_deref() == Some(path.as_str()) {
        let failure = Failure::new(
            "a second creation under a taken identifier is answered 201 for the same place",
            "409 or another 4xx, or another place",
            two.summary(),
        );
        return Err(failure.shown_by(&two.call).stop());
    }
    if !same(&old, &new) {
        let title = "a second creation under a taken identifier has changed what was there";
        return Err(Failure::new(title, old.to_string(), new.to_string())
            .shown_by(&two.call)
            .stop());
    }
    Ok(())
}

/// Registers an application; its identifier.
async fn register(context: &mut Context, api: usize, registration: usize) -> Result<(String, Values), Stop> {
    let made = context.make(api, registration, &Values::new(), None).await?;
    let id = made.values.get("appInstanceId").cloned().unwrap_or_default();
    Ok((id, made.values))
}

async fn usable(
    context: &mut Context,
    (api, registration): (usize, usize),
    (other, maker): (usize, usize),
) -> Outcome {
    let own = context.values(other, maker).await?;
    context.make(other, maker, &own, None).await?;
    let (_, values) = register(context, api, registration).await?;
    let body = context.body(other, maker, &values)?;
    let call = context.call(other, maker, &values).json(body);
    let before = context.trace.len();
    for wait in [0, 200, 300, 500] {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        context.trace.truncate(before);
        let exchange = context.send(call.clone()).await?;
        if exchange.status() != 404 {
            return Ok(());
        }
    }
    Err(Failure::new(
        "an application that has registered can't offer a service",
        "201, as for an application that was there before",
        "404 for a second",
    )
    .stop())
}

async fn twice(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let mut call = context.call(api, operation, &values).intent(Intent::Odd);
    if context.suite.apis[api].api.operations[operation]
        .json_body()
        .is_some()
    {
        call = call.json(context.body(api, operation, &values)?);
    }
    for _ in 0..2 {
        // What is wrong with an answer is judged by what judges every answer.
        context.send(call.clone()).await?;
    }
    Ok(())
}
