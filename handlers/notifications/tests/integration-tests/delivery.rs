//! Order, retries, refusals, and what survives.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mecforge_contracts::deliveries::Deliveries;
use mecforge_contracts::keys;
use mecforge_notifications::Notifications;
use mecforge_store::{
    Commit, CommitError, Embedded, Entry, Figures, KeyRange, Revision, Store, Transaction, View, Watch,
    WatchError,
};

use crate::support::{Answer, Bed, NO_CONTENT, Receiver, eventually, quick, status};

#[tokio::test]
async fn notifications_arrive_in_order_with_an_identifier_and_leave_the_outbox() {
    let bed = Bed::new(quick());
    let receiver = Receiver::start(|_| NO_CONTENT).await;
    let subscription = bed.subscribe("1").await;
    for number in 0..20 {
        bed.post(&subscription, &format!("{}/callback", receiver.url), number)
            .await;
    }
    bed.empty().await;
    assert_eq!(receiver.numbers(), (0..20).collect::<Vec<_>>());
    let received = receiver.received();
    assert!(received.iter().all(|received| received.path == "/callback"));
    assert!(
        received
            .iter()
            .all(|received| received.content_type == "application/json")
    );
    let mut ids: Vec<_> = received.iter().map(|received| received.id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 20);
    assert!(ids.iter().all(|id| id.len() == 36), "{ids:?}");
}

#[tokio::test]
async fn a_failure_is_tried_again_with_the_same_identifier_and_holds_up_the_next() {
    let bed = Bed::new(quick());
    let attempts = AtomicU64::new(0);
    let receiver = Receiver::start(move |_| match attempts.fetch_add(1, Ordering::Relaxed) {
        0 => status(503),
        1 => status(429),
        2 => status(408),
        _ => NO_CONTENT,
    })
    .await;
    let subscription = bed.subscribe("1").await;
    bed.post(&subscription, &receiver.url, 1).await;
    bed.post(&subscription, &receiver.url, 2).await;
    bed.empty().await;
    assert_eq!(receiver.numbers(), [1, 1, 1, 1, 2]);
    let ids: Vec<_> = receiver
        .received()
        .into_iter()
        .map(|received| received.id)
        .collect();
    assert!(ids[..4].iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_ne!(ids[0], ids[4]);
}

#[tokio::test]
async fn a_subscriber_that_is_not_there_yet_is_tried_again() {
    let bed = Bed::new(quick());
    let port = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let subscription = bed.subscribe("1").await;
    bed.post(&subscription, &format!("http://{port}/"), 7).await;
    let state = || bed.notifications.states("").first().cloned().unwrap_or_default();
    eventually(|| state().failures > 0, || format!("{:?}", state())).await;
    let state = state();
    let error = state.last_error.as_deref().unwrap();
    assert!(error.contains("refused"), "{error}");

    let listener = tokio::net::TcpListener::bind(port).await.unwrap();
    let received = std::sync::Arc::default();
    let router = crate::support::router(|_| NO_CONTENT, std::sync::Arc::clone(&received));
    tokio::spawn(async move { axum::serve(listener, router).await });
    bed.empty().await;
    assert_eq!(received.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_pause_that_the_subscriber_asks_for_is_kept() {
    let bed = Bed::new(quick());
    let attempts = AtomicU64::new(0);
    let receiver = Receiver::start(move |_| match attempts.fetch_add(1, Ordering::Relaxed) {
        0 => Answer {
            header: Some(("retry-after", "1")),
            ..status(503)
        },
        _ => NO_CONTENT,
    })
    .await;
    let subscription = bed.subscribe("1").await;
    bed.post(&subscription, &receiver.url, 1).await;
    bed.empty().await;
    let received = receiver.received();
    assert!(
        received[1].at - received[0].at >= Duration::from_millis(990),
        "{received:?}"
    );
}

#[tokio::test]
async fn a_redirect_is_a_refusal() {
    let bed = Bed::new(quick());
    let inside = Receiver::start(|_| NO_CONTENT).await;
    let location: &'static str = Box::leak(inside.url.clone().into_boxed_str());
    let receiver = Receiver::start(move |_| Answer {
        header: Some(("location", location)),
        ..status(307)
    })
    .await;
    let subscription = bed.subscribe("1").await;
    bed.post(&subscription, &receiver.url, 1).await;
    bed.empty().await;
    assert_eq!((receiver.numbers().len(), inside.numbers().len()), (1, 0));
    let dead = bed.store.range(keys::DEAD_LETTERS, None, 10).entries;
    assert_eq!(dead.len(), 1);
}

#[tokio::test]
async fn what_waits_for_a_subscription_that_is_gone_is_not_delivered() {
    let bed = Bed::new(quick());
    let receiver = Receiver::start(|received| match received.number {
        1 => status(404),
        _ => status(503),
    })
    .await;
    let subscription = bed.subscribe("1").await;
    bed.post(&subscription, &receiver.url, 1).await;
    bed.post(&subscription, &receiver.url, 2).await;
    receiver.wait_for(3).await;
    assert_eq!(bed.store.range(keys::DEAD_LETTERS, None, 10).entries.len(), 1);
    bed.commit(Transaction::new().delete(subscription.clone())).await;
    bed.empty().await;
    eventually(
        || bed.store.range(keys::DEAD_LETTERS, None, 10).entries.is_empty(),
        || "its dead letters are still there".to_owned(),
    )
    .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let tried = receiver.count();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(receiver.count(), tried);

    // Nor is what is written for one that has never been.
    bed.post("subscriptions/test/app/none", &receiver.url, 3).await;
    bed.empty().await;
    assert!(!receiver.numbers().contains(&3));
}

#[tokio::test]
async fn entries_that_are_no_notifications_are_removed_and_hold_up_nobody() {
    let bed = Bed::new(quick());
    let receiver = Receiver::start(|_| NO_CONTENT).await;
    let subscription = bed.subscribe("1").await;
    let rubbish = Transaction::new()
        .put(keys::outgoing(&subscription, "a"), "no JSON")
        .put(keys::outgoing(&subscription, "b"), "{}")
        .put("outbox/without-identifier", "{}")
        .put("outbox/%FF/1", "{}");
    bed.commit(rubbish).await;
    bed.post(&subscription, &receiver.url, 1).await;
    bed.empty().await;
    assert_eq!(receiver.numbers(), [1]);
}

#[tokio::test]
async fn deliveries_that_stop_go_on_after_a_restart() {
    let mut bed = Bed::stopped(quick());
    let receiver = Receiver::start(|_| NO_CONTENT).await;
    let subscription = bed.subscribe("1").await;
    for number in 0..3 {
        bed.post(&subscription, &receiver.url, number).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(receiver.numbers().is_empty());
    bed.start();
    bed.empty().await;
    bed.running.take().unwrap().stop().await;
    for number in 3..6 {
        bed.post(&subscription, &receiver.url, number).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(receiver.numbers(), [0, 1, 2]);
    bed.start();
    bed.empty().await;
    assert_eq!(receiver.numbers(), [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_start_with_many_subscribers_is_spread_but_delivers_everything() {
    let mut bed = Bed::stopped(mecforge_notifications::Options {
        restart_spread: Duration::from_millis(500),
        ..quick()
    });
    let receiver = Receiver::start(|_| NO_CONTENT).await;
    for index in 0..400 {
        let subscription = bed.subscribe(&index.to_string()).await;
        bed.post(&subscription, &receiver.url, index).await;
    }
    bed.start();
    bed.empty().await;
    let mut numbers = receiver.numbers();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..400).collect::<Vec<_>>());
    let received = receiver.received();
    let (first, last) = (received[0].at, received[399].at);
    assert!(last - first > Duration::from_millis(80), "{:?}", last - first);
}

/// On a runtime with one thread, which this test keeps from the dispatcher while more is written than the store keeps
/// in its history.
#[tokio::test(flavor = "current_thread")]
async fn what_happens_faster_than_the_store_remembers_is_read_again() {
    let bed = Bed::new(quick());
    let receiver = Receiver::start(|_| NO_CONTENT).await;
    let subscription = bed.subscribe("1").await;
    bed.post(&subscription, &receiver.url, 0).await;
    bed.empty().await;
    let filler = "x".repeat(1024 * 1024);
    let target = || mecforge_contracts::outbox::Target::Callback(receiver.url.as_str().into());
    let before = bed.store.revision().0;
    let mut commits = Vec::new();
    for number in 1..=20 {
        let transaction = Transaction::new().put(format!("filler/{number}"), filler.clone());
        let transaction = crate::support::posted(transaction, &subscription, target(), number);
        commits.push(bed.store.commit(transaction));
    }
    while bed.store.revision().0 < before + 20 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let cut = bed.store.watch("", mecforge_store::Revision(1));
    assert!(cut.is_err(), "the history should have been cut");
    for commit in commits {
        commit.await.unwrap();
    }
    bed.empty().await;
    assert_eq!(receiver.numbers(), (0..=20).collect::<Vec<_>>());
}

/// A store without room for what deletes from the outbox, for a while.
struct Full {
    store: Arc<Embedded>,
    refusals: AtomicU64,
}

impl Store for Full {
    fn get(&self, key: &str) -> Option<Entry> {
        self.store.get(key)
    }

    fn range(&self, prefix: &str, after: Option<&str>, limit: usize) -> KeyRange {
        self.store.range(prefix, after, limit)
    }

    fn commit(&self, transaction: Transaction) -> Commit {
        let full = self
            .refusals
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match full {
            Ok(_) => Box::pin(async { Err(CommitError::NoRoom("the disk is full".to_owned())) }),
            Err(_) => self.store.commit(transaction),
        }
    }

    fn watch(&self, prefix: &str, after: Revision) -> Result<Watch, WatchError> {
        self.store.watch(prefix, after)
    }

    fn attach(&self, prefix: &str, view: Arc<dyn View>) {
        self.store.attach(prefix, view);
    }

    fn revision(&self) -> Revision {
        self.store.revision()
    }

    fn health(&self) -> Result<(), String> {
        self.store.health()
    }

    fn figures(&self) -> Figures {
        self.store.figures()
    }
}

#[tokio::test]
async fn what_was_delivered_while_the_disk_was_full_is_written_down_later_and_not_sent_again() {
    let bed = Bed::stopped(quick());
    let full = Arc::new(Full {
        store: bed.store.clone(),
        refusals: AtomicU64::new(1),
    });
    let notifications = Notifications::new(full.clone(), quick()).unwrap();
    let running = notifications.start();
    let receiver = Receiver::start(|_| NO_CONTENT).await;
    let subscription = bed.subscribe("1").await;
    for number in 0..5 {
        bed.post(&subscription, &receiver.url, number).await;
    }
    receiver.wait_for(5).await;
    assert!(!bed.store.range(keys::OUTBOX, None, 10).entries.is_empty());
    bed.empty().await;
    assert_eq!(full.refusals.load(Ordering::Relaxed), 0);
    assert_eq!(receiver.numbers(), [0, 1, 2, 3, 4]);
    running.stop().await;
}
