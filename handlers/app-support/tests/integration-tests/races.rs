//! Several things at once: exactly one end, nothing left over.

use std::sync::Arc;
use std::time::Duration;

use mecforge_contracts::lifecycle::{EndAction, Lifecycle};
use mecforge_contracts::{Applications, Presence, keys};
use mecforge_store::{CommitError, Transaction};
use serde_json::json;

use crate::api::{Api, dns_rule, traffic_rule};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn confirmations_the_timer_and_a_manager_at_once_make_one_end() {
    let api = Arc::new(Api::empty());
    let _running = api.start();
    let second = Duration::from_secs(1);
    let rounds = 12;
    let mut tasks = tokio::task::JoinSet::new();
    for round in 0..rounds {
        let api = api.clone();
        tasks.spawn(async move {
            let app = format!("app-{round}");
            api.register(&app).await;
            api.add_service(&app, "service").await;
            api.add_traffic_rule(&app, traffic_rule("way", "ACTIVE")).await;
            api.subscribe(&app).await;
            let announced = tokio::time::Instant::now();
            api.support
                .end(&app, EndAction::Terminating, second)
                .await
                .unwrap();
            // When the timer fires as well, give or take.
            let offset = Duration::from_millis(5 * (round % 6));
            tokio::time::sleep_until(announced + second + offset - Duration::from_millis(10)).await;
            let (first, other, removed) = tokio::join!(
                api.confirm(&app, "TERMINATING"),
                api.confirm(&app, "TERMINATING"),
                api.support.remove(&app),
            );
            for answer in [first, other] {
                assert!(matches!(answer.status, 204 | 404 | 409), "{answer:?}");
            }
            assert!(removed.is_ok_and(|()| true) || api.instances.presence(&app) == Presence::Absent);
            api.wait_until_gone(&app).await;
            api.expect_gone(&app);
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(
        api.removals(),
        usize::try_from(rounds).unwrap(),
        "each service was removed once"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_that_is_added_meanwhile_outlives_the_instance() {
    let api = Arc::new(Api::new().await);
    let adding = api.clone();
    let adder = tokio::spawn(async move {
        let mut added = 0;
        loop {
            let presence = adding.instances.presence("app");
            if presence == Presence::Absent {
                return added;
            }
            let key = keys::service("app", &added.to_string());
            let transaction = presence.guard(Transaction::new().put(key, "{}"), "app");
            match adding.store.commit(transaction).await {
                Ok(_) => added += 1,
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => panic!("{error}"),
            }
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    });
    let services = keys::services_of("app");
    while api.store.range(&services, None, 1).entries.is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    api.support.remove("app").await.unwrap();
    let added = adder.await.unwrap();
    assert!(added > 0);
    api.expect_gone("app");
    assert_eq!(api.removals(), added, "each that was added was removed, once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_subscribes_while_an_end_is_announced_is_told_or_gone() {
    for _ in 0..10 {
        let api = Arc::new(Api::new().await);
        let subscribing = api.clone();
        let late = tokio::spawn(async move { subscribing.subscribe("app").await });
        let minute = Duration::from_secs(60);
        api.subscribe("app").await;
        api.support
            .end("app", EndAction::Terminating, minute)
            .await
            .unwrap();
        late.await.unwrap();
        let announced = api.store.get(&keys::life("app")).unwrap().modified;
        let earlier = api.store.range(keys::SUBSCRIPTIONS, None, usize::MAX).entries;
        let earlier = earlier
            .iter()
            .filter(|(_, entry)| entry.created < announced)
            .count();
        assert_eq!(api.outbox().len(), earlier);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_changes_under_one_condition_one_wins_and_without_one_both_do() {
    let api = Api::new().await;
    api.add_traffic_rule("app", traffic_rule("way", "INACTIVE")).await;
    let path = "/applications/app/traffic_rules/way";
    let active = traffic_rule("way", "ACTIVE");
    let tag = api.get(path).await.header("etag").to_owned();
    let (one, other) = tokio::join!(
        api.put(path, &tag, active.clone()),
        api.put(path, &tag, active.clone())
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    let inactive = traffic_rule("way", "INACTIVE");
    for _ in 0..10 {
        let (one, other) = tokio::join!(
            api.put(path, "", active.clone()),
            api.put(path, "", inactive.clone())
        );
        assert_eq!((one.status, other.status), (200, 200));
        let kept = api.get(path).await;
        let in_kernel = !api.traffic.in_kernel("app").is_empty();
        assert_eq!(
            kept.body["state"] == "ACTIVE",
            in_kernel,
            "store and kernel agree"
        );
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_nothing_halfway() {
    let api = Api::new().await;
    api.add_traffic_rule("app", traffic_rule("way", "INACTIVE")).await;
    *api.traffic.takes.lock().unwrap() = Duration::from_millis(100);
    let path = "/applications/app/traffic_rules/way";
    let put = api.put(path, "", traffic_rule("way", "ACTIVE"));
    let hung_up = tokio::time::timeout(Duration::from_millis(30), put).await;
    assert!(hung_up.is_err());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(api.traffic.in_kernel("app"), ["way"]);
    let kept = api.get(path).await.expect(200);
    assert_eq!(kept.body["state"], json!("ACTIVE"));
}

#[tokio::test]
async fn a_rule_that_comes_while_an_instance_is_stopped_does_not_stay_active() {
    let api = Arc::new(Api::new().await);
    api.add_traffic_rule("app", traffic_rule("way", "ACTIVE")).await;
    *api.traffic.takes.lock().unwrap() = Duration::from_millis(100);
    let stopping = api.clone();
    let stopped = tokio::spawn(async move {
        let stopped = stopping.support.end("app", EndAction::Stopping, Duration::ZERO);
        stopped.await
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    api.add_dns_rule("app", dns_rule("late", "ACTIVE")).await;
    stopped.await.unwrap().unwrap();
    assert_eq!(api.names.active("app"), [] as [&str; 0]);
    assert_eq!(api.traffic.in_kernel("app"), [] as [&str; 0]);
    assert_eq!(api.count(&keys::dns_rules_of("app")), 1, "it is there, but rests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn kernel_and_store_agree_after_an_activation_met_a_stop() {
    for _ in 0..10 {
        let api = Api::new().await;
        api.add_traffic_rule("app", traffic_rule("way", "INACTIVE")).await;
        let path = "/applications/app/traffic_rules/way";
        let (set, stopped) = tokio::join!(
            api.put(path, "", traffic_rule("way", "ACTIVE")),
            api.support.end("app", EndAction::Stopping, Duration::ZERO),
        );
        set.expect(200);
        stopped.unwrap();
        let active = api.get(path).await.body["state"] == "ACTIVE";
        assert_eq!(active, !api.traffic.in_kernel("app").is_empty());
    }
}

#[tokio::test]
async fn an_announcement_that_is_quicker_than_an_end_at_once_stands() {
    let api = Arc::new(Api::new().await);
    api.add_service("app", "service").await;
    api.add_traffic_rule("app", traffic_rule("way", "ACTIVE")).await;
    *api.traffic.takes.lock().unwrap() = Duration::from_millis(300);
    let stopping = api.clone();
    let at_once = tokio::spawn(async move {
        let stopped = stopping.support.end("app", EndAction::Stopping, Duration::ZERO);
        stopped.await
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    api.subscribe("app").await;
    let minute = Duration::from_secs(60);
    api.support.end("app", EndAction::Stopping, minute).await.unwrap();
    at_once.await.unwrap().unwrap();
    assert!(
        api.life("app").pending.is_some(),
        "who was told may take its time"
    );
    assert_eq!((api.removals(), api.outbox().len()), (0, 1));
    assert_eq!(
        api.traffic.in_kernel("app"),
        ["way"],
        "the kernel has its old rules again"
    );
}
