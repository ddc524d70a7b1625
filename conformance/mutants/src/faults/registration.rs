//! Registrations, readiness and the end of application instances.

use serde_json::{Value, json};

use crate::behaviour::{Handler, after, after_success, handler, request_bodies, succeeds, within};
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::{Place, Scope};
use crate::upstream::NoAnswer;

const REGISTER: Scope = &[("POST", Place::Registrations)];
const WRITES: Scope = &[("POST", Place::Registrations), ("PUT", Place::Registration)];
const PUT: Scope = &[("PUT", Place::Registration)];
const READ: Scope = &[("GET", Place::Registration)];
const REMOVE: Scope = &[("DELETE", Place::Registration)];
const READY: Scope = &[("POST", Place::ConfirmReady)];
const END: Scope = &[("POST", Place::ConfirmTermination)];

pub(super) fn faults() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Registration, id, clause, operations, what, handler)
    };
    let losing = |name: &'static str, scope: Scope| {
        request_bodies(scope, move |body| {
            if let Value::Object(members) = body {
                members.remove(name);
            }
        })
    };
    vec![
        fault(
            "registration/put-loses-appProvider",
            "7.2.14.3.2",
            "PUT registration",
            "PUT loses appProvider",
            losing("appProvider", PUT),
        ),
        fault(
            "registration/post-loses-appFeatureOptional",
            "7.2.13.3.4",
            "POST registrations",
            "Optional features are not kept",
            losing("appFeatureOptional", WRITES),
        ),
        fault(
            "registration/post-loses-appServiceRequired",
            "7.2.13.3.4",
            "POST registrations",
            "Required services are not kept",
            losing("appServiceRequired", WRITES),
        ),
        fault(
            "registration/post-loses-appCategory",
            "7.2.13.3.4",
            "POST registrations",
            "The category is not kept",
            losing("appCategory", WRITES),
        ),
        fault(
            "registration/put-not-stored",
            "7.2.14.3.2",
            "PUT registration",
            "A changed registration is answered and forgotten",
            within(PUT, forgotten),
        ),
        fault(
            "registration/put-merges",
            "7.2.14.3.2",
            "PUT registration",
            "PUT keeps optional properties that the new body does not have",
            within(PUT, merges),
        ),
        fault(
            "registration/own-identifier-ignored",
            "7.2.13.3.4",
            "POST registrations",
            "The appInstanceId that the application brings is replaced",
            losing("appInstanceId", REGISTER),
        ),
        fault(
            "registration/taken-identifier-overwritten",
            "7.2.13.3.4",
            "POST registrations",
            "A registration under a taken appInstanceId replaces the one that is there",
            within(REGISTER, overwrites),
        ),
        fault(
            "registration/appName-in-upper-case",
            "7.1.2.6",
            "GET registration",
            "The name of the application is read in upper case",
            after_success(READ, |answer, _, _| {
                answer.each_resource(|info| {
                    info["appName"] = json!(info["appName"].as_str().unwrap_or_default().to_uppercase())
                })
            }),
        ),
        fault(
            "registration/read-without-identifier",
            "7.1.2.6",
            "GET registration",
            "A registration is read without its appInstanceId",
            after_success(READ, |answer, _, _| {
                answer.each_resource(crate::behaviour::without("appInstanceId"))
            }),
        ),
        fault(
            "registration/put-other-identifier",
            "7.2.14.3.2",
            "PUT registration",
            "A PUT whose body has another appInstanceId than the path is taken",
            request_bodies(PUT, |body| {
                if let Value::Object(members) = body {
                    members.remove("appInstanceId");
                }
            }),
        ),
        fault(
            "registration/delete-keeps-services",
            "7.2.14.3.5",
            "DELETE registration",
            "The services of an application that has deregistered stay",
            handler(keeps_services),
        ),
        fault(
            "registration/delete-unknown-204",
            "7.2.14.3.5",
            "DELETE registration",
            "Removing a registration that does not exist is answered with 204",
            succeeds(REMOVE, &[404], 204),
        ),
        fault(
            "registration/put-unknown-204",
            "7.2.14.3.2",
            "PUT registration",
            "Changing a registration that does not exist is answered with 204",
            succeeds(PUT, &[404], 204),
        ),
        fault(
            "registration/ready-needs-nothing",
            "7.2.12.3.4",
            "POST confirm_ready",
            "confirm_ready without a body is taken",
            after(READY, |answer, request, _| {
                if answer.status() == 400 && request.body.is_empty() {
                    *answer = Answer::empty(204);
                }
            }),
        ),
        fault(
            "registration/ready-500",
            "7.2.12.3.4",
            "POST confirm_ready",
            "confirm_ready a second time is 500",
            after_success(READY, |answer, request, context| {
                if context.count(request.path()) > 1 {
                    *answer = Answer::problem(500, request, "already ready");
                }
            }),
        ),
        fault(
            "registration/termination-404",
            "7.2.11.3.4",
            "POST confirm_termination",
            "The confirmation of an end that nobody announced is 404",
            after(END, |answer, request, _| {
                if answer.status() == 409 {
                    *answer = Answer::problem(404, request, "no end is announced");
                }
            }),
        ),
        fault(
            "registration/not-usable-at-once",
            "7.2.13.3.4",
            "POST registrations",
            "An application that has just registered cannot register services",
            handler(not_at_once),
        ),
        fault(
            "registration/leaks-others",
            "7.2.13.3.4",
            "GET registrations",
            "GET of the registrations gives those of all applications",
            handler(leaks),
        ),
    ]
}

async fn forgotten(request: Request, context: Context) -> Result<Answer, NoAnswer> {
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

async fn merges(mut request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let before = context.read(request.path(), &request).await;
    if let (Some(Value::Object(before)), Some(Value::Object(mut body))) = (before, request.json()) {
        for name in [
            "appProvider",
            "appCategory",
            "appDId",
            "appServiceRequired",
            "appFeatureOptional",
            "appProfile",
        ] {
            if let Some(value) = before.get(name) {
                body.entry(name).or_insert_with(|| value.clone());
            }
        }
        request.set_json(&Value::Object(body));
    }
    context.pass(request).await
}

async fn overwrites(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let answer = context.pass(request.clone()).await?;
    let (403, Some(body)) = (answer.status(), request.json()) else {
        return Ok(answer);
    };
    let place = format!(
        "{}/{}",
        request.path(),
        body["appInstanceId"].as_str().unwrap_or_default()
    );
    let mut put = request;
    put.parts.method = http::Method::PUT;
    put.set_path(&place);
    if !context.pass(put).await?.is_success() {
        return Ok(answer);
    }
    let mut made = Answer::json_with(201, &body);
    made.set_header("location", &place);
    Ok(made)
}

/// Shows the public services of an application after its end.
async fn keeps_services(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    if request.is_in(REMOVE) {
        let list = format!(
            "{}/applications/{}/services",
            crate::place::MANAGEMENT,
            request.target.application
        );
        let services = context.read(&list, &request).await;
        let answer = context.pass(request).await?;
        if let (true, Some(Value::Array(services))) = (answer.is_success(), services) {
            for service in services {
                let id = service["serInstanceId"].as_str().unwrap_or_default().to_owned();
                context.remember(&format!("orphan {id}"), service);
            }
        }
        return Ok(answer);
    }
    let answer = context.pass(request.clone()).await?;
    if answer.status() == 404
        && request.is("GET", Place::Service)
        && let Some(service) = context.recall(&format!("orphan {}", request.target.id))
    {
        return Ok(Answer::json_with(200, &service));
    }
    Ok(answer)
}

async fn not_at_once(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    if request.is("POST", Place::OwnServices)
        && context.is_marked(&format!("new {}", request.target.application))
    {
        return Ok(Answer::problem(
            404,
            &request,
            "there is no such application instance",
        ));
    }
    let answer = context.pass(request.clone()).await?;
    if request.is_in(REGISTER)
        && let Some(Value::String(id)) = answer
            .json()
            .filter(|_| answer.is_success())
            .map(|body| body["appInstanceId"].clone())
    {
        context.mark(&format!("new {id}"));
    }
    Ok(answer)
}

async fn leaks(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    if request.is("GET", Place::Registrations) {
        let all = context.recall("all").unwrap_or_else(|| json!([]));
        return Ok(Answer::json_with(200, &all));
    }
    let answer = context.pass(request.clone()).await?;
    if request.is_in(REGISTER)
        && let Some(info) = answer.json().filter(|_| answer.is_success())
    {
        let mut all = context.recall("all").unwrap_or_else(|| json!([]));
        if let Value::Array(list) = &mut all {
            list.push(info);
        }
        context.remember("all", all);
    }
    Ok(answer)
}
