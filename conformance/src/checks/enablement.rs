//! What MEC 011 does not say in so many words, and its readers take for granted: recommendations for platforms.

use std::sync::Arc;

use mecforge_report::Severity;
use serde_json::json;

use crate::suite::{Check, Context, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite};

const MEC011: &str = "ETSI GS MEC 011";

static NAMES: Check = Check {
    id: "services-may-share-a-name",
    group: Group::State,
    title: "a service may have the name of another one",
    severity: Severity::Warning,
    explanation: "One application registers two services of one name. A service is known by its serInstanceId, and the filter ser_name gives a list; that names are apart is demanded nowhere. 403 and 409 can stand for a rule of the platform's own, so this is a warning.",
    sources: &[Source::Etsi(MEC011, "8.1.2.2"), Source::Etsi(MEC011, "8.2.3.3.1")],
};

static OTHERS: Check = Check {
    id: "ends-of-others-are-not-told",
    group: Group::Security,
    title: "an application subscribes to its own end, not to that of another",
    severity: Severity::Warning,
    explanation: "A subscription to the end of the main application instance is made below its path, then one with the identifier of another instance in the body. The standard calls that member a criterion and does not say that it must be that of the path; who takes it tells one application when another one ends.",
    sources: &[
        Source::Etsi(MEC011, "7.1.3.2"),
        Source::Practice("OWASP API Security Top 10 2023, API1"),
    ],
};

pub(super) static CHECKS: &[&Check] = &[&NAMES, &OTHERS];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for (api, state) in suite.apis.iter().enumerate() {
        let maker = |path: &str| state.api.operation("POST", path).map(|operation| operation.index);
        match state.api.id.as_str() {
            "mec011-service-management" => {
                if let Some(maker) = maker("/applications/{appInstanceId}/services") {
                    plan.add(suite, &NAMES, api, Some(maker), "same", move |context| {
                        Box::pin(same_name(context, api, maker))
                    });
                }
            }
            "mec011-app-support" => {
                if let Some(maker) = maker("/applications/{appInstanceId}/subscriptions") {
                    plan.add(suite, &OTHERS, api, Some(maker), "other", move |context| {
                        Box::pin(other_end(context, api, maker))
                    });
                }
            }
            _ => {}
        }
    }
}

async fn same_name(context: &mut Context, api: usize, maker: usize) -> Outcome {
    let values = context.values(api, maker).await?;
    let first = context.make(api, maker, &values, None).await?;
    let mut body = context.body(api, maker, &values)?;
    body["serName"] = first.sent["serName"].clone();
    let exchange = context.send(context.call(api, maker, &values).json(body)).await?;
    if exchange.is_refusal() && !matches!(exchange.status(), 401 | 429) {
        let title = "a second service of the same name is refused";
        let failure = Failure::new(title, "201, with another serInstanceId", exchange.summary());
        return Err(failure.shown_by(&exchange.call).stop());
    }
    Ok(())
}

async fn other_end(context: &mut Context, api: usize, maker: usize) -> Outcome {
    let values = context.values(api, maker).await?;
    let own = values.get("appInstanceId").cloned().unwrap_or_default();
    let instances = context.suite.instances.get();
    let other = instances
        .and_then(|all| all.iter().find(|id| **id != own))
        .cloned();
    let Some(other) = other else {
        return Err(Stop::Inconclusive(
            "a second application instance is needed; give two with --app-instance-id A,B".to_owned(),
        ));
    };
    let mut body = context.body(api, maker, &values)?;
    let control = context.call(api, maker, &values).json(body.clone());
    let control = context.send(control.role(Role::Control)).await?;
    if !control.is_success() {
        return Err(Stop::Inconclusive(format!(
            "a subscription to its own end was answered {}",
            control.summary()
        )));
    }
    body["appInstanceId"] = json!(other);
    let call = context.call(api, maker, &values).json(body).intent(Intent::Odd);
    let exchange = context.send(call).await?;
    if exchange.is_success() {
        let title = "a subscription to the end of another application is taken";
        let failure = Failure::new(title, "a 4xx", exchange.summary());
        return Err(failure.shown_by(&exchange.call).stop());
    }
    Ok(())
}
