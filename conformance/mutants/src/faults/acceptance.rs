//! What must be refused is taken: for each rule of a body, a platform that does not look.

use serde_json::{Value, json};

use crate::behaviour::accepts;
use crate::fault::{Class, Fault, fault};
use crate::place::{Place, Scope, scopes};

/// Mends one broken rule.
pub(super) type Mend = fn(&mut Value);

pub(super) fn accepted(
    id: &'static str,
    clause: &'static str,
    operations: &'static str,
    what: &'static str,
    scope: Scope,
    mend: Mend,
) -> Fault {
    fault(
        Class::Acceptance,
        id,
        clause,
        operations,
        what,
        accepts(scope, move |body, _| mend(body)),
    )
}

pub(super) fn faults() -> Vec<Fault> {
    let mut faults = services();
    faults.extend(transports());
    faults.extend(subscriptions());
    faults
}

/// Gives an object a member that it lacks.
pub(super) fn supply(body: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = body {
        members.entry(name).or_insert(value);
    }
}

/// Replaces a member unless it is as it should be.
pub(super) fn correct(body: &mut Value, name: &str, right: fn(&Value) -> bool, value: Value) {
    if let Some(member) = body.get_mut(name)
        && !right(member)
    {
        *member = value;
    }
}

fn services() -> Vec<Fault> {
    let accepted = |id, what, mend: Mend| {
        accepted(
            id,
            "8.1.2.2",
            "POST, PUT services",
            what,
            scopes::SERVICE_WRITES,
            mend,
        )
    };
    vec![
        accepted(
            "acceptance/service-without-serName",
            "A service without serName is taken",
            |body| supply(body, "serName", json!("unnamed")),
        ),
        accepted(
            "acceptance/service-without-version",
            "A service without version is taken",
            |body| supply(body, "version", json!("1.0")),
        ),
        accepted(
            "acceptance/service-without-state",
            "A service without state is taken",
            |body| supply(body, "state", json!("ACTIVE")),
        ),
        accepted(
            "acceptance/service-without-serializer",
            "A service without serializer is taken",
            |body| supply(body, "serializer", json!("JSON")),
        ),
        accepted(
            "acceptance/service-without-transport",
            "A service with neither transportId nor transportInfo is taken",
            |body| {
                if body.get("transportInfo").is_none() && body.get("transportId").is_none() {
                    supply(body, "transportInfo", transport());
                }
            },
        ),
        accepted(
            "acceptance/service-with-both-transports",
            "A service with transportId and transportInfo is taken",
            |body| {
                if body.get("transportInfo").is_some()
                    && let Value::Object(members) = body
                {
                    members.remove("transportId");
                }
            },
        ),
        accepted(
            "acceptance/serName-of-other-type",
            "A serName that is a number is taken",
            |body| correct(body, "serName", |value| !value.is_number(), json!("1")),
        ),
        accepted(
            "acceptance/serName-null",
            "A serName that is null is taken",
            |body| correct(body, "serName", |value| !value.is_null(), json!("null")),
        ),
        accepted(
            "acceptance/version-of-other-type",
            "A version of any type is taken",
            |body| correct(body, "version", Value::is_string, json!("1")),
        ),
        accepted(
            "acceptance/state-unknown",
            "Any string is taken as state",
            |body| {
                correct(
                    body,
                    "state",
                    |value| !value.is_string() || is_state(value),
                    json!("ACTIVE"),
                )
            },
        ),
        accepted(
            "acceptance/state-any-case",
            "A state in lower case is taken",
            |body| {
                correct(
                    body,
                    "state",
                    |value| is_state(value) || !is_state(&upper_case(value)),
                    json!("ACTIVE"),
                )
            },
        ),
        accepted(
            "acceptance/serializer-of-other-type",
            "A serializer of any type is taken",
            |body| correct(body, "serializer", Value::is_string, json!("JSON")),
        ),
        accepted(
            "acceptance/scopeOfLocality-unknown",
            "Any string is taken as scopeOfLocality",
            |body| correct(body, "scopeOfLocality", is_locality, json!("MEC_HOST")),
        ),
        accepted(
            "acceptance/consumedLocalOnly-of-other-type",
            "consumedLocalOnly of any type is taken",
            |body| correct(body, "consumedLocalOnly", Value::is_boolean, json!(true)),
        ),
        accepted(
            "acceptance/isLocal-of-other-type",
            "isLocal of any type is taken",
            |body| correct(body, "isLocal", Value::is_boolean, json!(true)),
        ),
        accepted(
            "acceptance/livenessInterval-of-other-type",
            "A livenessInterval of any type is taken",
            |body| {
                correct(
                    body,
                    "livenessInterval",
                    |value| value.is_u64() || value.is_i64(),
                    json!(30),
                )
            },
        ),
        accepted(
            "acceptance/category-incomplete",
            "A category without all of its properties is taken",
            |body| {
                if let Some(category @ Value::Object(_)) = body.get_mut("serCategory") {
                    for name in ["href", "id", "name", "version"] {
                        supply(category, name, json!("x"));
                    }
                }
            },
        ),
        accepted(
            "acceptance/category-of-other-type",
            "A category that is no object is taken",
            |body| {
                correct(
                    body,
                    "serCategory",
                    Value::is_object,
                    json!({"href": "x", "id": "x", "name": "x", "version": "x"}),
                )
            },
        ),
    ]
}

fn transport() -> Value {
    json!({
        "id": "t", "name": "t", "type": "REST_HTTP", "protocol": "HTTP", "version": "1.1",
        "endpoint": {"uris": ["http://example.invalid/"]}, "security": {},
    })
}

fn is_state(value: &Value) -> bool {
    ["ACTIVE", "INACTIVE", "SUSPENDED"]
        .iter()
        .any(|state| value == state)
}

fn upper_case(value: &Value) -> Value {
    value.as_str().unwrap_or_default().to_uppercase().into()
}

fn is_locality(value: &Value) -> bool {
    let known = [
        "MEC_SYSTEM",
        "MEC_HOST",
        "NFVI_POP",
        "ZONE",
        "ZONE_GROUP",
        "NFVI_NODE",
    ];
    known.iter().any(|each| value == each)
}

fn transports() -> Vec<Fault> {
    let accepted = |id, clause, what, mend: Mend| {
        accepted(
            id,
            clause,
            "POST, PUT services",
            what,
            scopes::SERVICE_WRITES,
            mend,
        )
    };
    vec![
        accepted(
            "acceptance/transport-incomplete",
            "8.1.2.3",
            "A transportInfo without all of its required properties is taken",
            |body| {
                if let Some(info @ Value::Object(_)) = body.get_mut("transportInfo")
                    && let Value::Object(whole) = transport()
                {
                    for (name, value) in whole {
                        supply(info, &name, value);
                    }
                }
            },
        ),
        accepted(
            "acceptance/endpoint-empty",
            "8.1.5.3",
            "An endpoint without any address is taken",
            |body| {
                if let Some(endpoint) = body.pointer_mut("/transportInfo/endpoint")
                    && endpoint == &json!({})
                {
                    *endpoint = json!({"uris": []});
                }
            },
        ),
        accepted(
            "acceptance/endpoint-with-two-forms",
            "8.1.5.3",
            "An endpoint with two forms of address is taken",
            |body| {
                if let Some(Value::Object(endpoint)) = body.pointer_mut("/transportInfo/endpoint") {
                    let mut forms = ["uris", "fqdn", "addresses", "alternative"]
                        .into_iter()
                        .filter(|form| endpoint.contains_key(*form));
                    let first = forms.next();
                    let others: Vec<&str> = forms.collect();
                    for form in others {
                        endpoint.remove(form);
                    }
                    debug_assert!(first.is_some() || endpoint.is_empty());
                }
            },
        ),
        accepted(
            "acceptance/uris-no-list",
            "8.1.5.3",
            "uris that is one string and no list is taken",
            |body| {
                if let Some(uris) = body.pointer_mut("/transportInfo/endpoint/uris")
                    && uris.is_string()
                {
                    *uris = json!([uris.clone()]);
                }
            },
        ),
        accepted(
            "acceptance/address-without-port",
            "8.1.5.3",
            "An address without port is taken",
            |body| {
                if let Some(Value::Array(addresses)) = body.pointer_mut("/transportInfo/endpoint/addresses") {
                    addresses
                        .iter_mut()
                        .for_each(|address| supply(address, "port", json!(80)));
                }
            },
        ),
        accepted(
            "acceptance/grantType-unknown",
            "8.1.5.4",
            "Any string is taken as grant type",
            |body| {
                if let Some(Value::Array(grants)) =
                    body.pointer_mut("/transportInfo/security/oAuth2Info/grantTypes")
                {
                    let known = [
                        "OAUTH2_AUTHORIZATION_CODE",
                        "OAUTH2_IMPLICIT_GRANT",
                        "OAUTH2_RESOURCE_OWNER",
                        "OAUTH2_CLIENT_CREDENTIALS",
                    ];
                    for grant in grants
                        .iter_mut()
                        .filter(|grant| grant.is_string() && !known.iter().any(|each| each == *grant))
                    {
                        *grant = json!("OAUTH2_IMPLICIT_GRANT");
                    }
                }
            },
        ),
        accepted(
            "acceptance/oAuth2Info-without-grantTypes",
            "8.1.5.4",
            "OAuth 2.0 without grant types is taken",
            |body| {
                if let Some(info) = body.pointer_mut("/transportInfo/security/oAuth2Info") {
                    supply(info, "grantTypes", json!(["OAUTH2_IMPLICIT_GRANT"]));
                }
            },
        ),
    ]
}

fn subscriptions() -> Vec<Fault> {
    let accepted = |id, clause, what, mend: Mend| {
        accepted(id, clause, "POST subscriptions", what, scopes::SUBSCRIBE, mend)
    };
    vec![
        accepted(
            "acceptance/subscription-without-callbackReference",
            "8.1.3.2",
            "A subscription without callbackReference is taken",
            |body| supply(body, "callbackReference", json!("http://127.0.0.1:9/")),
        ),
        accepted(
            "acceptance/callbackReference-no-uri",
            "8.1.3.2",
            "Any string is taken as callbackReference",
            |body| {
                correct(
                    body,
                    "callbackReference",
                    is_address,
                    json!("http://127.0.0.1:9/"),
                )
            },
        ),
        accepted(
            "acceptance/subscriptionType-missing",
            "8.1.3.2",
            "A subscription without subscriptionType is taken",
            |body| {
                let kind = if body.get("appInstanceId").is_some() {
                    "AppTerminationNotificationSubscription"
                } else {
                    "SerAvailabilityNotificationSubscription"
                };
                supply(body, "subscriptionType", json!(kind));
            },
        ),
        accepted(
            "acceptance/subscriptionType-unknown",
            "8.1.3.2",
            "Any subscriptionType is taken",
            |body| {
                let kind = if body.get("appInstanceId").is_some() {
                    "AppTerminationNotificationSubscription"
                } else {
                    "SerAvailabilityNotificationSubscription"
                };
                if body.get("subscriptionType").is_some_and(Value::is_string) {
                    body["subscriptionType"] = json!(kind);
                }
            },
        ),
        accepted(
            "acceptance/two-criteria",
            "8.1.3.2",
            "Criteria that exclude each other are taken together",
            |body| {
                if let Some(Value::Object(criteria)) = body.get_mut("filteringCriteria") {
                    let mut seen = false;
                    for name in ["serInstanceIds", "serNames", "serCategories"] {
                        if criteria.contains_key(name) && std::mem::replace(&mut seen, true) {
                            criteria.remove(name);
                        }
                    }
                }
            },
        ),
        accepted(
            "acceptance/criteria-states-unknown",
            "8.1.3.2",
            "Any string is taken as one of the states to watch",
            |body| {
                if let Some(Value::Array(states)) = body.pointer_mut("/filteringCriteria/states") {
                    states
                        .iter_mut()
                        .filter(|state| !is_state(state))
                        .for_each(|state| *state = json!("ACTIVE"));
                }
            },
        ),
        accepted(
            "acceptance/criteria-serNames-no-list",
            "8.1.3.2",
            "serNames that is one string and no list is taken",
            |body| {
                if let Some(names) = body.pointer_mut("/filteringCriteria/serNames")
                    && !names.is_array()
                {
                    *names = json!([names.to_string()]);
                }
            },
        ),
        accepted(
            "acceptance/criteria-isLocal-of-other-type",
            "8.1.3.2",
            "isLocal of any type is taken as criterion",
            |body| {
                if let Some(criteria) = body.get_mut("filteringCriteria") {
                    correct(criteria, "isLocal", Value::is_boolean, json!(true));
                }
            },
        ),
        fault(
            Class::Acceptance,
            "acceptance/end-subscription-for-other-instance",
            "7.1.3.2",
            "POST subscriptions",
            "A subscription to the end of another application than the path's is taken",
            accepts(&[("POST", Place::EndSubscriptions)], |body, request| {
                if body.get("appInstanceId").is_some_and(Value::is_string) {
                    body["appInstanceId"] = json!(request.target.application);
                }
            }),
        ),
    ]
}

fn is_address(value: &Value) -> bool {
    let Some(text) = value.as_str() else { return true };
    text.parse::<http::Uri>()
        .is_ok_and(|uri| uri.scheme().is_some() && uri.host().is_some())
}
