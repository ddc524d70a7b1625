//! A creation that is refused makes nothing.

use std::sync::Arc;
use std::time::Duration;

use mecforge_report::Severity;

use super::{identifiers_in, lister};
use crate::suite::{
    Call, Check, Context, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite, last_segment,
};

static NOTHING: Check = Check {
    id: "refused-creation-makes-nothing",
    group: Group::Security,
    title: "a creation that is refused leaves nothing behind",
    severity: Severity::Error,
    explanation: "The list of a collection is read before and after a series of invalid creations (malformed, of another media type, each rule of the schema broken alone). What is new in it was made by a request that was refused. A creation first shows that the list tells what there is.",
    sources: &[Source::Rfc(9110, "15.5"), Source::Document],
};

static ONE: Check = Check {
    id: "creation-makes-one",
    group: Group::State,
    title: "a creation makes one object, and brings back none that was removed",
    severity: Severity::Error,
    explanation: "An object is made and removed, then another one is made. Between the two readings of the list nothing is new in it but that one.",
    sources: &[Source::Rfc(9110, "15.3.2"), Source::Document],
};

pub(super) static CHECKS: &[&Check] = &[&NOTHING, &ONE];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    for resource in &suite.apis[api].api.resources {
        let Some(maker) = resource.maker else { continue };
        let Some(parameter) = resource.path.last_parameter().map(str::to_owned) else {
            continue;
        };
        let Some(list) = lister(suite, api, maker) else {
            let reason = "the API has no list that would tell";
            plan.not_applicable(&NOTHING, api, Some(maker), reason);
            continue;
        };
        if let Some(delete) = resource.operation("DELETE") {
            let parameter = parameter.clone();
            plan.add(suite, &ONE, api, Some(maker), "one", move |context| {
                let parameter = parameter.clone();
                Box::pin(async move { one(context, (api, maker, list, delete), &parameter).await })
            })
            .alone();
        }
        let template = resource.path.clone();
        plan.add(suite, &NOTHING, api, Some(maker), "nothing", move |context| {
            let (parameter, template) = (parameter.clone(), template.clone());
            Box::pin(async move { nothing(context, (api, maker, list), &template, &parameter).await })
        })
        .alone();
    }
}

async fn nothing(
    context: &mut Context,
    (api, maker, list): (usize, usize, usize),
    template: &mecforge_api::Template,
    parameter: &str,
) -> Outcome {
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let own = last_segment(&made.path);
    let call = context.call(api, list, &values);
    let before = context.send(call.clone().role(Role::Control)).await?;
    let Some(before) = identifiers_in(&before, parameter).filter(|list| list.contains(&own)) else {
        return Err(Stop::Inconclusive(
            "the list does not show what was made, so that it can't tell what is left behind".to_owned(),
        ));
    };
    quiet(context, &call, &before, parameter).await?;
    for invalid in invalid(context, api, maker, &values)? {
        let exchange = context.send(invalid).await?;
        if !exchange.is_refusal() {
            // Judged elsewhere: whether it was right to take it or to break is not the question here.
            return Ok(());
        }
        let after = context.send(call.clone()).await?;
        let new: Vec<_> = identifiers_in(&after, parameter)
            .unwrap_or_default()
            .into_iter()
            .filter(|id| !before.contains(id))
            .collect();
        if new.is_empty() {
            continue;
        }
        let failure = Failure::new(
            "a creation that was refused has left an object behind",
            format!("nothing new in the list after {}", exchange.status()),
            format!("{} new in the list: {}", new.len(), new.join(", ")),
        );
        context.report(failure);
        for id in new {
            let mut values = values.clone();
            values.insert(parameter.to_owned(), id);
            let removal = Call {
                api,
                operation: None,
                method: "DELETE".to_owned(),
                path: template.expand(&values),
                role: Role::CleanUp,
                ..Call::default()
            };
            context.send(removal).await?;
        }
        return Ok(());
    }
    Ok(())
}

/// Others may use a live system too: a list that grows by itself tells nothing.
async fn quiet(context: &mut Context, list: &Call, before: &[String], parameter: &str) -> Outcome {
    tokio::time::sleep(Duration::from_millis(200)).await;
    let again = context.send(list.clone().role(Role::Control)).await?;
    let again = identifiers_in(&again, parameter).unwrap_or_default();
    match again.iter().all(|id| before.contains(id)) {
        true => Ok(()),
        false => Err(Stop::Inconclusive(
            "the list grows by itself; test while nobody else makes anything".to_owned(),
        )),
    }
}

async fn one(
    context: &mut Context,
    (api, maker, list, delete): (usize, usize, usize, usize),
    parameter: &str,
) -> Outcome {
    let values = context.values(api, maker).await?;
    let first = context.make(api, maker, &values, None).await?;
    let removal = context.call(api, delete, &first.values).role(Role::SetUp);
    context.send(removal).await?;
    let call = context.call(api, list, &values);
    let before = context.send(call.clone().role(Role::Control)).await?;
    if let Some(before) = identifiers_in(&before, parameter) {
        quiet(context, &call, &before, parameter).await?;
    }
    let made = context.make(api, maker, &values, None).await?;
    let own = last_segment(&made.path);
    let after = context.send(call).await?;
    let (Some(before), Some(now)) = (
        identifiers_in(&before, parameter),
        identifiers_in(&after, parameter),
    ) else {
        return Err(Stop::NotApplicable("the list has no identifiers".to_owned()));
    };
    if !now.contains(&own) {
        return Err(Stop::Inconclusive(
            "the list does not show what was made".to_owned(),
        ));
    }
    let other = now.iter().find(|id| **id != own && !before.contains(id));
    match other {
        Some(other) => Err(Failure::new(
            "a creation makes more than one object",
            format!("{own} alone is new in the list"),
            format!("{other} is new too"),
        )
        .stop()),
        None => Ok(()),
    }
}

/// A few creations that must be refused.
fn invalid(
    context: &mut Context,
    api: usize,
    maker: usize,
    values: &crate::suite::Values,
) -> Result<Vec<Call>, Stop> {
    let suite = Arc::clone(&context.suite);
    let good = context.body(api, maker, values)?;
    let text = good.to_string();
    let call = context.call(api, maker, values);
    let mut all = vec![
        call.clone()
            .bytes("application/json", text.as_bytes()[..text.len() / 2].to_vec())
            .intent(Intent::Odd),
        call.clone()
            .bytes("application/x-mec-conformance-none", text.clone().into_bytes())
            .intent(Intent::Odd),
    ];
    let schema = suite.apis[api].body_schema(maker);
    let broken = schema.map(|schema| schema.invalid_cases_within(&good, 6).cases);
    for mut case in broken.unwrap_or_default() {
        context.bind(&mut case.value, values);
        all.push(
            call.clone()
                .json(case.value)
                .intent(Intent::Breaks(case.schema_pointer)),
        );
    }
    Ok(all)
}
