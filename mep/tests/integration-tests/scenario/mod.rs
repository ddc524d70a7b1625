//! Everything at once: a long scenario on the real binary, killed at random points. After each start, store, name
//! server and kernel must say the same, which is what was acknowledged; in the end every subscriber must have been
//! told of every change exactly as it happened, and of nothing else.

mod steps;

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::Connection;
use crate::in_process::{SERVICES, SUPPORT, registration};
use crate::namespace::Namespace;
use crate::process::{Mep, command};
use crate::receiver::{Delivery, Receiver};
use crate::scenario::steps::{APPLICATIONS, Application, Event, Numbers, Step, World, domain, port};

const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];
const MM5: &str = "/mm5/v1";
/// How often the platform is killed.
const ROUNDS: u32 = 8;

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
        if round % 2 == 1 {
            namespace.flush();
        }
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
            let mut new = found.values().flat_map(|application| application.services.keys());
            let id = new.find(|id| !known.contains(id)).cloned().unwrap_or_default();
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
