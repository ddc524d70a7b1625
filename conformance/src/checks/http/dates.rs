//! Conditions by date, and several conditions together: which of them counts.

use std::sync::Arc;
use std::time::Duration;

use httpdate::{fmt_http_date, parse_http_date};
use mecforge_report::Severity;

use super::conditional::tagged;
use super::conditional_changes::{Subject, subject};
use crate::checks::state::comparison::equal;
use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Outcome, Plan, Role, Source, Stop, Suite, reading,
};

pub(super) static SINCE: Check = Check {
    id: "modified-since",
    group: Group::Http,
    title: "If-Modified-Since is answered 304 only if nothing is newer, and ignored where HTTP says so",
    severity: Severity::Error,
    explanation: "Judged where GET answers with a Last-Modified that stays while nothing changes. A day before it, a value that is no date, and any date beside an If-None-Match that does not fit are answered like a request without the field: who is answered 304 there keeps what is out of date. With methods that change something the field is ignored. That the date itself is answered 304 is recommended, and another check's.",
    sources: &[Source::Rfc(9110, "13.1.3"), Source::Rfc(9110, "13.2.2")],
};

pub(super) static UNMODIFIED: Check = Check {
    id: "unmodified-since",
    group: Group::Http,
    title: "If-Unmodified-Since lets nothing be done to what is newer, and is ignored where HTTP says so",
    severity: Severity::Error,
    explanation: "Judged where GET answers with Last-Modified and the change is accepted without a condition. A day before that date leads to 412 without any effect; the date itself lets the change be made, and so does a value that is no date, which is ignored. A platform without Last-Modified is right as well.",
    sources: &[Source::Rfc(9110, "13.1.4"), Source::Rfc(9110, "13.2.1")],
};

pub(super) static ORDER: Check = Check {
    id: "conditions-in-order",
    group: Group::Http,
    title: "several conditions in one request are looked at in HTTP's order",
    severity: Severity::Error,
    explanation: "Judged where GET answers with an ETag, for conditions that are seen to be obeyed alone. On GET a failing If-Match comes before If-None-Match (412, not 304). On a change If-Match that holds makes If-Unmodified-Since ignored, and If-None-Match: * beside it fails (412); If-Match that fails leads to 412 whatever else holds.",
    sources: &[Source::Rfc(9110, "13.2.2"), Source::Rfc(9110, "13.1.4")],
};

const DAY: Duration = Duration::from_secs(86_400);

/// What is no date in any of HTTP's forms.
const NO_DATE: &str = "the day before yesterday";

/// A tag that nothing has.
const STALE: &str = "\"mec-conformance-stale\"";

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    for operation in &suite.apis[api].api.operations {
        let index = operation.index;
        if operation.method == "GET" {
            plan.add(suite, &SINCE, api, Some(index), "since", move |context| {
                Box::pin(since(context, api, index))
            });
            plan.add(suite, &ORDER, api, Some(index), "order", move |context| {
                Box::pin(order(context, api, index))
            });
        }
    }
    for resource in &suite.apis[api].api.resources {
        let Some(get) = resource.operation("GET") else {
            continue;
        };
        for method in ["PUT", "PATCH"] {
            let Some(change) = resource.operation(method) else {
                continue;
            };
            plan.add(
                suite,
                &UNMODIFIED,
                api,
                Some(change),
                "unmodified",
                move |context| Box::pin(unmodified(context, api, get, change)),
            );
            plan.add(suite, &ORDER, api, Some(change), "order", move |context| {
                Box::pin(order_of_change(context, api, get, change))
            });
        }
        if let (Some(maker), Some(delete)) = (resource.maker, resource.operation("DELETE")) {
            plan.add(
                suite,
                &UNMODIFIED,
                api,
                Some(delete),
                "unmodified",
                move |context| Box::pin(removed(context, api, maker, delete)),
            );
        }
    }
}

/// Reads something that says when it was changed: the answer, and a day before that.
async fn dated(context: &mut Context, call: &Call) -> Result<(Exchange, String, String), Stop> {
    let read = context.send(call.clone().role(Role::Control)).await?;
    let Some(date) = read.header("last-modified").map(str::to_owned) else {
        return Err(match read.is_success() {
            true => Stop::NotApplicable(
                "the platform answers without Last-Modified, which is not mandatory".to_owned(),
            ),
            false => Stop::Inconclusive(format!("GET was answered {}", read.summary())),
        });
    };
    match parse_http_date(&date).ok().and_then(|at| at.checked_sub(DAY)) {
        Some(before) => Ok((read, date, fmt_http_date(before))),
        None => Err(Stop::Inconclusive(format!(
            "Last-Modified is no date of HTTP: {date}"
        ))),
    }
}

/// The date must be as it was, else the answer tells nothing.
async fn steady(context: &mut Context, call: &Call, date: &str) -> Outcome {
    let (_, now, _) = dated(context, call).await?;
    unchanged(now == date)
}

/// What changes though nobody changes it tells nothing of conditions.
fn unchanged(steady: bool) -> Outcome {
    match steady {
        true => Ok(()),
        false => Err(Stop::Inconclusive(
            "it was changed meanwhile, so that its date and its entity tag tell nothing".to_owned(),
        )),
    }
}

async fn since(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let call = context.call(api, operation, &values);
    let (_, date, before) = dated(context, &call).await?;
    let tells = [
        ("a day before the last modification", before, None),
        ("no date", NO_DATE.to_owned(), None),
        ("an If-None-Match that does not fit", date.clone(), Some(STALE)),
    ];
    for (what, value, tag) in tells {
        let mut asked = call.clone().header("If-Modified-Since", value);
        if let Some(tag) = tag {
            asked = asked.header("If-None-Match", tag);
        }
        let answer = context.send(asked).await?;
        steady(context, &call, &date).await?;
        if answer.status() == 304 || (answer.is_refusal() && answer.status() != 429) {
            let title = format!("If-Modified-Since with {what} is answered {}", answer.status());
            context.report(Failure::new(title, "200", answer.summary()));
        }
    }
    Ok(())
}

/// A change that is made without a condition, with a date that is ignored or holds.
async fn made(context: &mut Context, change: &Call, what: &str) -> Outcome {
    let answer = context.send(change.clone()).await?;
    match answer.is_refusal() && answer.status() != 429 {
        true => {
            let title = format!("{}: {what} is answered {}", change.method, answer.status());
            Err(Failure::new(title, "success, as without it", answer.summary()).stop())
        }
        false => Ok(()),
    }
}

async fn unmodified(context: &mut Context, api: usize, get: usize, change: usize) -> Outcome {
    let Subject { read, change } = subject(context, api, get, change).await?;
    let method = change.method.clone();
    let (first, date, before) = dated(context, &read).await?;
    let (again, same_date, _) = dated(context, &read).await?;
    unchanged(same_date == date && equal(&first, &again))?;
    let answer = context
        .send(change.clone().header("If-Unmodified-Since", before))
        .await?;
    let (after, now, _) = dated(context, &read).await?;
    if answer.status() != 412 {
        let title = format!(
            "{method}: If-Unmodified-Since with a day before the last modification is answered {}",
            answer.status()
        );
        return Err(Failure::new(title, "412", answer.summary()).stop());
    }
    if now != date || !equal(&first, &after) {
        let title = format!("{method}: If-Unmodified-Since is answered 412, and the change is made");
        return Err(Failure::new(title, first.summary(), after.summary()).stop());
    }
    let ignored = change.clone().header("If-Unmodified-Since", NO_DATE);
    made(context, &ignored, "If-Unmodified-Since with no date").await?;
    let (_, date, _) = dated(context, &read).await?;
    let holds = change.clone().header("If-Unmodified-Since", date.clone());
    made(
        context,
        &holds,
        "If-Unmodified-Since with the date of the last modification",
    )
    .await?;
    let (_, date, _) = dated(context, &read).await?;
    let other = change.header("If-Modified-Since", date);
    made(context, &other, "If-Modified-Since, which is for reading,").await
}

async fn removed(context: &mut Context, api: usize, maker: usize, delete: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let values = context.values(api, maker).await?;
    let object = context.make(api, maker, &values, None).await?;
    let Some(read) = reading(&suite, api, &object.path) else {
        return Err(Stop::NotApplicable("the API has no GET for it".to_owned()));
    };
    let (_, date, before) = dated(context, &read).await?;
    let call = context.call(api, delete, &object.values);
    let answer = context
        .send(call.clone().header("If-Unmodified-Since", before))
        .await?;
    let after = context.send(read).await?;
    if answer.status() != 412 || !after.is_success() {
        let title = format!(
            "DELETE: If-Unmodified-Since with a day before the last modification is answered {}",
            answer.status()
        );
        let expected = "412, and the object is still there";
        let actual = format!("{}; afterwards {}", answer.summary(), after.summary());
        return Err(Failure::new(title, expected, actual).stop());
    }
    let holds = call.header("If-Unmodified-Since", date);
    made(
        context,
        &holds,
        "If-Unmodified-Since with the date of the last modification",
    )
    .await
}

async fn order(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let call = context.call(api, operation, &values);
    let (_, tag) = tagged(context, &call).await?;
    for (field, value, status) in [("If-Match", STALE, 412), ("If-None-Match", tag.as_str(), 304)] {
        let alone = call.clone().role(Role::Control).header(field, value);
        let alone = context.send(alone).await?;
        if alone.status() != status {
            return Err(Stop::NotApplicable(format!(
                "{field} alone is answered {}, so that nothing can come before it",
                alone.status()
            )));
        }
    }
    let both = call
        .clone()
        .header("If-Match", STALE)
        .header("If-None-Match", tag.clone());
    let answer = context.send(both).await?;
    let (_, now) = tagged(context, &call).await?;
    if now == tag && answer.status() != 412 {
        let title = format!(
            "an If-Match that fails beside an If-None-Match that fits is answered {}",
            answer.status()
        );
        return Err(Failure::new(title, "412: If-Match comes first", answer.summary()).stop());
    }
    Ok(())
}

async fn order_of_change(context: &mut Context, api: usize, get: usize, change: usize) -> Outcome {
    let Subject { read, change } = subject(context, api, get, change).await?;
    let method = change.method.clone();
    let (first, tag) = tagged(context, &read).await?;
    let (again, same_tag) = tagged(context, &read).await?;
    unchanged(same_tag == tag && equal(&first, &again))?;
    let alone = change.clone().role(Role::Control).header("If-Match", STALE);
    let alone = context.send(alone).await?;
    if alone.status() != 412 {
        return Err(Stop::NotApplicable(format!(
            "an If-Match that fails is answered {} alone, which is judged elsewhere",
            alone.status()
        )));
    }
    let date = first.header("last-modified").map(str::to_owned);
    let mut fails = vec![
        (
            "If-Match that holds, If-None-Match: * that does not",
            [("If-Match", tag.clone()), ("If-None-Match", "*".to_owned())],
        ),
        (
            "If-Match that fails, If-None-Match that holds",
            [
                ("If-Match", STALE.to_owned()),
                ("If-None-Match", STALE.to_owned()),
            ],
        ),
    ];
    if let Some(date) = date.clone() {
        fails.push((
            "If-Match that fails, If-Unmodified-Since that holds",
            [("If-Match", STALE.to_owned()), ("If-Unmodified-Since", date)],
        ));
    }
    for (what, fields) in fails {
        let answer = context.send(with(&change, &fields)).await?;
        let after = context.send(read.clone()).await?;
        if answer.status() != 412 || !equal(&first, &after) {
            let title = format!("{method}: {what}: answered {}", answer.status());
            let actual = format!("{}; afterwards {}", answer.summary(), after.summary());
            return Err(Failure::new(title, "412, and nothing changed", actual).stop());
        }
    }
    if tag.starts_with("W/") {
        return Ok(()); // A weak tag never fits in If-Match.
    }
    let holds = [("If-Match", tag), ("If-None-Match", STALE.to_owned())];
    made(
        context,
        &with(&change, &holds),
        "If-Match and If-None-Match that hold",
    )
    .await?;
    if date.is_some() {
        let (_, tag) = tagged(context, &read).await?;
        let (_, _, before) = dated(context, &read).await?;
        let ignored = [("If-Match", tag), ("If-Unmodified-Since", before)];
        let what = "If-Match that holds, beside an If-Unmodified-Since that does not,";
        made(context, &with(&change, &ignored), what).await?;
    }
    Ok(())
}

/// A change with header fields.
fn with(change: &Call, fields: &[(&str, String)]) -> Call {
    let mut call = change.clone();
    for (name, value) in fields {
        call = call.header(name, value.clone());
    }
    call
}
