//! What is shown: applications, services, subscriptions, rules, the platform.

use mecforge_contracts::keys;
use mecforge_contracts::lifecycle::{EndAction, Life, PendingEnd};
use serde_json::{Value, json};

use crate::world::{World, dns_rule, service, traffic_rule};

/// Some member of all items.
fn all<'a>(page: &'a Value, member: &str) -> Vec<&'a Value> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item[member])
        .collect()
}

#[tokio::test]
async fn applications_are_shown_however_they_came_to_exist() {
    let world = World::with_defaults();
    world
        .put(&keys::application("a/b"), json!({"appName": "<b>bold</b>"}))
        .await;
    world
        .put(&keys::configuration("conf"), json!({"appName": "configured"}))
        .await;
    world
        .put(&keys::configuration("a/b"), json!({"something": "else"}))
        .await;
    world
        .put(&keys::service("a/b", "s1"), service("one", "ACTIVE"))
        .await;
    world
        .put(
            &keys::dns_rule("a/b", "d1"),
            dns_rule("d1", "a.example.com", "ACTIVE"),
        )
        .await;
    let pending = PendingEnd {
        action: EndAction::Terminating,
        deadline: 1_900_000_000_000,
    };
    world.lives.set(
        "a/b",
        Life {
            ready: true,
            pending: Some(pending),
        },
    );
    let page = world.get("/applications").await;
    assert_eq!(
        page["items"],
        json!([
            {"appInstanceId": "a/b", "appName": "<b>bold</b>", "registered": true, "configured": true,
             "declared": false, "ready": true, "services": 1, "dnsRules": 1, "trafficRules": 0,
             "pending": {"action": "TERMINATING", "deadline": 1_900_000_000_000_u64}},
            {"appInstanceId": "conf", "appName": "configured", "registered": false, "configured": true,
             "declared": false, "ready": false, "services": 0, "dnsRules": 0, "trafficRules": 0},
            {"appInstanceId": "declared", "registered": false, "configured": false, "declared": true,
             "ready": false, "services": 0, "dnsRules": 0, "trafficRules": 0},
        ])
    );
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps() {
    let world = World::with_defaults();
    for number in 0..7 {
        world
            .put(
                &keys::service("a", &number.to_string()),
                service("name", "ACTIVE"),
            )
            .await;
        world
            .put(&keys::application(&number.to_string()), json!({"appName": "n"}))
            .await;
    }
    world
        .put(&keys::service("b", "7"), service("name", "ACTIVE"))
        .await;
    for (path, member, expected) in [
        ("/services?limit=3", "serInstanceId", 8),
        ("/services?limit=7&application=a", "serInstanceId", 7),
        ("/applications?limit=3", "appInstanceId", 8),
    ] {
        let mut found = Vec::new();
        let mut after = String::new();
        loop {
            let page = world.get(&format!("{path}{after}")).await;
            found.extend(all(&page, member).into_iter().cloned());
            let Some(next) = page["next"].as_str() else { break };
            assert!(found.len() < expected, "an empty last page");
            after = format!("&after={}", next.replace('%', "%25").replace('/', "%2F"));
        }
        found.dedup();
        assert_eq!(found.len(), expected, "{path}: {found:?}");
    }
}

#[tokio::test]
async fn services_and_subscriptions_are_shown_as_they_are_kept() {
    let world = World::with_defaults();
    let stored = service("<script>alert(1)</script>", "SUSPENDED");
    let revision = world.put(&keys::service("a", "s"), stored.clone()).await;
    let key = keys::subscription("service-availability", "a/b", "1");
    world.put(&key, json!({"callbackReference": "http://x"})).await;
    world
        .put(&keys::subscription("app-termination", "a/b", "2"), json!({}))
        .await;
    let services = world.get("/services").await;
    assert_eq!(
        services["items"],
        json!([{"appInstanceId": "a", "serInstanceId": "s", "revision": revision.0, "service": stored}])
    );
    let page = world.get("/subscriptions?kind=service-availability").await;
    let [subscription] = page["items"].as_array().unwrap().as_slice() else {
        panic!("{page}")
    };
    assert_eq!(subscription["key"], key);
    assert_eq!(subscription["kind"], "service-availability");
    assert_eq!(subscription["appInstanceId"], "a/b");
    assert_eq!(subscription["subscription"]["callbackReference"], "http://x");
    assert_eq!(
        all(&world.get("/subscriptions").await, "subscriptionId"),
        ["2", "1"]
    );
}

#[tokio::test]
async fn rules_are_shown_with_what_they_have_matched() {
    let world = World::with_defaults();
    world
        .put(
            &keys::dns_rule("a", "d1"),
            dns_rule("d1", "a.example.com", "ACTIVE"),
        )
        .await;
    world
        .put(
            &keys::dns_rule("b", "d2"),
            dns_rule("d2", "b.example.com", "INACTIVE"),
        )
        .await;
    world
        .put(&keys::traffic_rule("a", "t1"), traffic_rule("t1", 1, "ACTIVE"))
        .await;
    world
        .put(&keys::traffic_rule("b", "t2"), traffic_rule("t2", 2, "INACTIVE"))
        .await;
    let page = world.get("/dns-rules").await;
    assert_eq!(
        page["items"][1]["rule"],
        dns_rule("d2", "b.example.com", "INACTIVE")
    );
    assert_eq!(all(&page, "appInstanceId"), ["a", "b"]);
    let page = world.get("/traffic-rules").await;
    assert_eq!(page["items"][0]["rule"], traffic_rule("t1", 1, "ACTIVE"));
    assert_eq!(
        page["items"][0]["matched"],
        json!({"packets": 1_234_567, "bytes": 987_654_321})
    );
    assert_eq!(page["items"][1].get("matched"), None);
    assert_eq!(
        all(&world.get("/traffic-rules?application=b").await, "appInstanceId"),
        ["b"]
    );
    let data_plane = world.get("/data-plane").await;
    assert_eq!(data_plane["backend"], "nftables");
    assert_eq!(data_plane["tunnelTypes"], json!(["VXLAN"]));
}

#[tokio::test]
async fn the_platform_counts_what_there_is() {
    let world = World::with_defaults();
    let subscription = keys::subscription("service-availability", "a", "1");
    world.put(&subscription, json!({})).await;
    world.put(&keys::application("a"), json!({})).await;
    world
        .put(&keys::service("a", "1"), service("one", "ACTIVE"))
        .await;
    world
        .put(&keys::service("a", "1"), service("one", "INACTIVE"))
        .await;
    world
        .put(&keys::service("a", "2"), service("two", "ACTIVE"))
        .await;
    world.delete(&keys::service("a", "2")).await;
    world.queue(&subscription, "n1").await;
    world.give_up(&subscription, "n2", 1_800_000_000_000).await;
    let platform = world.get("/platform").await;
    let expected = json!({"applications": 2, "services": 1, "subscriptions": 1, "dnsRules": 0, "trafficRules": 0,
        "queued": 1, "deadLetters": 1, "tasks": 0});
    assert_eq!(platform["counts"], expected);
    assert_eq!(platform["healthy"], true);
    assert_eq!(platform["store"]["revision"], 8);
    let listeners = json!([
        {"name": "HTTP", "address": "127.0.0.1:8080"},
        {"name": "DNS", "address": "127.0.0.1:5300"},
    ]);
    assert_eq!(platform["listeners"], listeners);
}

#[tokio::test]
async fn what_was_there_before_the_start_is_counted() {
    let first = World::with_defaults();
    first
        .put(&keys::service("a", "1"), service("one", "ACTIVE"))
        .await;
    first
        .put(&keys::service("a", "1"), service("one", "INACTIVE"))
        .await;
    first.put(&keys::application("a"), json!({})).await;
    let platform = mecforge_administration::Platform {
        store: first.store.clone(),
        deliveries: crate::world::queues(&first.store),
        dns_rules: crate::world::rules(&first.store),
        traffic_rules: crate::world::rules(&first.store),
        lifecycle: first.lives.clone(),
    };
    let administration = mecforge_administration::Administration::new(platform, Default::default());
    let second = World {
        administration,
        ..first
    };
    assert_eq!(second.get("/platform").await["counts"]["services"], 1);
}
