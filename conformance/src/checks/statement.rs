//! Whether a platform agrees with the vendor's statement of what it offers.

use std::sync::Arc;

use mecforge_report::Severity;
use mecforge_transport::{Request, Version};
use serde_json::{Value, json};

use super::notifications;
use crate::statement::{Behaviour, Feature, Kind, features};
use crate::suite::{
    Check, Context, Exchange, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite, Values,
    follow,
};

static CLAIMED: Check = Check {
    id: "statement-claimed",
    group: Group::Http,
    title: "what the vendor's statement claims is there",
    severity: Severity::Error,
    explanation: "For each feature that --statement claims (supported = true): its operation is not answered 405, 501, or 404 where the path names something that was just made or needs no identifier; answers have an ETag; HEAD is not answered 405 or 501; HTTP/2 answers a request; test notifications, WebSockets and deadlines of subscriptions are there and pass what notification-test, notification-websocket and subscription-expires demand, in each operation that has a place for them. Where those can't tell, neither can this.",
    sources: &[Source::Practice("the vendor's own statement")],
};

static DENIED: Check = Check {
    id: "statement-denied",
    group: Group::Http,
    title: "what the vendor's statement denies is not there",
    severity: Severity::Warning,
    explanation: "For each operation that --statement denies (supported = false): it is answered 404, 405 or 501 (or 401, 403). A platform may offer more than its vendor says; then the statement is out of date, and what is there was not tested.",
    sources: &[Source::Practice("the vendor's own statement")],
};

/// The checks of this module.
pub(super) static CHECKS: &[&Check] = &[&CLAIMED, &DENIED];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    let Some(statement) = &suite.options.statement else {
        return;
    };
    for (api, state) in suite.apis.iter().enumerate() {
        for feature in features(&state.api) {
            let Some(claim) = statement.claim(&feature.id) else {
                continue;
            };
            let operation = match &feature.kind {
                Kind::Operation(key) => state.api.operation_by_key(key).map(|operation| operation.index),
                Kind::Behaviour(_) => None,
            };
            match (operation, claim.supported) {
                (Some(operation), true) => {
                    plan.add(suite, &CLAIMED, api, Some(operation), "claimed", move |context| {
                        Box::pin(async move { claimed(context, api, operation).await })
                    })
                    .stage = 0;
                }
                (Some(operation), false) => {
                    plan.add(suite, &DENIED, api, Some(operation), "denied", move |context| {
                        Box::pin(async move { denied(context, api, operation).await })
                    });
                }
                (None, true) => behaviour(suite, plan, api, &feature),
                (None, false) => {}
            }
        }
    }
}

fn is_missing(exchange: &Exchange) -> bool {
    matches!(exchange.status(), 405 | 501)
}

async fn claimed(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let declared = &suite.apis[api].api.operations[operation];
    let values = context.values(api, operation).await?;
    let link = match declared.path.text().strip_suffix("/liveness") {
        Some(service) => liveness_link(context, api, service, &values).await?,
        None => None,
    };
    let mut call = context.call(api, operation, &values);
    let mut doubt = None;
    if let Some(link) = link {
        let linked = follow(&suite, call, &link)?;
        (call, doubt) = (linked.call, linked.doubt);
    }
    if declared.json_body().is_some() {
        call = call.json(context.body(api, operation, &values)?);
    }
    let exchange = context.send(call).await?;
    // What an operator names, and an application instance, may be unknown for other reasons.
    let path = &declared.path;
    let made = path.last_parameter().is_some_and(|_| {
        let resource = suite.apis[api].api.resource(path.text());
        resource.is_some_and(|resource| resource.maker.is_some())
    });
    let own = path.parameters().next().is_none() || made || path.text().ends_with("/liveness");
    let unknown = exchange.status() == 404 && own;
    if let Some(doubt) = doubt.filter(|_| exchange.status() == 404) {
        return Err(Stop::Inconclusive(format!("{doubt}: {}", exchange.summary())));
    }
    if is_missing(&exchange) || unknown {
        let title = format!(
            "the statement claims {}, and it is answered {}",
            declared.key,
            exchange.status()
        );
        return Err(Failure::new(title, "the operation is there", exchange.summary()).stop());
    }
    Ok(())
}

/// The link to the liveness of a service, which needs not be below the service.
async fn liveness_link(
    context: &mut Context,
    api: usize,
    service: &str,
    values: &Values,
) -> Result<Option<String>, Stop> {
    let suite = Arc::clone(&context.suite);
    let Some(read) = suite.apis[api].api.operation("GET", service) else {
        return Ok(None);
    };
    let read = context.call(api, read.index, values).role(Role::Control);
    let answered = context.send(read).await?.json().unwrap_or_default();
    let link = answered.pointer("/_links/liveness/href");
    Ok(link.and_then(Value::as_str).map(str::to_owned))
}

async fn denied(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let declared = &suite.apis[api].api.operations[operation];
    let values = match context.values(api, operation).await {
        Ok(values) => values,
        Err(Stop::Gone(reason)) => return Err(Stop::Gone(reason)),
        // Nothing can be made that it would be about: so it can't be told from what is not there.
        Err(_) => {
            return Err(Stop::NotApplicable(
                "nothing is there that it could be asked of".to_owned(),
            ));
        }
    };
    let mut call = context.call(api, operation, &values).intent(Intent::Odd);
    call.operation = None;
    if declared.json_body().is_some() {
        // An empty object makes nothing where something is required.
        call = call.json(json!({}));
    }
    let exchange = context.send(call).await?;
    if matches!(exchange.status(), 404 | 405 | 501 | 401 | 403) || exchange.status() >= 500 {
        return Ok(());
    }
    let title = format!(
        "the statement denies {}, and it is answered {}",
        declared.key,
        exchange.status()
    );
    Err(Failure::new(title, "404, 405 or 501", exchange.summary()).stop())
}

/// A behaviour that is claimed: by a request that shows it, or by the check that is there for it.
fn behaviour(suite: &Arc<Suite>, plan: &mut Plan, api: usize, feature: &Feature) {
    let state = &suite.apis[api];
    let Kind::Behaviour(behaviour) = feature.kind else {
        return;
    };
    notifications::general::claim(suite, plan, api, behaviour, &CLAIMED);
    let get = state
        .api
        .operations
        .iter()
        .find(|operation| operation.method == "GET");
    if let (Behaviour::Http2, Some(get)) = (behaviour, get) {
        let operation = get.index;
        plan.add(suite, &CLAIMED, api, Some(operation), "http2", move |context| {
            Box::pin(async move { speaks_http2(context, api, operation).await })
        });
    }
    for operation in &state.api.operations {
        let index = operation.index;
        let tagged = operation
            .successes()
            .any(|response| response.header("etag").is_some());
        let asked = operation.method == "GET"
            && match behaviour {
                Behaviour::EntityTags => tagged,
                Behaviour::Head => true,
                _ => false,
            };
        if asked {
            plan.add(
                suite,
                &CLAIMED,
                api,
                Some(index),
                behaviour.name(),
                move |context| Box::pin(async move { does(context, api, index, behaviour).await }),
            );
        }
    }
}

/// Any answer over HTTP/2 shows that it is spoken.
async fn speaks_http2(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let values = context.values(api, operation).await?;
    let call = context.call(api, operation, &values);
    let control = context.send(call.clone()).await?;
    // Not by the context, as what is no answer over a version that nobody speaks is no breach of anything.
    let suite = &context.suite;
    let target = format!("{}{}", suite.apis[api].base_path, call.target());
    let other = suite
        .clients
        .other_version
        .send(&Request::new("GET", target))
        .await;
    let versions = [&control.outcome, &other.outcome].map(|outcome| match outcome {
        Ok(answer) => Ok(answer.version),
        Err(fault) => Err(fault.code()),
    });
    if versions.contains(&Ok(Version::Http2)) {
        return Ok(());
    }
    let told =
        versions.map(|version| version.map_or_else(str::to_owned, |version| version.as_str().to_owned()));
    Err(Failure::new(
        "the statement claims HTTP/2, and it is not offered",
        "an answer over HTTP/2",
        told.join("; "),
    )
    .stop())
}

async fn does(context: &mut Context, api: usize, operation: usize, behaviour: Behaviour) -> Outcome {
    let values = context.values(api, operation).await?;
    let mut call = context.call(api, operation, &values);
    let control = context.send(call.clone().role(Role::Control)).await?;
    if !control.is_success() {
        return Err(Stop::Inconclusive(format!(
            "GET is answered {}",
            control.summary()
        )));
    }
    if behaviour == Behaviour::EntityTags {
        return match control.header("etag") {
            Some(_) => Ok(()),
            None => Err(Failure::new(
                "the statement claims entity tags, and an answer has none",
                "ETag: …",
                control.summary(),
            )
            .stop()),
        };
    }
    call.method = "HEAD".to_owned();
    call.operation = None;
    let head = context.send(call).await?;
    match is_missing(&head) {
        true => Err(Failure::new(
            "the statement claims HEAD, and it is not offered",
            "the answer of GET without its body",
            head.summary(),
        )
        .stop()),
        false => Ok(()),
    }
}
