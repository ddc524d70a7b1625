//! Everything at once: a long scenario on the real binary, killed at random points. After each start, store, name
//! server and kernel must say the same, which is what was acknowledged; in the end every subscriber must have been
//! told of every change exactly as it happened, and of nothing else.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Answer, Connection};
use crate::in_process::{SERVICES, SUPPORT, registration, service};
use crate::namespace::Namespace;
use crate::process::{Mep, command};
use crate::receiver::{Delivery, Receiver};

const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];
const MM5: &str = "/mm5/v1";
/// How often the platform is killed.
const ROUNDS: u32 = 8;

/// What is known of one application instance that a manager has configured.
#[derive(Clone, Debug, Default, PartialEq)]
struct Application {
    /// Services by `serInstanceId`: version and state.
    services: BTreeMap<String, (String, String)>,
    /// The states of its DNS rules and of its traffic rules, by identifier.
    dns: BTreeMap<String, bool>,
    traffic: BTreeMap<String, bool>,
}

type World = BTreeMap<&'static str, Application>;

/// One change of one service, as subscribers are to see it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    service: String,
    change: String,
    state: String,
}

/// What is done next, with all that is needed to say what it leads to.
#[derive(Clone, Debug)]
enum Step {
    Register(&'static str),
    Update(&'static str, String, String, &'static str),
    Remove(&'static str, String),
    Dns(&'static str, String, bool),
    Traffic(&'static str, String, bool),
    Configure(&'static str, usize, bool),
    End(&'static str),
}

/// A small generator of numbers (xorshift), so that a seed repeats a run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    fn pick<'a, T>(&mut self, from: impl Iterator<Item = &'a T>) -> Option<&'a T> {
        let all: Vec<_> = from.collect();
        (!all.is_empty()).then(|| all[self.below(all.len())])
    }
}

const APPLICATIONS: [&str; 3] = ["alpha", "beta", "gamma"];

fn domain(application: &str, rule: &str) -> String {
    format!("{rule}.{application}.example")
}

fn port(application: &str, rule: &str) -> usize {
    let application = APPLICATIONS
        .iter()
        .position(|known| *known == application)
        .unwrap();
    20_000 + 100 * application + rule.trim_start_matches("traffic-").parse::<usize>().unwrap()
}

fn dns_rule(application: &str, id: &str, active: bool) -> Value {
    json!({
        "dnsRuleId": id, "domainName": domain(application, id), "ipAddressType": "IP_V4",
        "ipAddress": "192.0.2.7", "ttl": 60, "state": state(active),
    })
}

fn traffic_rule(application: &str, id: &str, active: bool) -> Value {
    json!({
        "trafficRuleId": id, "filterType": "PACKET", "priority": 10, "action": "DROP",
        "trafficFilter": [{"dstPort": [port(application, id).to_string()], "protocol": ["UDP"]}],
        "state": state(active),
    })
}

fn state(active: bool) -> &'static str {
    if active { "ACTIVE" } else { "INACTIVE" }
}

impl Step {
    /// Something that makes sense now.
    fn next(world: &World, numbers: &mut Numbers, count: usize) -> Self {
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
    fn ask(&self, connection: &mut Connection) -> Option<Answer> {
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

    fn is_task(&self) -> bool {
        matches!(self, Self::Configure(..) | Self::End(_))
    }

    /// What it makes of the world, and what subscribers are told. `id` is the identifier of a new service.
    fn effect(&self, world: &World, id: &str) -> (World, Vec<Event>) {
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

/// Waits for the end of a task; whether it has succeeded. `None` if the platform dies meanwhile.
fn finish(connection: &mut Connection, task: &str) -> Option<bool> {
    let begun = Instant::now();
    loop {
        let answer = connection.request("GET", task, &[], b"")?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        match answer.json()["state"].as_str() {
            Some("SUCCEEDED") => return Some(true),
            Some("FAILED") => panic!("a task failed: {}", answer.text()),
            _ => assert!(
                begun.elapsed() < Duration::from_secs(20),
                "a task is stuck: {}",
                answer.text()
            ),
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn path_of(location: &str) -> String {
    let rest = location.split_once("://").map_or(location, |(_, rest)| rest);
    rest.find('/')
        .map_or_else(String::new, |slash| rest[slash..].to_owned())
}

/// What a platform says about itself over HTTP.
fn observed(connection: &mut Connection) -> World {
    let mut world = World::new();
    for name in APPLICATIONS {
        let get =
            |connection: &mut Connection, path: String| connection.request("GET", &path, &[], b"").unwrap();
        let services = get(connection, format!("{SERVICES}/applications/{name}/services"));
        if services.status == 404 {
            continue;
        }
        let rules = |connection: &mut Connection, kind: &str, id: &str| -> BTreeMap<String, bool> {
            let rules = get(connection, format!("{SUPPORT}/applications/{name}/{kind}"));
            assert_eq!(rules.status, 200, "{}", rules.text());
            let rules = rules.json();
            let entry = |rule: &Value| (rule[id].as_str().unwrap().to_owned(), rule["state"] == "ACTIVE");
            rules.as_array().unwrap().iter().map(entry).collect()
        };
        let services = services.json();
        let services = services.as_array().unwrap().iter().map(|service| {
            let text = |name: &str| service[name].as_str().unwrap().to_owned();
            (text("serInstanceId"), (text("version"), text("state")))
        });
        let application = Application {
            services: services.collect(),
            dns: rules(connection, "dns_rules", "dnsRuleId"),
            traffic: rules(connection, "traffic_rules", "trafficRuleId"),
        };
        world.insert(name, application);
    }
    world
}

/// The address that the name server gives for a name; empty if none.
fn dig(server: &str, name: &str) -> String {
    let (address, port) = server.rsplit_once(':').unwrap();
    let output = Command::new("dig")
        .args([
            &format!("@{address}"),
            "-p",
            port,
            "+short",
            "+tries=2",
            "+time=2",
            name,
            "A",
        ])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Name server and kernel say what the world says.
fn check_effects(world: &World, mep: &Mep, namespace: &Namespace) {
    let rules = namespace.rules();
    for name in APPLICATIONS {
        let application = world.get(name).cloned().unwrap_or_default();
        for number in 0..3 {
            let (dns, traffic) = (format!("dns-{number}"), format!("traffic-{number}"));
            let expected = if application.dns.get(&dns) == Some(&true) {
                "192.0.2.7"
            } else {
                ""
            };
            assert_eq!(
                dig(&mep.name_server(), &domain(name, &dns)),
                expected,
                "{name} {dns} in {world:#?}"
            );
            let in_kernel = rules.contains(&format!("dport {}", port(name, &traffic)));
            let expected = application.traffic.get(&traffic) == Some(&true);
            assert_eq!(in_kernel, expected, "{name} {traffic}: {rules}");
        }
    }
}

/// The events of deliveries, those of one notification in the order of their services.
fn events_of(deliveries: &[Delivery]) -> Vec<Vec<Event>> {
    let of = |delivery: &Delivery| {
        let references = delivery.body["serviceReferences"].as_array().unwrap();
        let mut events: Vec<_> = references
            .iter()
            .map(|reference| {
                let text = |name: &str| reference[name].as_str().unwrap().to_owned();
                Event {
                    service: text("serInstanceId"),
                    change: text("changeType"),
                    state: text("state"),
                }
            })
            .collect();
        events.sort();
        events
    };
    deliveries.iter().map(of).collect()
}

#[test]
fn store_kernel_names_and_deliveries_agree_after_every_kill() {
    let seed = 0x5eed_0011;
    let mut numbers = Numbers(seed);
    let (directory, namespace, receiver) =
        (tempfile::tempdir().unwrap(), Namespace::new(), Receiver::start());
    let file = directory.path().join("mep.toml");
    // The platform's own transport names its URL: a fixed one, so that a restart changes no service.
    let configuration = format!(
        "public_url = \"http://mep.example\"\n[log]\naccess = false\n[dataplane]\nnetwork_namespace = {:?}\n",
        namespace.name
    );
    std::fs::write(&file, configuration).unwrap();
    let start = || {
        let mut mep = command(directory.path());
        Mep::from(mep.args(["--dataplane", "nftables", "--config"]).arg(&file))
    };
    let (mut world, mut told, mut count, mut killed_inside) = (World::new(), Vec::new(), 0, 0);
    for round in 0..ROUNDS {
        let mep = Arc::new(start());
        let mut connection = mep.connect();
        if round == 0 {
            subscribe(&mut connection, &receiver);
        }
        let dead = Arc::new(AtomicBool::new(false));
        let killer = {
            let (mep, dead, after) = (mep.clone(), dead.clone(), 150 + numbers.below(700));
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(after.try_into().unwrap()));
                mep.signal("KILL");
                dead.store(true, Ordering::Release);
            })
        };
        let cut_off = Mutex::new(None);
        while !dead.load(Ordering::Acquire) {
            count += 1;
            let step = Step::next(&world, &mut numbers, count);
            let Some((id, task)) = attempt(&step, &mut connection) else {
                *cut_off.lock().unwrap() = Some(step);
                break;
            };
            if let Some(task) = &task
                && finish(&mut connection, task).is_none()
            {
                *cut_off.lock().unwrap() = Some(step);
                break;
            }
            let (after, events) = step.effect(&world, &id);
            world = after;
            told.extend(Some(events).filter(|events| !events.is_empty()));
        }
        killer.join().unwrap();
        drop(mep);
        let mep = start();
        let mut connection = mep.connect();
        await_tasks(&mut connection);
        let found = observed(&mut connection);
        if let Some(step) = cut_off.into_inner().unwrap()
            && found != world
        {
            // It was not answered, so it may have happened or not, but nothing else may have.
            killed_inside += 1;
            let known: Vec<_> = world
                .values()
                .flat_map(|application| application.services.keys())
                .collect();
            let new = found.values().flat_map(|application| application.services.keys());
            let id = new
                .filter(|id| !known.contains(id))
                .next()
                .cloned()
                .unwrap_or_default();
            let (after, events) = step.effect(&world, &id);
            world = after;
            told.extend(Some(events).filter(|events| !events.is_empty()));
        }
        assert_eq!(found, world, "round {round}, seed {seed:#x}");
        check_effects(&world, &mep, &namespace);
    }
    let mep = start();
    let received = events_of(&receiver.wait_for("/all", told.len()));
    drop(mep);
    for events in &mut told {
        events.sort();
    }
    let differs = received
        .iter()
        .zip(&told)
        .position(|(received, told)| received != told);
    if let Some(place) = differs {
        panic!(
            "notification {place} says {:#?}, not {:#?}",
            received[place], told[place]
        );
    }
    assert_eq!(received.len(), told.len());
    assert!(
        told.len() > 20,
        "only {} changes in {ROUNDS} rounds, {killed_inside} cut off",
        told.len()
    );
}

/// Asks for a step: the identifier of a new service, and the path of the task if it is one.
fn attempt(step: &Step, connection: &mut Connection) -> Option<(String, Option<String>)> {
    let answer = step.ask(connection)?;
    assert!(
        (200..300).contains(&answer.status),
        "{step:?}: {} {}",
        answer.status,
        answer.text()
    );
    let id = match step {
        Step::Register(_) => answer.json()["serInstanceId"].as_str().unwrap().to_owned(),
        _ => String::new(),
    };
    let task = step
        .is_task()
        .then(|| path_of(answer.header("location").unwrap()));
    Some((id, task))
}

/// Waits until every task has come to its end.
fn await_tasks(connection: &mut Connection) {
    let answer = connection
        .request("GET", &format!("{MM5}/tasks"), &[], b"")
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    for task in answer.json().as_array().unwrap() {
        let id = task["taskId"].as_str().unwrap();
        finish(connection, &format!("{MM5}/tasks/{id}")).unwrap();
    }
}

fn subscribe(connection: &mut Connection, receiver: &Receiver) {
    let body = registration("watcher").to_string();
    let path = format!("{SUPPORT}/registrations");
    assert_eq!(
        connection
            .request("POST", &path, &JSON, body.as_bytes())
            .unwrap()
            .status,
        201
    );
    let body = json!({
        "subscriptionType": "SerAvailabilityNotificationSubscription",
        "callbackReference": receiver.url("/all"),
    });
    let path = format!("{SERVICES}/applications/watcher/subscriptions");
    let answer = connection
        .request("POST", &path, &JSON, body.to_string().as_bytes())
        .unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
}
