//! Identifiers that are reused, shared or not kept.

use serde_json::{Value, json};

use crate::behaviour::{Handler, after_success, handler, within};
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::{Place, scopes};
use crate::upstream::NoAnswer;

pub(super) fn faults() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Identifiers, id, clause, operations, what, handler)
    };
    vec![
        fault(
            "identifiers/service-constant",
            "8.1.2.2",
            "POST services",
            "Every new service is said to have the same serInstanceId",
            after_success(scopes::NEW_SERVICE, |answer, _, _| {
                answer.each_resource(|service| service["serInstanceId"] = json!("service-1"))
            }),
        ),
        fault(
            "identifiers/service-is-name",
            "8.1.2.2",
            "all of services",
            "The serInstanceId in answers is the serName",
            after_success(
                &[
                    ("GET", Place::Services),
                    ("GET", Place::OwnServices),
                    ("GET", Place::Service),
                    ("GET", Place::OwnService),
                    ("POST", Place::OwnServices),
                    ("PUT", Place::OwnService),
                ],
                |answer, _, _| {
                    answer.each_resource(|service| {
                        if service.get("serName").is_some() {
                            service["serInstanceId"] = service["serName"].clone();
                        }
                    });
                },
            ),
        ),
        fault(
            "identifiers/put-gives-new",
            "8.2.7.3.2",
            "PUT own service",
            "The answer to PUT has another serInstanceId",
            after_success(scopes::PUT_SERVICE, |answer, _, _| {
                answer.each_resource(|service| {
                    service["serInstanceId"] = json!("00000000-0000-4000-8000-000000000001")
                })
            }),
        ),
        fault(
            "identifiers/list-differs",
            "8.1.2.2",
            "GET lists of services",
            "The serInstanceId in lists is in upper case",
            after_success(scopes::SERVICE_LISTS, |answer, _, _| {
                answer.each_resource(|service| {
                    service["serInstanceId"] = json!(
                        service["serInstanceId"]
                            .as_str()
                            .unwrap_or_default()
                            .to_uppercase()
                    )
                });
            }),
        ),
        fault(
            "identifiers/subscription-same-place",
            "8.2.8.3.4",
            "POST subscriptions",
            "All subscriptions of an application have the place of its first one",
            after_success(scopes::SUBSCRIBE, |answer, request, context| {
                let key = format!("first {}", request.path());
                match context.kept(&key) {
                    Some(first) => {
                        if let Some(place) = first.header("location") {
                            answer.set_header("location", place);
                        }
                        if let (Some(mut body), Some(old)) = (answer.json(), first.json()) {
                            body["_links"] = old["_links"].clone();
                            answer.set_json(&body);
                        }
                    }
                    None => drop(context.keep(&key, answer.clone())),
                }
            }),
        ),
        fault(
            "identifiers/registration-constant",
            "7.2.13.3.4",
            "POST registrations",
            "Every application that brings no identifier is said to be the same",
            after_success(&[("POST", Place::Registrations)], |answer, request, _| {
                if request
                    .json()
                    .is_some_and(|body| body.get("appInstanceId").is_none())
                {
                    answer.each_resource(|info| info["appInstanceId"] = json!("application-1"));
                }
            }),
        ),
        fault(
            "identifiers/reused-after-delete",
            "8.1.2.2",
            "POST services",
            "A new service gets the place of one that was removed, and can't be removed there",
            handler(reused),
        ),
        fault(
            "identifiers/not-found-in-other-case",
            "RFC 3986 6.2.2.1",
            "GET own service",
            "Identifiers in paths are compared without regard to case",
            within(
                &[("GET", Place::OwnService), ("GET", Place::Service)],
                |mut request, context| async move {
                    let (list, id) = request
                        .path()
                        .rsplit_once('/')
                        .map(|(list, id)| (list.to_owned(), id.to_lowercase()))
                        .unwrap_or_default();
                    request.set_path(&format!("{list}/{id}"));
                    context.pass(request).await
                },
            ),
        ),
        fault(
            "identifiers/prefix-is-enough",
            "8.2.7.3.1",
            "GET own service",
            "The beginning of an identifier is enough to read a service",
            within(&[("GET", Place::OwnService)], prefix),
        ),
    ]
}

/// Maps the place of a removed service to the next new one.
async fn reused(mut request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let original = request.target.id.clone();
    if request.is("DELETE", Place::OwnService) {
        let answer = context.pass(request).await?;
        if answer.status() == 204 {
            context.remember("free", original.into());
        }
        return Ok(answer);
    }
    if let Some(Value::String(real)) = context.recall(&format!("alias {original}")) {
        let path = request.path().replace(&original, &real);
        request.set_path(&path);
        let mut answer = context.pass(request).await?;
        rename(&mut answer, &real, &original);
        return Ok(answer);
    }
    let creating = request.is_in(scopes::NEW_SERVICE);
    let mut answer = context.pass(request).await?;
    if creating
        && answer.is_success()
        && let Some(Value::String(free)) = context.forget("free")
        && let Some(place) = answer.location_path()
        && let Some((_, real)) = place.rsplit_once('/')
    {
        context.remember(&format!("alias {free}"), real.into());
        rename(&mut answer, real, &free);
    }
    Ok(answer)
}

fn rename(answer: &mut Answer, old: &str, new: &str) {
    let body = String::from_utf8_lossy(&answer.body).replace(old, new);
    answer.set_body(body.into());
    let location = answer.header("location").map(|place| place.replace(old, new));
    if let Some(location) = location {
        answer.set_header("location", &location);
    }
}

async fn prefix(mut request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let answer = context.pass(request.clone()).await?;
    if answer.status() != 404 {
        return Ok(answer);
    }
    let (list, start) = request.path().rsplit_once('/').unwrap_or_default();
    let (list, start) = (list.to_owned(), start.to_owned());
    let services = context.read(&list, &request).await.unwrap_or_default();
    let ids = services
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|service| service["serInstanceId"].as_str());
    let found = ids
        .filter(|id| start.len() >= 8 && id.starts_with(&start))
        .map(str::to_owned)
        .next();
    match found {
        Some(id) => {
            request.set_path(&format!("{list}/{id}"));
            context.pass(request).await
        }
        None => Ok(answer),
    }
}
