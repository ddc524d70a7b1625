//! Platform events reach the outbox once, in order, also across a crash.

use std::time::Duration;

use mecforge_contracts::{keys, lifecycle::Life};
use mecforge_store::Transaction;
use serde_json::{Value, json};

use crate::platform::{Platform, configuration, dns, traffic};

async fn subscribe(platform: &Platform, body: Value) -> String {
    let made = platform
        .send("POST", "/subscriptions", Some(&body))
        .await
        .expect(201);
    made.body["subscriptionId"].as_str().unwrap().to_owned()
}

/// Events of a subscription, once there are so many, and no more for a while.
async fn events(platform: &Platform, subscription: &str, count: usize) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for _ in 0..400 {
        found = platform
            .outbox()
            .iter()
            .filter(|outgoing| outgoing.subscription.ends_with(subscription))
            .map(|outgoing| serde_json::from_str(outgoing.body.get()).unwrap())
            .collect();
        if found.len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(found.len(), count, "{found:#?}");
    found
}

fn types(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["eventType"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn everything_that_happens_is_told_in_order() {
    let platform = Platform::new();
    platform
        .world
        .put(&keys::service("z", "before"), b"{}".to_vec())
        .await;
    let all = subscribe(&platform, json!({"callbackUri": "http://127.0.0.1:9/all"})).await;
    let some = subscribe(
        &platform,
        json!({"callbackUri": "http://127.0.0.1:9/some", "eventTypes": ["SERVICE_ADDED"], "appInstanceIds": ["b"]}),
    )
    .await;
    let world = &platform.world;
    world
        .put(
            &keys::application("b"),
            json!({"appName": "n"}).to_string().into(),
        )
        .await;
    world
        .put(
            &keys::application("b"),
            json!({"appName": "m"}).to_string().into(),
        )
        .await;
    world
        .set_life(
            "b",
            Life {
                ready: true,
                pending: None,
            },
        )
        .await;
    for app in ["a", "b"] {
        let service = json!({"serName": "s", "version": "1", "state": "ACTIVE"});
        world
            .put(&keys::service(app, "s1"), service.to_string().into())
            .await;
    }
    let service = json!({"serName": "s", "version": "1", "state": "SUSPENDED"});
    world
        .put(&keys::service("b", "s1"), service.to_string().into())
        .await;
    world
        .store
        .commit(Transaction::new().delete_prefix(keys::services_of("b")))
        .await
        .unwrap();
    world
        .store
        .commit(Transaction::new().delete(keys::application("b")))
        .await
        .unwrap();
    let told = events(&platform, &all, 8).await;
    assert_eq!(
        types(&told),
        [
            "APPLICATION_REGISTERED",
            "REGISTRATION_CHANGED",
            "APPLICATION_READY",
            "SERVICE_ADDED",
            "SERVICE_ADDED",
            "SERVICE_CHANGED",
            "SERVICE_REMOVED",
            "APPLICATION_DEREGISTERED",
        ]
    );
    let revisions: Vec<_> = told
        .iter()
        .map(|event| event["revision"].as_u64().unwrap())
        .collect();
    assert!(revisions.is_sorted(), "{revisions:?}");
    assert_eq!(
        (
            &told[5]["appInstanceId"],
            &told[5]["resourceId"],
            &told[5]["state"],
            &told[5]["detail"]
        ),
        (&json!("b"), &json!("s1"), &json!("SUSPENDED"), &json!("s"))
    );
    let told = events(&platform, &some, 1).await;
    assert_eq!(
        (&told[0]["appInstanceId"], &told[0]["subscriptionId"]),
        (&json!("b"), &json!(some))
    );
}

#[tokio::test]
async fn a_configuration_and_its_end_are_told() {
    let platform = Platform::new();
    let all = subscribe(&platform, json!({"callbackUri": "http://127.0.0.1:9/all"})).await;
    let body =
        json!({"appName": "n", "dnsRules": [dns("d", "a.example")], "trafficRules": [traffic("t", 1)]});
    let task = platform.configure("a", &body).await;
    let told = events(&platform, &all, 4).await;
    let mut sorted = types(&told);
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            "CONFIGURATION_CHANGED",
            "RULE_ADDED",
            "RULE_ADDED",
            "TASK_FINISHED"
        ]
    );
    let finished = told
        .iter()
        .find(|event| event["eventType"] == "TASK_FINISHED")
        .unwrap();
    assert_eq!(
        (&finished["resourceId"], &finished["state"]),
        (&task["taskId"], &json!("SUCCEEDED"))
    );
    platform
        .send("DELETE", &configuration("a"), None)
        .await
        .expect(202);
    let told = events(&platform, &all, 8).await;
    let mut sorted = types(&told[4..7]);
    sorted.sort_unstable();
    assert_eq!(sorted, ["CONFIGURATION_REMOVED", "RULE_REMOVED", "RULE_REMOVED"]);
    assert_eq!(told[7]["eventType"], "TASK_FINISHED");
    platform.mm5.tell_of_drift("a foreign flush").await.unwrap();
    let told = events(&platform, &all, 9).await;
    assert_eq!(
        (&told[8]["eventType"], &told[8]["detail"]),
        (&json!("DRIFT"), &json!("a foreign flush"))
    );
}

#[tokio::test]
async fn a_crash_loses_no_event_and_repeats_none() {
    let platform = Platform::new();
    let all = subscribe(&platform, json!({"callbackUri": "http://127.0.0.1:9/all"})).await;
    let service = |state: &str| {
        json!({"serName": "s", "version": "1", "state": state})
            .to_string()
            .into_bytes()
    };
    for id in ["s1", "s2", "s3"] {
        platform
            .world
            .put(&keys::service("a", id), service("ACTIVE"))
            .await;
    }
    events(&platform, &all, 3).await;
    let mut platform = platform;
    platform.stop();
    tokio::time::sleep(Duration::from_millis(20)).await;
    // What happens now is seen by nobody before the platform starts again.
    platform
        .world
        .put(&keys::service("a", "s4"), service("ACTIVE"))
        .await;
    platform
        .world
        .put(&keys::service("a", "s1"), service("INACTIVE"))
        .await;
    let late = subscribe(&platform, json!({"callbackUri": "http://127.0.0.1:9/late"})).await;
    let mut platform = platform.restart().await;
    platform.start();
    let told = events(&platform, &all, 5).await;
    // Who has subscribed afterwards is not told of what was before.
    events(&platform, &late, 0).await;
    assert_eq!(types(&told[3..]), ["SERVICE_ADDED", "SERVICE_CHANGED"]);
    platform.stop();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let transaction = Transaction::new().delete(keys::service("a", "s2"));
    platform.world.store.commit(transaction).await.unwrap();
    let mut platform = platform.restart().await;
    platform.start();
    let told = events(&platform, &all, 6).await;
    assert_eq!(told[5]["eventType"], "EVENTS_LOST");
    assert!(
        told[5]["detail"]
            .as_str()
            .unwrap()
            .starts_with("1 × SERVICE_REMOVED"),
        "{told:?}"
    );
    let mut platform = platform.restart().await;
    platform.start();
    events(&platform, &all, 6).await;
    platform
        .world
        .put(&keys::service("a", "s5"), service("ACTIVE"))
        .await;
    events(&platform, &all, 7).await;
}

#[tokio::test]
async fn a_subscription_is_told_of_what_follows_even_if_the_feed_never_ran() {
    let platform = Platform::idle(mecforge_mm5::Options::default());
    let all = subscribe(&platform, json!({"callbackUri": "http://127.0.0.1:9/all"})).await;
    platform
        .world
        .put(&keys::service("a", "s1"), b"{\"serName\": \"s\"}".to_vec())
        .await;
    let mut platform = platform.restart().await;
    platform.start();
    assert_eq!(types(&events(&platform, &all, 1).await), ["SERVICE_ADDED"]);
    // Nobody listens any more: nothing is kept for anybody.
    platform
        .send("DELETE", &format!("/subscriptions/{all}"), None)
        .await
        .expect(204);
    assert_eq!(platform.outbox().len(), 0);
    platform
        .world
        .put(&keys::service("a", "s2"), b"{}".to_vec())
        .await;
    for _ in 0..400 {
        if platform.world.store.get("mm5/cursor").is_none() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the cursor stays although nobody is subscribed");
}

#[tokio::test]
async fn what_is_too_much_for_one_transaction_is_told_as_missed() {
    let platform = Platform::new();
    let mut subscriptions = Vec::new();
    for number in 0..100 {
        let types = match number {
            0 => json!(["APPLICATION_REGISTERED"]),
            _ => json!(["SERVICE_ADDED"]),
        };
        let body = json!({"callbackUri": "http://127.0.0.1:9/all", "eventTypes": types});
        subscriptions.push(subscribe(&platform, body).await);
    }
    let many = (0..501).fold(Transaction::new(), |many, number| {
        many.put(keys::service("a", &number.to_string()), "{}")
    });
    platform.world.store.commit(many).await.unwrap();
    let told = events(&platform, &subscriptions[99], 1).await;
    assert_eq!(types(&told), ["EVENTS_LOST"]);
    events(&platform, &subscriptions[0], 0).await;
    // The feed goes on.
    platform
        .world
        .put(&keys::service("a", "one more"), b"{}".to_vec())
        .await;
    let told = events(&platform, &subscriptions[99], 2).await;
    assert_eq!(types(&told), ["EVENTS_LOST", "SERVICE_ADDED"]);
}
