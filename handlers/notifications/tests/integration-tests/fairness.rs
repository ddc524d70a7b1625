//! A receiver that hangs delays nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mecforge_contracts::deliveries::Deliveries;
use mecforge_notifications::Options;
use mecforge_store::{Store, Transaction};

use crate::support::{Answer, Bed, HANGING, NO_CONTENT, Receiver, eventually, posted, quick, status};

fn target(receiver: &Receiver) -> mecforge_contracts::outbox::Target {
    mecforge_contracts::outbox::Target::Callback(receiver.url.as_str().into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_hangs_and_one_that_is_slow_do_not_delay_a_thousand_others() {
    // A thousand listeners and as many connections; shells give 1,024 descriptors.
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    const EACH: u64 = 5;
    let bed = Bed::new(Options {
        timeout: Duration::from_secs(3600),
        ..Options::default()
    });
    let hanging = Receiver::start(|_| HANGING).await;
    let slow = Receiver::start(|_| Answer {
        delay: Duration::from_millis(300),
        ..NO_CONTENT
    })
    .await;
    let mut good = Vec::new();
    for _ in 0..1000 {
        good.push(Receiver::start(|_| NO_CONTENT).await);
    }
    let mut subscribers = Vec::new();
    for (index, receiver) in [&hanging, &slow].into_iter().chain(&good).enumerate() {
        subscribers.push((bed.subscribe(&index.to_string()).await, target(receiver)));
    }
    for number in 0..EACH {
        // One change that everybody is told of.
        let post = |transaction, (subscription, target): &(String, _)| {
            posted(
                transaction,
                subscription,
                std::clone::Clone::clone(target),
                number,
            )
        };
        let transaction = subscribers.iter().fold(Transaction::new(), post);
        bed.store.commit(transaction).await.unwrap();
    }
    let done = || {
        good.iter()
            .filter(|receiver| receiver.count() as u64 == EACH)
            .count()
    };
    eventually(|| done() == good.len(), || format!("{} are done", done())).await;
    let expected: Vec<_> = (0..EACH).collect();
    assert!(good.iter().all(|receiver| receiver.numbers() == expected));
    eventually(|| slow.numbers() == expected, || format!("{:?}", slow.numbers())).await;
    assert_eq!(hanging.numbers(), [0], "one at a time");
    eventually(
        || {
            bed.store
                .range(mecforge_contracts::keys::OUTBOX, None, 10_000)
                .entries
                .len() as u64
                == EACH
        },
        || "more waits than what hangs".to_owned(),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_that_hang_than_there_are_attempts_do_not_delay_those_that_answer() {
    let bed = Bed::new(Options {
        in_flight: 16,
        timeout: Duration::from_secs(3600),
        ..quick()
    });
    let mut good = Vec::new();
    for index in 0..10 {
        let receiver = Receiver::start(|_| NO_CONTENT).await;
        let subscription = bed.subscribe(&format!("good {index}")).await;
        bed.post(&subscription, &receiver.url, 0).await;
        good.push((subscription, receiver));
    }
    bed.empty().await;
    let mut hanging = Vec::new();
    for index in 0..60 {
        let receiver = Receiver::start(|_| HANGING).await;
        let subscription = bed.subscribe(&format!("hanging {index}")).await;
        bed.post(&subscription, &receiver.url, 0).await;
        hanging.push(receiver);
    }
    let stuck = || hanging.iter().filter(|receiver| receiver.count() > 0).count();
    eventually(|| stuck() == 4, || format!("{}", stuck())).await;
    for number in 1..20 {
        for (subscription, receiver) in &good {
            bed.post(subscription, &receiver.url, number).await;
        }
    }
    let expected: Vec<_> = (0..20).collect();
    for (_, receiver) in &good {
        eventually(
            || receiver.numbers() == expected,
            || format!("{:?}", receiver.numbers()),
        )
        .await;
    }
    assert_eq!(stuck(), 4, "those that hang have a quarter of all attempts");
}

#[tokio::test]
async fn a_receiver_that_has_not_answered_yet_gets_one_attempt_at_a_time() {
    let bed = Bed::new(Options {
        timeout: Duration::from_secs(3600),
        ..quick()
    });
    let hanging = Receiver::start(|_| HANGING).await;
    for index in 0..20 {
        let subscription = bed.subscribe(&index.to_string()).await;
        bed.post(&subscription, &hanging.url, index).await;
    }
    hanging.wait_for(1).await;
    eventually(|| bed.notifications.states("").len() == 20, String::new).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(hanging.count(), 1);
}

#[tokio::test]
async fn a_receiver_that_recovers_gets_all_that_waits_for_it() {
    let bed = Bed::new(Options {
        // Waits are random: so long that none of them is short.
        first_delay: Duration::from_secs(30 * 24 * 60 * 60),
        longest_delay: Duration::from_secs(30 * 24 * 60 * 60),
        ..Options::default()
    });
    let well = Arc::new(AtomicBool::new(false));
    let healed = well.clone();
    let receiver = Receiver::start(move |_| match healed.load(Ordering::Relaxed) {
        true => NO_CONTENT,
        false => status(503),
    })
    .await;
    for index in 0..30 {
        let subscription = bed.subscribe(&index.to_string()).await;
        bed.post(&subscription, &receiver.url, index).await;
    }
    let states = || bed.notifications.states("");
    let failed = || states().iter().filter(|state| state.failures == 1).count();
    eventually(|| failed() == 30, || format!("{:?}", states())).await;
    // All wait for days; one that is new is tried, and then all are.
    well.store(true, Ordering::Relaxed);
    let subscription = bed.subscribe("new").await;
    bed.post(&subscription, &receiver.url, 99).await;
    bed.empty().await;
    assert!(states().iter().all(|state| state.delivered == 1));
}
