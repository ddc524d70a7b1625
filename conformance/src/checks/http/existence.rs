//! What does not exist: identifiers that nobody made, application instances that nobody knows, paths that nobody
//! declared.

use std::sync::Arc;

use mecforge_api::Kind;
use mecforge_report::Severity;

use super::PRINCIPLES;
use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite, Values,
};

pub(super) static UNKNOWN: Check = Check {
    id: "unknown-resource",
    group: Group::Http,
    title: "what does not exist is answered 404",
    severity: Severity::Error,
    explanation: "GET, PUT, PATCH and DELETE of an identifier that nobody made. 410 is right too, and 401, 403 where the platform does not tell strangers what exists; 400 where the document has rules for the identifier. A change with a body may be refused for its body first, and a PUT may create (201).",
    sources: &[
        Source::Rfc(9110, "15.5.5"),
        Source::Etsi(PRINCIPLES, "404 Not Found"),
    ],
};

pub(super) static APPLICATION: Check = Check {
    id: "unknown-application",
    group: Group::Http,
    title: "below an application instance that does not exist there is nothing",
    severity: Severity::Error,
    explanation: "The lists, creations and confirmations of an application instance are asked for one that nobody knows, reading once it has been seen to work for one that exists; a success is a breach. ETSI's test purposes demand 404; any refusal is taken. A platform that takes any application instance, for all of these operations, is judged by the purposes alone (--tp).",
    sources: &[
        Source::Etsi(
            "ETSI GS MEC-DEC 032-2",
            "TP_MEC_MEC011_SRV_APPSAQ_002_NF, SRVSUB_001_NF, TRAF_001_NF, CONFTASK_002_NF",
        ),
        Source::Document,
    ],
};

pub(super) static PATH: Check = Check {
    id: "unknown-path",
    group: Group::Http,
    title: "a path that the document does not have is not answered with a success",
    severity: Severity::Error,
    explanation: "GET of made-up paths below the API's base path. A page for people with status 200 makes clients believe that they were understood.",
    sources: &[
        Source::Rfc(9110, "15.5.5"),
        Source::Etsi(PRINCIPLES, "404 Not Found"),
    ],
};

pub(super) static CASE: Check = Check {
    id: "paths-tell-case",
    group: Group::Http,
    title: "upper and lower case in paths are different",
    severity: Severity::Warning,
    explanation: "A path in upper case is another one. A platform may have both, so this is a warning.",
    sources: &[Source::Rfc(9110, "4.2.3"), Source::Rfc(3986, "6.2.2.1")],
};

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let document = &suite.apis[api].api;
    for resource in document
        .resources
        .iter()
        .filter(|resource| resource.kind == Kind::Item)
    {
        for operation in resource.operations.values().copied() {
            plan.add(suite, &UNKNOWN, api, Some(operation), "nobody", move |context| {
                Box::pin(unknown(context, api, operation))
            });
        }
    }
    for operation in &document.operations {
        let index = operation.index;
        if belongs(operation) && document.id.starts_with("mec011") {
            plan.add(suite, &APPLICATION, api, Some(index), "nobody", move |context| {
                Box::pin(application(context, api, index))
            });
        }
        if operation.method == "GET" && operation.path.last_parameter().is_none() {
            plan.add(suite, &CASE, api, Some(index), "case", move |context| {
                Box::pin(case(context, api, index))
            });
        }
    }
    if suite.apis[api].base_path.is_empty() {
        plan.not_applicable(&PATH, api, None, "the API has no base path of its own");
        return;
    }
    plan.add(suite, &PATH, api, None, "made-up", move |context| {
        Box::pin(path(context, api))
    })
    .read_only = true;
}

/// Whether a refusal is right for something that does not exist.
fn is_absent(status: u16) -> bool {
    matches!(status, 404 | 410 | 401 | 403)
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
    let mut call = context.call(api, operation, &values).intent(Intent::Odd);
    let changes = declared.json_body().is_some();
    if changes {
        let body = context.body(api, operation, &values)?;
        call = call.json(body);
    }
    let exchange = context.send(call).await?;
    let right = is_absent(exchange.status())
        || (exchange.status() == 400 && is_constrained(&suite, api, operation, last))
        || (changes && (exchange.is_refusal() || exchange.status() == 201));
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

/// Whether the document has rules for a parameter that a made-up identifier may break.
fn is_constrained(suite: &Suite, api: usize, operation: usize, name: &str) -> bool {
    let document = &suite.apis[api].api;
    let parameters = &document.operations[operation].parameters;
    let schema = parameters.iter().find(|parameter| parameter.name == name);
    let rules = schema
        .and_then(|parameter| document.node(&parameter.schema))
        .and_then(|node| node.as_object());
    rules.is_some_and(|rules| {
        rules
            .keys()
            .any(|key| matches!(key.as_str(), "format" | "pattern" | "enum" | "maxLength"))
            || rules.get("type").is_some_and(|kind| kind != "string")
    })
}

async fn application(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let declared = &suite.apis[api].api.operations[operation];
    let mut values = context.values(api, operation).await?;
    let ready = declared.path.text().ends_with("/confirm_ready");
    if declared.method == "GET" || ready {
        let mut control = context.call(api, operation, &values).role(Role::Control);
        if ready {
            control = control.json(context.body(api, operation, &values)?);
        }
        let control = context.send(control).await?;
        if !control.is_success() {
            return Err(Stop::Inconclusive(format!(
                "for an application instance that exists it was answered {}; give one that the platform knows with --app-instance-id",
                control.summary()
            )));
        }
    }
    values.insert(
        "appInstanceId".to_owned(),
        format!("unknown-{}", context.unique()),
    );
    let call = stranger(context, api, operation, &values)?;
    let exchange = context.send(call).await?;
    if !exchange.is_success() {
        return Ok(());
    }
    // A platform that takes any instance everywhere has none that does not exist.
    for other in suite.apis[api]
        .api
        .operations
        .iter()
        .filter(|other| belongs(other))
    {
        if other.index == operation {
            continue;
        }
        let call = stranger(context, api, other.index, &values)?.role(Role::Control);
        let told = context.send(call).await?;
        if matches!(told.status(), 403 | 404 | 410) {
            let title = format!(
                "{} for an application instance that does not exist is answered {}",
                declared.method,
                exchange.status()
            );
            let expected = format!("404, as {} is answered {}", other.key, told.status());
            let failure = Failure::new(title, expected, exchange.summary());
            return Err(failure.shown_by(&exchange.call).stop());
        }
    }
    Err(Stop::NotApplicable(
        "the platform takes any application instance; what ETSI's test purposes say of that is seen with --tp".to_owned(),
    ))
}

/// Whether an operation is of an application instance as a whole.
fn belongs(operation: &mecforge_api::Operation) -> bool {
    operation
        .path
        .text()
        .starts_with("/applications/{appInstanceId}/")
        && operation.path.parameters().last() == Some("appInstanceId")
}

/// A request for an application instance that nobody knows.
fn stranger(context: &mut Context, api: usize, operation: usize, values: &Values) -> Result<Call, Stop> {
    let suite = Arc::clone(&context.suite);
    let call = context.call(api, operation, values).intent(Intent::Odd);
    match suite.apis[api].api.operations[operation].json_body() {
        Some(_) => Ok(call.json(context.body(api, operation, values)?)),
        None => Ok(call),
    }
}

async fn path(context: &mut Context, api: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[api].api;
    let made_up = context.unique();
    let first = document
        .operations
        .iter()
        .find(|operation| operation.method == "GET" && operation.path.parameters().next().is_none());
    let mut paths = vec![format!("/mec-conformance-{made_up}")];
    paths.extend(first.map(|operation| format!("{}/{made_up}/{made_up}/{made_up}", operation.path.text())));
    for path in paths {
        let declared = |path: &str| {
            document
                .resources
                .iter()
                .any(|resource| resource.path.matches(path).is_some())
        };
        if declared(&path) {
            continue;
        }
        let exchange = context.send(get(api, path)).await?;
        if exchange.is_success() {
            let title = format!("a path that does not exist is answered {}", exchange.status());
            context.report(Failure::new(title, "404", exchange.summary()).shown_by(&exchange.call));
        }
    }
    Ok(())
}

/// A GET that no operation declares.
fn get(api: usize, path: String) -> Call {
    Call {
        api,
        method: "GET".to_owned(),
        path,
        intent: Intent::Odd,
        ..Call::default()
    }
}

async fn case(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let call = context.call(api, operation, &values);
    let Some((front, last)) = call.path.rsplit_once('/') else {
        return Ok(());
    };
    let upper = format!("{front}/{}", last.to_ascii_uppercase());
    if upper == call.path {
        return Ok(());
    }
    let control: Exchange = context.send(call.clone().role(Role::Control)).await?;
    if !control.is_success() {
        return Err(Stop::Inconclusive(format!(
            "the path itself was answered {}",
            control.summary()
        )));
    }
    let exchange = context.send(get(api, upper)).await?;
    if exchange.is_success() {
        let failure = Failure::new(
            "the path in upper case is taken for it",
            "404",
            exchange.summary(),
        );
        return Err(failure.shown_by(&exchange.call).stop());
    }
    Ok(())
}
