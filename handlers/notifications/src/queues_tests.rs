//! Unit tests of the queues, with a paused clock.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use std::future::poll_fn;

use mecforge_contracts::outbox::Target;

use super::*;

const URL: &str = "http://127.0.0.1:1/";

fn queues(options: Options) -> Queues {
    Queues::new(Arc::new(options))
}

fn place(created: u64) -> Place {
    (Revision(created), format!("outbox/key-{created}").into())
}

fn head(url: &str, since: u64) -> Head {
    Head {
        target: Target::Callback(url.into()),
        since,
    }
}

fn arrive(queues: &mut Queues, subscription: &str, created: u64) {
    queues.arrive(subscription, place(created), head(URL, created), 100, None);
}

fn delivered() -> Verdict {
    Verdict::Delivered { happened: 0 }
}

fn later() -> Verdict {
    Verdict::Later {
        reason: "no".to_owned(),
        retry_after: None,
    }
}

/// Waits for the next subscription whose wait is over and makes it ready; says how long that took.
async fn wait(queues: &mut Queues) -> (Arc<str>, Duration) {
    let start = Instant::now();
    let subscription = poll_fn(|context| queues.poll_expired(context)).await;
    queues.expired(&subscription);
    (subscription, start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn one_after_the_other_in_the_order_of_revisions() {
    let mut queues = queues(Options::default());
    for created in [3, 1, 2] {
        arrive(&mut queues, "s", created);
    }
    // The first to arrive is not sent before one that happened earlier.
    for expected in [1, 2, 3] {
        let attempt = queues.next().unwrap();
        assert_eq!(attempt.place, place(expected));
        assert!(queues.next().is_none(), "one at a time");
        assert!(matches!(
            queues.finish(&attempt, &delivered()),
            Outcome::Delete(_)
        ));
    }
    assert!(queues.next().is_none());
    assert_eq!((queues.len(), queues.bytes(), queues.in_flight()), (0, 0, 0));
    let state = &queues.states("", |_| 0)[0];
    assert_eq!((state.delivered, state.queued, state.next_attempt), (3, 0, None));
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_later_and_given_up_in_the_end() {
    let mut queues = queues(Options {
        attempts: 3,
        ..Options::default()
    });
    arrive(&mut queues, "s", 1);
    arrive(&mut queues, "s", 2);
    for (attempts, longest) in [(1, 1), (2, 2)] {
        let attempt = queues.next().unwrap();
        assert_eq!(attempt.place, place(1));
        assert!(matches!(queues.finish(&attempt, &later()), Outcome::Keep));
        assert!(queues.next().is_none());
        let state = &queues.states("", |_| 0)[0];
        assert_eq!(
            (state.failures, state.last_error.as_deref()),
            (attempts, Some("no"))
        );
        assert!(state.next_attempt.is_some());
        let (_, waited) = wait(&mut queues).await;
        assert!(
            waited <= Duration::from_secs(longest) + Duration::from_millis(2),
            "{waited:?}"
        );
    }
    let attempt = queues.next().unwrap();
    let Outcome::GiveUp(given_up) = queues.finish(&attempt, &later()) else {
        panic!("the third attempt was the last");
    };
    assert_eq!(
        (given_up.attempts, given_up.cause, given_up.place),
        (3, Cause::Attempts, place(1))
    );
    // The next one waits for the same receiver, and has attempts of its own.
    assert!(queues.next().is_none());
    wait(&mut queues).await;
    let attempt = queues.next().unwrap();
    assert_eq!(attempt.place, place(2));
    assert!(matches!(queues.finish(&attempt, &later()), Outcome::Keep));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_final_and_the_next_goes_on_at_once() {
    let mut queues = queues(Options::default());
    arrive(&mut queues, "s", 1);
    arrive(&mut queues, "s", 2);
    let attempt = queues.next().unwrap();
    let refused = Verdict::Never {
        reason: "the subscriber answered 404".to_owned(),
        answered: true,
    };
    let Outcome::GiveUp(given_up) = queues.finish(&attempt, &refused) else {
        panic!("a refusal is final");
    };
    assert_eq!((given_up.attempts, given_up.cause), (1, Cause::Refused));
    assert_eq!(queues.next().unwrap().place, place(2));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_asks_for_a_pause_gets_it_within_bounds() {
    let mut queues = queues(Options {
        longest_retry_after: Duration::from_secs(100),
        ..Options::default()
    });
    arrive(&mut queues, "s", 1);
    for (asked, expected) in [(20, 20), (5000, 100)] {
        let attempt = queues.next().unwrap();
        let verdict = Verdict::Later {
            reason: "the subscriber answered 503".to_owned(),
            retry_after: Some(Duration::from_secs(asked)),
        };
        queues.finish(&attempt, &verdict);
        let (_, waited) = wait(&mut queues).await;
        assert_eq!(waited.as_secs(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_receiver_goes_on_when_it_recovers() {
    let mut queues = queues(Options {
        first_delay: Duration::from_secs(1000),
        longest_delay: Duration::from_secs(1000),
        ..Options::default()
    });
    arrive(&mut queues, "a", 1);
    let attempt = queues.next().unwrap();
    queues.finish(&attempt, &later());
    assert!(queues.next().is_none());
    arrive(&mut queues, "b", 2);
    let attempt = queues.next().unwrap();
    queues.finish(&attempt, &delivered());
    assert_eq!(&*queues.next().unwrap().turn.subscription, "a");
    // Nothing is left of the wait.
    let nothing = tokio::time::timeout(Duration::from_secs(5000), wait(&mut queues)).await;
    assert!(nothing.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_oldest_give_way_but_not_what_is_being_tried() {
    let mut queues = queues(Options {
        queue_length: 3,
        ..Options::default()
    });
    for created in 1..=3 {
        arrive(&mut queues, "s", created);
    }
    let attempt = queues.next().unwrap();
    assert!(queues.overflow("s").is_empty());
    arrive(&mut queues, "s", 4);
    arrive(&mut queues, "s", 5);
    let given_up = queues.overflow("s");
    let places: Vec<_> = given_up.iter().map(|given_up| given_up.place.clone()).collect();
    assert_eq!(places, [place(2), place(3)]);
    assert_eq!(given_up[0].cause, Cause::QueueLength);
    assert_eq!(given_up[0].attempts, 0);
    queues.finish(&attempt, &delivered());
    assert_eq!(queues.next().unwrap().place, place(4));
}

#[tokio::test(start_paused = true)]
async fn the_oldest_of_the_longest_queue_give_way_when_all_are_too_large() {
    let mut queues = queues(Options {
        queue_bytes: 1000,
        ..Options::default()
    });
    for created in 1..=10 {
        arrive(&mut queues, &format!("s{}", created % 3), created);
    }
    assert!(queues.overflow("s1").is_empty());
    arrive(&mut queues, "s1", 11);
    let places: Vec<_> = queues
        .overflow("s1")
        .into_iter()
        .map(|given_up| given_up.place)
        .collect();
    assert_eq!(places, [place(1), place(4)]);
    assert_eq!((queues.bytes(), queues.len()), (900, 9));
}

#[tokio::test(start_paused = true)]
async fn what_waits_too_long_is_given_up() {
    let mut queues = queues(Options {
        longest_age: Duration::from_secs(10),
        ..Options::default()
    });
    let target = |since| head(URL, since);
    queues.arrive("s", place(1), target(1000), 1, None);
    queues.arrive("s", place(2), target(5000), 1, None);
    assert!(queues.too_old(11_000).is_empty());
    let given_up = queues.too_old(11_001);
    assert_eq!(given_up.len(), 1);
    assert_eq!((&given_up[0].place, given_up[0].cause), (&place(1), Cause::Age));
    // Its turn came while the other was the first.
    assert_eq!(queues.next().unwrap().place, place(2));
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_is_gone_leaves_nothing() {
    let mut queues = queues(Options::default());
    arrive(&mut queues, "s", 1);
    arrive(&mut queues, "s", 2);
    let attempt = queues.next().unwrap();
    queues.forget("s");
    assert_eq!(queues.len(), 1, "what is being tried is left to its end");
    queues.finish(&attempt, &Verdict::Void);
    queues.forget("s");
    assert_eq!(
        (queues.len(), queues.bytes(), queues.subscriptions().len()),
        (0, 0, 0)
    );

    arrive(&mut queues, "t", 3);
    let attempt = queues.next().unwrap();
    queues.finish(&attempt, &later());
    queues.forget("t");
    let nothing = tokio::time::timeout(Duration::from_secs(5000), wait(&mut queues)).await;
    assert!(nothing.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_others_remove_from_the_store_is_not_waited_for() {
    let mut queues = queues(Options::default());
    for created in 1..=3 {
        arrive(&mut queues, "s", created);
    }
    let attempt = queues.next().unwrap();
    queues.vanish("s", &place(1).1);
    queues.vanish("s", &place(2).1);
    assert_eq!(queues.len(), 2);
    queues.finish(&attempt, &delivered());
    assert_eq!(queues.next().unwrap().place, place(3));
}

#[tokio::test(start_paused = true)]
async fn a_queue_whose_next_notification_goes_elsewhere_changes_its_receiver() {
    let mut queues = queues(Options::default());
    // The first receiver has a single attempt, so that the second queue has to wait for it.
    arrive(&mut queues, "busy", 1);
    let busy = queues.next().unwrap();
    queues.arrive("s", place(2), head(URL, 0), 1, None);
    queues.arrive("s", place(3), head("http://127.0.0.1:2/", 0), 1, None);
    assert!(queues.next().is_none());
    queues.vanish("s", &place(2).1);
    let attempt = queues.next().unwrap();
    assert_eq!(
        (&attempt.place, &*attempt.turn.receiver),
        (&place(3), "http://127.0.0.1:2")
    );
    queues.finish(&attempt, &delivered());
    queues.finish(&busy, &delivered());
    assert!(queues.next().is_none());
    assert_eq!(queues.in_flight(), 0);
}
