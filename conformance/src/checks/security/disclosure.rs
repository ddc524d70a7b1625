//! What a platform tells to pages of other origins, by TRACE, and of itself.

use std::sync::Arc;

use mecforge_report::Severity;

use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Intent, Outcome, Plan, Source, Stop, Suite,
};

static ORIGINS: Check = Check {
    id: "origins-are-not-all-trusted",
    group: Group::Security,
    title: "pages of any origin can't read answers with the visitor's credentials",
    severity: Severity::Error,
    explanation: "A request comes from an origin that nobody knows. Access-Control-Allow-Origin with that very origin (or null) beside Access-Control-Allow-Credentials: true lets every page act as its visitor. An Allow-Origin of * alone is right.",
    sources: &[
        Source::Practice("WHATWG Fetch, 3.3 (CORS protocol)"),
        Source::Practice("CWE-942"),
    ],
};

static TRACE: Check = Check {
    id: "trace-echoes-no-credentials",
    group: Group::Security,
    title: "TRACE is refused, or at least does not echo credentials",
    severity: Severity::Error,
    explanation: "No document of ETSI declares TRACE, so it is answered 405 like every method that is not supported. Judged is an answer that has the value of the Authorization or Cookie field of the request in it.",
    sources: &[
        Source::Etsi("ETSI GS MEC 009", "405 Method Not Allowed"),
        Source::Rfc(9110, "9.3.8"),
    ],
};

static SERVER: Check = Check {
    id: "server-tells-no-versions",
    group: Group::Security,
    title: "Server and X-Powered-By do not tell exact versions of several products",
    severity: Severity::Warning,
    explanation: "HTTP recommends not to tell needlessly fine details. One product with its version is usual and not reported.",
    sources: &[Source::Rfc(9110, "10.2.4"), Source::Practice("CWE-200")],
};

pub(super) static CHECKS: &[&Check] = &[&ORIGINS, &TRACE, &SERVER];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let state = &suite.apis[api];
    // The policy is one of the server's; a collection and an item may be served by different parts of it.
    let mut kinds = Vec::new();
    for operation in state
        .api
        .operations
        .iter()
        .filter(|operation| operation.method == "GET")
    {
        let kind = operation.path.parameters().count();
        if kinds.contains(&kind) {
            continue;
        }
        kinds.push(kind);
        let index = operation.index;
        plan.add(suite, &ORIGINS, api, Some(index), "origin", move |context| {
            Box::pin(async move { origins(context, api, index).await })
        });
        plan.add(suite, &TRACE, api, Some(index), "trace", move |context| {
            Box::pin(async move { trace(context, api, index).await })
        })
        .read_only = false;
        if kinds.len() == 1 {
            plan.add(suite, &SERVER, api, Some(index), "server", move |context| {
                Box::pin(async move { server(context, api, index).await })
            });
        }
    }
}

async fn origins(context: &mut Context, api: usize, get: usize) -> Outcome {
    let values = context.values(api, get).await?;
    for origin in ["https://mec-conformance.example", "null"] {
        let plain = context
            .call(api, get, &values)
            .header("Origin", origin)
            .intent(Intent::Odd);
        let preflight = Call {
            method: "OPTIONS".to_owned(),
            operation: None,
            ..plain.clone()
        };
        let preflight = preflight.header("Access-Control-Request-Method", "DELETE");
        for call in [plain, preflight] {
            let exchange = context.send(call).await?;
            if trusts(&exchange, origin) {
                let failure = Failure::new(
                    "any origin may read answers with credentials",
                    "no Access-Control-Allow-Credentials: true beside the origin of the request",
                    format!("Access-Control-Allow-Origin: {origin}, Access-Control-Allow-Credentials: true"),
                );
                return Err(failure.shown_by(&exchange.call).stop());
            }
        }
    }
    Ok(())
}

fn trusts(exchange: &Exchange, origin: &str) -> bool {
    let is = |name: &str, value: &str| {
        exchange
            .header(name)
            .is_some_and(|found| found.trim().eq_ignore_ascii_case(value))
    };
    is("access-control-allow-origin", origin) && is("access-control-allow-credentials", "true")
}

async fn trace(context: &mut Context, api: usize, get: usize) -> Outcome {
    const MARK: &str = "mec-conformance-no-real-secret";
    let values = context.values(api, get).await?;
    let call = Call {
        method: "TRACE".to_owned(),
        operation: None,
        ..context.call(api, get, &values)
    };
    let call = call
        .header("Cookie", format!("session={MARK}"))
        .intent(Intent::Odd);
    let exchange = context.send(call).await?;
    let Ok(answer) = &exchange.outcome else {
        return Ok(());
    };
    if exchange.is_success() && String::from_utf8_lossy(&answer.body).contains(MARK) {
        let failure = Failure::new(
            "TRACE echoes the request with its credentials",
            "405",
            exchange.summary(),
        );
        return Err(failure.shown_by(&exchange.call).stop());
    }
    Ok(())
}

async fn server(context: &mut Context, api: usize, get: usize) -> Outcome {
    let values = context.values(api, get).await?;
    let exchange = context.send(context.call(api, get, &values)).await?;
    let told: Vec<_> = ["server", "x-powered-by", "x-aspnet-version"]
        .iter()
        .filter_map(|name| exchange.header(name))
        .collect();
    let exact = told
        .iter()
        .flat_map(|value| value.split_whitespace())
        .filter(|word| {
            word.split_once('/')
                .is_some_and(|(_, version)| version.contains('.'))
        })
        .count();
    if exact >= 2 {
        return Err(Failure::new(
            "header fields tell exact versions of several products",
            "the product's name at most",
            told.join("; "),
        )
        .stop());
    }
    match told.is_empty() {
        true => Err(Stop::NotApplicable(
            "the platform tells nothing of itself".to_owned(),
        )),
        false => Ok(()),
    }
}
