//! Identifiers: two objects have two, an object keeps its own, and nobody can guess the next.

use std::sync::Arc;

use mecforge_report::Severity;
use serde_json::Value;

use super::super::state::comparison::last;
use super::{read, short};
use crate::suite::{Check, Context, Failure, Group, Outcome, Plan, Role, Source, Stop, Suite};

static KEPT: Check = Check {
    id: "identifiers-are-kept",
    group: Group::Security,
    title: "two objects have two identifiers, and an object keeps its own",
    severity: Severity::Error,
    explanation: "Two objects are made from the same body. The property that has the identifier differs between them and stays what it was in GET and after PUT. Judged where the answers have a property of the path parameter's name (for services of MEC 011: serInstanceId).",
    sources: &[Source::Document, Source::Etsi("ETSI GS MEC 011", "8.1.2.2")],
};

static GUESSED: Check = Check {
    id: "identifiers-can-not-be-guessed",
    group: Group::Security,
    title: "identifiers do not tell the next one, and are not given twice",
    severity: Severity::Warning,
    explanation: "Three objects are made and removed, then one more: their identifiers are not numbers that follow each other, and none is given again. No standard demands it, and it matters only where the platform asks for credentials: it is judged there alone.",
    sources: &[Source::Practice("CWE-340: predictable identifiers")],
};

pub(super) static CHECKS: &[&Check] = &[&KEPT, &GUESSED];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    for resource in &suite.apis[api].api.resources {
        let Some(maker) = resource.maker else { continue };
        let Some(parameter) = resource.path.last_parameter().map(str::to_owned) else {
            continue;
        };
        let put = resource.operation("PUT");
        let property = suite.apis[api]
            .knowledge
            .identifier_property(&parameter)
            .to_owned();
        plan.add(suite, &KEPT, api, Some(maker), "kept", move |context| {
            let property = property.clone();
            Box::pin(async move { kept(context, (api, maker, put), &property).await })
        });
        if suite.clients.credentials {
            plan.add(suite, &GUESSED, api, Some(maker), "guessed", move |context| {
                Box::pin(async move { guessed(context, api, maker).await })
            })
            .alone();
        } else {
            let reason = "the run has no credentials, so that identifiers protect nothing";
            plan.not_applicable(&GUESSED, api, Some(maker), reason);
        }
    }
}

async fn kept(
    context: &mut Context,
    (api, maker, put): (usize, usize, Option<usize>),
    property: &str,
) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let values = context.values(api, maker).await?;
    let body = context.body(api, maker, &values)?;
    if body.get(property).is_some() {
        return Err(Stop::NotApplicable("the client names what it makes".to_owned()));
    }
    let one = context.make(api, maker, &values, Some(body.clone())).await?;
    let Some(first) = one.answered.get(property).cloned() else {
        return Err(Stop::NotApplicable(format!(
            "answers have no property {property}"
        )));
    };
    // Some allow one object of a name only.
    let second = context.call(api, maker, &values).json(body).role(Role::Control);
    let second = context.send(second).await?;
    if second.is_success()
        && second
            .json()
            .is_some_and(|other| other.get(property) == Some(&first))
    {
        return Err(Failure::new(
            format!("two objects have the same {property}"),
            "two identifiers",
            short(&first),
        )
        .shown_by(&second.call)
        .stop());
    }
    let differs = |found: &Value| found.get(property).is_some_and(|found| *found != first);
    let wrong = |what: &str, found: &Value| {
        let title = format!("{property} of an object is another one in the answer to {what}");
        Failure::new(title, short(&first), short(&found[property])).stop()
    };
    if let Some(read) = read(context, api, &one.path, Role::Judged).await?
        && let Some(found) = read.json().filter(|found| read.is_success() && differs(found))
    {
        return Err(wrong("GET", &found));
    }
    let Some(put) = put else { return Ok(()) };
    if suite.apis[api]
        .knowledge
        .may_refuse(&suite.apis[api].api.operations[put].key)
        .is_some()
    {
        return Ok(());
    }
    let body = context.body(api, put, &one.values)?;
    let call = context.call(api, put, &one.values).json(body);
    let replaced = context.send(call).await?;
    match replaced
        .json()
        .filter(|found| replaced.is_success() && differs(found))
    {
        Some(found) => Err(wrong("PUT", &found)),
        None => Ok(()),
    }
}

async fn guessed(context: &mut Context, api: usize, maker: usize) -> Outcome {
    let values = context.values(api, maker).await?;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let made = context.make(api, maker, &values, None).await?;
        ids.push(last(&made.path).to_owned());
    }
    context.clean_up().await;
    let values = context.values(api, maker).await?;
    let again = last(&context.make(api, maker, &values, None).await?.path).to_owned();
    if ids.contains(&again) {
        context.report(Failure::new(
            "the identifier of a removed object is given to a new one",
            "another identifier",
            again,
        ));
    }
    let numbers: Vec<u64> = ids.iter().filter_map(|id| ending(id)).collect();
    let near = numbers.len() == 3
        && numbers
            .windows(2)
            .all(|pair| pair[1] > pair[0] && pair[1] - pair[0] <= 2);
    if near {
        let failure = Failure::new(
            "identifiers are numbers that follow each other",
            "identifiers that nobody can guess",
            ids.join(", "),
        );
        context.report(failure);
    }
    Ok(())
}

/// The number at the end of an identifier, where what is before it is short text.
fn ending(id: &str) -> Option<u64> {
    let digits = id.chars().rev().take_while(char::is_ascii_digit).count();
    let text = &id[..id.len() - digits];
    (digits > 0
        && text.len() <= 16
        && text
            .chars()
            .all(|letter| letter.is_alphabetic() || "-_".contains(letter)))
    .then(|| id[id.len() - digits..].parse().ok())?
}
