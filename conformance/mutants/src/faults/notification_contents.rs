//! Notifications that say something wrong, or go to who asked for others.

use serde_json::{Value, json};

use super::notifications::delivered;
use crate::behaviour::{Handler, handler};
use crate::callbacks::changing;
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::Request;
use crate::place::scopes;

pub(super) fn faults() -> Vec<Fault> {
    let mut faults = contents();
    faults.extend(criteria());
    faults
}

fn contents() -> Vec<Fault> {
    let changed = |id, what, change: fn(&mut Value)| delivered(id, "8.1.4.2", what, changing(change));
    vec![
        changed(
            "notifications/wrong-notificationType",
            "The notification type is that of the subscription",
            |body| body["notificationType"] = json!("SerAvailabilityNotificationSubscription"),
        ),
        changed(
            "notifications/wrong-changeType",
            "Every change is told as ADDED",
            |body| each_reference(body, |each| each["changeType"] = json!("ADDED")),
        ),
        changed(
            "notifications/STATE_CHANGED-as-ATTRIBUTES_CHANGED",
            "A change of the state is told as one of attributes",
            |body| {
                each_reference(body, |each| {
                    if each["changeType"] == "STATE_CHANGED" {
                        each["changeType"] = json!("ATTRIBUTES_CHANGED");
                    }
                });
            },
        ),
        changed(
            "notifications/changeType-unknown",
            "The kind of change is a word that the standard does not know",
            |body| each_reference(body, |each| each["changeType"] = json!("MODIFIED")),
        ),
        changed(
            "notifications/wrong-serName",
            "The name in notifications is that of nobody",
            |body| each_reference(body, |each| each["serName"] = json!("service")),
        ),
        changed(
            "notifications/wrong-serInstanceId",
            "The identifier in notifications is in upper case",
            |body| {
                each_reference(body, |each| {
                    each["serInstanceId"] =
                        json!(each["serInstanceId"].as_str().unwrap_or_default().to_uppercase())
                })
            },
        ),
        changed(
            "notifications/wrong-state",
            "The state in notifications is always ACTIVE",
            |body| each_reference(body, |each| each["state"] = json!("ACTIVE")),
        ),
        changed(
            "notifications/no-references",
            "Notifications have an empty list of services",
            |body| {
                if body.get("serviceReferences").is_some() {
                    body["serviceReferences"] = json!([]);
                }
            },
        ),
        changed(
            "notifications/references-no-list",
            "serviceReferences is one object and no list",
            |body| {
                if let Some(first) = body.pointer("/serviceReferences/0").cloned() {
                    body["serviceReferences"] = first;
                }
            },
        ),
        changed(
            "notifications/without-links",
            "Notifications have no _links",
            |body| {
                if let Value::Object(members) = body {
                    members.remove("_links");
                }
            },
        ),
        changed(
            "notifications/link-to-subscription-wrong",
            "The link to the subscription leads nowhere",
            |body| body["_links"]["subscription"]["href"] = json!("http://127.0.0.1:9/nowhere"),
        ),
        changed(
            "notifications/link-to-service-dead",
            "The link to the service leads nowhere",
            |body| {
                each_reference(body, |each| {
                    if let Some(href) = each.pointer("/link/href").and_then(Value::as_str) {
                        each["link"]["href"] = json!(format!("{href}/gone"));
                    }
                });
            },
        ),
        changed(
            "notifications/wrapped",
            "Notifications are inside an object with their type's name",
            |body| *body = json!({"ServiceAvailabilityNotification": body.clone()}),
        ),
        changed(
            "notifications/end-wrong-action",
            "The end of an application is told as the other of stopping and terminating",
            |body| {
                if let Some(action) = body.get_mut("operationAction") {
                    *action = if action == "STOPPING" {
                        json!("TERMINATING")
                    } else {
                        json!("STOPPING")
                    };
                }
            },
        ),
    ]
}

fn each_reference(body: &mut Value, change: impl Fn(&mut Value)) {
    if let Some(Value::Array(list)) = body.get_mut("serviceReferences") {
        list.iter_mut().for_each(change);
    }
}

fn criteria() -> Vec<Fault> {
    let ignoring = |id, what, name| {
        fault(
            Class::Notifications,
            id,
            "8.1.3.2",
            "notifications",
            what,
            without_criterion(name),
        )
    };
    vec![
        ignoring(
            "notifications/criteria-ignored",
            "All criteria of subscriptions are ignored",
            None,
        ),
        ignoring(
            "notifications/serNames-ignored",
            "serNames of subscriptions is ignored",
            Some("serNames"),
        ),
        ignoring(
            "notifications/serInstanceIds-ignored",
            "serInstanceIds of subscriptions is ignored",
            Some("serInstanceIds"),
        ),
        ignoring(
            "notifications/serCategories-ignored",
            "serCategories of subscriptions is ignored",
            Some("serCategories"),
        ),
        ignoring(
            "notifications/states-ignored",
            "states of subscriptions is ignored",
            Some("states"),
        ),
        ignoring(
            "notifications/isLocal-ignored",
            "isLocal of subscriptions is ignored",
            Some("isLocal"),
        ),
    ]
}

/// Hides a criterion from the platform and shows it to the subscriber.
fn without_criterion(name: Option<&'static str>) -> Handler {
    handler(move |mut request: Request, context: Context| async move {
        let criteria = request
            .json()
            .and_then(|body| body.get("filteringCriteria").cloned());
        if request.is_in(scopes::SUBSCRIBE)
            && let (Some(mut body), Some(_)) = (request.json(), &criteria)
        {
            // What is wrong in itself stays for the platform to refuse.
            let probe = context.pass(request.clone()).await?;
            if !probe.is_success() {
                return Ok(probe);
            }
            if let Some(place) = probe.location_path() {
                context.ask(http::Method::DELETE, &place, &request).await;
            }
            match (name, body.get_mut("filteringCriteria")) {
                (Some(name), Some(Value::Object(criteria))) => drop(criteria.remove(name)),
                _ => body["filteringCriteria"] = json!({}),
            }
            request.set_json(&body);
        }
        let subscribing = request.is_in(scopes::SUBSCRIBE);
        let path = request.path().to_owned();
        let mut answer = context.pass(request).await?;
        if let (true, Some(place), Some(criteria)) = (subscribing, answer.location_path(), criteria) {
            context.remember(&format!("criteria {place}"), criteria);
        }
        let place = answer.location_path().unwrap_or(path);
        if let Some(criteria) = context
            .recall(&format!("criteria {place}"))
            .filter(|_| answer.is_success())
        {
            answer.each_resource(|subscription| {
                if subscription.get("callbackReference").is_some() {
                    subscription["filteringCriteria"] = criteria.clone();
                }
            });
        }
        Ok(answer)
    })
}
