//! Slashes where the document has none: at the end of a path, and percent-encoded.

use std::sync::Arc;

use mecforge_report::Severity;

use super::safety::ONE;
use crate::checks::state::comparison::{items, same};
use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite,
    path_below, reading, resolved,
};

pub(super) static TRAILING: Check = Check {
    id: "trailing-slash",
    group: Group::Http,
    title: "a path with a slash at its end is the same resource, or none",
    severity: Severity::Warning,
    explanation: "GET of what exists with a slash behind it: a 4xx, the same resource, and a redirection to it are right. RFC 3986 has two addresses there and the document one, so that another resource would surprise everybody. DELETE of an object with a slash behind it removes that object or is refused: a refusal that removes it is found by refusal-changes-nothing, the removal of another object by one-request-one-effect.",
    sources: &[
        Source::Rfc(3986, "6.2.3"),
        Source::Practice("one resource at one address"),
    ],
};

pub(super) static ENCODED: Check = Check {
    id: "encoded-slash",
    group: Group::Http,
    title: "a percent-encoded slash does not separate segments",
    severity: Severity::Warning,
    explanation: "What exists is asked for with one slash of its path at a time written %2F: the path then has a segment less, and a segment with a slash in it, which names something else. Getting a resource lets addresses past what guards them. Judged where the same path with a letter in place of the slash is refused. Many servers decode before they look for a resource, and RFC 3986 has no MUST against it.",
    sources: &[Source::Rfc(3986, "2.2"), Source::Rfc(3986, "2.4")],
};

/// The most slashes of a path that are tried.
const MOST: usize = 6;

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let document = &suite.apis[api].api;
    for operation in &document.operations {
        let index = operation.index;
        if operation.method != "GET" {
            continue;
        }
        plan.add(suite, &TRAILING, api, Some(index), "slash", move |context| {
            Box::pin(trailing(context, api, index))
        });
        if operation.path.text().matches('/').count() > 1 {
            plan.add(suite, &ENCODED, api, Some(index), "slash", move |context| {
                Box::pin(encoded(context, api, index))
            });
        }
    }
    for resource in &document.resources {
        if let (Some(maker), Some(delete), Some(_)) = (
            resource.maker,
            resource.operation("DELETE"),
            resource.operation("GET"),
        ) {
            plan.add(suite, &TRAILING, api, Some(delete), "slash", move |context| {
                Box::pin(removal(context, api, maker, delete))
            });
        }
    }
}

/// What exists: the request for it and the answer.
async fn existing(context: &mut Context, api: usize, operation: usize) -> Result<Exchange, Stop> {
    let values = context.values(api, operation).await?;
    let call = context.call(api, operation, &values).role(Role::Control);
    let control = context.send(call).await?;
    match control.is_success() {
        true => Ok(control),
        false => Err(Stop::Inconclusive(format!(
            "what exists can't be read: {}",
            control.summary()
        ))),
    }
}

/// The same request at a path that no operation has.
fn at(call: &Call, path: String) -> Call {
    Call {
        path,
        operation: None,
        intent: Intent::Odd,
        role: Role::Judged,
        ..call.clone()
    }
}

/// Whether two answers may be of one resource: what they say is the same, or both are lists, which others may change.
fn alike(one: &Exchange, other: &Exchange) -> bool {
    match (one.json(), other.json()) {
        (Some(one), Some(other)) => {
            same(&one, &other) || (items(&one).is_some() && items(&one).is_some() == items(&other).is_some())
        }
        (one, other) => one.is_some() == other.is_some(),
    }
}

async fn trailing(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let control = existing(context, api, operation).await?;
    let path = control.call.path.clone();
    let answer = context.send(at(&control.call, format!("{path}/"))).await?;
    match answer.status() {
        200..300 => {
            let again = context.send(control.call.clone()).await?;
            let moves = suite.apis[api].knowledge.changes_by_itself(&path);
            if !moves && !alike(&answer, &control) && !alike(&answer, &again) {
                let title = "a path with a slash at its end is another resource";
                let failure = Failure::new(title, control.summary(), answer.summary());
                return Err(failure.stop());
            }
        }
        300..400 => {
            let link = answer.header("location").unwrap_or_default();
            let leads = path_below(&suite, api, &resolved(&suite, &answer.call, link));
            let right = leads.is_some_and(|leads| leads.trim_end_matches('/') == path.trim_end_matches('/'));
            // Without a Location a client stays where it is.
            if !link.is_empty() && !right {
                let title = "a path with a slash at its end is redirected elsewhere";
                let failure = Failure::new(title, path, format!("Location: {link}"));
                return Err(failure.shown_by(&answer.call).stop());
            }
        }
        _ => {}
    }
    Ok(())
}

/// An object is removed with a slash behind its path; another one stays, and so does this one if that is refused.
async fn removal(context: &mut Context, api: usize, maker: usize, delete: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let values = context.values(api, maker).await?;
    let made = context.make(api, maker, &values, None).await?;
    let other = context.make(api, maker, &values, None).await?;
    let (Some(own), Some(beside)) = (
        reading(&suite, api, &made.path),
        reading(&suite, api, &other.path),
    ) else {
        return Err(Stop::NotApplicable("the API has no GET for it".to_owned()));
    };
    for call in [&own, &beside] {
        let control = context.send(call.clone()).await?;
        if !control.is_success() {
            return Err(Stop::Inconclusive(format!(
                "what was made can't be read: {}",
                control.summary()
            )));
        }
    }
    let call = context.call(api, delete, &made.values);
    let answer = context.send(at(&call, format!("{}/", made.path))).await?;
    let after = context.send(own).await?;
    let gone = |read: &Exchange| matches!(read.status(), 404 | 410);
    if answer.is_refusal() && gone(&after) {
        let title = "a DELETE with a slash at the end of the path is refused, and the object is gone";
        let failure = Failure::new(title, "200, as before", after.summary());
        context.report(failure.of("refusal-changes-nothing"));
    }
    let sibling = context.send(beside).await?;
    if gone(&sibling) {
        let title = "a DELETE with a slash at the end of the path removes another object";
        let failure = Failure::new(title, "200, as before", sibling.summary());
        context.report(failure.of(ONE.id));
    }
    Ok(())
}

async fn encoded(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let control = existing(context, api, operation).await?;
    let path = control.call.path.clone();
    let slashes: Vec<_> = path.match_indices('/').map(|(at, _)| at).skip(1).collect();
    let mut judged = false;
    for slash in slashes.into_iter().rev().take(MOST) {
        let with = |text: &str| format!("{}{text}{}", &path[..slash], &path[slash + 1..]);
        let other = context
            .send(at(&control.call, with("x")).role(Role::Control))
            .await?;
        if !other.is_refusal() {
            continue;
        }
        judged = true;
        for text in ["%2F", "%2f"] {
            let answer = context.send(at(&control.call, with(text))).await?;
            if answer.is_success() {
                let title = "a percent-encoded slash is taken for one that separates segments";
                let failure = Failure::new(title, "404 or another 4xx", answer.summary());
                return Err(failure.shown_by(&answer.call).stop());
            }
        }
    }
    match judged {
        true => Ok(()),
        false => Err(Stop::NotApplicable(
            "any path of this form is answered with something else than a refusal".to_owned(),
        )),
    }
}
