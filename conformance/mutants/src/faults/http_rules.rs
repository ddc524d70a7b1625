//! HTTP's own rules: methods, negotiation, paths.

use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::behaviour::{Handler, after, every, handler, within};
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::{Place, Scope, scopes};
use crate::upstream::NoAnswer;

pub(super) fn faults() -> Vec<Fault> {
    let mut faults = methods();
    faults.extend(negotiation());
    faults.extend(meaning());
    faults
}

/// Changes answers with a status.
fn on(status: u16, change: impl Fn(&mut Answer, &Request) + Send + Sync + Clone + 'static) -> Handler {
    every(move |answer, request, _| {
        if answer.status() == status {
            change(answer, request);
        }
    })
}

fn methods() -> Vec<Fault> {
    let fault = |id, clause, what, handler: Handler| fault(Class::Http, id, clause, "all", what, handler);
    vec![
        fault(
            "http/405-without-allow",
            "RFC 9110 15.5.6",
            "405 comes without Allow",
            on(405, |answer, _| answer.remove_header("allow")),
        ),
        fault(
            "http/404-for-405",
            "RFC 9110 15.5.6",
            "A method that is not offered is 404",
            on(405, |answer, request| {
                *answer = Answer::problem(404, request, "not found")
            }),
        ),
        fault(
            "http/200-for-405",
            "RFC 9110 15.5.6",
            "A method that is not offered is answered with 200",
            on(405, |answer, _| *answer = Answer::json_with(200, &json!({}))),
        ),
        fault(
            "http/500-for-405",
            "RFC 9110 15.5.6",
            "A method that is not offered is 500",
            on(405, |answer, request| {
                *answer = Answer::problem(500, request, "no handler")
            }),
        ),
        fault(
            "http/400-for-405",
            "RFC 9110 15.5.6",
            "A method that is not offered is 400",
            on(405, |answer, request| {
                *answer = Answer::problem(400, request, "bad method")
            }),
        ),
        fault(
            "http/allow-incomplete",
            "RFC 9110 10.2.1",
            "Allow names only GET",
            every(|answer, _, _| {
                if answer.header("allow").is_some() {
                    answer.set_header("allow", "GET");
                }
            }),
        ),
        fault(
            "http/allow-too-much",
            "RFC 9110 10.2.1",
            "Allow names all methods, those that are refused too",
            every(|answer, _, _| {
                if answer.header("allow").is_some() {
                    answer.set_header("allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
                }
            }),
        ),
        fault(
            "http/delete-collection",
            "RFC 9110 15.5.6",
            "DELETE of an application's list of services removes all of them",
            handler(delete_collection),
        ),
        fault(
            "http/method-override",
            "RFC 9110 9.1",
            "X-HTTP-Method-Override changes the method",
            handler(|mut request: Request, context| async move {
                let method = request
                    .header("x-http-method-override")
                    .and_then(|name| name.parse().ok());
                if let Some(method) = method {
                    request.parts.method = method;
                }
                context.pass(request).await
            }),
        ),
        fault(
            "http/unknown-method-as-get",
            "RFC 9110 9.1",
            "A method that nobody knows is taken for GET",
            handler(|mut request: Request, context| async move {
                let known = [
                    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
                ];
                if !known.contains(&request.method()) {
                    request.parts.method = http::Method::GET;
                }
                context.pass(request).await
            }),
        ),
        fault(
            "http/head-404",
            "RFC 9110 9.3.2",
            "HEAD is 404 where GET is 200",
            every(|answer, request, _| {
                if request.method() == "HEAD" && answer.is_success() {
                    answer.set_status(404);
                }
            }),
        ),
        fault(
            "http/head-other-type",
            "RFC 9110 9.3.2",
            "HEAD tells another media type than GET",
            every(|answer, request, _| {
                if request.method() == "HEAD" && answer.is_success() {
                    answer.set_header("content-type", "text/html");
                }
            }),
        ),
        fault(
            "http/head-other-length",
            "RFC 9110 9.3.2",
            "HEAD tells another length than GET",
            every(|answer, request, _| {
                if request.method() == "HEAD" && answer.is_success() {
                    answer.set_header("content-length", "17");
                }
            }),
        ),
        fault(
            "http/head-acts",
            "RFC 9110 9.2.1",
            "HEAD of a service removes it",
            handler(|request: Request, context: Context| async move {
                let answer = context.pass(request.clone()).await?;
                if request.is("HEAD", Place::OwnService) {
                    context.ask(http::Method::DELETE, request.path(), &request).await;
                }
                Ok(answer)
            }),
        ),
    ]
}

async fn delete_collection(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    if !request.is("DELETE", Place::OwnServices) {
        return context.pass(request).await;
    }
    let list = context.read(request.path(), &request).await.unwrap_or_default();
    for service in list.as_array().into_iter().flatten() {
        let place = format!(
            "{}/{}",
            request.path(),
            service["serInstanceId"].as_str().unwrap_or_default()
        );
        context.ask(http::Method::DELETE, &place, &request).await;
    }
    Ok(Answer::empty(204))
}

fn negotiation() -> Vec<Fault> {
    let fault = |id, clause, what, handler: Handler| fault(Class::Http, id, clause, "all", what, handler);
    let typed = |kind: &'static str| {
        handler(move |mut request: Request, context: Context| async move {
            if !request.body.is_empty() {
                request
                    .parts
                    .headers
                    .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
            }
            context.pass(request).await
        })
    };
    vec![
        fault(
            "http/content-type-ignored",
            "RFC 9110 15.5.16",
            "Bodies are read as JSON whatever their media type",
            typed("application/json"),
        ),
        fault(
            "http/accept-ignored",
            "RFC 9110 15.5.7",
            "Accept is ignored",
            handler(|mut request: Request, context| async move {
                request.remove_header("accept");
                context.pass(request).await
            }),
        ),
        fault(
            "http/500-for-415",
            "RFC 9110 15.5.16",
            "Another media type is 500",
            on(415, |answer, request| {
                *answer = Answer::problem(500, request, "no reader for this type")
            }),
        ),
        fault(
            "http/500-for-406",
            "RFC 9110 15.5.7",
            "An Accept that cannot be met is 500",
            on(406, |answer, request| {
                *answer = Answer::problem(500, request, "no writer for this type")
            }),
        ),
        fault(
            "http/gzip-unasked",
            "RFC 9110 12.5.3",
            "Answers say that they are compressed, which they are not",
            after(scopes::SERVICE_LISTS, |answer, _, _| {
                answer.set_header("content-encoding", "gzip")
            }),
        ),
        fault(
            "http/content-encoding-ignored",
            "RFC 9110 8.4",
            "Bodies are read whatever their Content-Encoding says",
            handler(|mut request: Request, context| async move {
                request.remove_header("content-encoding");
                context.pass(request).await
            }),
        ),
        fault(
            "http/500-for-413",
            "RFC 9110 15.5.14",
            "A body that is too long is 500",
            on(413, |answer, request| {
                *answer = Answer::problem(500, request, "out of memory")
            }),
        ),
        fault(
            "http/500-for-431",
            "RFC 6585 5",
            "Header fields that are too long are 500",
            on(431, |answer, request| {
                *answer = Answer::problem(500, request, "out of memory")
            }),
        ),
    ]
}

fn meaning() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Http, id, clause, operations, what, handler)
    };
    const RULES: Scope = &[
        ("PUT", Place::DnsRule),
        ("PUT", Place::TrafficRule),
        ("PUT", Place::OwnService),
    ];
    vec![
        fault(
            "http/put-not-idempotent",
            "RFC 9110 9.2.2",
            "PUT own service",
            "The same PUT a second time is 409",
            within(RULES, |request, context| async move {
                let key = format!("put {}", request.path());
                let body = serde_json::Value::from(String::from_utf8_lossy(&request.body).into_owned());
                let answer = context.pass(request.clone()).await?;
                if answer.is_success() && context.remember(&key, body.clone()) == Some(body) {
                    return Ok(Answer::problem(409, &request, "nothing to change"));
                }
                Ok(answer)
            }),
        ),
        fault(
            "http/put-appends",
            "RFC 9110 9.2.2",
            "PUT own service",
            "A PUT makes another service besides replacing the one",
            within(scopes::PUT_SERVICE, |request, context| async move {
                let answer = context.pass(request.clone()).await?;
                if answer.is_success() {
                    let mut another = request;
                    another.parts.method = http::Method::POST;
                    let list = another
                        .path()
                        .rsplit_once('/')
                        .map(|(list, _)| list.to_owned())
                        .unwrap_or_default();
                    another.set_path(&list);
                    another.remove_header("if-match");
                    context.pass(another).await?;
                }
                Ok(answer)
            }),
        ),
        fault(
            "http/get-changes",
            "RFC 9110 9.2.1",
            "GET own service",
            "Reading a service makes it inactive",
            within(&[("GET", Place::OwnService)], |request, context| async move {
                let answer = context.pass(request.clone()).await?;
                if let Some(mut body) = answer.json().filter(|_| answer.is_success()) {
                    body["state"] = json!("INACTIVE");
                    let mut change = request;
                    change.parts.method = http::Method::PUT;
                    change.parts.headers.insert(
                        http::header::CONTENT_TYPE,
                        http::HeaderValue::from_static("application/json"),
                    );
                    change.set_json(&body);
                    context.pass(change).await?;
                }
                Ok(answer)
            }),
        ),
        fault(
            "http/get-removes-subscription",
            "RFC 9110 9.2.1",
            "GET subscription",
            "Reading a subscription removes it",
            within(scopes::ONE_SUBSCRIPTION, |request, context| async move {
                let answer = context.pass(request.clone()).await?;
                context.ask(http::Method::DELETE, request.path(), &request).await;
                Ok(answer)
            }),
        ),
        fault(
            "http/post-made-twice",
            "8.2.6.3.4",
            "POST services",
            "A registration makes two services",
            within(scopes::NEW_SERVICE, |request, context| async move {
                context.pass(request.clone()).await?;
                context.pass(request).await
            }),
        ),
        fault(
            "http/decoded-twice",
            "RFC 3986 2.4",
            "all with identifiers in the path",
            "Paths are percent-decoded twice",
            handler(|mut request: Request, context| async move {
                if request.path().contains("%25") {
                    let once = request.path().replace("%25", "%");
                    request.set_path(&once);
                }
                context.pass(request).await
            }),
        ),
        fault(
            "http/not-decoded",
            "RFC 3986 2.3",
            "all with identifiers in the path",
            "Unreserved characters that are percent-encoded name something else",
            handler(|request: Request, context| async move {
                let plain = percent_decode_str(request.path())
                    .decode_utf8_lossy()
                    .into_owned();
                if plain != request.path()
                    && plain
                        .chars()
                        .all(|each| each.is_ascii_alphanumeric() || "/-._~".contains(each))
                {
                    return Ok(Answer::problem(404, &request, "not found"));
                }
                context.pass(request).await
            }),
        ),
        fault(
            "http/plus-not-decoded",
            "RFC 3986 2.4",
            "GET lists of services",
            "Percent-encoded query values are compared without decoding",
            within(scopes::SERVICE_LISTS, |request, context| async move {
                let encoded = request.parts.uri.query().is_some_and(|query| query.contains('%'));
                if encoded && request.has_parameter("ser_name") {
                    return Ok(Answer::json_with(200, &json!([])));
                }
                context.pass(request).await
            }),
        ),
        fault(
            "http/case-insensitive-paths",
            "RFC 3986 6.2.2.1",
            "all",
            "Upper and lower case in paths are the same",
            handler(|mut request: Request, context| async move {
                let lower = request
                    .path()
                    .replace("/SERVICES", "/services")
                    .replace("/Services", "/services")
                    .replace("/SUBSCRIPTIONS", "/subscriptions")
                    .replace("/TRANSPORTS", "/transports");
                if lower != request.path() {
                    request.set_path(&lower);
                }
                context.pass(request).await
            }),
        ),
        fault(
            "http/unknown-path-200",
            "RFC 9110 15.5.5",
            "unknown paths",
            "A path that does not exist is answered with 200 and a page",
            every(|answer, request, _| {
                if request.target.place == Place::Other && answer.status() == 404 {
                    *answer = Answer::empty(200);
                    answer.set_header("content-type", "text/html");
                    answer.set_body("<html></html>".into());
                }
            }),
        ),
        fault(
            "http/no-content-length-json",
            "RFC 9112 6.3",
            "GET lists of services",
            "Answers are longer than their Content-Length says",
            after(scopes::SERVICE_LISTS, |answer, _, _| {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1\r\nConnection: close\r\n\r\n";
                let raw = [head.as_bytes(), &answer.body].concat();
                answer.parts.extensions.insert(crate::wire::Raw(raw.into()));
                answer.set_header("connection", "close");
            }),
        ),
    ]
}
