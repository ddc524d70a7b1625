//! What must be taken is refused.

use serde_json::Value;

use crate::behaviour::{Handler, handler, instead, refuses};
use crate::fault::{Class, Fault, fault};
use crate::message::Answer;
use crate::place::{Place, scopes};

pub(super) fn faults() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Refusal, id, clause, operations, what, handler)
    };
    let writes = |found: fn(&Value) -> bool| refuses(scopes::SERVICE_WRITES, found);
    let subscribes = |found: fn(&Value) -> bool| refuses(scopes::SUBSCRIBE, found);
    vec![
        fault(
            "refusal/unknown-property",
            "MEC 009 5.2",
            "POST, PUT services",
            "A property that the standard does not know is refused",
            writes(has_unknown),
        ),
        fault(
            "refusal/unknown-property-in-subscription",
            "MEC 009 5.2",
            "POST subscriptions",
            "A property of a subscription that the standard does not know is refused",
            subscribes(|body| {
                let known = [
                    "subscriptionType",
                    "callbackReference",
                    "filteringCriteria",
                    "appInstanceId",
                    "_links",
                ];
                body.as_object()
                    .is_some_and(|members| members.keys().any(|name| !known.contains(&name.as_str())))
            }),
        ),
        fault(
            "refusal/minimal-service",
            "8.1.2.2",
            "POST, PUT services",
            "A service without any optional property is refused",
            writes(|body| {
                let optional = [
                    "serCategory",
                    "scopeOfLocality",
                    "consumedLocalOnly",
                    "isLocal",
                    "livenessInterval",
                ];
                optional.iter().all(|name| body.get(name).is_none())
            }),
        ),
        fault(
            "refusal/no-category",
            "8.1.2.2",
            "POST, PUT services",
            "A service without category is refused",
            writes(|body| body.get("serCategory").is_none()),
        ),
        fault(
            "refusal/unicode-name",
            "8.1.2.2",
            "POST, PUT services",
            "A serName with characters beyond ASCII is refused",
            writes(|body| body["serName"].as_str().is_some_and(|name| !name.is_ascii())),
        ),
        fault(
            "refusal/emoji",
            "8.1.2.2",
            "POST, PUT services",
            "Text with characters beyond the basic plane is refused",
            writes(|body| body.to_string().chars().any(|each| u32::from(each) > 0xFFFF)),
        ),
        fault(
            "refusal/blank-in-name",
            "8.1.2.2",
            "POST, PUT services",
            "A serName with a blank is refused",
            writes(|body| body["serName"].as_str().is_some_and(|name| name.contains(' '))),
        ),
        fault(
            "refusal/large-body",
            "8.2.6.3.4",
            "POST services",
            "A valid body of more than 4 KiB is refused with 413",
            instead(scopes::SERVICE_WRITES, |request, _| {
                (request.body.len() > 4096).then(|| Answer::problem(413, request, "the body is too long"))
            }),
        ),
        fault(
            "refusal/state-SUSPENDED",
            "8.1.6.3",
            "POST, PUT services",
            "A service in state SUSPENDED is refused",
            writes(|body| body["state"] == "SUSPENDED"),
        ),
        fault(
            "refusal/state-INACTIVE",
            "8.1.6.3",
            "POST, PUT services",
            "A service in state INACTIVE is refused",
            writes(|body| body["state"] == "INACTIVE"),
        ),
        fault(
            "refusal/serializer-XML",
            "8.1.6.2",
            "POST, PUT services",
            "Every serializer but JSON is refused",
            writes(|body| body["serializer"].as_str().is_some_and(|each| each != "JSON")),
        ),
        fault(
            "refusal/transport-type-extension",
            "8.1.6.4",
            "POST, PUT services",
            "Transport types other than REST_HTTP are refused",
            writes(|body| {
                body.pointer("/transportInfo/type")
                    .and_then(Value::as_str)
                    .is_some_and(|each| each != "REST_HTTP")
            }),
        ),
        fault(
            "refusal/transportInfo",
            "8.1.2.2",
            "POST, PUT services",
            "transportInfo is refused, only transportId is taken",
            writes(|body| body.get("transportInfo").is_some()),
        ),
        fault(
            "refusal/endpoint-fqdn",
            "8.1.5.3",
            "POST, PUT services",
            "Endpoints with fqdn are refused",
            writes(|body| body.pointer("/transportInfo/endpoint/fqdn").is_some()),
        ),
        fault(
            "refusal/endpoint-addresses",
            "8.1.5.3",
            "POST, PUT services",
            "Endpoints with addresses are refused",
            writes(|body| body.pointer("/transportInfo/endpoint/addresses").is_some()),
        ),
        fault(
            "refusal/endpoint-alternative",
            "8.1.5.3",
            "POST, PUT services",
            "Endpoints in an alternative form are refused",
            writes(|body| body.pointer("/transportInfo/endpoint/alternative").is_some()),
        ),
        fault(
            "refusal/scope-ZONE_GROUP",
            "8.1.6.5",
            "POST, PUT services",
            "One of the values of scopeOfLocality is unknown: ZONE_GROUP",
            writes(|body| body["scopeOfLocality"] == "ZONE_GROUP"),
        ),
        fault(
            "refusal/service-without-heartbeat",
            "8.1.2.2",
            "POST, PUT services",
            "A service without livenessInterval is refused",
            writes(|body| body.get("livenessInterval").is_none()),
        ),
        fault(
            "refusal/same-name-twice",
            "8.1.2.2",
            "POST services",
            "A second service of the same name is refused with 403",
            handler(|request, context| async move {
                if request.is_in(scopes::NEW_SERVICE)
                    && let Some(body) = request.json()
                {
                    let key = format!("name {}", body["serName"]);
                    if context.is_marked(&key) {
                        return Ok(Answer::problem(403, &request, "there is a service of this name"));
                    }
                    let answer = context.pass(request).await?;
                    if answer.is_success() {
                        context.mark(&key);
                    }
                    return Ok(answer);
                }
                context.pass(request).await
            }),
        ),
        fault(
            "refusal/subscription-without-criteria",
            "8.1.3.2",
            "POST subscriptions",
            "A subscription without filteringCriteria is refused",
            refuses(&[("POST", Place::Subscriptions)], |body| {
                body.get("filteringCriteria").is_none()
            }),
        ),
        fault(
            "refusal/criteria-categories",
            "8.1.3.2",
            "POST subscriptions",
            "serCategories as criterion is refused",
            subscribes(|body| body.pointer("/filteringCriteria/serCategories").is_some()),
        ),
        fault(
            "refusal/criteria-states",
            "8.1.3.2",
            "POST subscriptions",
            "Several states as criterion are refused",
            subscribes(|body| {
                body.pointer("/filteringCriteria/states")
                    .and_then(Value::as_array)
                    .is_some_and(|states| states.len() > 1)
            }),
        ),
        fault(
            "refusal/callback-with-query",
            "8.1.3.2",
            "POST subscriptions",
            "A callback address with a query is refused",
            subscribes(|body| {
                body["callbackReference"]
                    .as_str()
                    .is_some_and(|address| address.contains('?'))
            }),
        ),
        fault(
            "refusal/got-back-is-put",
            "8.1.2.2",
            "PUT own service",
            "A body with serInstanceId and _links, as GET gives it, is refused",
            refuses(scopes::PUT_SERVICE, |body| body.get("_links").is_some()),
        ),
        fault(
            "refusal/charset-parameter",
            "RFC 9110 8.3.1",
            "POST, PUT, PATCH",
            "application/json with charset=utf-8 is refused with 415",
            handler(|request, context| async move {
                if request
                    .header("content-type")
                    .is_some_and(|kind| kind.contains(';'))
                {
                    return Ok(Answer::problem(
                        415,
                        &request,
                        "only application/json is understood",
                    ));
                }
                context.pass(request).await
            }),
        ),
        fault(
            "refusal/accept-any",
            "RFC 9110 12.5.1",
            "GET",
            "Accept: */* is refused with 406",
            handler(|request, context| async move {
                if request.header("accept") == Some("*/*") {
                    return Ok(Answer::problem(406, &request, "only application/json is offered"));
                }
                context.pass(request).await
            }),
        ),
        fault(
            "refusal/ready-twice",
            "7.2.12.3.4",
            "POST confirm_ready",
            "confirm_ready of an application that has registered is refused with 403",
            instead(&[("POST", Place::ConfirmReady)], |request, _| {
                let right = request.json().is_some_and(|body| body["indication"] == "READY");
                right.then(|| Answer::problem(403, request, "not in this state"))
            }),
        ),
        fault(
            "refusal/ser_name-with-blank",
            "8.2.3.3.1",
            "GET lists of services",
            "A ser_name with a blank or a letter beyond ASCII is refused",
            instead(scopes::SERVICE_LISTS, |request, _| {
                let odd = |value: &str| !value.chars().all(|each| each.is_ascii_graphic());
                let found = request
                    .query()
                    .iter()
                    .any(|(name, value)| name == "ser_name" && odd(value));
                found.then(|| Answer::problem(400, request, "the name is not acceptable"))
            }),
        ),
        fault(
            "refusal/several-names",
            "8.2.3.3.1",
            "GET lists of services",
            "More than one ser_name is refused",
            instead(scopes::SERVICE_LISTS, |request, _| {
                let names = request
                    .query()
                    .iter()
                    .filter(|(name, _)| name == "ser_name")
                    .map(|(_, value)| value.split(',').count())
                    .sum::<usize>();
                (names > 1).then(|| Answer::problem(400, request, "one name only"))
            }),
        ),
    ]
}

fn has_unknown(body: &Value) -> bool {
    let known = [
        "serInstanceId",
        "serName",
        "serCategory",
        "version",
        "state",
        "transportId",
        "transportInfo",
        "serializer",
        "scopeOfLocality",
        "consumedLocalOnly",
        "isLocal",
        "livenessInterval",
        "_links",
    ];
    body.as_object()
        .is_some_and(|members| members.keys().any(|name| !known.contains(&name.as_str())))
}
