//! Answers with another status than the right one.

use crate::behaviour::{Handler, after, after_success, handler, instead, succeeds, within};
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::{Place, Scope, scopes};
use crate::upstream::NoAnswer;
use crate::wire::Raw;

const WITH_UNKNOWN: Scope = &[
    ("GET", Place::OwnService),
    ("GET", Place::Service),
    ("GET", Place::Subscription),
    ("GET", Place::EndSubscription),
    ("GET", Place::DnsRule),
    ("GET", Place::TrafficRule),
    ("GET", Place::Registration),
    ("GET", Place::Liveness),
];

pub(super) fn faults() -> Vec<Fault> {
    let mut faults = successes();
    faults.extend(refusals());
    faults
}

/// Another status for answers with a certain one.
fn instead_of(scope: Scope, old: u16, new: u16) -> Handler {
    after(scope, move |answer, _, _| {
        if answer.status() == old {
            answer.set_status(new);
        }
    })
}

/// Another status, told in the problem as well.
fn problem_instead_of(scope: Scope, old: u16, new: u16) -> Handler {
    after(scope, move |answer, request, _| {
        if answer.status() == old {
            *answer = Answer::problem(new, request, "the request was not carried out");
        }
    })
}

fn successes() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Status, id, clause, operations, what, handler)
    };
    vec![
        fault(
            "status/200-for-201-service",
            "8.2.6.3.4",
            "POST services",
            "A registration of a service is answered with 200",
            instead_of(scopes::NEW_SERVICE, 201, 200),
        ),
        fault(
            "status/200-for-201-subscription",
            "8.2.8.3.4",
            "POST subscriptions",
            "A subscription is answered with 200",
            instead_of(scopes::SUBSCRIBE, 201, 200),
        ),
        fault(
            "status/200-for-201-registration",
            "7.2.13.3.4",
            "POST registrations",
            "A registration of an application is answered with 200",
            instead_of(&[("POST", Place::Registrations)], 201, 200),
        ),
        fault(
            "status/202-for-201-service",
            "8.2.6.3.4",
            "POST services",
            "A registration of a service is answered with 202 and without a body",
            after_success(scopes::NEW_SERVICE, |answer, _, _| *answer = Answer::empty(202)),
        ),
        fault(
            "status/201-without-body",
            "8.2.6.3.4",
            "POST services",
            "A registration of a service is answered with 201 and an empty body",
            after_success(scopes::NEW_SERVICE, |answer, _, _| {
                answer.set_body(bytes::Bytes::new())
            }),
        ),
        fault(
            "status/200-for-204-delete",
            "8.2.7.3.5",
            "DELETE",
            "A removal is answered with 200",
            instead_of(scopes::REMOVALS, 204, 200),
        ),
        fault(
            "status/204-with-body",
            "RFC 9110 15.3.5",
            "DELETE",
            "A removal is answered with 204 and a body all the same",
            after_success(scopes::REMOVALS, |answer, _, _| {
                let raw = "HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
                answer.parts.extensions.insert(Raw(raw.into()));
                answer.set_header("connection", "close");
            }),
        ),
        fault(
            "status/204-for-put",
            "8.2.7.3.2",
            "PUT own service",
            "A replacement of a service is answered with 204 and nothing",
            after_success(scopes::PUT_SERVICE, |answer, _, _| *answer = Answer::empty(204)),
        ),
        fault(
            "status/201-for-put",
            "8.2.7.3.2",
            "PUT",
            "A replacement is answered with 201",
            after_success(scopes::REPLACEMENTS, |answer, _, _| answer.set_status(201)),
        ),
        fault(
            "status/204-for-empty-list",
            "8.2.3.3.1",
            "GET lists of services",
            "An empty list is answered with 204",
            after_success(scopes::SERVICE_LISTS, |answer, _, _| {
                if answer.body.as_ref() == b"[]" {
                    *answer = Answer::empty(204);
                }
            }),
        ),
        fault(
            "status/404-for-empty-subscriptions",
            "8.2.8.3.1",
            "GET lists of subscriptions",
            "The list of who has not subscribed is 404",
            after(scopes::SUBSCRIPTION_LISTS, |answer, request, _| {
                if answer.json().is_some_and(|body| {
                    body["_links"]["subscriptions"]
                        .as_array()
                        .is_none_or(Vec::is_empty)
                }) {
                    *answer = Answer::problem(404, request, "no subscriptions found");
                }
            }),
        ),
        fault(
            "status/200-for-confirm_ready",
            "7.2.12.3.4",
            "POST confirm_ready",
            "confirm_ready is answered with 200 and a body",
            after_success(&[("POST", Place::ConfirmReady)], |answer, _, _| {
                *answer = Answer::json_with(200, &serde_json::json!({"indication": "READY"}))
            }),
        ),
        fault(
            "status/200-for-registration-put",
            "7.2.14.3.2",
            "PUT registration",
            "A changed registration is answered with 200",
            after_success(&[("PUT", Place::Registration)], |answer, request, _| {
                if let Some(body) = request.json() {
                    *answer = Answer::json_with(200, &body);
                }
            }),
        ),
        fault(
            "status/206-for-list",
            "8.2.3.3.1",
            "GET lists of services",
            "Lists are answered with 206",
            instead_of(scopes::SERVICE_LISTS, 200, 206),
        ),
    ]
}

fn refusals() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Status, id, clause, operations, what, handler)
    };
    vec![
        fault(
            "status/500-for-404",
            "8.2.7.3.1",
            "GET one resource",
            "What does not exist is answered with 500",
            problem_instead_of(WITH_UNKNOWN, 404, 500),
        ),
        fault(
            "status/400-for-404",
            "8.2.7.3.1",
            "GET one resource",
            "What does not exist is answered with 400",
            problem_instead_of(WITH_UNKNOWN, 404, 400),
        ),
        fault(
            "status/204-for-404-delete",
            "8.2.7.3.5",
            "DELETE",
            "Removing what does not exist is answered with 204",
            succeeds(scopes::REMOVALS, &[404], 204),
        ),
        fault(
            "status/200-for-404-put",
            "8.2.7.3.2",
            "PUT own service",
            "Replacing a service that does not exist is answered with 200",
            succeeds(scopes::PUT_SERVICE, &[404], 200),
        ),
        fault(
            "status/200-for-404-rule",
            "7.2.10.3.2",
            "PUT rules",
            "Changing a rule that does not exist is answered with 200",
            succeeds(scopes::PUT_RULE, &[404], 200),
        ),
        fault(
            "status/201-for-unknown-application",
            "8.2.6.3.4",
            "POST services, subscriptions",
            "An application instance that does not exist is told that its service was registered",
            handler(unknown_application),
        ),
        fault(
            "status/200-list-for-unknown-application",
            "8.2.8.3.1",
            "GET lists",
            "Lists of an application instance that does not exist are empty in place of 404",
            after(
                &[
                    ("GET", Place::TrafficRules),
                    ("GET", Place::DnsRules),
                    ("GET", Place::OwnServices),
                ],
                |answer, _, _| {
                    if answer.status() == 404 {
                        *answer = Answer::json_with(200, &serde_json::json!([]));
                    }
                },
            ),
        ),
        fault(
            "status/200-null-for-404",
            "8.2.7.3.1",
            "GET one resource",
            "What does not exist is answered with 200 and null",
            after(WITH_UNKNOWN, |answer, _, _| {
                if answer.status() == 404 {
                    *answer = Answer::json_with(200, &serde_json::Value::Null);
                }
            }),
        ),
        fault(
            "status/500-for-400",
            "8.2.6.3.4",
            "POST services",
            "A body that breaks a rule is answered with 500",
            problem_instead_of(scopes::NEW_SERVICE, 400, 500),
        ),
        fault(
            "status/404-for-400",
            "8.2.3.3.1",
            "GET lists of services",
            "A wrong query parameter is answered with 404",
            problem_instead_of(scopes::SERVICE_LISTS, 400, 404),
        ),
        fault(
            "status/200-with-error-inside",
            "8.2.6.3.4",
            "all",
            "Errors are answered with 200 and a problem inside",
            handler(error_inside),
        ),
        fault(
            "status/503-for-malformed",
            "8.2.6.3.4",
            "POST, PUT",
            "JSON that is broken off is answered with 503",
            instead(
                &[
                    ("POST", Place::OwnServices),
                    ("POST", Place::Subscriptions),
                    ("PUT", Place::OwnService),
                    ("POST", Place::Registrations),
                ],
                |request, _| {
                    request
                        .json()
                        .is_none()
                        .then(|| Answer::problem(503, request, "the body cannot be read"))
                },
            ),
        ),
        fault(
            "status/302-for-404",
            "8.2.7.3.1",
            "GET one resource",
            "What does not exist is answered with a redirect to the front page",
            after(WITH_UNKNOWN, |answer, _, _| {
                if answer.status() == 404 {
                    *answer = Answer::empty(302);
                    answer.set_header("location", "/");
                }
            }),
        ),
        fault(
            "status/204-for-confirm_termination-without-end",
            "7.2.11.3.4",
            "POST confirm_termination",
            "The confirmation of an end that nobody announced is taken",
            succeeds(&[("POST", Place::ConfirmTermination)], &[409], 204),
        ),
        fault(
            "status/204-for-unknown-confirm_ready",
            "7.2.12.3.4",
            "POST confirm_ready",
            "An application instance that does not exist may say that it is ready",
            succeeds(&[("POST", Place::ConfirmReady)], &[404], 204),
        ),
        fault(
            "status/401-without-challenge",
            "RFC 9110 11.6.1",
            "PUT own service",
            "A replacement of a service is answered with 401 without WWW-Authenticate",
            within(scopes::PUT_SERVICE, |request, _| async move {
                Ok(Answer::problem(401, &request, "who are you?"))
            }),
        ),
    ]
}

async fn unknown_application(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let answer = context.pass(request.clone()).await?;
    if answer.status() != 404
        || !request.is_in(&[("POST", Place::OwnServices), ("POST", Place::Subscriptions)])
    {
        return Ok(answer);
    }
    let mut body = request.json().unwrap_or_default();
    let place = format!("{}/00000000-0000-4000-8000-000000000000", request.path());
    body["serInstanceId"] = "00000000-0000-4000-8000-000000000000".into();
    body["_links"] = serde_json::json!({"self": {"href": place}});
    let mut made = Answer::json_with(201, &body);
    made.set_header("location", &place);
    Ok(made)
}

async fn error_inside(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let mut answer = context.pass(request).await?;
    if matches!(answer.status(), 400 | 404) {
        answer.set_status(200);
        answer.set_header("content-type", "application/json");
    }
    Ok(answer)
}
