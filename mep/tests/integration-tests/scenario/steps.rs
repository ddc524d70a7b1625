//! What the scenario does, and what each step makes of the world.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{JSON, MM5};
use crate::http::{Answer, Connection};
use crate::in_process::{SERVICES, SUPPORT, service};

/// What is known of one application instance that a manager has configured.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Application {
    /// Services by `serInstanceId`: version and state.
    pub(crate) services: BTreeMap<String, (String, String)>,
    /// The states of its DNS rules and of its traffic rules, by identifier.
    pub(crate) dns: BTreeMap<String, bool>,
    pub(crate) traffic: BTreeMap<String, bool>,
}

pub(crate) type World = BTreeMap<&'static str, Application>;

/// One change of one service, as subscribers are to see it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Event {
    pub(crate) service: String,
    pub(crate) change: String,
    pub(crate) state: String,
}

/// What is done next, with all that is needed to say what it leads to.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Register(&'static str),
    Update(&'static str, String, String, &'static str),
    Remove(&'static str, String),
    Dns(&'static str, String, bool),
    Traffic(&'static str, String, bool),
    Configure(&'static str, usize, bool),
    End(&'static str),
}

/// A small generator of numbers (xorshift), so that a seed repeats a run.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, from: impl Iterator<Item = &'a T>) -> Option<&'a T> {
        let all: Vec<_> = from.collect();
        (!all.is_empty()).then(|| all[self.below(all.len())])
    }
}

pub(crate) const APPLICATIONS: [&str; 3] = ["alpha", "beta", "gamma"];

pub(crate) fn domain(application: &str, rule: &str) -> String {
    format!("{rule}.{application}.example")
}

pub(crate) fn port(application: &str, rule: &str) -> usize {
    let application = APPLICATIONS
        .iter()
        .position(|known| *known == application)
        .unwrap();
    20_000 + 100 * application + rule.trim_start_matches("traffic-").parse::<usize>().unwrap()
}

pub(crate) fn dns_rule(application: &str, id: &str, active: bool) -> Value {
    json!({
        "dnsRuleId": id, "domainName": domain(application, id), "ipAddressType": "IP_V4",
        "ipAddress": "192.0.2.7", "ttl": 60, "state": state(active),
    })
}

pub(crate) fn traffic_rule(application: &str, id: &str, active: bool) -> Value {
    json!({
        "trafficRuleId": id, "filterType": "PACKET", "priority": 10, "action": "DROP",
        "trafficFilter": [{"dstPort": [port(application, id).to_string()], "protocol": ["UDP"]}],
        "state": state(active),
    })
}

pub(crate) fn state(active: bool) -> &'static str {
    if active { "ACTIVE" } else { "INACTIVE" }
}

impl Step {
    /// Something that makes sense now.
    pub(crate) fn next(world: &World, numbers: &mut Numbers, count: usize) -> Self {
        let name = APPLICATIONS[numbers.below(APPLICATIONS.len())];
        let Some(application) = world.get(name) else {
            return Self::Configure(name, 1 + numbers.below(3), numbers.below(2) == 0);
        };
        let service = numbers.pick(application.services.keys()).cloned();
        match (numbers.below(12), service) {
            (0, _) => Self::Configure(name, 1 + numbers.below(3), numbers.below(2) == 0),
            (1, _) if application.services.len() > 1 => Self::End(name),
            (2 | 3, _) => {
                let rules: Vec<_> = application.dns.iter().collect();
                let (id, active) = numbers.pick(rules.iter()).unwrap();
                Self::Dns(name, (*id).clone(), !**active)
            }
            (4 | 5, _) => {
                let rules: Vec<_> = application.traffic.iter().collect();
                let (id, active) = numbers.pick(rules.iter()).unwrap();
                Self::Traffic(name, (*id).clone(), !**active)
            }
            (6, Some(service)) => Self::Remove(name, service),
            (7 | 8, Some(service)) => {
                let (version, state) = &application.services[&service];
                let other = if state == "ACTIVE" { "INACTIVE" } else { "ACTIVE" };
                Self::Update(name, service, version.clone(), other)
            }
            (9, Some(service)) => {
                let active = application.services[&service].1 == "ACTIVE";
                Self::Update(name, service, format!("1.{count}"), state(active))
            }
            _ => Self::Register(name),
        }
    }

    /// Asks for it; `None` if the platform dies meanwhile.
    pub(crate) fn ask(&self, connection: &mut Connection) -> Option<Answer> {
        let below = |name: &str| format!("{SERVICES}/applications/{name}/services");
        let support = |name: &str| format!("{SUPPORT}/applications/{name}");
        let (method, path, body) = match self {
            Self::Register(name) => ("POST", below(name), service("steady")),
            Self::Update(name, id, version, state) => {
                let mut body = service("steady");
                body["version"] = json!(version);
                body["state"] = json!(state);
                ("PUT", format!("{}/{id}", below(name)), body)
            }
            Self::Remove(name, id) => ("DELETE", format!("{}/{id}", below(name)), Value::Null),
            Self::Dns(name, id, active) => {
                let path = format!("{}/dns_rules/{id}", support(name));
                ("PUT", path, dns_rule(name, id, *active))
            }
            Self::Traffic(name, id, active) => {
                let path = format!("{}/traffic_rules/{id}", support(name));
                ("PUT", path, traffic_rule(name, id, *active))
            }
            Self::Configure(name, rules, active) => {
                let dns: Vec<_> = (0..*rules)
                    .map(|n| dns_rule(name, &format!("dns-{n}"), *active))
                    .collect();
                let traffic: Vec<_> = (0..*rules)
                    .map(|n| traffic_rule(name, &format!("traffic-{n}"), *active))
                    .collect();
                let body = json!({"appName": name, "dnsRules": dns, "trafficRules": traffic});
                ("PUT", format!("{MM5}/applications/{name}/configuration"), body)
            }
            Self::End(name) => (
                "DELETE",
                format!("{MM5}/applications/{name}/configuration"),
                Value::Null,
            ),
        };
        if body.is_null() {
            connection.request(method, &path, &[], b"")
        } else {
            connection.request(method, &path, &JSON, body.to_string().as_bytes())
        }
    }

    pub(crate) fn is_task(&self) -> bool {
        matches!(self, Self::Configure(..) | Self::End(_))
    }

    /// What it makes of the world, and what subscribers are told. `id` is the identifier of a new service.
    pub(crate) fn effect(&self, world: &World, id: &str) -> (World, Vec<Event>) {
        let mut world = world.clone();
        let event = |service: &str, change: &str, state: &str| Event {
            service: service.to_owned(),
            change: change.to_owned(),
            state: state.to_owned(),
        };
        let mut events = Vec::new();
        match self {
            Self::Register(name) => {
                let application = world.get_mut(name).unwrap();
                application
                    .services
                    .insert(id.to_owned(), ("1".to_owned(), "ACTIVE".to_owned()));
                events.push(event(id, "ADDED", "ACTIVE"));
            }
            Self::Update(name, id, version, state) => {
                let services = &mut world.get_mut(name).unwrap().services;
                let before = services
                    .insert(id.clone(), (version.clone(), (*state).to_owned()))
                    .unwrap();
                let change = if before.1 == *state {
                    "ATTRIBUTES_CHANGED"
                } else {
                    "STATE_CHANGED"
                };
                events.push(event(id, change, state));
            }
            Self::Remove(name, id) => {
                let (_, state) = world.get_mut(name).unwrap().services.remove(id).unwrap();
                events.push(event(id, "REMOVED", &state));
            }
            Self::Dns(name, id, active) => {
                world.get_mut(name).unwrap().dns.insert(id.clone(), *active);
            }
            Self::Traffic(name, id, active) => {
                world.get_mut(name).unwrap().traffic.insert(id.clone(), *active);
            }
            Self::Configure(name, rules, active) => {
                let application = world.entry(name).or_default();
                application.dns = (0..*rules).map(|n| (format!("dns-{n}"), *active)).collect();
                application.traffic = (0..*rules).map(|n| (format!("traffic-{n}"), *active)).collect();
            }
            Self::End(name) => {
                let removed = world.remove(name).unwrap();
                events.extend(
                    removed
                        .services
                        .iter()
                        .map(|(id, (_, state))| event(id, "REMOVED", state)),
                );
            }
        }
        (world, events)
    }
}
