//! Subscriptions that end by themselves. Against the real clock, which their deadlines are written in.

use std::sync::Arc;
use std::time::Duration;

use mecforge_contracts::time::unix_milliseconds;
use mecforge_contracts::{Presence, keys};
use mecforge_runtime::Preconditions;
use mecforge_subscriptions::{Expiry, Subscription, Terms};

use crate::bench::{Bench, Rain, caller, request};

fn ends_in(milliseconds: u64) -> Terms<'static> {
    Terms {
        expires: Some(unix_milliseconds() + milliseconds),
        ..Terms::callback("http://app.example/")
    }
}

async fn subscribe(bench: &Bench, number: usize, terms: Terms<'_>) -> Arc<Subscription> {
    let caller = caller();
    bench
        .subscriptions
        .create_on(Presence::Declared, "a", terms, &request(number), &caller)
        .await
        .unwrap()
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} has not come");
}

#[tokio::test]
async fn subscriptions_end_when_their_time_comes() {
    let bench = Bench::new();
    let early = subscribe(&bench, 1, ends_in(200)).await;
    bench.notify(&early).await;
    let running = bench.subscriptions.start(Expiry::default());
    let late = subscribe(&bench, 2, ends_in(2_000)).await;
    let renewed = subscribe(&bench, 3, ends_in(2_000)).await;
    let forever = subscribe(&bench, 4, Terms::callback("http://app.example/")).await;
    let caller = caller();
    let always = Preconditions::default();
    bench
        .subscriptions
        .replace("a", &renewed.id, ends_in(60_000), &request(3), &always, &caller)
        .await
        .unwrap();
    until("the first end", || bench.subscriptions.find(&early.key).is_none()).await;
    assert!(bench.subscriptions.find(&late.key).is_some());
    assert!(bench.keys(keys::OUTBOX).is_empty() && bench.keys(keys::DEAD_LETTERS).is_empty());
    until("the second end", || bench.subscriptions.find(&late.key).is_none()).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    for stays in [&renewed, &forever] {
        assert!(bench.subscriptions.find(&stays.key).is_some());
    }
    drop(running);
}

#[tokio::test]
async fn what_ended_while_nobody_watched_ends_at_the_start() {
    let bench = Bench::new();
    let past = subscribe(&bench, 1, ends_in(1)).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(bench.subscriptions.find(&past.key).is_some());
    let _running = bench.subscriptions.start(Expiry::default());
    until("the end", || bench.subscriptions.count() == 0).await;
}

#[tokio::test]
async fn the_end_is_announced_before_it_comes() {
    let bench = Bench::new();
    let subscription = subscribe(&bench, 1, ends_in(2_000)).await;
    let _running = bench.subscriptions.start(Expiry {
        notice: Duration::from_millis(1_000),
        announcement: Some(Box::new(|subscription| {
            Some(subscription.outgoing(&Rain {
                text: format!("ends at {}", subscription.expires.unwrap()),
            }))
        })),
    });
    let outbox = keys::outgoing_of(&subscription.key);
    assert!(bench.keys(&outbox).is_empty());
    until("the announcement", || bench.keys(&outbox).len() == 1).await;
    assert!(bench.subscriptions.find(&subscription.key).is_some());
    let announced = bench.store.get(&bench.keys(&outbox)[0]).unwrap();
    assert!(String::from_utf8_lossy(&announced.value).contains("ends at "));
    until("the end", || bench.subscriptions.count() == 0).await;
    assert!(unix_milliseconds() >= subscription.expires.unwrap());
    assert!(bench.keys(&outbox).is_empty());
}
