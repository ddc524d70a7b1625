//! Media types: bodies that are no JSON, bodies that are labelled as something else, and what a client accepts.

use std::sync::Arc;

use mecforge_api::Status;
use mecforge_report::Severity;

use super::PRINCIPLES;
use crate::suite::{
    Call, Check, Context, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite, Values,
};

pub(super) static MALFORMED: Check = Check {
    id: "refuses-malformed-json",
    group: Group::Http,
    title: "a body that is no JSON is refused",
    severity: Severity::Error,
    explanation: "Cut off, with a trailing comma, with text after its end, not UTF-8, NaN, and no body at all where one is required.",
    sources: &[
        Source::Rfc(8259, "2"),
        Source::Etsi(PRINCIPLES, "400 Bad Request"),
    ],
};

pub(super) static MEDIA: Check = Check {
    id: "unsupported-media-type",
    group: Group::Http,
    title: "a body of an undeclared media type is refused",
    severity: Severity::Error,
    explanation: "A body that is declared as image/png or as XML, and is neither JSON, must not be taken for one: any 4xx is right, 415 is best. For ETSI's APIs the same is sent with JSON inside: the document names the media types, and the body is not what it says that it is.",
    sources: &[
        Source::Rfc(9110, "15.5.16"),
        Source::Etsi(PRINCIPLES, "415 Unsupported Media Type"),
        Source::Document,
    ],
};

pub(super) static CODING: Check = Check {
    id: "unknown-content-coding",
    group: Group::Http,
    title: "a body in a content coding that it does not have, or that nobody knows, is refused",
    severity: Severity::Warning,
    explanation: "Plain JSON that is declared as gzip is broken data, and what is declared in an unknown coding can't be read at all; any 4xx is right, 415 is best. HTTP lets a server refuse it and does not demand it, so this is a warning.",
    sources: &[Source::Rfc(9110, "8.4"), Source::Rfc(9110, "15.5.16")],
};

pub(super) static NAMES: Check = Check {
    id: "media-type-names",
    group: Group::Http,
    title: "the media type is understood however it is written",
    severity: Severity::Error,
    explanation: "With charset=utf-8, which means nothing for JSON, and in another case. A valid body is accepted before without them.",
    sources: &[Source::Rfc(9110, "8.3.1"), Source::Rfc(8259, "11")],
};

pub(super) static ACCEPT: Check = Check {
    id: "not-acceptable",
    group: Group::Http,
    title: "a client that accepts no declared media type is answered 406",
    severity: Severity::Warning,
    explanation: "HTTP lets a server ignore Accept; ETSI asks for 406.",
    sources: &[
        Source::Rfc(9110, "12.5.1"),
        Source::Etsi(PRINCIPLES, "406 Not Acceptable"),
    ],
};

pub(super) static ANY: Check = Check {
    id: "accepts-wildcards",
    group: Group::Http,
    title: "a client that accepts anything is answered",
    severity: Severity::Error,
    explanation: "Without Accept, with */*, application/*, and with quality values. A request that is answered with a success before must be so with each of them.",
    sources: &[Source::Rfc(9110, "12.5.1")],
};

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let etsi = suite.apis[api].knowledge.is_of_etsi();
    for operation in &suite.apis[api].api.operations {
        let index = operation.index;
        let asks = etsi
            || operation
                .responses
                .iter()
                .any(|one| one.status == Status::Code(406));
        if operation.method == "GET" && !asks {
            let reason = "HTTP lets a server ignore Accept, and the document has no 406";
            plan.not_applicable(&ACCEPT, api, Some(index), reason);
        }
        if operation.method == "GET" && asks {
            plan.add(suite, &ACCEPT, api, Some(index), "accept", move |context| {
                Box::pin(acceptable(context, api, index))
            });
        }
        if operation.method == "GET" {
            plan.add(suite, &ANY, api, Some(index), "any", move |context| {
                Box::pin(any(context, api, index))
            });
        }
        if operation.json_body().is_none() {
            continue;
        }
        plan.add(suite, &MALFORMED, api, Some(index), "malformed", move |context| {
            Box::pin(malformed(context, api, index))
        });
        plan.add(suite, &MEDIA, api, Some(index), "media-type", move |context| {
            Box::pin(media(context, api, index))
        });
        if etsi {
            plan.add(suite, &MEDIA, api, Some(index), "json-inside", move |context| {
                Box::pin(labelled(context, api, index, "Content-Type", &TYPES))
            });
        }
        plan.add(suite, &CODING, api, Some(index), "coding", move |context| {
            Box::pin(labelled(context, api, index, "Content-Encoding", &CODINGS))
        });
        plan.add(suite, &NAMES, api, Some(index), "names", move |context| {
            Box::pin(names(context, api, index))
        });
    }
}

/// Media types that no document of ETSI declares for a body.
const TYPES: [&str; 2] = ["application/xml", "image/png"];

/// Content codings that the body does not have.
const CODINGS: [&str; 2] = ["gzip", "mec-conformance"];

async fn acceptable(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let call = context
        .call(api, operation, &values)
        .header("Accept", "application/x-mec-conformance-none")
        .intent(Intent::Odd);
    let exchange = context.send(call).await?;
    if exchange.is_success() && exchange.status() != 204 {
        return Err(Failure::new("Accept is ignored", "406", exchange.summary())
            .shown_by(&exchange.call)
            .stop());
    }
    Ok(())
}

async fn any(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let plain = context.call(api, operation, &values);
    let control = context.send(plain.clone().role(Role::Control)).await?;
    if !control.is_success() {
        return Err(Stop::Inconclusive(format!(
            "without anything special it was answered {}",
            control.summary()
        )));
    }
    let mut calls = vec![(
        "no Accept",
        Call {
            no_accept: true,
            ..plain.clone()
        },
    )];
    // The range of what the operation answers with: application/* where that is JSON.
    let accepted = context.accepted(api, operation);
    let range = match accepted.split_once('/') {
        Some((range, _)) => format!("{range}/*"),
        None => "*/*".to_owned(),
    };
    for accept in ["*/*", &range, "text/html;q=0.9, */*;q=0.1"] {
        calls.push((accept, plain.clone().header("Accept", accept)));
    }
    for (accept, call) in calls {
        let exchange = context.send(call).await?;
        if exchange.is_refusal() && exchange.status() != 429 {
            let title = format!("a client that sends Accept: {accept} is refused");
            let title = title.replace("Accept: no Accept", "no Accept");
            let failure = Failure::new(title, control.status().to_string(), exchange.summary());
            context.report(failure.shown_by(&exchange.call));
        }
    }
    Ok(())
}

async fn malformed(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let declared = &suite.apis[api].api.operations[operation];
    let values = context.values(api, operation).await?;
    let good = context.body(api, operation, &values)?.to_string();
    let media_type = declared
        .json_body()
        .map_or("application/json", |content| &content.media_type)
        .to_owned();
    let mut bodies: Vec<(&str, Vec<u8>)> = vec![
        ("cut off", good.as_bytes()[..good.len() / 2].to_vec()),
        ("followed by other text", format!("{good} x").into_bytes()),
        (
            "with a trailing comma",
            format!("{},}}", good.trim_end_matches('}')).into_bytes(),
        ),
        ("not UTF-8", b"{\"a\":\"\xff\xfe\"}".to_vec()),
        ("NaN", b"{\"a\": NaN}".to_vec()),
    ];
    if declared.body.as_ref().is_some_and(|body| body.required) {
        bodies.push(("empty", Vec::new()));
    }
    for (what, body) in bodies {
        let call = context
            .call(api, operation, &values)
            .bytes(&media_type, body)
            .intent(Intent::Odd);
        let exchange = context.send(call).await?;
        if exchange.is_success() {
            let title = format!("a body that is {what} is accepted");
            context.report(Failure::new(title, "400", exchange.summary()).shown_by(&exchange.call));
        }
    }
    Ok(())
}

async fn media(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let suite = Arc::clone(&context.suite);
    let body = suite.apis[api].api.operations[operation].body.as_ref();
    let declared = body.map_or(&[][..], |body| &body.content);
    for (media_type, body) in [
        ("image/png", &b"\x89PNG\r\n\x1a\n"[..]),
        ("application/xml", b"<body/>"),
    ] {
        if declared.iter().any(|content| content.covers(media_type)) {
            continue;
        }
        let call = context
            .call(api, operation, &values)
            .bytes(media_type, body)
            .intent(Intent::Odd);
        let exchange = context.send(call).await?;
        if exchange.is_success() {
            let title = format!("a body of {media_type} is accepted");
            context.report(Failure::new(title, "415", exchange.summary()).shown_by(&exchange.call));
        }
    }
    Ok(())
}

/// A body that is accepted as it is, so that something else must be the reason if it is refused.
async fn accepted(
    context: &mut Context,
    api: usize,
    operation: usize,
    values: &Values,
) -> Result<serde_json::Value, Stop> {
    let body = context.body(api, operation, values)?;
    let call = context.call(api, operation, values).json(body.clone());
    let control = context.send(call.role(Role::Control)).await?;
    match control.is_success() {
        true => Ok(body),
        false => Err(Stop::Inconclusive(format!(
            "the same body without anything special was answered {}",
            control.summary()
        ))),
    }
}

/// Good JSON under a wrong label.
async fn labelled(
    context: &mut Context,
    api: usize,
    operation: usize,
    field: &str,
    labels: &[&str],
) -> Outcome {
    let values = context.values(api, operation).await?;
    let declared = Arc::clone(&context.suite.apis[api].api);
    let known = |label: &str| {
        let body = declared.operations[operation].body.as_ref();
        body.is_some_and(|body| {
            body.content
                .iter()
                .any(|content| content.media_type.starts_with(label) || content.media_type.contains('*'))
        })
    };
    let body = accepted(context, api, operation, &values).await?;
    for label in labels
        .iter()
        .filter(|label| field != "Content-Type" || !known(label))
    {
        let call = context
            .call(api, operation, &values)
            .json(body.clone())
            .header(field, *label)
            .intent(Intent::Odd);
        let exchange = context.send(call).await?;
        if exchange.is_success() {
            let title = format!("JSON that is declared as {field}: {label} is accepted");
            context.report(Failure::new(title, "415", exchange.summary()).shown_by(&exchange.call));
        }
    }
    Ok(())
}

async fn names(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    accepted(context, api, operation, &values).await?;
    let suite = Arc::clone(&context.suite);
    let declared = suite.apis[api].api.operations[operation].json_body();
    let name = declared.map_or("application/json", |content| content.media_type.as_str());
    let name = name.split(';').next().unwrap_or_default().trim();
    let forms = [
        ("with charset=utf-8", format!("{name}; charset=utf-8")),
        ("in upper case", name.to_ascii_uppercase()),
    ];
    for (what, form) in forms {
        // An object of its own each time: a second one with the same content may be in conflict.
        let body = context.body(api, operation, &values)?;
        let call = context.call(api, operation, &values).json(body);
        let exchange = context.send(call.header("Content-Type", form)).await?;
        if matches!(exchange.status(), 400 | 406 | 415 | 422) {
            let title = format!("a body whose media type is written {what} is refused");
            let failure = Failure::new(title, "success, as without it", exchange.summary());
            context.report(failure.shown_by(&exchange.call));
        }
    }
    Ok(())
}
