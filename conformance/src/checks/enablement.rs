//! What MEC 011 does not say in so many words, and its readers take for granted: recommendations for platforms.

use std::sync::Arc;
use std::time::Duration;

use mecforge_report::Severity;
use serde_json::json;

use crate::suite::{
    Check, Context, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite, Values,
};

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

static ORPHANS: Check = Check {
    id: "services-leave-with-their-application",
    group: Group::State,
    title: "the services of an application that has deregistered are not offered any more",
    severity: Severity::Warning,
    explanation: "An application registers, offers a service, and deregisters; two seconds later its service is still read in GET /services/{serviceId} as ACTIVE. Nobody serves it any more. The standard does not say what becomes of it.",
    sources: &[Source::Etsi(MEC011, "7.2.14.3.5")],
};

pub(super) static CHECKS: &[&Check] = &[&NAMES, &OTHERS, &ORPHANS];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    if let Some(leaving) = Leaving::of(suite) {
        let (api, operation) = leaving.deregister;
        let case = plan.add(suite, &ORPHANS, api, Some(operation), "orphans", move |context| {
            Box::pin(orphans(context, leaving))
        });
        case.stage = 3;
    }
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

/// The operations by which an application comes and goes, and offers a service: API and number.
#[derive(Clone, Copy)]
struct Leaving {
    register: (usize, usize),
    deregister: (usize, usize),
    offer: (usize, usize),
    read: (usize, usize),
}

impl Leaving {
    fn of(suite: &Suite) -> Option<Self> {
        let find = |id: &str, method: &str, path: &str| {
            suite.apis.iter().enumerate().find_map(|(api, state)| {
                let operation = state.api.operation(method, path).filter(|_| state.api.id == id)?;
                Some((api, operation.index))
            })
        };
        let (applications, services) = ("mec011-app-support", "mec011-service-management");
        Some(Leaving {
            register: find(applications, "POST", "/registrations")?,
            deregister: find(applications, "DELETE", "/registrations/{appInstanceId}")?,
            offer: find(services, "POST", "/applications/{appInstanceId}/services")?,
            read: find(services, "GET", "/services/{serviceId}")?,
        })
    }
}

async fn orphans(context: &mut Context, of: Leaving) -> Outcome {
    let (api, register) = of.register;
    let application = context.make(api, register, &Values::new(), None).await?;
    let (services, offer) = of.offer;
    let service = context.make(services, offer, &application.values, None).await?;
    let call = context.call(of.read.0, of.read.1, &service.values);
    let control = context.send(call.clone().role(Role::Control)).await?;
    let gone = context.call(of.deregister.0, of.deregister.1, &application.values);
    let gone = context.send(gone.role(Role::SetUp)).await?;
    if !control.is_success() || !gone.is_success() {
        let reason = "the service could not be read, or the application not deregister";
        return Err(Stop::Inconclusive(reason.to_owned()));
    }
    context.pause(Duration::from_secs(2)).await?;
    let exchange = context.send(call).await?;
    let state = exchange.json().map(|body| body["state"].clone());
    if exchange.is_success() && state.is_some_and(|state| state == "ACTIVE") {
        let title = "a service of an application that has deregistered is still ACTIVE";
        let failure = Failure::new(title, "404, or another state", exchange.summary());
        return Err(failure.stop());
    }
    Ok(())
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
