//! Deliveries and dead letters: what is shown, and what an operator does.

use http::Method;
use mecforge_contracts::keys;
use serde_json::json;

use crate::world::World;

const ONE: &str = "subscriptions/service-availability/a/1";
/// One whose parts are encoded.
const TWO: &str = "subscriptions/app-termination/b%2Fc/2";

/// A key as one segment of a path.
fn segment(key: &str) -> String {
    key.replace('%', "%25").replace('/', "%2F")
}

async fn world() -> World {
    let world = World::with_defaults();
    assert_eq!(keys::subscription("app-termination", "b/c", "2"), TWO);
    world.put(ONE, json!({})).await;
    world.put(TWO, json!({})).await;
    world.queue(ONE, "n1").await;
    world.give_up(ONE, "n3", 1_800_000_000_300).await;
    world.give_up(ONE, "n2", 1_800_000_000_200).await;
    world.give_up(TWO, "n4", 1_800_000_000_250).await;
    world
}

fn ids(page: &serde_json::Value) -> Vec<&str> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn deliveries_tell_whose_they_are_and_how_they_go() {
    let world = world().await;
    let page = world.get("/deliveries").await;
    let (first, second) = (&page["items"][0], &page["items"][1]);
    assert_eq!(first["subscription"], TWO);
    assert_eq!(first["appInstanceId"], "b/c");
    assert_eq!(second["kind"], "service-availability");
    assert_eq!(second["subscriptionId"], "1");
    assert_eq!((&second["queued"], &second["dead"]), (&json!(1), &json!(2)));
    assert_eq!(second["lastError"], "the subscriber answered 404");
    assert_eq!(
        second["target"]["callback"],
        "http://192.0.2.7:9000/notify?token=<b>&x"
    );
    assert_eq!(second.get("lastSuccess"), None);
    let alone = world.get(&format!("/deliveries/{}", segment(TWO))).await;
    assert_eq!(&alone, first);
    for query in [
        "application=b%2Fc",
        "prefix=subscriptions%2Fapp-termination%2F",
        "limit=1",
    ] {
        let page = world.get(&format!("/deliveries?{query}")).await;
        assert_eq!(page["items"], json!([first]), "{query}");
    }
}

#[tokio::test]
async fn a_subscription_without_notifications_has_a_state() {
    let world = world().await;
    let key = keys::subscription("app-termination", "d", "9");
    world.put(&key, json!({})).await;
    let state = world.get(&format!("/deliveries/{}", segment(&key))).await;
    assert_eq!(
        (&state["queued"], &state["subscription"]),
        (&json!(0), &json!(key))
    );
}

#[tokio::test]
async fn dead_letters_come_oldest_first() {
    let world = world().await;
    assert_eq!(ids(&world.get("/dead-letters").await), ["n2", "n4", "n3"]);
    assert_eq!(ids(&world.get("/dead-letters?application=a").await), ["n2", "n3"]);
    assert_eq!(
        ids(&world.get(&format!("/dead-letters/{}", segment(TWO))).await),
        ["n4"]
    );
    let letter = world.get(&format!("/dead-letters/{}/n2", segment(ONE))).await;
    assert_eq!(letter["attempts"], 12);
    assert_eq!(letter["body"], json!({"a": 1}));
    let page = world.get("/dead-letters?limit=2").await;
    assert_eq!(ids(&page), ["n2", "n4"]);
    // What goes meanwhile does not disturb the next page.
    world
        .change(Method::DELETE, &format!("/dead-letters/{}/n4", segment(TWO)))
        .await;
    let after = page["next"].as_str().unwrap().replace('%', "%25");
    assert_eq!(
        ids(&world.get(&format!("/dead-letters?limit=2&after={after}")).await),
        ["n3"]
    );
}

#[tokio::test]
async fn dead_letters_are_replayed() {
    let world = world().await;
    let one = world
        .change(Method::POST, &format!("/dead-letters/{}/n2/replay", segment(ONE)))
        .await;
    assert_eq!(one, json!({"count": 1}));
    assert_eq!(ids(&world.get("/dead-letters").await), ["n4", "n3"]);
    let delivery = world.get(&format!("/deliveries/{}", segment(ONE))).await;
    assert_eq!((&delivery["queued"], &delivery["dead"]), (&json!(2), &json!(1)));
    world.give_up(ONE, "n5", 1_800_000_000_500).await;
    let subscription = world
        .change(Method::POST, &format!("/dead-letters/{}/replay", segment(ONE)))
        .await;
    assert_eq!(subscription, json!({"count": 2}));
    world.give_up(ONE, "n6", 1_800_000_000_600).await;
    assert_eq!(
        world.change(Method::POST, "/dead-letters/replay").await,
        json!({"count": 2})
    );
    assert_eq!(world.get("/platform").await["counts"]["queued"], 6);
    assert_eq!(
        world.change(Method::POST, "/dead-letters/replay").await,
        json!({"count": 0})
    );
}

#[tokio::test]
async fn dead_letters_are_discarded() {
    let world = world().await;
    let one = world
        .change(Method::DELETE, &format!("/dead-letters/{}/n2", segment(ONE)))
        .await;
    assert_eq!(one, json!({"count": 1}));
    let subscription = world
        .change(Method::DELETE, &format!("/dead-letters/{}", segment(ONE)))
        .await;
    assert_eq!(subscription, json!({"count": 1}));
    assert_eq!(
        world.change(Method::DELETE, "/dead-letters").await,
        json!({"count": 1})
    );
    let counts = &world.get("/platform").await["counts"];
    assert_eq!(
        (&counts["queued"], &counts["deadLetters"]),
        (&json!(1), &json!(0))
    );
}
