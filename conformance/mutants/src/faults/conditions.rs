//! Entity tags and conditional requests.

use crate::behaviour::{Handler, after, after_success, before, handler, within};
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::{Place, Scope, scopes};
use crate::upstream::NoAnswer;

const CHANGES: Scope = &[
    ("PUT", Place::OwnService),
    ("PUT", Place::DnsRule),
    ("PUT", Place::TrafficRule),
    ("PATCH", Place::Liveness),
];

pub(super) fn faults() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Conditions, id, clause, operations, what, handler)
    };
    let ignoring = |scope: Scope| before(scope, |request, _| request.remove_header("if-match"));
    vec![
        fault(
            "conditions/if-match-ignored-service",
            "8.2.7.3.2",
            "PUT own service",
            "If-Match is ignored when a service is replaced",
            ignoring(scopes::PUT_SERVICE),
        ),
        fault(
            "conditions/if-match-ignored-dns-rule",
            "7.2.10.3.2",
            "PUT dns_rule",
            "If-Match is ignored when a DNS rule is changed",
            ignoring(&[("PUT", Place::DnsRule)]),
        ),
        fault(
            "conditions/if-match-ignored-traffic-rule",
            "7.2.8.3.2",
            "PUT traffic_rule",
            "If-Match is ignored when a traffic rule is changed",
            ignoring(&[("PUT", Place::TrafficRule)]),
        ),
        fault(
            "conditions/if-match-ignored-on-get",
            "RFC 9110 13.1.1",
            "GET",
            "If-Match is ignored when something is read",
            ignoring(scopes::ITEMS),
        ),
        fault(
            "conditions/if-none-match-first",
            "RFC 9110 13.2.2",
            "GET",
            "If-None-Match is looked at in place of If-Match, where both are given",
            before(scopes::ITEMS, |request, _| {
                if request.header("if-none-match").is_some() {
                    request.remove_header("if-match");
                }
            }),
        ),
        fault(
            "conditions/if-match-ignored-liveness",
            "8.2.10.3.3",
            "PATCH liveness",
            "If-Match is ignored when a heartbeat comes",
            ignoring(&[("PATCH", Place::Liveness)]),
        ),
        fault(
            "conditions/412-but-changed",
            "RFC 9110 13.1.1",
            "PUT own service",
            "A replacement with an old tag is answered with 412, and made all the same",
            within(scopes::PUT_SERVICE, refused_but_made),
        ),
        fault(
            "conditions/412-always",
            "RFC 9110 13.1.1",
            "PUT",
            "Every If-Match is 412, the right one too",
            within(CHANGES, |mut request, context| async move {
                if request.header("if-match").is_some_and(|value| value != "*") {
                    request.parts.headers.insert(
                        http::header::IF_MATCH,
                        http::HeaderValue::from_static("\"never\""),
                    );
                }
                context.pass(request).await
            }),
        ),
        fault(
            "conditions/409-for-412",
            "8.2.7.3.2",
            "PUT own service",
            "A condition that does not hold is answered with 409",
            after(CHANGES, |answer, request, _| {
                if answer.status() == 412 {
                    *answer = Answer::problem(409, request, "the resource was changed meanwhile");
                }
            }),
        ),
        fault(
            "conditions/star-refused",
            "RFC 9110 13.1.1",
            "PUT",
            "If-Match: * is 412 for what exists",
            within(CHANGES, |request, context| async move {
                if request.header("if-match") == Some("*") {
                    return Ok(Answer::problem(
                        412,
                        &request,
                        "the resource was changed meanwhile",
                    ));
                }
                context.pass(request).await
            }),
        ),
        fault(
            "conditions/list-of-tags-refused",
            "RFC 9110 13.1.1",
            "PUT own service",
            "Of several tags in If-Match only the first one counts",
            before(CHANGES, |request, _| {
                let first = request
                    .header("if-match")
                    .and_then(|value| value.split(',').next())
                    .map(str::to_owned);
                if let Some(Ok(first)) = first.map(|first| http::HeaderValue::from_str(&first)) {
                    request.parts.headers.insert(http::header::IF_MATCH, first);
                }
            }),
        ),
        fault(
            "conditions/weak-tag-accepted",
            "RFC 9110 13.1.1",
            "PUT own service",
            "If-Match compares weakly: W/ before the tag does not matter",
            before(CHANGES, |request, _| {
                let strong = request.header("if-match").map(|value| value.replace("W/", ""));
                if let Some(Ok(strong)) = strong.map(|strong| http::HeaderValue::from_str(&strong)) {
                    request.parts.headers.insert(http::header::IF_MATCH, strong);
                }
            }),
        ),
        fault(
            "conditions/etag-constant",
            "RFC 9110 8.8.3",
            "GET, PUT own service",
            "The entity tag never changes",
            handler(constant),
        ),
        fault(
            "conditions/etag-changes-on-read",
            "RFC 9110 8.8.3",
            "GET one resource",
            "The entity tag is another one at each reading",
            after_success(scopes::ITEMS, |answer, _, context| {
                if answer.header("etag").is_some() {
                    let number = context.count("etag");
                    answer.set_header("etag", &format!("\"r{number}\""));
                }
            }),
        ),
        fault(
            "conditions/etag-without-quotes",
            "RFC 9110 8.8.3",
            "GET one resource",
            "The entity tag has no quotes",
            after_success(scopes::ITEMS, |answer, _, _| {
                let bare = answer.header("etag").map(|tag| tag.replace('"', ""));
                if let Some(bare) = bare {
                    answer.set_header("etag", &bare);
                }
            }),
        ),
        fault(
            "conditions/etag-of-put-differs",
            "RFC 9110 8.8.3",
            "PUT own service",
            "The tag in the answer to PUT is not the one that GET gives",
            after_success(scopes::PUT_SERVICE, |answer, _, _| {
                answer.set_header("etag", "\"put\"")
            }),
        ),
        fault(
            "conditions/if-none-match-ignored",
            "RFC 9110 13.1.2",
            "GET one resource",
            "If-None-Match with the present tag is answered with 200 and the body",
            before(scopes::ITEMS, |request, _| request.remove_header("if-none-match")),
        ),
        fault(
            "conditions/304-after-change",
            "RFC 9110 13.1.2",
            "GET one resource",
            "Every If-None-Match is answered with 304",
            within(scopes::ITEMS, |request, context| async move {
                let conditional = request.header("if-none-match").is_some();
                let answer = context.pass(request).await?;
                Ok(if conditional && answer.is_success() {
                    Answer::empty(304)
                } else {
                    answer
                })
            }),
        ),
        fault(
            "conditions/304-without-etag",
            "RFC 9110 15.4.5",
            "GET one resource",
            "304 comes without the entity tag",
            after(scopes::ITEMS, |answer, _, _| {
                if answer.status() == 304 {
                    answer.remove_header("etag");
                }
            }),
        ),
        fault(
            "conditions/if-match-delete-ignored",
            "RFC 9110 13.1.1",
            "DELETE",
            "If-Match is ignored when something is removed",
            ignoring(scopes::REMOVALS),
        ),
    ]
}

async fn refused_but_made(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let answer = context.pass(request.clone()).await?;
    if answer.status() == 412 {
        let mut again = request;
        again.remove_header("if-match");
        context.pass(again).await?;
    }
    Ok(answer)
}

/// Shows one tag for ever, and takes it for the present one.
async fn constant(mut request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let scope: Scope = &[
        ("GET", Place::OwnService),
        ("PUT", Place::OwnService),
        ("POST", Place::OwnServices),
    ];
    if !request.is_in(scope) {
        return context.pass(request).await;
    }
    if request.header("if-match") == Some("\"constant\"") {
        request.remove_header("if-match");
    }
    let mut answer = context.pass(request).await?;
    if answer.header("etag").is_some() {
        answer.set_header("etag", "\"constant\"");
    }
    Ok(answer)
}
