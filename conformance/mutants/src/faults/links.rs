//! `Location`, `_links` and other references that lead elsewhere.

use serde_json::{Value, json};

use crate::behaviour::{Handler, after_success, bodies, resources, with};
use crate::fault::{Class, Fault, fault};
use crate::place::{Place, Scope, scopes};

const REGISTER: Scope = &[("POST", Place::Registrations)];
const SERVICE_ANSWERS: Scope = &[
    ("GET", Place::Services),
    ("GET", Place::OwnServices),
    ("GET", Place::Service),
    ("GET", Place::OwnService),
    ("POST", Place::OwnServices),
    ("PUT", Place::OwnService),
];

pub(super) fn faults() -> Vec<Fault> {
    let mut faults = locations();
    faults.extend(references());
    faults
}

fn locations() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Links, id, clause, operations, what, handler)
    };
    let location = |scope: Scope, change: fn(&str) -> String| {
        after_success(scope, move |answer, _, _| {
            if let Some(old) = answer.header("location").map(str::to_owned) {
                answer.set_header("location", &change(&old));
            }
        })
    };
    vec![
        fault(
            "links/location-missing-service",
            "8.2.6.3.4",
            "POST services",
            "A new service has no Location",
            after_success(scopes::NEW_SERVICE, |answer, _, _| {
                answer.remove_header("location")
            }),
        ),
        fault(
            "links/location-missing-subscription",
            "8.2.8.3.4",
            "POST subscriptions",
            "A new subscription has no Location",
            after_success(scopes::SUBSCRIBE, |answer, _, _| answer.remove_header("location")),
        ),
        fault(
            "links/location-missing-registration",
            "7.2.13.3.4",
            "POST registrations",
            "A new registration has no Location",
            after_success(REGISTER, |answer, _, _| answer.remove_header("location")),
        ),
        fault(
            "links/location-wrong-path",
            "8.2.6.3.4",
            "POST services",
            "Location names a path that does not exist",
            location(scopes::NEW_SERVICE, |old| {
                old.replace("/applications/", "/application/")
            }),
        ),
        fault(
            "links/location-collection",
            "8.2.6.3.4",
            "POST services",
            "Location is the list in place of the new service",
            location(scopes::NEW_SERVICE, |old| {
                old.rsplit_once('/').map_or(old, |(list, _)| list).to_owned()
            }),
        ),
        fault(
            "links/location-other-api",
            "8.2.8.3.4",
            "POST subscriptions",
            "Location of a subscription is in the other API",
            location(scopes::SUBSCRIBE, |old| {
                if old.contains("mec_app_support") {
                    old.replace("mec_app_support", "mec_service_mgmt")
                } else {
                    old.replace("mec_service_mgmt", "mec_app_support")
                }
            }),
        ),
        fault(
            "links/location-wrong-host",
            "8.2.6.3.4",
            "POST services",
            "Location names another host",
            location(scopes::NEW_SERVICE, |old| {
                format!("http://mep.invalid{}", path(old))
            }),
        ),
        fault(
            "links/location-not-encoded",
            "8.2.6.3.4",
            "POST services",
            "Location has the identifier in braces, as a template",
            location(scopes::NEW_SERVICE, |old| {
                format!(
                    "{}/%7BserviceId%7D",
                    old.rsplit_once('/').map_or(old, |(list, _)| list)
                )
            }),
        ),
        fault(
            "links/location-previous",
            "8.2.8.3.4",
            "POST subscriptions",
            "Location is that of the subscription made before",
            after_success(scopes::SUBSCRIBE, |answer, _, context| {
                let now = answer.header("location").unwrap_or_default().to_owned();
                if let Some(Value::String(before)) = context.remember("location", now.into()) {
                    answer.set_header("location", &before);
                }
            }),
        ),
    ]
}

/// An address without scheme and host.
fn path(address: &str) -> String {
    address
        .parse::<http::Uri>()
        .map_or_else(|_| address.to_owned(), |uri| uri.path().to_owned())
}

fn references() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Links, id, clause, operations, what, handler)
    };
    let text =
        |change: fn(&str) -> String| move |value: &Value| json!(change(value.as_str().unwrap_or_default()));
    vec![
        fault(
            "links/self-wrong-service",
            "8.1.2.2",
            "GET services",
            "_links.self of services leads nowhere",
            resources(
                SERVICE_ANSWERS,
                with("/_links/self/href", text(|href| format!("{href}/self"))),
            ),
        ),
        fault(
            "links/self-of-collection",
            "8.1.2.2",
            "GET one service",
            "_links.self of a service is its list",
            resources(
                scopes::ONE_SERVICE,
                with(
                    "/_links/self/href",
                    text(|href| href.rsplit_once('/').map_or(href, |(list, _)| list).to_owned()),
                ),
            ),
        ),
        fault(
            "links/self-empty",
            "8.1.2.2",
            "GET one service",
            "_links.self of a service is empty",
            resources(scopes::ONE_SERVICE, with("/_links/self/href", |_| json!(""))),
        ),
        fault(
            "links/self-wrong-subscription",
            "8.1.3.2",
            "POST, GET subscriptions",
            "_links.self of subscriptions leads nowhere",
            resources(
                &[
                    ("POST", Place::Subscriptions),
                    ("GET", Place::Subscription),
                    ("POST", Place::EndSubscriptions),
                    ("GET", Place::EndSubscription),
                ],
                with("/_links/self/href", text(|href| format!("{href}x"))),
            ),
        ),
        fault(
            "links/liveness-dead",
            "8.1.2.2",
            "POST, GET services",
            "_links.liveness leads nowhere",
            resources(
                SERVICE_ANSWERS,
                with(
                    "/_links/liveness/href",
                    text(|href| href.replace("/liveness", "/alive")),
                ),
            ),
        ),
        fault(
            "links/liveness-missing",
            "8.1.2.2",
            "POST, GET services",
            "Services with heartbeats have no _links.liveness",
            resources(SERVICE_ANSWERS, |service| {
                if let Some(Value::Object(links)) = service.get_mut("_links") {
                    links.remove("liveness");
                }
            }),
        ),
        fault(
            "links/liveness-placeholder",
            "8.1.2.2",
            "POST, GET services",
            "_links.liveness is the placeholder of the document",
            resources(
                SERVICE_ANSWERS,
                with("/_links/liveness/href", |_| {
                    json!("/resource_uri_allocated_by_MEC_platform")
                }),
            ),
        ),
        fault(
            "links/subscription-list-href",
            "8.1.3.3",
            "GET lists of subscriptions",
            "The links in lists of subscriptions lead nowhere",
            bodies(scopes::SUBSCRIPTION_LISTS, |body, _| {
                if let Some(Value::Array(list)) = body.pointer_mut("/_links/subscriptions") {
                    for each in list {
                        each["href"] = json!(format!("{}/", each["href"].as_str().unwrap_or_default()));
                    }
                }
            }),
        ),
        fault(
            "links/subscription-list-first-only",
            "8.1.3.3",
            "GET lists of subscriptions",
            "All links in a list of subscriptions are that of the first one",
            bodies(scopes::SUBSCRIPTION_LISTS, |body, _| {
                let first = body.pointer("/_links/subscriptions/0/href").cloned();
                if let (Some(first), Some(Value::Array(list))) =
                    (first, body.pointer_mut("/_links/subscriptions"))
                {
                    list.iter_mut().for_each(|each| each["href"] = first.clone());
                }
            }),
        ),
    ]
}
