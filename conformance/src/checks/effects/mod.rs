//! What rules do outside of HTTP: names that resolve, traffic that is led elsewhere. Only where the operator asks for
//! it, as the suite has to talk to others than the target.

mod dns;
mod traffic;

use std::sync::Arc;

use mecforge_report::Severity;
use serde_json::{Value, json};

use crate::checks::state::comparison::items;
use crate::suite::{Call, Check, Context, Exchange, Group, Plan, Role, Source, Stop, Suite, Values};

static RESOLVES: Check = Check {
    id: "dns-rules-resolve",
    group: Group::Effects,
    title: "an active DNS rule resolves to its address, an inactive one does not",
    severity: Severity::Error,
    explanation: "With --dns ADDR: each DNS rule of the main application instance is made ACTIVE through Mp1, its name is asked of the name server until it has the rule's address or the time for notifications is over, with a TTL that is not above the rule's; it is made INACTIVE, and the address must go. Where the platform lets an application change the address, the new one must come. Afterwards the rule is as it was. A name server that answers from a cache is no ground for a verdict on what goes.",
    sources: &[
        Source::Etsi("ETSI GS MEC 011", "7.1.2.3 and 7.2.10"),
        Source::Rfc(1035, "3.2.1"),
    ],
};

static LEADS: Check = Check {
    id: "traffic-rules-work",
    group: Group::Effects,
    title: "an active traffic rule has its effect, an inactive one has none",
    severity: Severity::Error,
    explanation: "With --probe COMMAND: each traffic rule of the main application instance is made ACTIVE and INACTIVE through Mp1, and after each change the command is called with the rule as JSON on its standard input and `active` or `inactive` as its last argument. It ends with 0 if it sees the rule's effect, with 1 if it does not, and with anything else if it can't tell.",
    sources: &[Source::Etsi("ETSI GS MEC 011", "7.1.2.2 and 7.2.8")],
};

/// The checks of this module.
pub(super) static CHECKS: &[&Check] = &[&RESOLVES, &LEADS];

/// The most rules of one kind that are tried.
const MOST: usize = 6;

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for (api, state) in suite.apis.iter().enumerate() {
        let rules = |kind: &str, id: &str| {
            let list = format!("/applications/{{appInstanceId}}/{kind}");
            let item = format!("{list}/{{{id}}}");
            let index = |method: &str, path: &str| {
                let operation = state.api.operation(method, path);
                operation.map(|operation| operation.index)
            };
            Some(Rules {
                api,
                list: index("GET", &list)?,
                get: index("GET", &item)?,
                put: index("PUT", &item)?,
                id: if kind == "dns_rules" {
                    "dnsRuleId"
                } else {
                    "trafficRuleId"
                },
            })
        };
        if let Some(rules) = rules("dns_rules", "dnsRuleId") {
            match suite.options.dns {
                None => {
                    let reason = "the effects of DNS rules are looked at with --dns ADDR";
                    plan.not_applicable(&RESOLVES, api, Some(rules.put), reason);
                }
                Some(server) => {
                    let case = plan.add(
                        suite,
                        &RESOLVES,
                        api,
                        Some(rules.put),
                        "resolves",
                        move |context| Box::pin(dns::resolves(context, rules, server)),
                    );
                    case.stage = 3;
                    case.alone();
                }
            }
        }
        if let Some(rules) = rules("traffic_rules", "trafficRuleId") {
            match suite.options.probe.clone() {
                None => {
                    let reason = "the effects of traffic rules are looked at with --probe COMMAND";
                    plan.not_applicable(&LEADS, api, Some(rules.put), reason);
                }
                Some(command) => {
                    let case = plan.add(suite, &LEADS, api, Some(rules.put), "works", move |context| {
                        let command = command.clone();
                        Box::pin(async move { traffic::works(context, rules, &command).await })
                    });
                    case.stage = 3;
                    case.alone();
                }
            }
        }
    }
}

/// The operations on one kind of rule.
#[derive(Clone, Copy)]
struct Rules {
    api: usize,
    list: usize,
    get: usize,
    put: usize,
    id: &'static str,
}

/// A rule as it was found.
struct Rule {
    values: Values,
    body: Value,
}

impl Rule {
    fn text(&self, name: &str) -> &str {
        self.body.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The rule in a state.
    fn in_state(&self, state: &str) -> Value {
        let mut body = self.body.clone();
        body["state"] = json!(state);
        body
    }
}

impl Rules {
    /// The rules of the main application instance, each as it is.
    async fn all(&self, context: &mut Context) -> Result<Vec<Rule>, Stop> {
        let values = context.values(self.api, self.list).await?;
        let call = context.call(self.api, self.list, &values).role(Role::SetUp);
        let exchange = context.send(call).await?;
        let body = exchange.json().unwrap_or_default();
        let mut found = Vec::new();
        for item in items(&body).into_iter().flatten().take(MOST) {
            let Some(id) = item.get(self.id).and_then(Value::as_str) else {
                continue;
            };
            let mut values = values.clone();
            values.insert(self.id.to_owned(), id.to_owned());
            let call = context.call(self.api, self.get, &values).role(Role::SetUp);
            if let Some(body) = context.send(call).await?.json().filter(Value::is_object) {
                found.push(Rule { values, body });
            }
        }
        match found.is_empty() {
            true => Err(Stop::Inconclusive(
                "the main application instance has no rule; configure one and name the instance with --app-instance-id"
                    .to_owned(),
            )),
            false => Ok(found),
        }
    }

    /// Puts a rule.
    async fn put(&self, context: &mut Context, rule: &Rule, body: Value) -> Result<Exchange, Stop> {
        let call: Call = context.call(self.api, self.put, &rule.values).json(body);
        context.send(call.role(Role::Control)).await
    }

    /// Makes a rule active or inactive.
    async fn set(&self, context: &mut Context, rule: &Rule, state: &str) -> Result<(), Stop> {
        let exchange = self.put(context, rule, rule.in_state(state)).await?;
        match exchange.is_success() {
            true => Ok(()),
            false => Err(Stop::Inconclusive(format!(
                "the rule can't be made {state}: {}",
                exchange.summary()
            ))),
        }
    }
}
