//! Methods: those that a resource does not have, what `Allow` says of them, and HEAD.

use std::collections::BTreeSet;
use std::sync::Arc;

use mecforge_report::Severity;

use super::PRINCIPLES;
use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite, reading,
};

pub(super) static METHOD: Check = Check {
    id: "method-not-allowed",
    group: Group::Http,
    title: "a method that a resource does not have is refused",
    severity: Severity::Error,
    explanation: "Methods that the document declares at other paths but not at this one. Any refusal will do here; method-refused-with-405 says which is recommended.",
    sources: &[Source::Document, Source::Rfc(9110, "9.1")],
};

pub(super) static REFUSED: Check = Check {
    id: "method-refused-with-405",
    group: Group::Http,
    title: "a method that a resource does not have is answered 405, one that nobody knows 501 or 405",
    severity: Severity::Warning,
    explanation: "501 is right for a method that the platform has nowhere; 401 and 403 where it asks for credentials first; 400 for the unknown one. HTTP recommends it (SHOULD).",
    sources: &[
        Source::Rfc(9110, "9.1"),
        Source::Rfc(9110, "15.5.6"),
        Source::Etsi(PRINCIPLES, "405 Method Not Allowed"),
    ],
};

pub(super) static ALLOW: Check = Check {
    id: "allow-agrees",
    group: Group::Http,
    title: "Allow lists the methods that the resource has, and no others",
    severity: Severity::Error,
    explanation: "The Allow of a 405 has every method that the document declares here, and none that is answered 405 when it is sent. Where OPTIONS is offered, its Allow says the same. HEAD, OPTIONS and TRACE may be in it or not.",
    sources: &[Source::Rfc(9110, "10.2.1"), Source::Rfc(9110, "15.5.6")],
};

pub(super) static HEAD: Check = Check {
    id: "head-like-get",
    group: Group::Http,
    title: "HEAD answers what GET answers, without body",
    severity: Severity::Error,
    explanation: "The status must be the same, and Content-Length, if it is given and nothing was changed between, that of GET. A platform that does not offer HEAD answers 405 or 501, which is not held against it.",
    sources: &[Source::Rfc(9110, "9.3.2"), Source::Rfc(9110, "8.6")],
};

pub(super) static HEAD_TYPE: Check = Check {
    id: "head-tells-media-type",
    group: Group::Http,
    title: "HEAD tells the media type that GET has",
    severity: Severity::Warning,
    explanation: "Content-Type, if HEAD has it. HTTP recommends that HEAD has the header fields of GET (SHOULD).",
    sources: &[Source::Rfc(9110, "9.3.2")],
};

/// The methods that documents declare.
const METHODS: [&str; 5] = ["DELETE", "PUT", "POST", "PATCH", "GET"];

/// How often the lengths of GET and HEAD have to differ.
const ROUNDS: u8 = 3;

/// A method that nobody knows.
const UNKNOWN: &str = "MECCONFORMANCE";

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    for resource in &suite.apis[api].api.resources {
        let Some(any) = resource.operations.values().next().copied() else {
            continue;
        };
        plan.add(suite, &METHOD, api, Some(any), "undeclared", move |context| {
            Box::pin(method(context, api, any))
        })
        .read_only = false;
        plan.add(suite, &ALLOW, api, Some(any), "allow", move |context| {
            Box::pin(allow(context, api, any))
        })
        .read_only = false;
        if let Some(get) = resource.operation("GET") {
            plan.add(suite, &HEAD, api, Some(get), "head", move |context| {
                Box::pin(head(context, api, get))
            });
        }
    }
}

/// A request with another method than the operation's.
fn with(api: usize, path: &str, method: &str) -> Call {
    Call {
        api,
        method: method.to_owned(),
        path: path.to_owned(),
        intent: Intent::Odd,
        ..Call::default()
    }
}

/// Methods that no template that fits the path declares.
fn undeclared(suite: &Suite, api: usize, path: &str) -> Vec<&'static str> {
    let resources = &suite.apis[api].api.resources;
    let here = |method: &str| {
        resources
            .iter()
            .any(|resource| resource.path.matches(path).is_some() && resource.allows(method))
    };
    METHODS.into_iter().filter(|method| !here(method)).collect()
}

/// Whether what a path names exists, where that can be asked.
async fn is_there(context: &mut Context, api: usize, path: &str) -> Result<bool, Stop> {
    match reading(&context.suite, api, path) {
        Some(call) => Ok(context.send(call.role(Role::Control)).await?.status() != 404),
        None => Ok(true),
    }
}

async fn method(context: &mut Context, api: usize, any: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[api].api;
    let template = document.operations[any].path.clone();
    let values = context.values(api, any).await?;
    context.judge(REFUSED.id, api, Some(any));
    let path = template.expand(&values);
    let mut methods = undeclared(&suite, api, &path);
    methods.push(UNKNOWN);
    for method in methods {
        let exchange = context.send(with(api, &path, method)).await?;
        if exchange.status() == 404 && !is_there(context, api, &path).await? {
            return Err(Stop::NotApplicable(format!(
                "{path} is not there itself, so that 404 is right for every method (a liveness is where _links.liveness of its service leads)"
            )));
        }
        let (check, expected) = match (exchange.is_success(), method) {
            (true, UNKNOWN) => (&REFUSED, "501, or 405 with Allow"),
            (true, _) => (&METHOD, "405 with Allow, or another 4xx"),
            _ => (&REFUSED, "405 with Allow"),
        };
        let refused = match exchange.status() {
            405 | 501 | 401 | 403 => true,
            400 => method == UNKNOWN,
            status => status >= 500,
        };
        if !refused && exchange.outcome.is_ok() {
            let title = format!(
                "{method}, which is not declared here, is answered {}",
                exchange.status()
            );
            let failure = Failure::new(title, expected, exchange.summary()).of(check.id);
            context.report(failure.shown_by(&exchange.call));
        }
    }
    Ok(())
}

/// The methods in `Allow`, without those that every resource may have.
fn allowed(exchange: &Exchange) -> Option<BTreeSet<String>> {
    let response = exchange.outcome.as_ref().ok()?;
    let mut lines = response.header_all("allow").peekable();
    lines.peek()?;
    let names = lines.flat_map(|line| line.split(',')).map(str::trim);
    let names = names.filter(|name| !matches!(*name, "" | "HEAD" | "OPTIONS" | "TRACE"));
    Some(names.map(str::to_owned).collect())
}

async fn allow(context: &mut Context, api: usize, any: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let document = &suite.apis[api].api;
    let template = document.operations[any].path.clone();
    let values = context.values(api, any).await?;
    let path = template.expand(&values);
    let others = undeclared(&suite, api, &path);
    let Some(method) = others.first() else {
        return Err(Stop::NotApplicable("the resource has every method".to_owned()));
    };
    let refused = context.send(with(api, &path, method)).await?;
    let Some(listed) = allowed(&refused).filter(|_| refused.status() == 405) else {
        return Err(Stop::NotApplicable(
            "no 405 with Allow came, which is judged elsewhere".to_owned(),
        ));
    };
    let declared = document.resource(template.text());
    let missing = declared.and_then(|resource| {
        let names = resource.operations.keys();
        let mut names = names.filter(|name| METHODS.contains(&name.as_str()));
        names.find(|name| !listed.contains(*name))
    });
    if let Some(missing) = missing {
        let title = format!("Allow lacks {missing}, which is declared here");
        let actual = refused.header("allow").unwrap_or_default().to_owned();
        context.report(Failure::new(title, format!("Allow: …, {missing}"), actual).shown_by(&refused.call));
    }
    for name in others.iter().filter(|name| listed.contains(**name)) {
        let tried = match *name == *method {
            true => refused.clone(),
            false => context.send(with(api, &path, name)).await?,
        };
        if tried.status() == 405 {
            let title = format!("Allow lists {name}, which is answered 405");
            let actual = refused.header("allow").unwrap_or_default().to_owned();
            let failure = Failure::new(title, "Allow without it", actual);
            context.report(failure.signature("lists what is refused").shown_by(&refused.call));
            break;
        }
    }
    let options = context.send(with(api, &path, "OPTIONS")).await?;
    if let Some(other) = allowed(&options).filter(|other| options.is_success() && *other != listed) {
        let title = "Allow of OPTIONS differs from Allow of 405";
        let failure = Failure::new(title, format!("{listed:?}"), format!("{other:?}"));
        context.report(failure.shown_by(&options.call));
    }
    Ok(())
}

async fn head(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let reading = context.call(api, operation, &values).role(Role::Control);
    let get = context.send(reading.clone()).await?;
    let mut call = context.call(api, operation, &values);
    call = call.header("Accept", context.accepted(api, operation));
    call.method = "HEAD".to_owned();
    call.operation = None;
    let head = context.send(call).await?;
    if matches!(head.status(), 405 | 501) || get.outcome.is_err() || head.outcome.is_err() {
        return Err(Stop::NotApplicable("the platform does not offer HEAD".to_owned()));
    }
    let kind = |exchange: &Exchange| exchange.header("content-type").map(str::to_owned);
    let length = |exchange: &Exchange| exchange.header("content-length").map(str::to_owned);
    if head.status() != get.status() {
        let failure = Failure::new(
            "HEAD has another status than GET",
            get.status().to_string(),
            head.status().to_string(),
        );
        return Err(failure.shown_by(&head.call).stop());
    }
    context.judge(HEAD_TYPE.id, api, Some(operation));
    if kind(&head).is_some() && kind(&head) != kind(&get) {
        let failure = Failure::new(
            "HEAD has another Content-Type than GET",
            format!("{:?}", kind(&get)),
            format!("{:?}", kind(&head)),
        );
        context.report(failure.of(HEAD_TYPE.id).shown_by(&head.call));
    }
    let (Some(told), Some(real)) = (length(&head), length(&get)) else {
        return Ok(());
    };
    // Others may change a list meanwhile, and back: only what stays the same in several readings is compared.
    for _ in 0..ROUNDS {
        if told == real {
            return Ok(());
        }
        let after = context.send(reading.clone()).await?;
        let again = context.send(head.call.clone()).await?;
        let same = match (&get.outcome, &after.outcome) {
            (Ok(one), Ok(other)) => one.body == other.body,
            _ => false,
        };
        if !same || length(&again).as_ref() != Some(&told) {
            return Ok(());
        }
    }
    let failure = Failure::new("HEAD has another Content-Length than GET", real, told);
    Err(failure.shown_by(&head.call).stop())
}
