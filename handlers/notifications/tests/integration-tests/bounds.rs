//! Bounds of the queues and of the dead letters.

use mecforge_contracts::deliveries::Deliveries;
use mecforge_notifications::Options;

use crate::support::{Bed, HANGING, NO_CONTENT, Receiver, eventually, quick, status};

#[tokio::test]
async fn the_oldest_become_dead_letters_and_of_these_the_oldest_go() {
    let bed = Bed::new(Options {
        queue_length: 5,
        dead_letters_per_subscription: 4,
        ..quick()
    });
    let receiver = Receiver::start(|_| HANGING).await;
    let subscription = bed.subscribe("1").await;
    bed.post(&subscription, &receiver.url, 0).await;
    receiver.wait_for(1).await;
    for number in 1..15 {
        bed.post(&subscription, &receiver.url, number).await;
    }
    // The first is being tried; of the others the last four wait, and the four before those are kept.
    let numbers = || -> Vec<u64> {
        let dead = bed.notifications.dead_letters("");
        let number = |body: &str| {
            serde_json::from_str::<serde_json::Value>(body).unwrap()["number"]
                .as_u64()
                .unwrap()
        };
        dead.iter().map(|dead| number(dead.body.get())).collect()
    };
    eventually(|| numbers() == [7, 8, 9, 10], || format!("{:?}", numbers())).await;
    let state = &bed.notifications.states("")[0];
    assert_eq!((state.queued, state.dead), (5, 4));
    let dead = bed.notifications.dead_letters(&subscription);
    assert_eq!(dead[0].reason, "more than 5 notifications waited");
    assert_eq!(dead[0].attempts, 0);
}

#[tokio::test]
async fn a_subscriber_that_is_down_fills_its_own_queue_only() {
    let bed = Bed::new(Options {
        queue_bytes: 20_000,
        ..quick()
    });
    let down = Receiver::start(|_| status(503)).await;
    let up = Receiver::start(|_| NO_CONTENT).await;
    let (one, other) = (bed.subscribe("down").await, bed.subscribe("up").await);
    for number in 0..300 {
        bed.post(&one, &down.url, number).await;
        bed.post(&other, &up.url, number).await;
        // On a busy machine the queue of the one that is up could otherwise become the longer one.
        let far = usize::try_from(number).unwrap().saturating_sub(10);
        eventually(|| up.numbers().len() >= far, || format!("{number}")).await;
    }
    eventually(|| up.numbers().len() == 300, || format!("{}", up.numbers().len())).await;
    assert_eq!(up.numbers(), (0..300).collect::<Vec<_>>());
    let dead = bed.notifications.dead_letters("");
    assert!(!dead.is_empty());
    assert!(dead.iter().all(|dead| dead.subscription == one));
    assert!(
        dead[0].reason.contains("more than 20000 bytes"),
        "{}",
        dead[0].reason
    );
}

#[tokio::test]
async fn what_fails_too_often_is_given_up_with_its_reason() {
    let bed = Bed::new(Options {
        attempts: 3,
        ..quick()
    });
    let receiver = Receiver::start(|_| status(500)).await;
    let subscription = bed.subscribe("1").await;
    bed.post(&subscription, &receiver.url, 1).await;
    bed.empty().await;
    let dead = bed.notifications.dead_letters("");
    assert_eq!(receiver.numbers(), [1, 1, 1]);
    assert_eq!(dead[0].attempts, 3);
    assert_eq!(
        dead[0].reason,
        "the subscriber answered 500 Internal Server Error"
    );
    assert_eq!(dead[0].id, receiver.received()[0].id);
}
