//! Answers whose properties have other values than they should have.

use serde_json::{Value, json};

use crate::behaviour::{Handler, bodies, resources, with};
use crate::fault::{Class, Fault, fault};
use crate::place::{Place, Scope, scopes};

const TIME: Scope = &[("GET", Place::CurrentTime)];
const OWN_LIST: Scope = &[("GET", Place::OwnServices)];
const DNS_READS: Scope = &[("GET", Place::DnsRules), ("GET", Place::DnsRule)];
const TRAFFIC_READS: Scope = &[("GET", Place::TrafficRules), ("GET", Place::TrafficRule)];

pub(super) fn faults() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::WrongValue, id, clause, operations, what, handler)
    };
    vec![
        fault(
            "wrong-value/state-lower-case",
            "8.1.6.3",
            "GET services",
            "The state is in lower case",
            resources(scopes::SERVICE_READS, with("/state", lower_case)),
        ),
        fault(
            "wrong-value/state-INACTIVE-shown-as-ACTIVE",
            "8.1.2.2",
            "GET services",
            "Inactive services are shown as active",
            resources(
                scopes::SERVICE_READS,
                with("/state", |state| {
                    if state == "INACTIVE" {
                        json!("ACTIVE")
                    } else {
                        state.clone()
                    }
                }),
            ),
        ),
        fault(
            "wrong-value/serializer",
            "8.1.6.2",
            "GET services",
            "Every service is said to speak JSON",
            resources(scopes::SERVICE_READS, with("/serializer", |_| json!("JSON"))),
        ),
        fault(
            "wrong-value/version-constant",
            "8.1.2.2",
            "GET one service",
            "Every service is said to have version 1.0",
            resources(scopes::ONE_SERVICE, with("/version", |_| json!("1.0"))),
        ),
        fault(
            "wrong-value/scopeOfLocality-enumeration",
            "8.1.6.5",
            "GET services",
            "scopeOfLocality has a value that the standard does not know",
            resources(
                scopes::SERVICE_READS,
                with("/scopeOfLocality", |_| json!("SEE_DESCRIPTION")),
            ),
        ),
        fault(
            "wrong-value/consumedLocalOnly-inverted",
            "8.1.2.2",
            "GET services",
            "consumedLocalOnly is the contrary",
            resources(
                scopes::SERVICE_READS,
                with("/consumedLocalOnly", |value| json!(value == &json!(false))),
            ),
        ),
        fault(
            "wrong-value/isLocal-inverted",
            "8.1.2.2",
            "POST, PUT services",
            "isLocal in the answer to a write is the contrary",
            resources(
                scopes::SERVICE_WRITES,
                with("/isLocal", |value| json!(value == &json!(false))),
            ),
        ),
        fault(
            "wrong-value/category-id-is-name",
            "8.1.5.2",
            "GET services",
            "The category's id is its name",
            resources(scopes::SERVICE_READS, |service| {
                if let Some(name) = service.pointer("/serCategory/name").cloned() {
                    service["serCategory"]["id"] = name;
                }
            }),
        ),
        fault(
            "wrong-value/subscriptionType-in-item",
            "8.1.3.2",
            "GET one subscription",
            "A subscription's type is that of its notification",
            resources(
                scopes::ONE_SUBSCRIPTION,
                with("/subscriptionType", |_| json!("SerAvailabilityNotification")),
            ),
        ),
        fault(
            "wrong-value/subscriptionType-in-list",
            "8.1.3.3",
            "GET lists of subscriptions",
            "The type in lists of subscriptions is empty",
            bodies(scopes::SUBSCRIPTION_LISTS, |body, _| {
                each_subscription(body, |each| each["subscriptionType"] = json!(""))
            }),
        ),
        fault(
            "wrong-value/callbackReference-normalised",
            "8.1.3.2",
            "GET one subscription",
            "The callback address is read with a slash at its end",
            resources(
                scopes::ONE_SUBSCRIPTION,
                with("/callbackReference", |value| {
                    json!(format!("{}/", value.as_str().unwrap_or_default()))
                }),
            ),
        ),
        fault(
            "wrong-value/nanoSeconds-too-many",
            "7.1.2.5",
            "GET current_time",
            "The nanoseconds are a whole second and more",
            resources(TIME, with("/nanoSeconds", |_| json!(1_500_000_000_u64))),
        ),
        fault(
            "wrong-value/nanoSeconds-negative",
            "7.1.2.5",
            "GET current_time",
            "The nanoseconds are negative",
            resources(TIME, with("/nanoSeconds", |_| json!(-1))),
        ),
        fault(
            "wrong-value/timeSourceStatus",
            "7.1.2.5",
            "GET current_time",
            "timeSourceStatus has a value that the standard does not know",
            resources(TIME, with("/timeSourceStatus", |_| json!("SYNCHRONIZED"))),
        ),
        fault(
            "wrong-value/dns-ipAddressType",
            "7.1.2.3",
            "GET dns_rules",
            "The address type is IPV4 where it should be IP_V4",
            resources(DNS_READS, with("/ipAddressType", |_| json!("IPV4"))),
        ),
        fault(
            "wrong-value/traffic-action",
            "7.1.2.2",
            "GET traffic_rules",
            "Every rule's action is PASSTHROUGH",
            resources(TRAFFIC_READS, with("/action", |_| json!("PASSTHROUGH"))),
        ),
        fault(
            "wrong-value/list-reversed-names",
            "8.2.3.3.1",
            "GET own services",
            "In lists, the names of the services are mixed up",
            bodies(OWN_LIST, |body, _| rotate_names(body)),
        ),
    ]
}

fn lower_case(value: &Value) -> Value {
    value.as_str().unwrap_or_default().to_lowercase().into()
}

/// Changes each entry of a list of subscriptions.
fn each_subscription(body: &mut Value, change: impl Fn(&mut Value)) {
    if let Some(Value::Array(list)) = body.pointer_mut("/_links/subscriptions") {
        list.iter_mut().for_each(change);
    }
}

/// Gives each service of a list the name of its neighbour.
fn rotate_names(body: &mut Value) {
    let Value::Array(list) = body else { return };
    let mut names: Vec<Value> = list.iter().map(|each| each["serName"].clone()).collect();
    if names.len() > 1 {
        names.rotate_left(1);
    }
    for (service, name) in list.iter_mut().zip(names) {
        service["serName"] = name;
    }
}
