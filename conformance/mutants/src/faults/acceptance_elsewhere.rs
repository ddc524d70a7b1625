//! The same as [`acceptance`](super::acceptance) for heartbeats, readiness, registrations and rules, and for bodies that are nothing.

use serde_json::{Value, json};

use super::acceptance::{accepted, correct, supply};
use crate::behaviour::{accepts, handler};
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::{Place, Scope, scopes};
use crate::upstream::NoAnswer;

pub(super) fn faults() -> Vec<Fault> {
    let mut faults = others();
    faults.extend(anything());
    faults
}

/// Whether a state is one of a service's (8.1.6.4), or no text.
fn is_listed(state: &Value) -> bool {
    let listed = ["ACTIVE", "INACTIVE", "SUSPENDED"];
    state.as_str().is_none_or(|state| listed.contains(&state))
}

fn others() -> Vec<Fault> {
    const LIVENESS: Scope = &[("PATCH", Place::Liveness)];
    const READY: Scope = &[("POST", Place::ConfirmReady)];
    const END: Scope = &[("POST", Place::ConfirmTermination)];
    const REGISTER: Scope = &[("POST", Place::Registrations), ("PUT", Place::Registration)];
    const DNS: Scope = &[("PUT", Place::DnsRule)];
    const TRAFFIC: Scope = &[("PUT", Place::TrafficRule)];
    vec![
        accepted(
            "acceptance/liveness-state-INACTIVE",
            "8.2.10.3.3",
            "PATCH liveness",
            "A heartbeat with the state INACTIVE is taken",
            LIVENESS,
            |body| correct(body, "state", |state| state != "INACTIVE", json!("ACTIVE")),
        ),
        accepted(
            "acceptance/liveness-state-unlisted",
            "8.1.2.4",
            "PATCH liveness",
            "A heartbeat with a state that the document does not list is taken",
            LIVENESS,
            |body| correct(body, "state", is_listed, json!("ACTIVE")),
        ),
        accepted(
            "acceptance/liveness-without-state",
            "8.1.2.4",
            "PATCH liveness",
            "A heartbeat without state is taken",
            LIVENESS,
            |body| supply(body, "state", json!("ACTIVE")),
        ),
        accepted(
            "acceptance/ready-unknown-indication",
            "7.1.4.4",
            "POST confirm_ready",
            "Any indication is taken",
            READY,
            |body| correct(body, "indication", |value| !value.is_string(), json!("READY")),
        ),
        accepted(
            "acceptance/ready-without-indication",
            "7.1.4.4",
            "POST confirm_ready",
            "confirm_ready with an empty object is taken",
            READY,
            |body| supply(body, "indication", json!("READY")),
        ),
        accepted(
            "acceptance/termination-unknown-action",
            "7.1.4.3",
            "POST confirm_termination",
            "Any operationAction is taken for TERMINATING",
            END,
            |body| {
                correct(
                    body,
                    "operationAction",
                    |value| ["STOPPING", "TERMINATING"].iter().any(|each| value == each),
                    json!("TERMINATING"),
                )
            },
        ),
        accepted(
            "acceptance/registration-without-appName",
            "7.1.2.6",
            "POST, PUT registrations",
            "A registration without appName is taken",
            REGISTER,
            |body| supply(body, "appName", json!("unnamed")),
        ),
        accepted(
            "acceptance/registration-appName-of-other-type",
            "7.1.2.6",
            "POST, PUT registrations",
            "An appName of any type is taken",
            REGISTER,
            |body| correct(body, "appName", Value::is_string, json!("unnamed")),
        ),
        accepted(
            "acceptance/registration-without-endpoint",
            "7.1.2.6",
            "POST, PUT registrations",
            "A registration from outside without endpoint is taken",
            REGISTER,
            |body| {
                if body["isInsByMec"] != true {
                    supply(body, "endpoint", json!({"uris": ["http://example.invalid/"]}));
                }
            },
        ),
        accepted(
            "acceptance/registration-isInsByMec-of-other-type",
            "7.1.2.6",
            "POST, PUT registrations",
            "isInsByMec of any type is taken",
            REGISTER,
            |body| correct(body, "isInsByMec", Value::is_boolean, json!(false)),
        ),
        accepted(
            "acceptance/registration-dependency-incomplete",
            "7.1.5.6",
            "POST, PUT registrations",
            "A required service without version is taken",
            REGISTER,
            |body| {
                for list in ["appServiceRequired", "appServiceOptional"] {
                    if let Some(Value::Array(services)) = body.get_mut(list) {
                        services
                            .iter_mut()
                            .for_each(|service| supply(service, "version", json!("1.0")));
                    }
                }
            },
        ),
        accepted(
            "acceptance/dns-state-unknown",
            "7.1.2.3",
            "PUT dns_rule",
            "Any string is taken as state of a DNS rule",
            DNS,
            |body| correct(body, "state", is_rule_state, json!("INACTIVE")),
        ),
        accepted(
            "acceptance/dns-without-state",
            "7.1.2.3",
            "PUT dns_rule",
            "A DNS rule without state is taken",
            DNS,
            |body| supply(body, "state", json!("INACTIVE")),
        ),
        accepted(
            "acceptance/dns-ipAddressType-unknown",
            "7.1.2.3",
            "PUT dns_rule",
            "Any string is taken as address type",
            DNS,
            |body| {
                correct(
                    body,
                    "ipAddressType",
                    |value| value == "IP_V4" || value == "IP_V6",
                    json!("IP_V4"),
                )
            },
        ),
        accepted(
            "acceptance/dns-ttl-of-other-type",
            "7.1.2.3",
            "PUT dns_rule",
            "A ttl of any type is taken",
            DNS,
            |body| correct(body, "ttl", Value::is_number, json!(60)),
        ),
        fault(
            Class::Acceptance,
            "acceptance/dns-identifier-differs",
            "7.1.2.3",
            "PUT dns_rule",
            "A dnsRuleId that is not the path's is taken",
            accepts(DNS, |body, request| {
                if body.get("dnsRuleId").is_some() {
                    body["dnsRuleId"] = json!(request.target.id);
                }
            }),
        ),
        accepted(
            "acceptance/traffic-state-unknown",
            "7.1.2.2",
            "PUT traffic_rule",
            "Any string is taken as state of a traffic rule",
            TRAFFIC,
            |body| correct(body, "state", is_rule_state, json!("INACTIVE")),
        ),
        accepted(
            "acceptance/traffic-action-unknown",
            "7.1.2.2",
            "PUT traffic_rule",
            "Any string is taken as action",
            TRAFFIC,
            |body| {
                correct(
                    body,
                    "action",
                    |value| {
                        !value.is_string()
                            || [
                                "DROP",
                                "PASSTHROUGH",
                                "FORWARD_DECAPSULATED",
                                "FORWARD_ENCAPSULATED",
                                "DUPLICATE_DECAPSULATED",
                                "DUPLICATE_ENCAPSULATED",
                            ]
                            .iter()
                            .any(|each| value == each)
                    },
                    json!("DROP"),
                )
            },
        ),
        accepted(
            "acceptance/traffic-filterType-unknown",
            "7.1.2.2",
            "PUT traffic_rule",
            "Any string is taken as filter type",
            TRAFFIC,
            |body| {
                correct(
                    body,
                    "filterType",
                    |value| value == "FLOW" || value == "PACKET",
                    json!("FLOW"),
                )
            },
        ),
        accepted(
            "acceptance/traffic-without-filter",
            "7.1.2.2",
            "PUT traffic_rule",
            "A traffic rule with an empty list of filters is taken",
            TRAFFIC,
            |body| {
                correct(
                    body,
                    "trafficFilter",
                    |value| value != &json!([]),
                    json!([{"srcAddress": ["192.0.2.1"]}]),
                )
            },
        ),
    ]
}

fn anything() -> Vec<Fault> {
    let fault =
        |id, operations, what, handler| fault(Class::Acceptance, id, "8.2.6.3.4", operations, what, handler);
    vec![
        fault(
            "acceptance/empty-object",
            "POST services",
            "An empty object is registered as a service",
            handler(|request, context| async move {
                let empty = request.is_in(scopes::NEW_SERVICE) && request.json() == Some(json!({}));
                let answer = context.pass(request.clone()).await?;
                Ok(if empty && answer.status() == 400 {
                    made(&request)
                } else {
                    answer
                })
            }),
        ),
        fault(
            "acceptance/malformed-json",
            "POST",
            "A body that is no JSON is taken as if it were right",
            handler(malformed),
        ),
        fault(
            "acceptance/list-for-object",
            "POST services",
            "A list with a service in it is taken as the service",
            accepts(scopes::NEW_SERVICE, |body, _| {
                if let Some([only]) = body.as_array().map(Vec::as_slice) {
                    *body = only.clone();
                }
            }),
        ),
        fault(
            "acceptance/whatever",
            "POST subscriptions",
            "Whatever is sent as a subscription is answered with 201",
            handler(|request, context| async move {
                let subscribing = request.is_in(&[("POST", Place::Subscriptions)]);
                let answer = context.pass(request.clone()).await?;
                Ok(if subscribing && answer.status() == 400 {
                    made(&request)
                } else {
                    answer
                })
            }),
        ),
    ]
}

/// A creation that never was.
fn made(request: &Request) -> Answer {
    let place = format!("{}/00000000-0000-4000-8000-000000000000", request.path());
    let mut body = request
        .json()
        .filter(Value::is_object)
        .unwrap_or_else(|| json!({}));
    body["_links"] = json!({"self": {"href": place}});
    let mut answer = Answer::json_with(201, &body);
    answer.set_header("location", &place);
    answer
}

async fn malformed(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let broken = request.is_in(scopes::CREATIONS) && !request.body.is_empty() && request.json().is_none();
    let answer = context.pass(request.clone()).await?;
    Ok(if broken && answer.status() == 400 {
        made(&request)
    } else {
        answer
    })
}

fn is_rule_state(value: &Value) -> bool {
    value == "ACTIVE" || value == "INACTIVE"
}
