//! What is kept or read is not what was written.

use serde_json::Value;

use crate::behaviour::{Handler, after, handler, request_bodies, within};
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::{Place, Scope, scopes};
use crate::upstream::NoAnswer;

const PUT_SERVICE: Scope = scopes::PUT_SERVICE;

pub(super) fn faults() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Storage, id, clause, operations, what, handler)
    };
    vec![
        fault(
            "storage/stale-service",
            "8.2.7.3.2",
            "GET own service",
            "A service is read as it was when it was read first",
            stale(&[("GET", Place::OwnService)], "/"),
        ),
        fault(
            "storage/stale-list",
            "8.2.6.3.1",
            "GET own services",
            "The list of services is what it was one change ago",
            within(&[("GET", Place::OwnServices)], one_behind),
        ),
        fault(
            "storage/stale-public-list",
            "8.2.3.3.1",
            "GET /services",
            "The public list of services is what it was when it was read before",
            within(&[("GET", Place::Services)], one_behind),
        ),
        fault(
            "storage/stale-public-item",
            "8.2.4.3.1",
            "GET /services/{serviceId}",
            "The public service is read as it was when it was read first",
            stale(&[("GET", Place::Service)], "/"),
        ),
        fault(
            "storage/stale-subscriptions",
            "8.2.8.3.1",
            "GET lists of subscriptions",
            "The list of subscriptions is what it was when it was read before",
            within(scopes::SUBSCRIPTION_LISTS, one_behind),
        ),
        fault(
            "storage/update-lost",
            "8.2.7.3.2",
            "PUT own service",
            "A replacement is answered, but not kept",
            lost(PUT_SERVICE),
        ),
        fault(
            "storage/update-lost-second",
            "8.2.7.3.2",
            "PUT own service",
            "Every second replacement of a service is answered, but not kept",
            within(PUT_SERVICE, second_lost),
        ),
        fault(
            "storage/update-merged",
            "8.2.7.3.2",
            "PUT own service",
            "PUT keeps optional properties that the new body does not have, as PATCH would",
            within(PUT_SERVICE, merged),
        ),
        fault(
            "storage/update-answers-old",
            "8.2.7.3.2",
            "PUT own service",
            "The answer to PUT is the service as it was before",
            within(PUT_SERVICE, old_answer),
        ),
        fault(
            "storage/state-not-updated",
            "8.2.7.3.2",
            "PUT own service",
            "PUT changes everything but the state",
            within(PUT_SERVICE, keeps_state),
        ),
        fault(
            "storage/version-not-stored",
            "8.1.2.2",
            "POST, PUT services",
            "The version is kept as 1.0 whatever it is; only the answer to the write shows it",
            shown_only(scopes::SERVICE_WRITES, "version"),
        ),
        fault(
            "storage/serCategory-not-stored",
            "8.1.2.2",
            "POST, PUT services",
            "The category is not kept; only the answer to the write shows it",
            shown_only(scopes::SERVICE_WRITES, "serCategory"),
        ),
        fault(
            "storage/isLocal-not-stored",
            "8.1.2.2",
            "POST, PUT services",
            "isLocal is not kept; only the answer to the write shows it",
            shown_only(scopes::SERVICE_WRITES, "isLocal"),
        ),
        fault(
            "storage/list-item-disagree",
            "8.2.3.3.1",
            "GET lists of services",
            "Lists show the first state of a service, single readings the present one",
            within(scopes::SERVICE_LISTS, first_states),
        ),
        fault(
            "storage/criteria-not-stored",
            "8.1.3.2",
            "POST subscriptions",
            "The states of a subscription's criteria are forgotten when it is made",
            request_bodies(scopes::SUBSCRIBE, |body| {
                if let Some(Value::Object(criteria)) = body.get_mut("filteringCriteria") {
                    criteria.remove("states");
                }
            }),
        ),
        fault(
            "storage/write-visible-late",
            "8.2.7.3.2",
            "GET own service",
            "The first reading after a PUT gives the old service",
            handler(late),
        ),
    ]
}

/// What was read first is read ever after, unless it is gone.
fn stale(scope: Scope, _: &'static str) -> Handler {
    after(scope, |answer, request, context| {
        let key = format!("stale {}", request.path());
        if !answer.is_success() {
            context.take(&key);
        } else if let Some(kept) = context.kept(&key) {
            *answer = kept;
        } else {
            context.keep(&key, answer.clone());
        }
    })
}

/// The list as it was before the latest change that was seen.
async fn one_behind(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let answer = context.pass(request.clone()).await?;
    if !answer.is_success() {
        return Ok(answer);
    }
    let key = request.parts.uri.to_string();
    Ok(context.keep(&key, answer.clone()).unwrap_or(answer))
}

/// Answers a replacement with what it would give, without making it.
fn lost(scope: Scope) -> Handler {
    within(scope, |request, context| async move {
        pretend(request, context).await
    })
}

/// Lets the platform judge a replacement, takes it back, and shows it as done.
async fn pretend(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let before = context.read(request.path(), &request).await;
    let answer = context.pass(request.clone()).await?;
    if let (true, Some(before)) = (answer.is_success(), before) {
        let mut back = request;
        back.remove_header("if-match");
        back.set_json(&before);
        context.pass(back).await?;
    }
    Ok(answer)
}

async fn second_lost(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    if context.count(request.path()).is_multiple_of(2) {
        return pretend(request, context).await;
    }
    context.pass(request).await
}

async fn merged(mut request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let before = context.read(request.path(), &request).await;
    if let (Some(Value::Object(before)), Some(Value::Object(mut body))) = (before, request.json()) {
        for name in ["serCategory", "scopeOfLocality", "consumedLocalOnly", "isLocal"] {
            if let Some(value) = before.get(name) {
                body.entry(name).or_insert_with(|| value.clone());
            }
        }
        request.set_json(&Value::Object(body));
    }
    context.pass(request).await
}

async fn old_answer(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let before = context.read(request.path(), &request).await;
    let mut answer = context.pass(request).await?;
    if let (true, Some(before)) = (answer.is_success(), before) {
        answer.set_json(&before);
    }
    Ok(answer)
}

async fn keeps_state(mut request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let before = context.read(request.path(), &request).await;
    let known = |state: &Value| {
        ["ACTIVE", "INACTIVE", "SUSPENDED"]
            .iter()
            .any(|each| state == each)
    };
    if let (Some(before), Some(mut body)) = (before, request.json())
        && body.get("state").is_some_and(known)
    {
        body["state"] = before["state"].clone();
        request.set_json(&body);
    }
    context.pass(request).await
}

/// A property that the platform never gets, and that only the answer to the write shows.
fn shown_only(scope: Scope, name: &'static str) -> Handler {
    within(scope, move |request: Request, context: Context| async move {
        let mut answer = context.pass(request.clone()).await?;
        let path = answer
            .location_path()
            .unwrap_or_else(|| request.path().to_owned());
        if answer.is_success()
            && let Some(mut body) = request.json()
            && let Some(members) = body.as_object_mut()
            && members.contains_key(name)
        {
            members.remove(name);
            if name == "version" {
                members.insert(name.to_owned(), "1.0".into());
            }
            let mut again = request.clone();
            again.parts.method = http::Method::PUT;
            again.remove_header("if-match");
            again.set_path(&path);
            again.set_json(&body);
            let kept = context.pass(again).await?;
            if let Some(etag) = kept.header("etag") {
                answer.set_header("etag", etag);
            }
        }
        Ok(answer)
    })
}

async fn first_states(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let mut answer = context.pass(request).await?;
    if let Some(Value::Array(mut list)) = answer.json() {
        for service in &mut list {
            let key = format!("first {}", service["serInstanceId"].as_str().unwrap_or_default());
            if let Some(first) = context.recall(&key) {
                service["state"] = first["state"].clone();
                service["version"] = first["version"].clone();
            } else {
                context.remember(&key, service.clone());
            }
        }
        answer.set_json(&Value::Array(list));
    }
    Ok(answer)
}

async fn late(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let key = format!("late {}", request.path());
    if request.is_in(PUT_SERVICE) {
        let before = context.ask(http::Method::GET, request.path(), &request).await;
        let answer = context.pass(request).await?;
        if let (true, Some(before)) = (answer.is_success(), before.filter(Answer::is_success)) {
            context.keep(&key, before);
        }
        return Ok(answer);
    }
    let answer = context.pass(request.clone()).await?;
    if request.is("GET", Place::OwnService) && answer.is_success() {
        return Ok(context.take(&key).unwrap_or(answer));
    }
    Ok(answer)
}
