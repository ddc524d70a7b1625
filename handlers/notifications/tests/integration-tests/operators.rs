//! What operators see and do; test notifications; metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mecforge_contracts::deliveries::Deliveries;
use mecforge_contracts::outbox::Target;
use mecforge_contracts::time::unix_milliseconds;
use mecforge_notifications::Options;
use mecforge_store::Transaction;
use prometheus_client::registry::Registry;

use crate::support::{Bed, HANGING, NO_CONTENT, Receiver, eventually, quick, status};

#[tokio::test]
async fn what_was_refused_can_be_replayed_behind_what_waits() {
    let bed = Bed::new(quick());
    let well = Arc::new(AtomicBool::new(false));
    let healed = well.clone();
    let receiver =
        Receiver::start(
            move |received| match (healed.load(Ordering::Relaxed), received.number < 5) {
                (true, _) => NO_CONTENT,
                (false, true) => status(404),
                (false, false) => status(503),
            },
        )
        .await;
    let subscription = bed.subscribe("1").await;
    for number in 0..7 {
        bed.post(&subscription, &receiver.url, number).await;
    }
    receiver.wait_for(6).await;
    eventually(
        || bed.notifications.dead_letters("").len() == 5,
        || "no dead letters".to_owned(),
    )
    .await;
    let dead = bed.notifications.dead_letters("");
    assert!(
        dead.iter()
            .all(|dead| dead.reason == "the subscriber answered 404 Not Found")
    );
    let state = || bed.notifications.states("")[0].clone();
    eventually(|| state().queued == 2, || format!("{:?}", state())).await;
    let state = state();
    assert_eq!((state.queued, state.dead, state.delivered), (2, 5, 0));
    assert!(state.last_failure.is_some() && state.last_success.is_none());

    let known = receiver.received();
    let one = bed
        .notifications
        .replay(&subscription, Some(&dead[4].id))
        .await
        .unwrap();
    let all = bed.notifications.replay(&subscription, None).await.unwrap();
    assert_eq!((one, all), (1, 4));
    well.store(true, Ordering::Relaxed);
    bed.empty().await;
    let delivered: Vec<_> = receiver.received().into_iter().rev().take(7).collect();
    let numbers: Vec<_> = delivered.iter().rev().map(|received| received.number).collect();
    assert_eq!(numbers, [5, 6, 4, 0, 1, 2, 3]);
    for received in delivered.iter().filter(|received| received.number < 5) {
        let first = known
            .iter()
            .find(|known| known.number == received.number)
            .unwrap();
        assert_eq!(first.id, received.id);
    }
    let state = &bed.notifications.states("")[0];
    assert_eq!(
        (state.queued, state.dead, state.delivered, state.failures),
        (0, 0, 7, 0)
    );
    assert!(state.last_success.is_some() && state.next_attempt.is_none());

    let none = bed.notifications.replay(&subscription, None).await.unwrap_err();
    assert_eq!(none.status(), 404);
}

#[tokio::test]
async fn dead_letters_can_be_discarded() {
    let bed = Bed::new(quick());
    let receiver = Receiver::start(|_| status(410)).await;
    let subscription = bed.subscribe("1").await;
    for number in 0..3 {
        bed.post(&subscription, &receiver.url, number).await;
    }
    bed.empty().await;
    let dead = bed.notifications.dead_letters("");
    assert_eq!(dead.len(), 3);
    let none = bed
        .notifications
        .discard(&subscription, Some("nonsense"))
        .await
        .unwrap_err();
    assert_eq!(none.status(), 404);
    assert_eq!(
        bed.notifications
            .discard(&subscription, Some(&dead[0].id))
            .await
            .unwrap(),
        1
    );
    assert_eq!(bed.notifications.discard(&subscription, None).await.unwrap(), 2);
    assert!(bed.notifications.dead_letters("").is_empty());
    assert_eq!(
        bed.notifications
            .discard(&subscription, None)
            .await
            .unwrap_err()
            .status(),
        404
    );
}

#[tokio::test]
async fn a_replay_starts_a_new_age_and_survives_a_subscription_that_is_gone() {
    let bed = Bed::stopped(Options {
        longest_age: Duration::from_secs(3600),
        ..quick()
    });
    let subscription = bed.subscribe("1").await;
    let dead = serde_json::json!({
        "id": "9", "subscription": subscription, "target": {"callback": "http://127.0.0.1:9/"},
        "notification": "TestNotification", "happened": 5, "givenUp": 6, "attempts": 1, "reason": "x", "body": {},
    });
    let key = mecforge_contracts::keys::dead_letter(&subscription, "9");
    bed.commit(Transaction::new().put(key.clone(), dead.to_string()))
        .await;
    assert_eq!(
        bed.notifications.replay(&subscription, Some("9")).await.unwrap(),
        1
    );
    let waiting = mecforge_contracts::keys::outgoing(&subscription, "9");
    let entry = mecforge_store::Store::get(&*bed.store, &waiting).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&entry.value).unwrap();
    assert_eq!(value["happened"], 5);
    assert!(value["replayed"].as_u64().unwrap() + 10_000 > unix_milliseconds());

    bed.commit(
        Transaction::new()
            .put(key, dead.to_string())
            .delete(subscription.clone()),
    )
    .await;
    let gone = bed
        .notifications
        .replay(&subscription, Some("9"))
        .await
        .unwrap_err();
    assert_eq!(gone.status(), 404);
}

#[tokio::test]
async fn a_test_notification_goes_past_the_queue_and_tells_how_it_went() {
    let bed = Bed::stopped(Options {
        test_timeout: Duration::from_millis(200),
        ..quick()
    });
    let good = Receiver::start(|_| NO_CONTENT).await;
    let bad = Receiver::start(|_| status(404)).await;
    let hanging = Receiver::start(|_| HANGING).await;
    let test = async |url: &str| {
        let target = Target::Callback(url.into());
        bed.notifications.test(&target, r#"{"number": 1}"#).await
    };
    test(&good.url).await.unwrap();
    assert_eq!(good.numbers(), [1]);
    for (url, reason) in [
        (bad.url.as_str(), "the subscriber answered 404 Not Found"),
        (hanging.url.as_str(), "the subscriber gave no answer in time"),
        (
            "http://127.0.0.1:1/",
            "no answer could be had from the subscriber",
        ),
        (
            "http://169.254.169.254/",
            "http://169.254.169.254/ must not be called: 169.254.169.254 is denied",
        ),
        ("nonsense", "\"nonsense\" is not an absolute http or https URL"),
    ] {
        let problem = test(url).await.unwrap_err();
        assert_eq!(problem.status(), 422);
        let detail = problem.details().detail.clone().unwrap();
        assert_eq!(
            detail,
            format!("the test notification was not delivered: {reason}")
        );
    }
}

#[tokio::test]
async fn deliveries_are_counted() {
    let bed = Bed::new(Options {
        attempts: 2,
        ..quick()
    });
    let mut registry = Registry::with_prefix("mep");
    bed.notifications.register_metrics(&mut registry);
    let good = Receiver::start(|_| NO_CONTENT).await;
    let bad = Receiver::start(|received| status(if received.number == 1 { 404 } else { 503 })).await;
    let subscription = bed.subscribe("1").await;
    bed.post(&subscription, &good.url, 0).await;
    for number in 1..=2 {
        bed.post(&subscription, &bad.url, number).await;
    }
    bed.empty().await;
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        r#"mep_notifications_attempts_total{outcome="delivered"} 1"#,
        r#"mep_notifications_attempts_total{outcome="refused"} 1"#,
        r#"mep_notifications_attempts_total{outcome="failed"} 2"#,
        r#"mep_notifications_given_up_total{reason="attempts"} 1"#,
        r#"mep_notifications_given_up_total{reason="refused"} 1"#,
        "mep_notifications_queued 0",
        "mep_notifications_queued_bytes 0",
        "mep_notifications_in_flight 0",
        "mep_notifications_dead_letters 2",
        "mep_notifications_latency_seconds_count 1",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}\n{text}");
    }
}
