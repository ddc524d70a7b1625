//! DNS and traffic rules.

use serde_json::{Value, json};

use crate::behaviour::{Handler, accepts, after, after_success, handler, resources, with, within};
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::{Place, Scope, scopes};
use crate::upstream::NoAnswer;

const READ_RULES: Scope = &[
    ("GET", Place::DnsRules),
    ("GET", Place::DnsRule),
    ("GET", Place::TrafficRules),
    ("GET", Place::TrafficRule),
];
const LISTS: Scope = &[("GET", Place::DnsRules), ("GET", Place::TrafficRules)];
const ONE: Scope = &[("GET", Place::DnsRule), ("GET", Place::TrafficRule)];
const PUT_DNS: Scope = &[("PUT", Place::DnsRule)];
const PUT_TRAFFIC: Scope = &[("PUT", Place::TrafficRule)];

pub(super) fn faults() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Rules, id, clause, operations, what, handler)
    };
    vec![
        fault(
            "rules/dns-put-not-stored",
            "7.2.10.3.2",
            "PUT dns_rule",
            "A changed DNS rule is answered and forgotten",
            forgotten(PUT_DNS),
        ),
        fault(
            "rules/state-always-INACTIVE",
            "7.1.2.3",
            "GET rules",
            "Rules are always read as INACTIVE",
            resources(READ_RULES, with("/state", |_| json!("INACTIVE"))),
        ),
        fault(
            "rules/list-shows-old-state",
            "7.2.9.3.1",
            "GET rules",
            "Lists of rules show the state that a rule had first",
            after_success(LISTS, |answer, request, context| {
                match context.kept(request.path()) {
                    Some(first) => *answer = first,
                    None => drop(context.keep(request.path(), answer.clone())),
                }
            }),
        ),
        fault(
            "rules/put-answers-empty",
            "7.2.10.3.2",
            "PUT rules",
            "A changed rule is answered with 200 and an empty object",
            after_success(scopes::PUT_RULE, |answer, _, _| answer.set_json(&json!({}))),
        ),
        fault(
            "rules/put-echoes",
            "7.2.10.3.2",
            "PUT rules",
            "The answer to a changed rule is the request, properties that nobody knows too",
            after_success(scopes::PUT_RULE, |answer, request, _| {
                if let Some(body) = request.json() {
                    answer.set_json(&body);
                }
            }),
        ),
        fault(
            "rules/list-empty",
            "7.2.7.3.1",
            "GET lists of rules",
            "Lists of rules are empty",
            after_success(LISTS, |answer, _, _| answer.set_json(&json!([]))),
        ),
        fault(
            "rules/list-as-object",
            "7.2.7.3.1",
            "GET lists of rules",
            "Lists of rules are objects with the rules by identifier",
            after_success(LISTS, |answer, _, _| {
                if let Some(Value::Array(list)) = answer.json() {
                    let by_id = list
                        .into_iter()
                        .enumerate()
                        .map(|(number, rule)| (number.to_string(), rule))
                        .collect();
                    answer.set_json(&Value::Object(by_id));
                }
            }),
        ),
        fault(
            "rules/item-wrong-rule",
            "7.2.10.3.1",
            "GET one rule",
            "A single rule has another identifier than the path's",
            after_success(ONE, |answer, _, _| {
                answer.each_resource(|rule| {
                    for name in ["dnsRuleId", "trafficRuleId"] {
                        if rule.get(name).is_some() {
                            rule[name] = json!("rule");
                        }
                    }
                });
            }),
        ),
        fault(
            "rules/item-first-rule",
            "7.2.10.3.1",
            "GET one rule",
            "A rule that does not exist is the application's first one",
            within(ONE, first_rule),
        ),
        fault(
            "rules/dns-address-changes",
            "7.1.2.3",
            "PUT dns_rule",
            "A change of the state clears the ttl",
            after_success(PUT_DNS, |answer, _, _| {
                answer.each_resource(|rule| rule["ttl"] = json!(0))
            }),
        ),
        fault(
            "rules/put-without-etag",
            "7.2.10.3.2",
            "PUT, GET rules",
            "Rules have an entity tag that no If-Match matches",
            after_success(
                &[
                    ("GET", Place::DnsRule),
                    ("GET", Place::TrafficRule),
                    ("PUT", Place::DnsRule),
                    ("PUT", Place::TrafficRule),
                ],
                |answer, _, _| answer.set_header("etag", "\"rule\""),
            ),
        ),
        fault(
            "rules/delete-taken",
            "RFC 9110 15.5.6",
            "DELETE rules",
            "DELETE of a rule is answered with 204",
            after(
                &[("DELETE", Place::DnsRule), ("DELETE", Place::TrafficRule)],
                |answer, _, _| *answer = Answer::empty(204),
            ),
        ),
        fault(
            "rules/post-taken",
            "RFC 9110 15.5.6",
            "POST rules",
            "POST of a rule, which only the manager may make, is answered with 201",
            after(
                &[("POST", Place::DnsRules), ("POST", Place::TrafficRules)],
                |answer, request, _| {
                    *answer = request
                        .json()
                        .map_or_else(|| Answer::empty(201), |body| Answer::json_with(201, &body));
                },
            ),
        ),
        fault(
            "rules/priority-shifted",
            "7.1.2.2",
            "GET traffic_rule",
            "The priority of a single rule is one more than in the list",
            resources(
                &[("GET", Place::TrafficRule)],
                with("/priority", |priority| {
                    json!(priority.as_u64().unwrap_or_default() + 1)
                }),
            ),
        ),
        fault(
            "rules/dns-rule-without-domainName",
            "7.1.2.3",
            "PUT dns_rule",
            "A DNS rule without domainName is taken",
            handler_mending("domainName", PUT_DNS),
        ),
        fault(
            "rules/dns-rule-without-ipAddress",
            "7.1.2.3",
            "PUT dns_rule",
            "A DNS rule without ipAddress is taken",
            handler_mending("ipAddress", PUT_DNS),
        ),
        fault(
            "rules/traffic-rule-without-action",
            "7.1.2.2",
            "PUT traffic_rule",
            "A traffic rule without action is taken",
            handler_mending("action", PUT_TRAFFIC),
        ),
        fault(
            "rules/traffic-rule-without-filterType",
            "7.1.2.2",
            "PUT traffic_rule",
            "A traffic rule without filterType is taken",
            handler_mending("filterType", PUT_TRAFFIC),
        ),
        fault(
            "rules/traffic-state-as-boolean",
            "7.1.2.2",
            "PUT traffic_rule",
            "A traffic rule's state may be a boolean",
            accepts(PUT_TRAFFIC, |body, _| {
                if body.get("state").is_some_and(Value::is_boolean) {
                    body["state"] = json!("INACTIVE");
                }
            }),
        ),
    ]
}

/// Lets the platform judge and undoes what it did.
fn forgotten(scope: Scope) -> Handler {
    within(scope, |request: Request, context: Context| async move {
        let before = context.read(request.path(), &request).await;
        let answer = context.pass(request.clone()).await?;
        if let (true, Some(before)) = (answer.is_success(), before) {
            let mut back = request;
            back.remove_header("if-match");
            back.set_json(&before);
            context.pass(back).await?;
        }
        Ok(answer)
    })
}

async fn first_rule(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let answer = context.pass(request.clone()).await?;
    if answer.status() != 404 {
        return Ok(answer);
    }
    let list = request
        .path()
        .rsplit_once('/')
        .map(|(list, _)| list.to_owned())
        .unwrap_or_default();
    let rules = context.read(&list, &request).await.unwrap_or_default();
    Ok(rules.get(0).map_or(answer, |first| Answer::json_with(200, first)))
}

/// Supplies a required property from what the rule is.
fn handler_mending(name: &'static str, scope: Scope) -> Handler {
    handler(move |mut request: Request, context: Context| async move {
        if request.is_in(scope)
            && let Some(Value::Object(mut body)) = request.json()
            && !body.contains_key(name)
            && let Some(before) = context.read(request.path(), &request).await
        {
            body.insert(name.to_owned(), before[name].clone());
            request.set_json(&Value::Object(body));
        }
        context.pass(request).await
    })
}
