//! Conditional reading: If-None-Match, If-Match and dates on GET.

use std::sync::Arc;

use mecforge_report::Severity;

use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Outcome, Plan, Role, Source, Stop, Suite,
};

pub(super) static READ: Check = Check {
    id: "conditional-reading",
    group: Group::Http,
    title: "GET with If-None-Match is answered 304 for the present entity tag, with If-Match 412 for another one",
    severity: Severity::Error,
    explanation: "Judged where GET answers with an ETag that stays while nothing changes: the present tag, alone, in a list, as a weak one, and * lead to 304 without body and with the tag; another tag leads to 200. If-Match is to be looked at with GET too: with another tag it is answered 412, with the present one 200. A platform without entity tags is right as well.",
    sources: &[
        Source::Rfc(9110, "13.1.1"),
        Source::Rfc(9110, "13.1.2"),
        Source::Rfc(9110, "13.2.1"),
        Source::Rfc(9110, "15.4.5"),
    ],
};

pub(super) static DATES: Check = Check {
    id: "conditional-dates",
    group: Group::Http,
    title: "If-Modified-Since with the date of the last modification is answered 304",
    severity: Severity::Warning,
    explanation: "Judged where GET answers with Last-Modified. HTTP recommends it and does not demand it.",
    sources: &[Source::Rfc(9110, "13.1.3")],
};

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    for operation in &suite.apis[api].api.operations {
        let index = operation.index;
        if operation.method != "GET" {
            continue;
        }
        plan.add(suite, &READ, api, Some(index), "if-none-match", move |context| {
            Box::pin(read(context, api, index))
        });
        plan.add(suite, &DATES, api, Some(index), "dates", move |context| {
            Box::pin(dates(context, api, index))
        });
    }
}

/// The tag without `W/`.
pub(super) fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// Reads something that has an entity tag; the request, and the tag.
pub(super) async fn tagged(context: &mut Context, call: &Call) -> Result<(Exchange, String), Stop> {
    let first = context.send(call.clone().role(Role::Control)).await?;
    if !first.is_success() {
        return Err(Stop::Inconclusive(format!(
            "GET was answered {}",
            first.summary()
        )));
    }
    let Some(tag) = first.header("etag").map(str::to_owned) else {
        return Err(Stop::NotApplicable(
            "the platform answers without ETag, which is not mandatory".to_owned(),
        ));
    };
    Ok((first, tag))
}

async fn read(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let call = context.call(api, operation, &values);
    let (_, tag) = tagged(context, &call).await?;
    let mark = opaque(&tag).to_owned();
    let forms = [
        ("the present tag", tag.clone()),
        (
            "a list with the present tag",
            format!("\"mec-conformance\", {tag}"),
        ),
        ("the present tag as a weak one", format!("W/{mark}")),
        ("*", "*".to_owned()),
    ];
    for (what, value) in forms {
        let answer = context.send(call.clone().header("If-None-Match", value)).await?;
        let (_, now) = tagged(context, &call).await?;
        if now != tag {
            return Err(Stop::Inconclusive(
                "the entity tag changed meanwhile, so that it tells nothing".to_owned(),
            ));
        }
        if answer.status() != 304 {
            let title = format!("If-None-Match with {what} is answered {}", answer.status());
            context.report(Failure::new(title, "304", answer.summary()));
            continue;
        }
        let given = answer.header("etag").map(opaque);
        if given != Some(mark.as_str()) {
            let title = "304 comes without the entity tag that 200 has";
            let failure = Failure::new(title, tag.clone(), given.unwrap_or("(none)"));
            context.report(failure);
        }
    }
    let other = call.clone().header("If-None-Match", "\"mec-conformance-other\"");
    let answer = context.send(other).await?;
    if answer.status() == 304 {
        let title = "If-None-Match with a tag that does not fit is answered 304";
        context.report(Failure::new(title, "200", answer.summary()));
    }
    matching(context, &call, &tag).await
}

/// If-Match on GET, for a tag that stays.
async fn matching(context: &mut Context, call: &Call, tag: &str) -> Outcome {
    let mut forms = vec![("another tag", "\"mec-conformance-stale\"", "412")];
    if !tag.starts_with("W/") {
        forms.push(("the present tag", tag, "200"));
    }
    for (what, value, status) in forms {
        let answer = context.send(call.clone().header("If-Match", value)).await?;
        let (_, now) = tagged(context, call).await?;
        let wrong = match status {
            "412" => answer.is_success(),
            _ => answer.is_refusal() && answer.status() != 429,
        };
        if now == tag && wrong {
            let title = format!("GET with If-Match with {what} is answered {}", answer.status());
            context.report(Failure::new(title, status, answer.summary()));
        }
    }
    Ok(())
}

async fn dates(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let call = context.call(api, operation, &values);
    let first = context.send(call.clone().role(Role::Control)).await?;
    let Some(date) = first.header("last-modified").map(str::to_owned) else {
        return Err(Stop::NotApplicable(
            "the platform answers without Last-Modified, which is not mandatory".to_owned(),
        ));
    };
    let answer = context
        .send(call.clone().header("If-Modified-Since", date.clone()))
        .await?;
    let after = context.send(call.role(Role::Control)).await?;
    if after.header("last-modified") == Some(date.as_str()) && answer.is_success() {
        let title = "If-Modified-Since with the date of the last modification is ignored";
        return Err(Failure::new(title, "304", answer.summary()).stop());
    }
    Ok(())
}
