//! Heartbeats, with the clock standing still until the test moves it; one test against the real clock.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mecforge_registry::{Liveness, Options};
use mecforge_store::Store;
use mecforge_subscriptions::Running;
use serde_json::{Value, json};

use crate::api::{Api, service};
use crate::meddling::Meddling;

/// An API that watches for heartbeats, on a clock that only [`Watched::advance`] moves.
struct Watched {
    api: Api,
    running: Running,
    /// The clock does not move by itself while a blocking task runs: commits take time that is none.
    _still: Sender<()>,
}

impl Watched {
    fn new() -> Self {
        Self::with(Liveness::default())
    }

    fn with(liveness: Liveness) -> Self {
        Self::on(Api::with(Options {
            liveness,
            ..Options::default()
        }))
    }

    fn on(api: Api) -> Self {
        let (still, held) = channel();
        tokio::task::spawn_blocking(move || held.recv());
        Self {
            running: api.registry.start(),
            api,
            _still: still,
        }
    }

    /// Moves the clock, and lets happen what then happens.
    async fn advance(&self, seconds: f64) {
        // What has been changed is taken note of before the clock moves.
        settle(&self.api.store).await;
        tokio::time::advance(Duration::from_secs_f64(seconds)).await;
        settle(&self.api.store).await;
    }

    async fn restarted(self) -> Self {
        drop(self.running);
        settle(&self.api.store).await;
        Self::on(self.api.restarted())
    }

    async fn register(&self, changes: Value) -> String {
        self.api.register("a", service(changes)).await
    }

    async fn liveness(&self, id: &str) -> Value {
        self.api.get(&liveness(id)).await.expect(200).body
    }
}

/// Lets tasks and the store's thread do what they can do without the clock.
async fn settle(store: &Meddling) {
    let mut quiet = 0;
    while quiet < 20 {
        tokio::task::yield_now().await;
        std::thread::sleep(Duration::from_millis(1));
        quiet = if store.is_busy() { 0 } else { quiet + 1 };
    }
}

fn liveness(id: &str) -> String {
    format!("/applications/a/services/{id}/liveness")
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test(start_paused = true)]
async fn silence_suspends_and_a_heartbeat_resumes() {
    let watched = Watched::new();
    let api = &watched.api;
    let subscription = api.subscribe("b", Value::Null).await;
    let id = watched.register(json!({"livenessInterval": 10})).await;
    // A heartbeat may be late by a quarter of the interval.
    watched.advance(12.4).await;
    assert_eq!(api.state(&id).await, "ACTIVE");
    watched.advance(0.2).await;
    assert_eq!(api.state(&id).await, "SUSPENDED");
    assert_eq!(watched.liveness(&id).await["state"], "SUSPENDED");
    assert_eq!(api.registry.count(Some("SUSPENDED".parse().unwrap())), 1);
    // Once is enough.
    watched.advance(100.0).await;
    api.heartbeat("a", &id).await.expect(200);
    assert_eq!(api.state(&id).await, "ACTIVE");
    watched.advance(12.4).await;
    assert_eq!(api.state(&id).await, "ACTIVE");
    watched.advance(0.2).await;
    assert_eq!(api.state(&id).await, "SUSPENDED");
    let expected = "ADDED weather ACTIVE|STATE_CHANGED weather SUSPENDED|STATE_CHANGED weather ACTIVE\
                    |STATE_CHANGED weather SUSPENDED";
    assert_eq!(api.heard("b", &subscription), expected);
    let mut metrics = prometheus_client::registry::Registry::with_prefix("mep");
    api.registry.register_metrics(&mut metrics);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &metrics).unwrap();
    for line in [
        "mep_liveness_heartbeats_total 1",
        "mep_liveness_suspended_total 2",
        "mep_liveness_resumed_total 1",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn heartbeats_keep_a_service_active_and_touch_nothing_else() {
    let watched = Watched::new();
    let api = &watched.api;
    let subscription = api.subscribe("b", Value::Null).await;
    let id = watched.register(json!({"livenessInterval": 10})).await;
    let path = format!("/applications/a/services/{id}");
    let before = (api.get(&path).await, api.store.revision());
    for _ in 0..20 {
        watched.advance(10.0).await;
        api.heartbeat("a", &id).await.expect(200);
    }
    let after = (api.get(&path).await, api.store.revision());
    assert_eq!(
        (before.0.header("etag"), before.1),
        (after.0.header("etag"), after.1)
    );
    assert_eq!(
        (&before.0.body, &after.0.body["state"]),
        (&after.0.body, &json!("ACTIVE"))
    );
    assert_eq!(api.heard("b", &subscription), "ADDED weather ACTIVE");
}

#[tokio::test(start_paused = true)]
async fn an_interval_is_granted_to_who_offers_heartbeats() {
    let watched = Watched::new();
    let api = &watched.api;
    for (proposed, granted) in [(0, 30), (1, 5), (60, 60), (86_400, 3600)] {
        let created = api
            .post("a", service(json!({"livenessInterval": proposed})))
            .await
            .expect(201);
        let own = created.header("location");
        assert_eq!(
            (&created.body["livenessInterval"], &created.body["_links"]),
            (
                &json!(granted),
                &json!({"self": {"href": own}, "liveness": {"href": format!("{own}/liveness")}})
            )
        );
        let id = created.body["serInstanceId"].as_str().unwrap();
        assert_eq!(api.get(&format!("/services/{id}")).await.body, created.body);
        assert_eq!(watched.liveness(id).await["interval"], granted);
        // What was answered can be said again.
        let again = api.put("a", id, created.body.clone()).await.expect(200);
        assert_eq!(again.body, created.body);
        // Who no longer offers heartbeats is no longer asked for them.
        let silent = api.put("a", id, service(json!({}))).await.expect(200).body;
        assert_eq!(
            (silent.get("livenessInterval"), silent["_links"].get("liveness")),
            (None, None)
        );
        api.get(&liveness(id)).await.expect(404);
        api.heartbeat("a", id).await.expect(404);
    }
    watched.advance(10_000.0).await;
    assert_eq!(api.registry.count(Some("SUSPENDED".parse().unwrap())), 0);
}

#[tokio::test(start_paused = true)]
async fn heartbeats_can_be_required() {
    let watched = Watched::with(Liveness {
        required: true,
        ..Liveness::default()
    });
    let id = watched.register(json!({})).await;
    assert_eq!(watched.liveness(&id).await["interval"], 30);
    watched.advance(38.0).await;
    assert_eq!(watched.api.state(&id).await, "SUSPENDED");
}

#[tokio::test(start_paused = true)]
async fn the_liveness_resource_tells_of_the_last_heartbeat() {
    let watched = Watched::new();
    let api = &watched.api;
    let begun = seconds_now();
    let id = watched.register(json!({"livenessInterval": 10})).await;
    let first = api.get(&liveness(&id)).await.expect(200);
    let seconds = first.body["timeStamp"]["seconds"].as_u64().unwrap();
    assert!((begun..=seconds_now()).contains(&seconds), "{first:?}");
    assert_eq!(
        (&first.body["state"], &first.body["interval"]),
        (&json!("ACTIVE"), &json!(10))
    );
    std::thread::sleep(Duration::from_millis(2));
    let beaten = api.heartbeat("a", &id).await.expect(200);
    let second = api.get(&liveness(&id)).await.expect(200);
    assert_ne!(first.body["timeStamp"], second.body["timeStamp"]);
    assert_eq!(beaten.header("etag"), second.header("etag"));
    let beat = |condition: &str| {
        let (path, condition) = (liveness(&id), condition.to_owned());
        async move {
            let body = json!({"state": "ACTIVE"});
            api.call("PATCH", &path, &[("if-match", &condition)], body).await
        }
    };
    beat(first.header("etag")).await.expect_parameter(412, "If-Match");
    beat(second.header("etag")).await.expect(200);
    let body = json!({"state": "SUSPENDED"});
    api.call("PATCH", &liveness(&id), &[], body)
        .await
        .expect_pointer(400, "/state", "enum");
    let of_another = format!("/applications/b/services/{id}/liveness");
    api.get(&of_another).await.expect_parameter(404, "serviceId");
    api.heartbeat("b", &id).await.expect_parameter(404, "serviceId");
}

#[tokio::test(start_paused = true)]
async fn other_methods_are_heartbeats_too() {
    let watched = Watched::new();
    let api = &watched.api;
    let id = watched.register(json!({"livenessInterval": 10})).await;
    for method in ["PUT", "POST"] {
        watched.advance(20.0).await;
        assert_eq!(api.state(&id).await, "SUSPENDED");
        let body = json!({"state": "ACTIVE"});
        api.call(method, &liveness(&id), &[], body).await.expect(200);
        assert_eq!(api.state(&id).await, "ACTIVE");
        api.call(method, &liveness(&id), &[], json!({"state": "INACTIVE"}))
            .await
            .expect_pointer(400, "/state", "enum");
    }
    let allow = "GET, HEAD, PATCH, OPTIONS";
    let refused = api.delete(&liveness(&id)).await.expect(405);
    assert_eq!(refused.header("allow"), allow);
    // Without a JSON body it is no heartbeat.
    let refused = api
        .call("PUT", &liveness(&id), &[], Value::Null)
        .await
        .expect(405);
    assert_eq!(refused.header("allow"), allow);
    let options = api
        .call("OPTIONS", &liveness(&id), &[], Value::Null)
        .await
        .expect(204);
    assert_eq!(options.header("allow"), allow);
    api.call("HEAD", &liveness(&id), &[], Value::Null)
        .await
        .expect(200);
}

#[tokio::test(start_paused = true)]
async fn an_inactive_service_is_left_alone() {
    let watched = Watched::new();
    let api = &watched.api;
    let inactive = json!({"livenessInterval": 10, "state": "INACTIVE"});
    let id = watched.register(inactive.clone()).await;
    watched.advance(1000.0).await;
    assert_eq!(api.state(&id).await, "INACTIVE");
    // It is heard of, and stays what its application has made it.
    let told = api.heartbeat("a", &id).await.expect(200).body;
    assert_eq!(
        (&told["state"], &told["interval"]),
        (&json!("INACTIVE"), &json!(10))
    );
    // Once active, it is watched from then on.
    let active = json!({"livenessInterval": 10});
    watched.advance(1000.0).await;
    api.put("a", &id, service(active)).await.expect(200);
    watched.advance(12.0).await;
    assert_eq!(api.state(&id).await, "ACTIVE");
    api.put("a", &id, service(inactive)).await.expect(200);
    watched.advance(1000.0).await;
    assert_eq!(api.state(&id).await, "INACTIVE");
}

#[tokio::test(start_paused = true)]
async fn replacing_is_a_sign_of_life() {
    let watched = Watched::new();
    let api = &watched.api;
    let subscription = api.subscribe("b", Value::Null).await;
    let id = watched.register(json!({"livenessInterval": 10})).await;
    let same = || service(json!({"livenessInterval": 10}));
    watched.advance(10.0).await;
    api.put("a", &id, same()).await.expect(200);
    watched.advance(10.0).await;
    assert_eq!(api.state(&id).await, "ACTIVE");
    watched.advance(10.0).await;
    assert_eq!(api.state(&id).await, "SUSPENDED");
    api.put("a", &id, same()).await.expect(200);
    watched.advance(12.0).await;
    assert_eq!(api.state(&id).await, "ACTIVE");
    watched.advance(1.0).await;
    assert_eq!(api.state(&id).await, "SUSPENDED");
    assert_eq!(
        api.heard("b", &subscription),
        "ADDED weather ACTIVE|STATE_CHANGED weather SUSPENDED|STATE_CHANGED weather ACTIVE\
         |STATE_CHANGED weather SUSPENDED"
    );
}

#[tokio::test(start_paused = true)]
async fn a_shorter_interval_counts_from_the_change() {
    let watched = Watched::new();
    let id = watched.register(json!({"livenessInterval": 3600})).await;
    watched.advance(3000.0).await;
    let shorter = service(json!({"livenessInterval": 8}));
    watched.api.put("a", &id, shorter).await.expect(200);
    watched.advance(9.9).await;
    assert_eq!(watched.api.state(&id).await, "ACTIVE");
    watched.advance(0.2).await;
    assert_eq!(watched.api.state(&id).await, "SUSPENDED");
}

#[tokio::test(start_paused = true)]
async fn what_is_removed_is_forgotten() {
    let watched = Watched::new();
    let api = &watched.api;
    let id = watched.register(json!({"livenessInterval": 10})).await;
    api.delete(&format!("/applications/a/services/{id}"))
        .await
        .expect(204);
    let revision = api.store.revision();
    watched.advance(100.0).await;
    assert_eq!(api.store.revision(), revision);
    api.heartbeat("a", &id).await.expect_parameter(404, "serviceId");
}

#[tokio::test(start_paused = true)]
async fn a_restart_gives_grace_and_suspension_outlasts_it() {
    let watched = Watched::new();
    let subscription = watched.api.subscribe("b", Value::Null).await;
    let silent = watched
        .register(json!({"serName": "silent", "livenessInterval": 10}))
        .await;
    watched.advance(13.0).await;
    let id = watched.register(json!({"livenessInterval": 10})).await;
    let slow = watched
        .register(json!({"serName": "slow", "livenessInterval": 60}))
        .await;
    watched.advance(8.0).await;
    let watched = watched.restarted().await;
    let api = &watched.api;
    assert_eq!(api.state(&silent).await, "SUSPENDED");
    watched.advance(29.0).await;
    assert_eq!(api.state(&id).await, "ACTIVE");
    watched.advance(1.5).await;
    assert_eq!(api.state(&id).await, "SUSPENDED");
    watched.advance(44.0).await;
    assert_eq!(api.state(&slow).await, "ACTIVE");
    watched.advance(1.0).await;
    assert_eq!(api.state(&slow).await, "SUSPENDED");
    // Those that are suspended come back with a heartbeat.
    api.heartbeat("a", &silent).await.expect(200);
    assert_eq!(
        api.heard("b", &subscription),
        "ADDED silent ACTIVE|STATE_CHANGED silent SUSPENDED|ADDED weather ACTIVE|ADDED slow ACTIVE\
         |STATE_CHANGED weather SUSPENDED|STATE_CHANGED slow SUSPENDED|STATE_CHANGED silent ACTIVE"
    );
}

#[tokio::test(start_paused = true)]
async fn many_are_suspended_together() {
    let watched = Watched::new();
    let api = &watched.api;
    let subscription = api.subscribe("b", json!({"states": ["SUSPENDED"]})).await;
    for number in 0..400 {
        watched
            .register(json!({"serName": format!("s{number}"), "livenessInterval": 10}))
            .await;
    }
    let before = api.store.revision();
    watched.advance(13.0).await;
    assert_eq!(api.registry.count(Some("SUSPENDED".parse().unwrap())), 400);
    let told = api.told("b", &subscription);
    let references: Vec<&Value> = told
        .iter()
        .flat_map(|body| body["serviceReferences"].as_array().unwrap())
        .collect();
    assert_eq!(references.len(), 400);
    let transactions = api.store.revision().0 - before.0;
    assert!(transactions <= 20, "{transactions}");
    assert_eq!(told.len() as u64, transactions);
}

#[tokio::test(start_paused = true)]
async fn who_changes_meanwhile_is_not_suspended() {
    let watched = Watched::new();
    let api = &watched.api;
    let changes = watched.register(json!({"livenessInterval": 10})).await;
    let silent = watched.register(json!({"livenessInterval": 10})).await;
    api.store.meddle(api.set_state("a", &changes, "INACTIVE"));
    watched.advance(13.0).await;
    assert_eq!(api.state(&changes).await, "INACTIVE");
    assert_eq!(api.state(&silent).await, "SUSPENDED");
    // So it is with what a heartbeat finds.
    api.store.meddle(api.set_state("a", &silent, "INACTIVE"));
    let told = api.heartbeat("a", &silent).await.expect(200).body;
    assert_eq!(told["state"], "INACTIVE");
}

/// Heartbeats, suspensions and replacements meet; nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_heartbeat_that_meets_its_suspension_wins() {
    let liveness = Liveness {
        shortest_seconds: 1,
        tolerance_percent: 0,
        ..Liveness::default()
    };
    let api = Arc::new(Api::with(Options {
        liveness,
        ..Options::default()
    }));
    let _running = api.registry.start();
    let subscription = api.subscribe("b", Value::Null).await;
    let tasks: Vec<_> = (0..60)
        .map(|number: u64| {
            let api = api.clone();
            tokio::spawn(async move {
                let name = format!("s{number}");
                let body = service(json!({"serName": name, "livenessInterval": 1}));
                let id = api.register("a", body.clone()).await;
                tokio::time::sleep(Duration::from_micros(997_000 + number * 150)).await;
                let begun = Instant::now();
                match number % 3 {
                    0 => api.put("a", &id, body).await.expect(200),
                    _ => api.heartbeat("a", &id).await.expect(200),
                };
                tokio::time::sleep(Duration::from_millis(300)).await;
                // On a machine that was too busy to look in time this says nothing.
                if begun.elapsed() < Duration::from_millis(900) {
                    assert_eq!(api.state(&id).await, "ACTIVE");
                }
                name
            })
        })
        .collect();
    let mut names = Vec::new();
    for task in tasks {
        names.push(task.await.unwrap());
    }
    let heard = api.heard("b", &subscription);
    for name in names {
        let of: Vec<&str> = heard
            .split(['|', ','])
            .filter(|told| told.split(' ').nth(1) == Some(&name))
            .collect();
        // Whatever the order was, each change is told, and told once.
        let mut expected = format!("ADDED {name} ACTIVE");
        for told in of {
            assert_eq!(told, expected, "{heard}");
            let next = if told.ends_with("ACTIVE") {
                "SUSPENDED"
            } else {
                "ACTIVE"
            };
            expected = format!("STATE_CHANGED {name} {next}");
        }
    }
}

#[tokio::test]
async fn the_real_clock_suspends_as_well() {
    let liveness = Liveness {
        shortest_seconds: 1,
        ..Liveness::default()
    };
    let api = Api::with(Options {
        liveness,
        ..Options::default()
    });
    let _running = api.registry.start();
    let begun = Instant::now();
    let id = api.register("a", service(json!({"livenessInterval": 1}))).await;
    while api.state(&id).await == "ACTIVE" {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(
        begun.elapsed() >= Duration::from_millis(1250),
        "{:?}",
        begun.elapsed()
    );
    api.heartbeat("a", &id).await.expect(200);
    assert_eq!(api.state(&id).await, "ACTIVE");
}
