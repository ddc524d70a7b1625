//! Ends: announced, confirmed, timed out, once.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mecforge_contracts::lifecycle::{EndAction, Life, Lifecycle};
use mecforge_contracts::time::unix_milliseconds;
use mecforge_contracts::{Applications, Presence};
use serde_json::json;

use crate::api::{Api, dns_rule, traffic_rule};
use crate::parts::{MOST, REMOVED};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_end_of_who_has_not_subscribed_comes_at_once_rules_first() {
    let api = Api::new().await;
    api.add_service("app", "service").await;
    api.add_dns_rule("app", dns_rule("name", "ACTIVE")).await;
    api.add_traffic_rule("app", traffic_rule("way", "ACTIVE")).await;
    assert_eq!(api.traffic.in_kernel("app"), ["way"]);
    api.traffic.seen.lock().unwrap().clear();
    api.support
        .end("app", EndAction::Terminating, MINUTE)
        .await
        .unwrap();
    api.expect_gone("app");
    assert_eq!(api.removals(), 1);
    assert_eq!(*api.traffic.seen.lock().unwrap(), [true], "the kernel came first");
    let unknown = api.support.end("app", EndAction::Terminating, MINUTE).await;
    assert_eq!(unknown.unwrap_err().status(), 404);
}

#[tokio::test]
async fn an_end_is_announced_once_and_by_the_standards_words() {
    let api = Api::new().await;
    let first = api.subscribe("app").await;
    api.subscribe("app").await;
    api.register("other").await;
    api.subscribe("other").await;
    let before = unix_milliseconds();
    let grace = Duration::from_millis(89_001);
    api.support.end("app", EndAction::Stopping, grace).await.unwrap();
    let pending = api.life("app").pending.unwrap();
    assert_eq!(pending.action, EndAction::Stopping);
    assert!(pending.deadline >= before + 90_000 && pending.deadline <= unix_milliseconds() + 90_000);
    api.support
        .end("app", EndAction::Terminating, MINUTE)
        .await
        .unwrap();
    assert_eq!(
        api.life("app").pending,
        Some(pending),
        "a second call changes nothing"
    );

    let sent = api.outbox();
    assert_eq!(sent.len(), 2, "{sent:?}");
    let root = "http://mep.test:8080/mec_app_support/v1/applications/app";
    let own = format!("{root}/subscriptions/{first}");
    let sent = sent
        .iter()
        .find(|sent| sent["body"]["_links"]["subscription"]["href"] == own)
        .unwrap();
    assert_eq!(sent["target"], json!({"callback": "http://app.test/callback"}));
    assert_eq!(sent["notification"], "AppTerminationNotification");
    assert_eq!(
        sent["body"],
        json!({
            "notificationType": "AppTerminationNotification", "operationAction": "STOPPING",
            "maxGracefulTimeout": 90,
            "_links": {"subscription": {"href": own}, "confirmTermination": {"href": format!("{root}/confirm_termination")}},
        })
    );
}

#[tokio::test]
async fn a_confirmation_ends_what_was_announced_and_nothing_else() {
    let api = Api::new().await;
    api.equip("app").await;
    api.confirm("app", "TERMINATING").await.expect(409);
    api.support
        .end("app", EndAction::Terminating, MINUTE)
        .await
        .unwrap();
    api.confirm("app", "STOPPING")
        .await
        .expect_pointer(409, "/operationAction", "const");
    assert_eq!(api.removals(), 0, "a refused confirmation ends nothing");
    api.confirm("app", "PAUSING").await.expect(400);
    api.confirm("nobody", "TERMINATING").await.expect(404);
    api.confirm("app", "TERMINATING").await.expect(204);
    api.expect_gone("app");
    assert_eq!((api.removals(), api.outbox().len()), (1, 0));
    api.confirm("app", "TERMINATING").await.expect(404);
}

#[tokio::test]
async fn who_is_stopped_keeps_registration_and_rules_but_nothing_runs() {
    let api = Api::new().await;
    api.equip("app").await;
    api.confirm_ready("app").await.expect(204);
    api.support.end("app", EndAction::Stopping, MINUTE).await.unwrap();
    api.confirm("app", "STOPPING").await.expect(204);
    api.expect_bare("app");
    assert_eq!(api.removals(), 1);
    api.get("/registrations/app").await.expect(200);
    for (path, name) in [("dns_rules", "name"), ("traffic_rules", "way")] {
        let rule = api
            .get(&format!("/applications/app/{path}/{name}"))
            .await
            .expect(200);
        assert_eq!(rule.body["state"], "INACTIVE");
    }
    // It may start again.
    api.confirm("app", "STOPPING").await.expect(409);
    api.confirm_ready("app").await.expect(204);
    assert!(api.life("app").ready);
}

#[tokio::test]
async fn silence_ends_an_instance_when_its_grace_is_over() {
    let api = Api::new().await;
    api.equip("app").await;
    let _running = api.start();
    let begun = Instant::now();
    let grace = Duration::from_millis(1);
    api.support
        .end("app", EndAction::Terminating, grace)
        .await
        .unwrap();
    assert_eq!(
        api.outbox()[0]["body"]["maxGracefulTimeout"],
        1,
        "begun seconds count"
    );
    api.wait_until_gone("app").await;
    assert!(
        begun.elapsed() >= Duration::from_millis(990),
        "{:?}",
        begun.elapsed()
    );
    api.expect_gone("app");
    assert_eq!(api.removals(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_timer_waits_for_the_whole_grace() {
    let api = Api::new().await;
    api.subscribe("app").await;
    let grace = Duration::from_secs(36 * 3600);
    api.support
        .end("app", EndAction::Terminating, grace)
        .await
        .unwrap();
    // Not before, because the paused clock runs on by itself while the store's thread, which it does not know, works.
    let begun = tokio::time::Instant::now();
    let _running = api.start();
    while api.instances.presence("app") != Presence::Absent {
        tokio::time::sleep(Duration::from_secs(600)).await;
        // The store's thread lives by the real clock, which must not stand still for it.
        std::thread::sleep(Duration::from_millis(2));
        assert!(begun.elapsed() < 10 * grace, "{:?}", api.life("app"));
    }
    assert!(
        begun.elapsed() + Duration::from_secs(5) >= grace,
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn no_grace_is_no_announcement() {
    let api = Api::new().await;
    api.equip("app").await;
    api.support
        .end("app", EndAction::Terminating, Duration::ZERO)
        .await
        .unwrap();
    api.expect_gone("app");
}

#[tokio::test]
async fn a_kernel_that_refuses_leaves_all_as_it_was_and_is_asked_again() {
    let api = Api::new().await;
    api.equip("app").await;
    let _running = api.start();
    api.traffic.broken.store(true, Ordering::Relaxed);
    let refused = api.support.remove("app").await;
    assert_eq!(refused.unwrap_err().status(), 503);
    assert_eq!((api.removals(), api.traffic.in_kernel("app").len()), (0, 1));

    api.support
        .end("app", EndAction::Terminating, MINUTE)
        .await
        .unwrap();
    api.confirm("app", "TERMINATING").await.expect(204);
    assert_eq!(api.instances.presence("app"), Presence::Registered);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(api.removals(), 0);
    api.traffic.broken.store(false, Ordering::Relaxed);
    api.wait_until_gone("app").await;
    api.expect_gone("app");
    assert_eq!(api.removals(), 1);
}

#[tokio::test]
async fn a_declared_instance_begins_a_new_life_after_its_end() {
    let api = Api::empty();
    api.equip("declared").await;
    api.confirm_ready("declared").await.expect(204);
    api.support
        .end("declared", EndAction::Terminating, MINUTE)
        .await
        .unwrap();
    api.confirm("declared", "TERMINATING").await.expect(204);
    api.expect_bare("declared");
    assert_eq!(api.instances.presence("declared"), Presence::Declared);
    assert_eq!(api.life("declared"), Life::default());
    api.confirm_ready("declared").await.expect(204);
}

#[tokio::test]
async fn ends_are_counted_by_what_brought_them_about() {
    let api = Api::new().await;
    let mut registry = prometheus_client::registry::Registry::default();
    api.support.register_metrics(&mut registry);
    let text = || {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text
    };
    api.subscribe("app").await;
    api.support
        .end("app", EndAction::Terminating, MINUTE)
        .await
        .unwrap();
    assert!(text().contains("app_support_ends_pending 1\n"), "{}", text());
    api.confirm("app", "TERMINATING").await.expect(204);
    api.support
        .end("declared", EndAction::Stopping, MINUTE)
        .await
        .unwrap();
    for line in [
        "ends_pending 0",
        "ends_confirmed_total 1",
        "ends_at_once_total 1",
        "ends_timed_out_total 0",
    ] {
        assert!(
            text().contains(&format!("app_support_{line}\n")),
            "{line}: {}",
            text()
        );
    }
}

#[tokio::test]
async fn what_one_transaction_does_not_take_goes_in_parts() {
    let api = Api::new().await;
    for action in [EndAction::Stopping, EndAction::Terminating] {
        for number in 0..3 * MOST + 1 {
            api.add_service("app", &format!("service {number}")).await;
        }
        let before = api.store.revision();
        api.support.end("app", action, MINUTE).await.unwrap();
        let removed = api.store.range(REMOVED, None, usize::MAX).entries;
        let mut revisions: Vec<_> = removed.iter().map(|(_, entry)| entry.created).collect();
        revisions.retain(|revision| *revision > before);
        revisions.sort_unstable();
        let parts: Vec<_> = revisions.chunk_by(|a, b| a == b).map(<[_]>::len).collect();
        assert_eq!(parts, [MOST, MOST, MOST, 1], "{action:?}");
    }
    api.expect_gone("app");
}
