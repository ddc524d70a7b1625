//! What belongs to another application instance.

use serde_json::Value;

use crate::behaviour::{Handler, after_success, handler, within};
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::{MANAGEMENT, Place, Scope, scopes};
use crate::upstream::NoAnswer;

pub(super) fn faults() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Isolation, id, clause, operations, what, handler)
    };
    vec![
        fault(
            "isolation/list-of-all-services",
            "8.2.6.3.1",
            "GET own services",
            "An application's list has the services of all applications",
            within(&[("GET", Place::OwnServices)], all_services),
        ),
        fault(
            "isolation/read-other-service",
            "8.2.7.3.1",
            "GET own service",
            "A service can be read below another application's path",
            foreign(&[("GET", Place::OwnService)]),
        ),
        fault(
            "isolation/replace-other-service",
            "8.2.7.3.2",
            "PUT own service",
            "A service can be replaced below another application's path",
            foreign(scopes::PUT_SERVICE),
        ),
        fault(
            "isolation/delete-other-service",
            "8.2.7.3.5",
            "DELETE own service",
            "A service can be removed below another application's path",
            foreign(&[("DELETE", Place::OwnService)]),
        ),
        fault(
            "isolation/liveness-of-other-service",
            "8.2.10.3.1",
            "GET, PATCH liveness",
            "Heartbeats of a service may come below another application's path",
            foreign(&[("GET", Place::Liveness), ("PATCH", Place::Liveness)]),
        ),
        fault(
            "isolation/read-other-subscription",
            "8.2.9.3.1",
            "GET subscription",
            "A subscription can be read below another application's path",
            foreign_subscription(scopes::ONE_SUBSCRIPTION),
        ),
        fault(
            "isolation/delete-other-subscription",
            "8.2.9.3.5",
            "DELETE subscription",
            "A subscription can be removed below another application's path",
            foreign_subscription(scopes::UNSUBSCRIBE),
        ),
        fault(
            "isolation/subscriptions-of-all",
            "8.2.8.3.1",
            "GET lists of subscriptions",
            "An application's list has the subscriptions of all applications",
            handler(all_subscriptions),
        ),
        fault(
            "isolation/rules-of-other-application",
            "7.2.9.3.1",
            "GET rules",
            "The rules of an application are those of the one that was asked for first",
            after_success(
                &[("GET", Place::DnsRules), ("GET", Place::TrafficRules)],
                |answer, request, context| {
                    let key = format!("{:?}", request.target.place);
                    let full = answer
                        .json()
                        .is_some_and(|body| body.as_array().is_some_and(|list| !list.is_empty()));
                    match context.kept(&key) {
                        Some(first) => *answer = first,
                        None if full => drop(context.keep(&key, answer.clone())),
                        None => {}
                    }
                },
            ),
        ),
        fault(
            "isolation/subscription-in-both-apis",
            "7.2.4.3.1",
            "GET subscription",
            "A subscription can be read in the other API",
            handler(other_api),
        ),
        fault(
            "isolation/any-application-may-exist",
            "8.2.6.3.1",
            "GET own services",
            "An application instance that does not exist sees the services of another one",
            handler(first_application),
        ),
    ]
}

async fn all_services(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let mut answer = context.pass(request.clone()).await?;
    if answer.is_success() {
        let query = request
            .parts
            .uri
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        if let Some(all) = context
            .read(&format!("{MANAGEMENT}/services{query}"), &request)
            .await
        {
            answer.set_json(&all);
        }
    }
    Ok(answer)
}

/// Does what is asked for under the owner's path where the asked path has no such service.
fn foreign(scope: Scope) -> Handler {
    within(scope, |request: Request, context: Context| async move {
        let answer = context.pass(request.clone()).await?;
        if answer.status() != 404 {
            return Ok(answer);
        }
        let public = format!("{MANAGEMENT}/services/{}", request.target.id);
        let service = context.read(&public, &request).await.unwrap_or_default();
        let owner = service.pointer("/_links/self/href").and_then(Value::as_str);
        let Some(path) = owner.and_then(|href| href.parse::<http::Uri>().ok()) else {
            return Ok(answer);
        };
        let suffix = if request.target.place == Place::Liveness {
            "/liveness"
        } else {
            ""
        };
        let mut redirected = request;
        redirected.set_path(&format!("{}{suffix}", path.path()));
        context.pass(redirected).await
    })
}

/// The same for subscriptions, whose places are remembered when they are made.
fn foreign_subscription(scope: Scope) -> Handler {
    handler(move |mut request, context| async move {
        let id = request.target.id.clone();
        let first = context.pass(request.clone()).await?;
        if request.is_in(scopes::SUBSCRIBE)
            && let Some(place) = first.location_path()
            && let Some((_, id)) = place.rsplit_once('/')
        {
            context.remember(&format!("subscription {id}"), place.clone().into());
        }
        match context.recall(&format!("subscription {id}")) {
            Some(Value::String(place)) if first.status() == 404 && request.is_in(scope) => {
                request.set_path(&place);
                context.pass(request).await
            }
            _ => Ok(first),
        }
    })
}

async fn all_subscriptions(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let mut answer = context.pass(request.clone()).await?;
    if !request.is_in(scopes::SUBSCRIPTION_LISTS) {
        return Ok(answer);
    }
    let kind = format!("{:?}", request.target.place);
    let Some(mut body) = answer.json() else {
        return Ok(answer);
    };
    let Some(Value::Array(list)) = body.pointer_mut("/_links/subscriptions") else {
        return Ok(answer);
    };
    let own = Value::Array(list.clone());
    let mut lists = context
        .recall(&kind)
        .unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    lists[&request.target.application] = own;
    for (application, others) in lists.as_object().into_iter().flatten() {
        if *application != request.target.application {
            list.extend(others.as_array().into_iter().flatten().cloned());
        }
    }
    context.remember(&kind, lists);
    answer.set_json(&body);
    Ok(answer)
}

async fn other_api(mut request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let answer = context.pass(request.clone()).await?;
    if answer.status() == 404 && request.is_in(scopes::ONE_SUBSCRIPTION) {
        let path = match request.path() {
            path if path.contains("mec_app_support") => path.replace("mec_app_support", "mec_service_mgmt"),
            path => path.replace("mec_service_mgmt", "mec_app_support"),
        };
        request.set_path(&path);
        return context.pass(request).await;
    }
    Ok(answer)
}

async fn first_application(mut request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let answer = context.pass(request.clone()).await?;
    if !request.is("GET", Place::OwnServices) {
        return Ok(answer);
    }
    match context.recall("known") {
        None if answer.is_success() => {
            context.remember("known", request.path().into());
        }
        Some(Value::String(known)) if answer.status() == 404 => {
            request.set_path(&known);
            return context.pass(request).await;
        }
        _ => {}
    }
    Ok(answer)
}
