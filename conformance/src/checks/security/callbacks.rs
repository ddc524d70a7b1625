//! Where a platform lets itself be sent: addresses of callbacks.

use std::sync::Arc;

use mecforge_report::Severity;
use serde_json::{Value, json};

use super::properties;
use crate::suite::{Check, Context, Failure, Group, Intent, Outcome, Plan, Role, Source, Stop, Suite};

static SCHEME: Check = Check {
    id: "callbacks-are-http",
    group: Group::Security,
    title: "a callback address that is not HTTP is refused",
    severity: Severity::Error,
    explanation: "ETSI defines callbackReference as the address at which notifications are received by HTTP. file:, gopher:, ldap: and the like can never be one, and make an attacker's tool of a client library that knows them; any 4xx is right. A subscription with an address of HTTP first shows that the rest is accepted.",
    sources: &[
        Source::Document,
        Source::Etsi("ETSI GS MEC 009", "400 Bad Request"),
        Source::Practice("OWASP API Security Top 10 2023, API7"),
    ],
};

static TARGET: Check = Check {
    id: "callbacks-stay-away-from-metadata",
    group: Group::Security,
    title: "a callback address at which clouds hand out credentials is refused",
    severity: Severity::Warning,
    explanation: "169.254.169.254 and its relatives are reached from the platform and not from the subscriber. No standard demands the refusal.",
    sources: &[Source::Practice("OWASP API Security Top 10 2023, API7")],
};

pub(super) static CHECKS: &[&Check] = &[&SCHEME, &TARGET];

/// Names of properties that hold an address of the client's.
const NAMES: [&str; 5] = [
    "callbackReference",
    "callbackUri",
    "notificationUri",
    "notifyURL",
    "callbackUrl",
];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let state = &suite.apis[api];
    for operation in &state.api.operations {
        let index = operation.index;
        if operation.method != "POST" || operation.json_body().is_none() {
            continue;
        }
        let of_content = properties::of_content(suite, api, index);
        let Some(name) = NAMES.iter().find(|name| of_content.contains_key(**name)) else {
            continue;
        };
        if state.knowledge.is_of_etsi() {
            plan.add(suite, &SCHEME, api, Some(index), "scheme", move |context| {
                Box::pin(async move {
                    let addresses = [
                        "file:///etc/passwd",
                        "gopher://127.0.0.1:9/_mec",
                        "ldap://127.0.0.1:9/mec",
                        "ftp://127.0.0.1:9/mec",
                        "javascript:void(0)",
                    ];
                    addressed(context, api, index, name, &addresses).await
                })
            });
        } else {
            let reason = "only ETSI says that callbacks are HTTP";
            plan.not_applicable(&SCHEME, api, Some(index), reason);
        }
        plan.add(suite, &TARGET, api, Some(index), "metadata", move |context| {
            Box::pin(async move {
                let addresses = [
                    "http://169.254.169.254/latest/meta-data/",
                    "http://[fd00:ec2::254]/latest/meta-data/",
                    "http://100.100.100.200/latest/meta-data/",
                ];
                addressed(context, api, index, name, &addresses).await
            })
        });
    }
}

/// Subscribes with each address; each must be refused.
async fn addressed(
    context: &mut Context,
    api: usize,
    operation: usize,
    name: &str,
    addresses: &[&str],
) -> Outcome {
    let values = context.values(api, operation).await?;
    let body = context.body(api, operation, &values)?;
    let Some(place) = place(&body, name) else {
        return Err(Stop::NotApplicable(format!(
            "{name} is optional here, and left out"
        )));
    };
    let control = context
        .call(api, operation, &values)
        .json(body.clone())
        .role(Role::Control);
    let control = context.send(control).await?;
    if !control.is_success() {
        return Err(Stop::Inconclusive(format!(
            "the same request with an address of HTTP is refused ({}); give credentials and application instances that the platform knows",
            control.status()
        )));
    }
    for address in addresses {
        let mut body = body.clone();
        if let Some(member) = body.pointer_mut(&place) {
            *member = json!(address);
        }
        let call = context
            .call(api, operation, &values)
            .json(body)
            .intent(Intent::Odd);
        let exchange = context.send(call).await?;
        if exchange.is_success() {
            let title = format!("a callback to {} is accepted", kind(address));
            let failure = Failure::new(title, "a 4xx", exchange.summary());
            context.report(failure.shown_by(&exchange.call));
        }
    }
    Ok(())
}

/// Where a body has an address: at its top, or in the object that one of its members is.
fn place(body: &Value, name: &str) -> Option<String> {
    let holds = |object: &Value| object.get(name).is_some_and(Value::is_string);
    if holds(body) {
        return Some(mecforge_api::child("", name));
    }
    let members = body.as_object().into_iter().flatten();
    let mut objects = members.filter(|(_, member)| holds(member));
    let (outer, _) = objects.next()?;
    Some(mecforge_api::child(&mecforge_api::child("", outer), name))
}

/// What an address is, for titles: the scheme, or the host where the scheme is HTTP.
fn kind(address: &str) -> &str {
    match address.split_once("://") {
        Some(("http", rest)) => rest.split("/latest").next().unwrap_or(rest),
        Some((scheme, _)) => scheme,
        None => address.split(':').next().unwrap_or(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_inside_a_wrapper() {
        let address = json!("http://a/");
        let of = |body: Value| place(&body, "callbackReference");
        let flat = json!({"callbackReference": address, "other": {"callbackReference": address}});
        assert_eq!(of(flat).as_deref(), Some("/callbackReference"));
        let wrapped = json!({"zoneStatusSubscription": {"callbackReference": address}});
        let wanted = "/zoneStatusSubscription/callbackReference";
        assert_eq!(of(wrapped).as_deref(), Some(wanted));
        assert_eq!(of(json!({"callbackReference": 1, "other": "text"})), None);
    }
}
