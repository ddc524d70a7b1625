//! What survives a restart.

use std::time::{Duration, Instant};

use mecforge_contracts::lifecycle::{EndAction, Lifecycle};
use mecforge_contracts::{Applications, Presence};

use crate::api::Api;

#[tokio::test]
async fn a_pending_end_and_readiness_survive_a_restart() {
    let api = Api::new().await;
    api.equip("app").await;
    api.confirm_ready("app").await.expect(204);
    let minute = Duration::from_secs(60);
    api.support
        .end("app", EndAction::Terminating, minute)
        .await
        .unwrap();
    let life = api.life("app");
    let api = api.restarted();
    assert_eq!(api.life("app"), life);
    assert!(life.ready && life.pending.is_some());
    assert_eq!(api.outbox().len(), 1);
    api.confirm("app", "TERMINATING").await.expect(204);
    api.expect_gone("app");
}

#[tokio::test]
async fn what_was_left_of_the_grace_is_left_after_a_restart() {
    let api = Api::new().await;
    api.equip("app").await;
    let begun = Instant::now();
    let grace = Duration::from_secs(2);
    api.support
        .end("app", EndAction::Terminating, grace)
        .await
        .unwrap();
    let api = api.restarted();
    let _running = api.start();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(api.instances.presence("app"), Presence::Registered);
    api.wait_until_gone("app").await;
    assert!(
        begun.elapsed() >= Duration::from_millis(1990),
        "{:?}",
        begun.elapsed()
    );
    api.expect_gone("app");
    assert_eq!(api.removals(), 1);
}

#[tokio::test]
async fn an_end_that_fell_due_while_the_platform_was_down_comes_at_its_start() {
    let api = Api::new().await;
    api.equip("app").await;
    let grace = Duration::from_secs(2);
    api.support
        .end("app", EndAction::Terminating, grace)
        .await
        .unwrap();
    let api = api.restarted();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(
        api.instances.presence("app"),
        Presence::Registered,
        "nobody has started the timer"
    );
    let begun = Instant::now();
    let _running = api.start();
    api.wait_until_gone("app").await;
    assert!(
        begun.elapsed() < Duration::from_millis(1900),
        "{:?}",
        begun.elapsed()
    );
    api.expect_gone("app");
}

#[tokio::test]
async fn a_timer_that_is_stopped_and_started_again_knows_what_is_pending() {
    let api = Api::new().await;
    api.equip("app").await;
    let running = api.start();
    let grace = Duration::from_secs(1);
    api.support
        .end("app", EndAction::Terminating, grace)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(running);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(api.instances.presence("app"), Presence::Registered);
    let _running = api.start();
    api.wait_until_gone("app").await;
}

#[tokio::test]
async fn what_belongs_to_instances_that_are_no_longer_declared_goes() {
    let api = Api::empty();
    api.register("app").await;
    api.equip("app").await;
    api.add_service("declared", "service").await;
    api.subscribe("declared").await;
    api.confirm_ready("declared").await.expect(204);
    let api = api.restarted_declaring(Vec::new());
    assert_eq!(api.support.remove_orphans().await.unwrap(), 1);
    api.expect_gone("declared");
    assert_eq!(api.removals(), 1);
    assert_eq!(
        api.traffic.in_kernel("app"),
        ["way"],
        "the kernel of the test reads the store as well"
    );
    assert_eq!(api.support.remove_orphans().await.unwrap(), 0);
}
