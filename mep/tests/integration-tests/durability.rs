//! What a 2xx is worth: the real binary is killed under load, and must know afterwards all that it acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::in_process::{SERVICES, SUPPORT, registration, service};
use crate::process::Mep;

const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

/// What one client was told: services that exist, with what they were last set to, and services that are gone.
#[derive(Default)]
struct Told {
    present: Vec<Value>,
    gone: Vec<String>,
}

/// Registers, replaces and removes services until the platform dies.
fn work(mep: &Mep, client: usize, stop: &AtomicBool) -> Told {
    let mut told = Told::default();
    let mut connection = mep.connect();
    let base = format!("{SERVICES}/applications/app/services");
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let body = service(&format!("{client}-{number}")).to_string();
        let Some(created) = connection.request("POST", &base, &JSON, body.as_bytes()) else {
            break;
        };
        assert_eq!(created.status, 201, "{}", created.text());
        let created = created.json();
        let path = format!("{base}/{}", created["serInstanceId"].as_str().unwrap());
        match number % 4 {
            1 => {
                let body = service(&format!("{client}-{number}-replaced")).to_string();
                // Without an answer, either state may be what is found: nothing was promised.
                let Some(replaced) = connection.request("PUT", &path, &JSON, body.as_bytes()) else {
                    break;
                };
                assert_eq!(replaced.status, 200);
                told.present.push(replaced.json());
            }
            2 => {
                let Some(removed) = connection.request("DELETE", &path, &[], b"") else {
                    break;
                };
                assert_eq!(removed.status, 204);
                told.gone.push(path);
            }
            _ => told.present.push(created),
        }
    }
    told
}

#[test]
fn what_was_acknowledged_survives_kill_9_under_load() {
    let directory = tempfile::tempdir().unwrap();
    let configuration = "[log]\naccess = false\n";
    let mut all = Told::default();
    for round in 0..4_u64 {
        let mep = Arc::new(Mep::configured(directory.path(), configuration));
        if round == 0 {
            let path = format!("{SUPPORT}/registrations");
            let body = registration("app").to_string();
            assert_eq!(
                mep.connect()
                    .request("POST", &path, &JSON, body.as_bytes())
                    .unwrap()
                    .status,
                201
            );
        }
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..16)
            .map(|client| {
                let (mep, stop) = (mep.clone(), stop.clone());
                std::thread::spawn(move || work(&mep, client, &stop))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(200 + 100 * round));
        mep.signal("KILL");
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            let told = client.join().unwrap();
            all.present.extend(told.present);
            all.gone.extend(told.gone);
        }
    }
    assert!(
        all.present.len() > 100 && all.gone.len() > 20,
        "{} and {}",
        all.present.len(),
        all.gone.len()
    );
    let mep = Mep::configured(directory.path(), configuration);
    let mut connection = mep.connect();
    for service in &all.present {
        let path = format!(
            "{SERVICES}/services/{}",
            service["serInstanceId"].as_str().unwrap()
        );
        let found = connection.request("GET", &path, &[], b"").unwrap();
        assert_eq!(found.status, 200, "{path} was acknowledged and is lost");
        assert_eq!(without_links(found.json()), without_links(service.clone()));
    }
    for path in &all.gone {
        assert_eq!(
            connection.request("GET", path, &[], b"").unwrap().status,
            404,
            "{path} was removed and is back"
        );
    }
}

/// Links, and the endpoint of the platform's own transport, name the port, which changes from start to start.
fn without_links(mut service: Value) -> Value {
    service["_links"] = json!(null);
    service["transportInfo"] = json!(null);
    service
}
