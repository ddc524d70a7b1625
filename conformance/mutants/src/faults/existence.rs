//! Resources that come back, stay away, or are there twice.

use serde_json::{Value, json};

use crate::behaviour::{Handler, after_success, handler, succeeds, within};
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::{Place, Scope, scopes};
use crate::upstream::NoAnswer;

const DELETE_SERVICE: Scope = &[("DELETE", Place::OwnService)];
const DELETE_REGISTRATION: Scope = &[("DELETE", Place::Registration)];

pub(super) fn faults() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Existence, id, clause, operations, what, handler)
    };
    vec![
        fault(
            "existence/service-not-deleted",
            "8.2.7.3.5",
            "DELETE own service",
            "Removing a service is answered with 204, but nothing is removed",
            only_said(DELETE_SERVICE),
        ),
        fault(
            "existence/subscription-not-deleted",
            "8.2.9.3.5",
            "DELETE subscription",
            "Unsubscribing is answered with 204, but the subscription stays",
            only_said(scopes::UNSUBSCRIBE),
        ),
        fault(
            "existence/registration-not-deleted",
            "7.2.14.3.5",
            "DELETE registration",
            "Deregistering is answered with 204, but the registration stays",
            only_said(DELETE_REGISTRATION),
        ),
        fault(
            "existence/deleted-still-readable",
            "8.2.7.3.1",
            "GET own service",
            "A service that was removed can still be read",
            handler(still_readable),
        ),
        fault(
            "existence/deleted-still-in-public-list",
            "8.2.3.3.1",
            "GET /services",
            "A service that was removed stays in the public list",
            handler(still_listed),
        ),
        fault(
            "existence/deleted-public-item",
            "8.2.4.3.1",
            "GET /services/{serviceId}",
            "A service that was removed can still be read below /services",
            handler(still_public),
        ),
        fault(
            "existence/deleted-liveness",
            "8.2.10.3.1",
            "GET liveness",
            "The liveness of a service that was removed can still be read",
            handler(still_alive),
        ),
        fault(
            "existence/deleted-comes-back",
            "8.2.7.3.1",
            "GET own services",
            "A removed service is back when another one is registered",
            handler(comes_back),
        ),
        fault(
            "existence/delete-twice",
            "8.2.7.3.5",
            "DELETE own service",
            "Removing a service a second time is answered with 204",
            succeeds(DELETE_SERVICE, &[404], 204),
        ),
        fault(
            "existence/put-creates",
            "8.2.7.3.2",
            "PUT own service",
            "PUT of a service that does not exist makes one",
            within(scopes::PUT_SERVICE, put_creates),
        ),
        fault(
            "existence/put-revives",
            "8.2.7.3.2",
            "PUT own service",
            "PUT of a service that was removed is answered with 200",
            succeeds(scopes::PUT_SERVICE, &[404], 200),
        ),
        fault(
            "existence/not-in-own-list",
            "8.2.6.3.1",
            "GET own services",
            "New services are not in their application's list",
            after_success(&[("GET", Place::OwnServices)], |answer, _, _| {
                answer.set_json(&json!([]))
            }),
        ),
        fault(
            "existence/not-in-public-list",
            "8.2.3.3.1",
            "GET /services",
            "Services that are not active are not in the public list",
            after_success(&[("GET", Place::Services)], |answer, _, _| {
                if let Some(Value::Array(mut list)) = answer.json() {
                    list.retain(|service| service["state"] == "ACTIVE");
                    answer.set_json(&Value::Array(list));
                }
            }),
        ),
        fault(
            "existence/second-service-missing",
            "8.2.6.3.4",
            "POST services",
            "An application has one service only: a second one takes the place of the first",
            within(scopes::NEW_SERVICE, one_service),
        ),
        fault(
            "existence/subscription-list-incomplete",
            "8.2.8.3.1",
            "GET lists of subscriptions",
            "Lists show only the newest subscription",
            after_success(scopes::SUBSCRIPTION_LISTS, |answer, _, _| {
                if let Some(mut body) = answer.json()
                    && let Some(Value::Array(list)) = body.pointer_mut("/_links/subscriptions")
                {
                    *list = list.pop().into_iter().collect();
                    answer.set_json(&body);
                }
            }),
        ),
        fault(
            "existence/listed-twice",
            "8.2.3.3.1",
            "GET lists of services",
            "The first service of a list is there twice",
            after_success(scopes::SERVICE_LISTS, |answer, _, _| {
                if let Some(Value::Array(mut list)) = answer.json()
                    && let Some(first) = list.first().cloned()
                {
                    list.push(first);
                    answer.set_json(&Value::Array(list));
                }
            }),
        ),
        fault(
            "existence/failed-create-leaves-service",
            "8.2.6.3.4",
            "POST services",
            "A refused registration leaves a service behind",
            within(scopes::NEW_SERVICE, failed_leaves),
        ),
        fault(
            "existence/failed-put-changes",
            "8.2.7.3.2",
            "PUT own service",
            "A refused replacement changes the state all the same",
            within(scopes::PUT_SERVICE, failed_changes),
        ),
        fault(
            "existence/subscription-created-on-400",
            "8.2.8.3.4",
            "POST subscriptions",
            "A refused subscription leaves one behind",
            within(&[("POST", Place::Subscriptions)], failed_subscribes),
        ),
    ]
}

/// Answers removals of what exists without making them.
fn only_said(scope: Scope) -> Handler {
    within(scope, |request: Request, context: Context| async move {
        if context.read(request.path(), &request).await.is_some() {
            return Ok(Answer::empty(204));
        }
        context.pass(request).await
    })
}

/// Keeps what a removal removes, under a key.
async fn keeping(request: &Request, context: &Context, path: &str, key: &str) -> Result<Answer, NoAnswer> {
    let before = context.ask(http::Method::GET, path, request).await;
    let answer = context.pass(request.clone()).await?;
    if let (true, Some(before)) = (answer.is_success(), before.filter(Answer::is_success)) {
        context.keep(key, before);
    }
    Ok(answer)
}

async fn still_readable(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    if request.is_in(DELETE_SERVICE) {
        let path = request.path().to_owned();
        return keeping(&request, &context, &path, &path).await;
    }
    let answer = context.pass(request.clone()).await?;
    if answer.status() == 404 && request.is("GET", Place::OwnService) {
        return Ok(context.kept(request.path()).unwrap_or(answer));
    }
    Ok(answer)
}

async fn still_listed(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    if request.is_in(DELETE_SERVICE) {
        let path = request.path().to_owned();
        let answer = keeping(&request, &context, &path, "deleted").await?;
        return Ok(answer);
    }
    let mut answer = context.pass(request.clone()).await?;
    if request.is("GET", Place::Services)
        && request.query().is_empty()
        && let Some(Value::Array(mut list)) = answer.json()
        && let Some(deleted) = context.kept("deleted").and_then(|kept| kept.json())
    {
        list.push(deleted);
        answer.set_json(&Value::Array(list));
    }
    Ok(answer)
}

async fn still_public(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    if request.is_in(DELETE_SERVICE) {
        let (path, key) = (request.path().to_owned(), request.target.id.clone());
        return keeping(&request, &context, &path, &key).await;
    }
    let answer = context.pass(request.clone()).await?;
    if answer.status() == 404 && request.is("GET", Place::Service) {
        return Ok(context.kept(&request.target.id).unwrap_or(answer));
    }
    Ok(answer)
}

async fn still_alive(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    if request.is_in(DELETE_SERVICE) {
        let path = format!("{}/liveness", request.path());
        return keeping(&request, &context, &path, &path).await;
    }
    let answer = context.pass(request.clone()).await?;
    if answer.status() == 404 && request.is("GET", Place::Liveness) {
        return Ok(context.kept(request.path()).unwrap_or(answer));
    }
    Ok(answer)
}

async fn comes_back(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    if request.is_in(DELETE_SERVICE) {
        let path = request.path().to_owned();
        return keeping(
            &request,
            &context,
            &path,
            &format!("gone {}", request.target.application),
        )
        .await;
    }
    let answer = context.pass(request.clone()).await?;
    if request.is_in(scopes::NEW_SERVICE)
        && answer.is_success()
        && let Some(gone) = context.take(&format!("gone {}", request.target.application))
    {
        let mut again = request;
        again.set_body(gone.body);
        context.pass(again).await?;
    }
    Ok(answer)
}

async fn put_creates(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let answer = context.pass(request.clone()).await?;
    if answer.status() != 404 {
        return Ok(answer);
    }
    let mut creation = request;
    creation.parts.method = http::Method::POST;
    let list = creation
        .path()
        .rsplit_once('/')
        .map(|(list, _)| list.to_owned())
        .unwrap_or_default();
    creation.set_path(&list);
    context.pass(creation).await
}

async fn one_service(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let answer = context.pass(request.clone()).await?;
    if let Some(place) = answer.location_path()
        && let Some(Value::String(before)) = context.remember(request.path(), place.into())
    {
        context.ask(http::Method::DELETE, &before, &request).await;
    }
    Ok(answer)
}

async fn failed_leaves(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let answer = context.pass(request.clone()).await?;
    if answer.status() == 400 {
        let mut valid = request;
        let transports = context
            .read("/mec_service_mgmt/v1/transports", &valid)
            .await
            .unwrap_or_default();
        valid.set_json(&json!({
            "serName": "left behind", "version": "1.0", "state": "INACTIVE", "serializer": "JSON",
            "transportId": transports.pointer("/0/id"),
        }));
        valid.parts.headers.insert(
            http::header::CONTENT_TYPE,
            http::HeaderValue::from_static("application/json"),
        );
        context.pass(valid).await?;
    }
    Ok(answer)
}

async fn failed_changes(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let before = context.read(request.path(), &request).await;
    let answer = context.pass(request.clone()).await?;
    if let (400, Some(mut changed)) = (answer.status(), before) {
        changed["state"] = json!(if changed["state"] == "ACTIVE" {
            "INACTIVE"
        } else {
            "ACTIVE"
        });
        let mut valid = request;
        valid.remove_header("if-match");
        valid.set_json(&changed);
        valid.parts.headers.insert(
            http::header::CONTENT_TYPE,
            http::HeaderValue::from_static("application/json"),
        );
        context.pass(valid).await?;
    }
    Ok(answer)
}

async fn failed_subscribes(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let answer = context.pass(request.clone()).await?;
    if answer.status() == 400 {
        let mut valid = request;
        valid.set_json(&json!({
            "subscriptionType": "SerAvailabilityNotificationSubscription", "callbackReference": "http://127.0.0.1:9/",
            "filteringCriteria": {"serNames": ["left behind"]},
        }));
        valid.parts.headers.insert(
            http::header::CONTENT_TYPE,
            http::HeaderValue::from_static("application/json"),
        );
        context.pass(valid).await?;
    }
    Ok(answer)
}
