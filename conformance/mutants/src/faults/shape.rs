//! Answers whose JSON has not the form or the values that it should have.

use serde_json::{Value, json};

use crate::behaviour::{Handler, bodies, resources, with, without};
use crate::fault::{Class, Fault, fault};
use crate::place::{Place, Scope, scopes};

const NEW_SERVICE: Scope = scopes::NEW_SERVICE;
const LIVENESS_READ: Scope = &[("GET", Place::Liveness)];
const LIVENESS: Scope = &[("GET", Place::Liveness), ("PATCH", Place::Liveness)];
const TIME: Scope = &[("GET", Place::CurrentTime)];
const CAPABILITIES: Scope = &[("GET", Place::TimingCaps)];
const TRANSPORTS: Scope = &[("GET", Place::Transports)];
const OWN_LIST: Scope = &[("GET", Place::OwnServices)];
const REGISTRATION: Scope = &[("GET", Place::Registration)];
const DNS_READS: Scope = &[("GET", Place::DnsRules), ("GET", Place::DnsRule)];
const TRAFFIC_READS: Scope = &[("GET", Place::TrafficRules), ("GET", Place::TrafficRule)];

pub(super) fn faults() -> Vec<Fault> {
    let mut faults = dropped();
    faults.extend(wrong_types());
    faults
}

fn dropped() -> Vec<Fault> {
    let fault = |id, clause, operations, what, scope: Scope, name| {
        fault(
            Class::DropsProperty,
            id,
            clause,
            operations,
            what,
            resources(scope, without(name)),
        )
    };
    vec![
        fault(
            "drops-property/serName-in-list",
            "8.1.2.2",
            "GET lists of services",
            "The lists of services have no serName",
            scopes::SERVICE_LISTS,
            "serName",
        ),
        fault(
            "drops-property/serInstanceId-on-creation",
            "8.1.2.2",
            "POST services",
            "The answer to a registration has no serInstanceId",
            NEW_SERVICE,
            "serInstanceId",
        ),
        fault(
            "drops-property/transportInfo",
            "8.1.2.2",
            "GET services",
            "Services are read without transportInfo",
            scopes::SERVICE_READS,
            "transportInfo",
        ),
        fault(
            "drops-property/links-in-list",
            "8.1.2.2",
            "GET lists of services",
            "The services in lists have no _links",
            scopes::SERVICE_LISTS,
            "_links",
        ),
        fault(
            "drops-property/serCategory",
            "8.1.2.2",
            "GET one service",
            "A service that was given a category is read without it",
            scopes::ONE_SERVICE,
            "serCategory",
        ),
        fault(
            "drops-property/optional-scopeOfLocality",
            "8.1.2.2",
            "POST services",
            "scopeOfLocality is forgotten when a service is registered",
            NEW_SERVICE,
            "scopeOfLocality",
        ),
        fault(
            "drops-property/optional-consumedLocalOnly",
            "8.1.2.2",
            "GET one service",
            "consumedLocalOnly is not shown though it was given",
            scopes::ONE_SERVICE,
            "consumedLocalOnly",
        ),
        fault(
            "drops-property/liveness-timeStamp",
            "8.1.2.4",
            "GET liveness",
            "The liveness has no timeStamp",
            LIVENESS_READ,
            "timeStamp",
        ),
        fault(
            "drops-property/liveness-interval",
            "8.1.2.4",
            "GET, PATCH liveness",
            "The liveness has no interval",
            LIVENESS,
            "interval",
        ),
        fault(
            "drops-property/callbackReference",
            "8.1.3.2",
            "GET one subscription",
            "A subscription is read without callbackReference",
            scopes::ONE_SUBSCRIPTION,
            "callbackReference",
        ),
        fault(
            "drops-property/filteringCriteria",
            "8.1.3.2",
            "GET one subscription",
            "A subscription is read without the criteria that it was made with",
            scopes::ONE_SUBSCRIPTION,
            "filteringCriteria",
        ),
        fault(
            "drops-property/subscription-list-links",
            "8.1.3.3",
            "GET lists of subscriptions",
            "The lists of subscriptions have no _links",
            scopes::SUBSCRIPTION_LISTS,
            "_links",
        ),
        fault(
            "drops-property/timeSourceStatus",
            "7.1.2.5",
            "GET current_time",
            "The current time has no timeSourceStatus",
            TIME,
            "timeSourceStatus",
        ),
        fault(
            "drops-property/dns-ipAddress",
            "7.1.2.3",
            "GET dns_rules",
            "DNS rules are read without ipAddress",
            DNS_READS,
            "ipAddress",
        ),
        fault(
            "drops-property/dns-ttl",
            "7.1.2.3",
            "PUT one dns_rule",
            "The answer to a changed DNS rule has no ttl though the rule has one",
            &[("PUT", Place::DnsRule)],
            "ttl",
        ),
        fault(
            "drops-property/traffic-trafficFilter",
            "7.1.2.2",
            "GET traffic_rules",
            "Traffic rules are read without trafficFilter",
            TRAFFIC_READS,
            "trafficFilter",
        ),
        fault(
            "drops-property/registration-appName",
            "7.1.2.6",
            "GET registrations",
            "A registration is read without appName",
            REGISTRATION,
            "appName",
        ),
        fault(
            "drops-property/transport-endpoint",
            "8.1.2.3",
            "GET transports",
            "Transports have no endpoint",
            TRANSPORTS,
            "endpoint",
        ),
    ]
}

fn wrong_types() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::WrongType, id, clause, operations, what, handler)
    };
    let text = |value: &Value| Value::from(value.to_string());
    vec![
        fault(
            "wrong-type/interval-as-text",
            "8.1.2.4",
            "GET, PATCH liveness",
            "The interval is a string of digits",
            resources(LIVENESS, with("/interval", text)),
        ),
        fault(
            "wrong-type/version-as-number",
            "8.1.2.2",
            "GET services",
            "The version is a number",
            resources(scopes::SERVICE_READS, with("/version", |_| json!(1.0))),
        ),
        fault(
            "wrong-type/list-as-object",
            "8.2.3.3.1",
            "GET own services",
            "The list of services is an object with a member `services`",
            bodies(OWN_LIST, |body, _| *body = json!({"services": body.clone()})),
        ),
        fault(
            "wrong-type/single-service-as-object",
            "8.2.3.3.1",
            "GET lists of services",
            "A list of exactly one service is the service itself, without a list",
            bodies(scopes::SERVICE_LISTS, unwrap_single),
        ),
        fault(
            "wrong-type/item-as-list",
            "8.2.4.3.1",
            "GET one service",
            "One service is a list with one element",
            bodies(scopes::ONE_SERVICE, |body, _| *body = json!([body.clone()])),
        ),
        fault(
            "wrong-type/wrapped-ServiceInfo",
            "8.1.2.2",
            "GET one service",
            "A service is inside an object with the member `ServiceInfo`",
            bodies(scopes::ONE_SERVICE, |body, _| {
                *body = json!({"ServiceInfo": body.clone()})
            }),
        ),
        fault(
            "wrong-type/boolean-as-text",
            "8.1.2.2",
            "GET services",
            "consumedLocalOnly is \"true\" or \"false\" as a string",
            resources(scopes::SERVICE_READS, with("/consumedLocalOnly", text)),
        ),
        fault(
            "wrong-type/null-for-absent",
            "8.1.2.2",
            "GET services",
            "Optional properties that are absent are null",
            resources(scopes::SERVICE_READS, null_for_absent),
        ),
        fault(
            "wrong-type/seconds-as-text",
            "7.1.2.5",
            "GET current_time",
            "The seconds are a string of digits",
            resources(TIME, with("/seconds", text)),
        ),
        fault(
            "wrong-type/seconds-fraction",
            "7.1.2.5",
            "GET current_time",
            "The seconds have a fraction",
            resources(
                TIME,
                with("/seconds", |value| {
                    json!(value.as_f64().unwrap_or_default() + 0.5)
                }),
            ),
        ),
        fault(
            "wrong-type/timeStamp-as-text",
            "8.1.2.4",
            "GET liveness",
            "The time of the last heartbeat is a date as text",
            resources(
                LIVENESS_READ,
                with("/timeStamp", |_| json!("2026-01-01T00:00:00Z")),
            ),
        ),
        fault(
            "wrong-type/ttl-as-text",
            "7.1.2.3",
            "GET dns_rules",
            "The ttl is a string of digits",
            resources(DNS_READS, with("/ttl", text)),
        ),
        fault(
            "wrong-type/priority-as-text",
            "7.1.2.2",
            "GET traffic_rules",
            "The priority is a string of digits",
            resources(TRAFFIC_READS, with("/priority", text)),
        ),
        fault(
            "wrong-type/self-as-text",
            "8.1.2.2",
            "GET one service",
            "_links.self is the address itself and no object with href",
            resources(
                scopes::ONE_SERVICE,
                with("/_links/self", |link| link["href"].clone()),
            ),
        ),
        fault(
            "wrong-type/ntpServers-as-object",
            "7.1.2.4",
            "GET timing_caps",
            "ntpServers is one object and no list",
            resources(CAPABILITIES, with("/ntpServers", |_| json!({}))),
        ),
        fault(
            "wrong-type/grantTypes-as-text",
            "8.1.5.4",
            "GET transports",
            "The security of transports is a string",
            resources(TRANSPORTS, with("/security", |_| json!("none"))),
        ),
    ]
}

fn unwrap_single(body: &mut Value, _: &crate::message::Request) {
    if let Some([only]) = body.as_array().map(Vec::as_slice) {
        *body = only.clone();
    }
}

fn null_for_absent(resource: &mut Value) {
    if let Value::Object(members) = resource {
        for name in [
            "serCategory",
            "scopeOfLocality",
            "consumedLocalOnly",
            "isLocal",
            "livenessInterval",
        ] {
            members.entry(name).or_insert(Value::Null);
        }
    }
}
