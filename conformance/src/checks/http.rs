//! HTTP's own rules: unknown resources, undeclared methods, media types, HEAD, bodies that are no JSON.

use std::sync::Arc;

use mecforge_api::Kind;
use mecforge_report::Severity;

use crate::suite::{Call, Check, Context, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite};

/// What ETSI says of the statuses of all its RESTful APIs.
const PRINCIPLES: &str = "ETSI GS MEC 009";

static UNKNOWN: Check = Check {
    id: "unknown-resource",
    group: Group::Http,
    title: "what does not exist is answered 404",
    severity: Severity::Error,
    explanation: "GET and DELETE of an identifier that nobody made. 410 is right too, and 401, 403 where the platform does not tell strangers what exists; 400 where the document has rules for the identifier.",
    sources: &[
        Source::Rfc(9110, "15.5.5"),
        Source::Etsi(PRINCIPLES, "404 Not Found"),
    ],
};

static METHOD: Check = Check {
    id: "method-not-allowed",
    group: Group::Http,
    title: "a method that a resource does not have is answered 405",
    severity: Severity::Error,
    explanation: "Methods that the document declares at other paths but not at this one. 501 is right for a method that the platform has nowhere; 401 and 403 where it asks for credentials first.",
    sources: &[
        Source::Rfc(9110, "15.5.6"),
        Source::Etsi(PRINCIPLES, "405 Method Not Allowed"),
    ],
};

static MALFORMED: Check = Check {
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

static MEDIA: Check = Check {
    id: "unsupported-media-type",
    group: Group::Http,
    title: "a body of an undeclared media type is refused",
    severity: Severity::Error,
    explanation: "A body that is declared as image/png or as XML, and is neither JSON, must not be taken for one: any 4xx is right, 415 is best.",
    sources: &[Source::Rfc(9110, "15.5.16")],
};

static HEAD: Check = Check {
    id: "head-like-get",
    group: Group::Http,
    title: "HEAD answers what GET answers, without body",
    severity: Severity::Error,
    explanation: "Status and Content-Type must be the same. A platform that does not offer HEAD answers 405 or 501, which is not held against it.",
    sources: &[Source::Rfc(9110, "9.3.2")],
};

static ACCEPT: Check = Check {
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

/// The checks of this module.
pub(super) static CHECKS: &[&Check] = &[&UNKNOWN, &METHOD, &MALFORMED, &MEDIA, &HEAD, &ACCEPT];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for (api, state) in suite.apis.iter().enumerate() {
        for resource in &state.api.resources {
            if resource.kind == Kind::Item {
                for method in ["GET", "DELETE"] {
                    if let Some(operation) = resource.operation(method) {
                        plan.add(suite, &UNKNOWN, api, Some(operation), "nobody", move |context| {
                            Box::pin(async move { unknown(context, api, operation).await })
                        });
                    }
                }
            }
            let Some(any) = resource.operations.values().next().copied() else {
                continue;
            };
            plan.add(suite, &METHOD, api, Some(any), "undeclared", move |context| {
                Box::pin(async move { method(context, api, any).await })
            })
            .read_only = false;
        }
        for operation in &state.api.operations {
            let index = operation.index;
            if operation.method == "GET" {
                plan.add(suite, &HEAD, api, Some(index), "head", move |context| {
                    Box::pin(async move { head(context, api, index).await })
                });
                plan.add(suite, &ACCEPT, api, Some(index), "accept", move |context| {
                    Box::pin(async move { acceptable(context, api, index).await })
                });
            }
            if operation.json_body().is_some() {
                plan.add(suite, &MALFORMED, api, Some(index), "malformed", move |context| {
                    Box::pin(async move { malformed(context, api, index).await })
                });
                plan.add(suite, &MEDIA, api, Some(index), "media-type", move |context| {
                    Box::pin(async move { media(context, api, index).await })
                });
            }
        }
    }
}

/// An identifier that nobody made.
async fn unknown(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let declared = &suite.apis[api].api.operations[operation];
    let mut values = context.values(api, operation).await?;
    let Some(last) = declared.path.last_parameter() else {
        return Ok(());
    };
    values.insert(last.to_owned(), format!("unknown-{}", context.unique()));
    let call = context.call(api, operation, &values).intent(Intent::Odd);
    let exchange = context.send(call).await?;
    let schema = declared
        .parameters
        .iter()
        .find(|parameter| parameter.name == last);
    let rules = schema
        .and_then(|parameter| suite.apis[api].api.node(&parameter.schema))
        .and_then(|node| node.as_object());
    let constrained = rules.is_some_and(|rules| {
        rules
            .keys()
            .any(|key| matches!(key.as_str(), "format" | "pattern" | "enum" | "maxLength"))
            || rules.get("type").is_some_and(|kind| kind != "string")
    });
    let right =
        matches!(exchange.status(), 404 | 410 | 401 | 403) || (constrained && exchange.status() == 400);
    if right || exchange.status() >= 500 || exchange.outcome.is_err() {
        return Ok(());
    }
    let title = format!(
        "{} of something that does not exist is answered {}",
        declared.method,
        exchange.status()
    );
    Err(Failure::new(title, "404", exchange.summary())
        .shown_by(&exchange.call)
        .stop())
}

async fn method(context: &mut Context, api: usize, any: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[api].api;
    let template = document.operations[any].path.clone();
    let Some(resource) = document.resource(template.text()) else {
        return Ok(());
    };
    let values = context.values(api, any).await?;
    for method in ["DELETE", "PUT", "POST", "PATCH", "GET"] {
        // A path that another template fits as well may have the method there.
        let path = template.expand(&values);
        let elsewhere = document
            .resources
            .iter()
            .any(|other| other.path.matches(&path).is_some() && other.allows(method));
        if resource.allows(method) || elsewhere {
            continue;
        }
        let call = Call {
            api,
            method: method.to_owned(),
            path,
            intent: Intent::Odd,
            ..Call::default()
        };
        let exchange = context.send(call).await?;
        // HTTP recommends 405 (RFC 9110, 9.1); ETSI demands it.
        let refused = exchange.is_refusal() && !suite.apis[api].knowledge.is_of_etsi();
        if !refused
            && !matches!(exchange.status(), 405 | 501 | 401 | 403)
            && exchange.status() < 500
            && exchange.outcome.is_ok()
        {
            let title = format!(
                "{method}, which is not declared here, is answered {}",
                exchange.status()
            );
            context
                .report(Failure::new(title, "405 with Allow", exchange.summary()).shown_by(&exchange.call));
        }
    }
    Ok(())
}

async fn head(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let get = context
        .send(context.call(api, operation, &values).role(Role::Control))
        .await?;
    let mut call = context.call(api, operation, &values);
    call.method = "HEAD".to_owned();
    call.operation = None;
    let head = context.send(call).await?;
    if matches!(head.status(), 405 | 501) || get.outcome.is_err() || head.outcome.is_err() {
        return Err(Stop::NotApplicable("the platform does not offer HEAD".to_owned()));
    }
    let kind = |exchange: &crate::suite::Exchange| exchange.header("content-type").map(str::to_owned);
    if head.status() != get.status() {
        let failure = Failure::new(
            "HEAD has another status than GET",
            get.status().to_string(),
            head.status().to_string(),
        );
        return Err(failure.shown_by(&head.call).stop());
    }
    if kind(&head).is_some() && kind(&head) != kind(&get) {
        let failure = Failure::new(
            "HEAD has another Content-Type than GET",
            format!("{:?}", kind(&get)),
            format!("{:?}", kind(&head)),
        );
        return Err(failure.shown_by(&head.call).stop());
    }
    Ok(())
}

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
    for (media_type, body) in [
        ("image/png", &b"\x89PNG\r\n\x1a\n"[..]),
        ("application/xml", b"<body/>"),
    ] {
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
