//! Whose is it: with the credentials of one application nobody touches what is another's.

use std::sync::Arc;

use mecforge_report::Severity;

use super::super::state::comparison::same;
use super::{lister, read};
use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Identity, Intent, Outcome, Plan, Role, Source, Stop,
    Suite,
};

pub(super) static OWNED: Check = Check {
    id: "objects-belong-to-their-application",
    group: Group::Security,
    title: "with another application's credentials an application's objects can't be used",
    severity: Severity::Error,
    explanation: "An object is made with the main credentials below the main application instance. With the credentials of the second identity it is read, replaced, changed and removed, its list is read, and one more is made there: all must be refused, and the object must be as it was. The second credentials are first seen to be good for the second's own list. Services of MEC 011 are public, so reading them is not judged.",
    sources: &[
        Source::Practice("OWASP API Security Top 10 2023, API1"),
        Source::Etsi("ETSI GS MEC 009", "7.1"),
    ],
};

static EXISTENCE: Check = Check {
    id: "existence-is-not-betrayed",
    group: Group::Security,
    title: "what is another's is answered like what does not exist",
    severity: Severity::Warning,
    explanation: "A refusal of an object that belongs to another application, and that of one that nobody made, have the same status; else everybody can find out what exists. HTTP permits both.",
    sources: &[Source::Rfc(9110, "15.5.4"), Source::Practice("CWE-204")],
};

pub(super) static CHECKS: &[&Check] = &[&OWNED, &EXISTENCE];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    for resource in &suite.apis[api].api.resources {
        let owned = resource.path.text().starts_with("/applications/{appInstanceId}/");
        let Some(maker) = resource.maker.filter(|_| owned) else {
            continue;
        };
        if let Some(get) = resource.operation("GET") {
            plan.add(suite, &EXISTENCE, api, Some(get), "betrayed", move |context| {
                Box::pin(async move { betrayed(context, api, maker, get).await })
            })
            .read_only = false;
        }
        if !suite.clients.credentials {
            let reason = "the run has no credentials, so that nobody can tell two applications apart";
            plan.not_applicable(&OWNED, api, Some(maker), reason);
        } else if suite.clients.other.is_none() {
            let reason = "credentials of a second application are needed; give two [[identity]] in --fixtures, each with app_instance_id and token or token_env";
            plan.inconclusive(&OWNED, api, Some(maker), reason);
        } else {
            plan.add(suite, &OWNED, api, Some(maker), "owned", move |context| {
                Box::pin(async move { owned_by(context, api, maker).await })
            });
        }
    }
}

async fn owned_by(context: &mut Context, api: usize, maker: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let values = context.values(api, maker).await?;
    let list = lister(&suite, api, maker);
    let (Some(second), Some(list)) = (suite.second_instance(), list) else {
        return Err(Stop::Inconclusive(
            "the second [[identity]] of --fixtures needs its app_instance_id".to_owned(),
        ));
    };
    let mut theirs = values.clone();
    theirs.insert("appInstanceId".to_owned(), second);
    let control = context
        .call(api, list, &theirs)
        .role(Role::Control)
        .identity(Identity::Other);
    let control = context.send(control).await?;
    if !control.is_success() {
        return Err(Stop::Inconclusive(format!(
            "the second identity can't read its own list ({}); give a token of --fixtures [[identity]] that is good for its app_instance_id",
            control.status()
        )));
    }
    let made = context.make(api, maker, &values, None).await?;
    let Some(own) = read(context, api, &made.path, Role::Control)
        .await?
        .filter(Exchange::is_success)
    else {
        return Err(Stop::Inconclusive("what was made can't be read".to_owned()));
    };
    let public = suite.apis[api]
        .knowledge
        .is_public(&suite.apis[api].api.operations[maker].key);
    let mut calls = Vec::new();
    if !public {
        calls.push(context.call(api, list, &values));
    }
    let body = context.body(api, maker, &values)?;
    calls.push(context.call(api, maker, &values).json(body));
    if let Some(resource) = suite.apis[api].api.resource_at(&made.path) {
        for method in ["GET", "PATCH", "PUT", "DELETE"] {
            let Some(operation) = resource
                .operation(method)
                .filter(|_| !(public && method == "GET"))
            else {
                continue;
            };
            let mut call = context.call(api, operation, &made.values);
            if suite.apis[api].api.operations[operation].json_body().is_some() {
                call = call.json(context.body(api, operation, &made.values)?);
            }
            calls.push(call);
        }
    }
    for call in calls {
        as_other(context, api, call).await?;
    }
    let after = read(context, api, &made.path, Role::Judged).await?;
    let (before, now) = (
        own.json().unwrap_or_default(),
        after.and_then(|after| after.json()).unwrap_or_default(),
    );
    match same(&before, &now) {
        true => Ok(()),
        false => Err(Failure::new(
            "an object is not as it was after requests with another application's credentials",
            before.to_string(),
            now.to_string(),
        )
        .stop()),
    }
}

pub(super) async fn as_other(context: &mut Context, api: usize, call: Call) -> Result<(), Stop> {
    let key = call
        .operation
        .map(|index| context.suite.apis[api].api.operations[index].key.clone())
        .unwrap_or_default();
    let exchange = context
        .send(call.identity(Identity::Other).intent(Intent::Odd))
        .await?;
    if exchange.is_success() {
        let title = format!(
            "{} with another application's credentials is answered {}",
            exchange.call.method,
            exchange.status()
        );
        let failure = Failure::new(title, "401, 403 or 404", exchange.summary());
        context.report(failure.at(key).shown_by(&exchange.call));
    }
    Ok(())
}

async fn betrayed(context: &mut Context, api: usize, maker: usize, get: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let Some(parameter) = suite.apis[api].api.operations[get].path.last_parameter() else {
        return Ok(());
    };
    // As the other application below the first one's path; without credentials, below the other's path.
    let identity = if suite.clients.other.is_some() {
        Identity::Other
    } else {
        Identity::Main
    };
    let mut existing = made.values.clone();
    if identity == Identity::Main {
        let Some(second) = suite.second_instance() else {
            return Err(Stop::Inconclusive(
                "two application instances are needed; give them with --app-instance-id A,B".to_owned(),
            ));
        };
        existing.insert("appInstanceId".to_owned(), second);
    }
    // As long as the other, and of its form.
    let mut unknown = existing.clone();
    if let Some(id) = unknown.get_mut(parameter) {
        *id = id.chars().rev().collect();
    }
    if unknown == existing {
        return Err(Stop::NotApplicable(
            "no unknown identifier of this form is at hand".to_owned(),
        ));
    }
    let mut statuses = Vec::new();
    for values in [&existing, &unknown] {
        let call = context
            .call(api, get, values)
            .identity(identity)
            .intent(Intent::Odd);
        statuses.push(context.send(call).await?);
    }
    let [one, other] = statuses.as_slice() else {
        return Ok(());
    };
    // What is readable at all is judged by other checks.
    if one.is_refusal() && other.is_refusal() && one.status() != other.status() {
        return Err(Failure::new(
            format!(
                "what is another's is answered {}, and what does not exist {}",
                one.status(),
                other.status()
            ),
            "the same status",
            one.summary(),
        )
        .stop());
    }
    Ok(())
}
