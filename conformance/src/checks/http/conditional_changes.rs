//! Conditional changes: If-Match and If-None-Match on PUT, PATCH and DELETE.

use std::sync::Arc;

use mecforge_report::Severity;

use super::conditional::{opaque, tagged};
use crate::checks::state::comparison::equal;
use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Outcome, Plan, Role, Source, Stop, Suite, reading,
};

pub(super) static CHANGE: Check = Check {
    id: "conditional-changes",
    group: Group::Http,
    title: "a change is made if its condition holds, and answered 412 without any effect if not",
    severity: Severity::Error,
    explanation: "Judged where GET answers with an ETag and the change is accepted without a condition. If-Match holds for the present tag, for a list that has it, and for *; it does not for another tag, nor for the present one as a weak tag, as the comparison is strong. If-None-Match: * does not hold for what exists. After 412 what is read is as it was.",
    sources: &[
        Source::Rfc(9110, "13.1.1"),
        Source::Rfc(9110, "13.1.2"),
        Source::Rfc(9110, "13.2.1"),
    ],
};

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    for resource in &suite.apis[api].api.resources {
        let Some(get) = resource.operation("GET") else {
            continue;
        };
        for method in ["PUT", "PATCH"] {
            if let Some(change) = resource.operation(method) {
                plan.add(suite, &CHANGE, api, Some(change), "conditions", move |context| {
                    Box::pin(changes(context, api, get, change))
                });
            }
        }
        if let (Some(maker), Some(delete)) = (resource.maker, resource.operation("DELETE")) {
            plan.add(suite, &CHANGE, api, Some(delete), "conditions", move |context| {
                Box::pin(deletes(context, api, maker, delete))
            });
        }
    }
}

/// A change of something that exists: how it is read, and how it is changed.
pub(super) struct Subject {
    pub(super) read: Call,
    pub(super) change: Call,
}

/// What is to be changed, and a change of it that the platform accepts.
pub(super) async fn subject(
    context: &mut Context,
    api: usize,
    get: usize,
    change: usize,
) -> Result<Subject, Stop> {
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[api].api;
    let template = document.operations[change].path.text();
    let values = context.values(api, change).await?;
    let read = context.call(api, get, &values).role(Role::Control);
    let own = document
        .resource(template)
        .and_then(|resource| resource.maker.or(resource.upsert));
    if let Some(reason) = suite.apis[api].foreign_body(change) {
        return Err(Stop::Inconclusive(reason));
    }
    let body = match own {
        None if document.operations[change].method == "PUT" => {
            // What the operator has configured is put back as it is; where nothing is yet, something is put there.
            match context.send(read.clone()).await? {
                there if there.is_success() => there.json().unwrap_or_default(),
                _ => context.body(api, change, &values)?,
            }
        }
        _ => context.body(api, change, &values)?,
    };
    let change = context.call(api, change, &values).json(body);
    let control = context.send(change.clone().role(Role::Control)).await?;
    if !control.is_success() {
        return Err(Stop::Inconclusive(format!(
            "without a condition it was answered {}",
            control.summary()
        )));
    }
    Ok(Subject { read, change })
}

/// Whether two readings are of the same state.
async fn changes(context: &mut Context, api: usize, get: usize, change: usize) -> Outcome {
    let Subject { read, change } = subject(context, api, get, change).await?;
    let method = change.method.clone();
    let (first, tag) = tagged(context, &read).await?;
    let (again, same_tag) = tagged(context, &read).await?;
    if same_tag != tag || !equal(&first, &again) {
        return Err(Stop::Inconclusive(
            "the entity tag changes without a change, which is judged elsewhere".to_owned(),
        ));
    }
    let weak = tag.starts_with("W/");
    let fails = [
        (
            "If-Match with another tag",
            "If-Match",
            "\"mec-conformance-stale\"".to_owned(),
        ),
        (
            "If-Match with the present tag as a weak one",
            "If-Match",
            format!("W/{}", opaque(&tag)),
        ),
        (
            "If-None-Match: * for what exists",
            "If-None-Match",
            "*".to_owned(),
        ),
    ];
    for (what, field, value) in fails {
        let answer = context.send(change.clone().header(field, value)).await?;
        let after = context.send(read.clone()).await?;
        if answer.status() != 412 {
            let title = format!("{method}: {what} is answered {}", answer.status());
            return Err(Failure::new(title, "412", answer.summary()).stop());
        }
        let changed = after.header("etag") != Some(tag.as_str()) || !equal(&first, &after);
        if changed {
            let title = format!("{method}: {what} is answered 412, and the change is made");
            let expected = format!("ETag {tag}: {}", first.summary());
            let actual = format!(
                "ETag {}: {}",
                after.header("etag").unwrap_or("(none)"),
                after.summary()
            );
            return Err(Failure::new(title, expected, actual).stop());
        }
    }
    if weak {
        return Ok(()); // A weak tag never fits in If-Match.
    }
    for what in ["*", "the present tag", "a list with the present tag at its end"] {
        let (_, now) = tagged(context, &read).await?;
        let value = match what {
            "*" => "*".to_owned(),
            "the present tag" => now,
            _ => format!("\"mec-conformance-stale\", {now}"),
        };
        let answer = context.send(change.clone().header("If-Match", value)).await?;
        if answer.is_refusal() && answer.status() != 429 {
            let title = format!("{method}: If-Match with {what} is answered {}", answer.status());
            return Err(Failure::new(title, "success, as without it", answer.summary()).stop());
        }
        own_tag(context, &read, &answer).await?;
    }
    Ok(())
}

/// The tag in the answer to a change must be the one that GET gives.
async fn own_tag(context: &mut Context, read: &Call, answer: &Exchange) -> Outcome {
    let Some(told) = answer.header("etag").filter(|_| answer.is_success()) else {
        return Ok(());
    };
    let (told, (_, real)) = (told.to_owned(), tagged(context, read).await?);
    if told == real {
        return Ok(());
    }
    let title = format!(
        "the ETag in the answer to {} is not the object's",
        answer.call.method
    );
    Err(Failure::new(title, real, told).stop())
}

async fn deletes(context: &mut Context, api: usize, maker: usize, delete: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let Some(read) = reading(&suite, api, &made.path) else {
        return Err(Stop::NotApplicable("the API has no GET for it".to_owned()));
    };
    let (_, tag) = tagged(context, &read).await?;
    let call = context.call(api, delete, &made.values);
    let stale = call.clone().header("If-Match", "\"mec-conformance-stale\"");
    let refused = context.send(stale).await?;
    let after = context.send(read.clone()).await?;
    if refused.status() != 412 {
        let title = format!(
            "DELETE: If-Match with another tag is answered {}",
            refused.status()
        );
        return Err(Failure::new(title, "412", refused.summary()).stop());
    }
    if !after.is_success() {
        let title = "DELETE: If-Match with another tag is answered 412, and the object is gone";
        return Err(Failure::new(title, "200", after.summary()).stop());
    }
    if tag.starts_with("W/") {
        return Ok(());
    }
    let list = format!("\"mec-conformance-stale\", {tag}");
    let deleted = context.send(call.header("If-Match", list)).await?;
    if deleted.is_refusal() && deleted.status() != 429 {
        let title = format!(
            "DELETE: If-Match with the present tag is answered {}",
            deleted.status()
        );
        return Err(Failure::new(title, "success", deleted.summary()).stop());
    }
    Ok(())
}
