//! Making, reading, replacing and deleting subscriptions, and the index that follows them.

use std::sync::Arc;

use mecforge_contracts::outbox::Target;
use mecforge_contracts::{Presence, keys};
use mecforge_runtime::Preconditions;
use mecforge_store::{CommitError, Transaction};
use mecforge_subscriptions::{Delivery, Limits, Terms};
use serde_json::json;

use crate::bench::{Bench, caller, request};

#[tokio::test]
async fn subscriptions_are_kept_in_their_order_and_survive_a_restart() {
    let bench = Bench::new();
    for number in 0..3 {
        bench.subscribe("a", request(number)).await.unwrap();
    }
    let other = bench.subscribe("b", request(9)).await.unwrap();
    let check = |bench: &Bench| {
        let listed = bench.subscriptions.list("a");
        let requests: Vec<_> = listed
            .iter()
            .map(|subscription| subscription.request.get().to_owned())
            .collect();
        assert_eq!(
            requests,
            [r#"{"number":0}"#, r#"{"number":1}"#, r#"{"number":2}"#]
        );
        let found = bench.subscriptions.get("b", &other.id).unwrap();
        assert_eq!(
            (&found.target, &*found.key, found.entity_tag()),
            (
                &Target::Callback("http://app.example/cb".into()),
                &*other.key,
                other.entity_tag()
            )
        );
        assert_eq!(
            (&*found.app_instance_id, found.created, found.modified),
            ("b", other.created, other.modified)
        );
        assert_eq!(bench.subscriptions.get("a", &other.id).unwrap_err().status(), 404);
        assert_eq!(bench.subscriptions.count(), 4);
    };
    check(&bench);
    check(&bench.restarted());
}

#[tokio::test]
async fn a_callback_that_must_not_be_called_is_refused_with_its_place() {
    let bench = Bench::new();
    let terms = Terms {
        delivery: Delivery::Callback {
            url: "http://forbidden.example/",
            pointer: "/callbackUri",
        },
        expires: None,
    };
    let refused = bench
        .subscriptions
        .create_on(Presence::Declared, "a", terms, &request(1), &caller())
        .await
        .unwrap_err();
    assert_eq!(refused.status(), 400);
    let details = serde_json::to_value(refused.details()).unwrap();
    assert_eq!(
        (&details["pointer"], &details["rule"], &details["detail"]),
        (
            &json!("/callbackUri"),
            &json!("callbackPolicy"),
            &json!("/callbackUri must not be called: the host is not allowed")
        )
    );
    assert_eq!(bench.subscriptions.count(), 0);
}

#[tokio::test]
async fn a_websocket_is_named_by_the_key() {
    let bench = Bench::new();
    let terms = Terms {
        delivery: Delivery::WebSocket,
        expires: None,
    };
    let made = bench
        .subscriptions
        .create_on(Presence::Declared, "a", terms, &request(1), &caller())
        .await
        .unwrap();
    assert_eq!(made.target, Target::WebSocket(made.key.clone()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_limit_holds_under_concurrency() {
    let bench = Arc::new(Bench::limited(Limits {
        per_application: Some(5),
    }));
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let bench = bench.clone();
            tokio::spawn(async move {
                bench
                    .subscribe("a", request(number))
                    .await
                    .map_err(|p| p.status())
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => made += 1,
            Err(status) => assert_eq!(status, 403),
        }
    }
    assert_eq!((made, bench.subscriptions.list("a").len()), (5, 5));
    bench.subscribe("b", request(0)).await.unwrap();
}

#[tokio::test]
async fn an_application_that_is_gone_cannot_subscribe() {
    let bench = Bench::new();
    let subscribe = || async {
        let caller = caller();
        bench
            .subscriptions
            .create(
                Presence::Registered,
                "a",
                "http://app.example/",
                &request(1),
                &caller,
            )
            .await
    };
    assert_eq!(subscribe().await.unwrap_err().status(), 404);
    let registration = Transaction::new().put(keys::application("a"), "{}");
    bench.store.commit(registration).await.unwrap();
    subscribe().await.unwrap();
}

#[tokio::test]
async fn replacing_keeps_place_and_identifier() {
    let bench = Bench::new();
    let first = bench.subscribe("a", request(1)).await.unwrap();
    bench.subscribe("a", request(2)).await.unwrap();
    let terms = Terms::callback("http://elsewhere.example/");
    let stale = Preconditions::if_match(first.entity_tag());
    let replace = |preconditions: Preconditions| {
        let (bench, first) = (&bench, &first);
        async move {
            let caller = caller();
            bench
                .subscriptions
                .replace("a", &first.id, terms, &request(3), &preconditions, &caller)
                .await
        }
    };
    let replaced = replace(stale.clone()).await.unwrap();
    assert_eq!((replaced.created, &replaced.key), (first.created, &first.key));
    assert_ne!(replaced.entity_tag(), first.entity_tag());
    assert_eq!(replace(stale.clone()).await.unwrap_err().status(), 412);
    let listed = bench.subscriptions.list("a");
    assert_eq!(listed[0].request.get(), r#"{"number":3}"#);
    assert_eq!(
        listed[0].target,
        Target::Callback("http://elsewhere.example/".into())
    );
    assert_eq!(
        bench.told.take(),
        [
            r#"came {"number":1}"#,
            r#"came {"number":2}"#,
            r#"went {"number":1}"#,
            r#"came {"number":3}"#
        ]
    );
    let refused = bench.subscriptions.delete("a", &first.id, &stale).await;
    assert_eq!(refused.unwrap_err().status(), 412);
}

#[tokio::test]
async fn the_index_is_filled_at_the_start() {
    let bench = Bench::new();
    bench.subscribe("a", request(1)).await.unwrap();
    let bench = bench.restarted();
    assert_eq!(bench.told.take(), [r#"came {"number":1}"#]);
}

#[tokio::test]
async fn deleting_takes_notifications_along() {
    let bench = Bench::new();
    let (gone, stays) = (
        bench.subscribe("a", request(1)).await.unwrap(),
        bench.subscribe("a", request(2)).await.unwrap(),
    );
    bench.notify(&gone).await;
    bench.notify(&stays).await;
    bench
        .subscriptions
        .delete("a", &gone.id, &Preconditions::default())
        .await
        .unwrap();
    assert_eq!(bench.subscriptions.get("a", &gone.id).unwrap_err().status(), 404);
    assert_eq!(bench.keys(keys::OUTBOX).len(), 1);
    assert_eq!(bench.keys(&keys::outgoing_of(&stays.key)).len(), 1);
    assert_eq!(
        bench.keys(keys::DEAD_LETTERS),
        [keys::dead_letter(&stays.key, "old")]
    );
    let again = bench
        .subscriptions
        .delete("a", &gone.id, &Preconditions::default())
        .await;
    assert_eq!(again.unwrap_err().status(), 404);
}

#[tokio::test]
async fn a_mark_tells_whether_subscriptions_have_changed() {
    let bench = Bench::new();
    let change = || Transaction::new().put("changes/1", "");
    let none = bench.subscriptions.mark();
    bench.store.commit(none.guard(change())).await.unwrap();
    let first = bench.subscribe("a", request(1)).await.unwrap();
    let refused = bench.store.commit(none.guard(change())).await;
    assert!(matches!(&refused, Err(CommitError::Conflict { key, .. }) if none.is_at(key)));
    let one = bench.subscriptions.mark();
    bench.store.commit(one.guard(change())).await.unwrap();
    bench
        .subscriptions
        .delete("a", &first.id, &Preconditions::default())
        .await
        .unwrap();
    assert!(bench.store.commit(one.guard(change())).await.is_err());
    let bench = bench.restarted();
    let now = bench.subscriptions.mark();
    bench.store.commit(now.guard(change())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_holds_subscriptions_meets_no_conflict() {
    let bench = Arc::new(Bench::limited(Limits {
        per_application: None,
    }));
    let busy: Vec<_> = (0..4)
        .map(|number| {
            let bench = bench.clone();
            tokio::spawn(async move {
                for _ in 0..50 {
                    bench
                        .subscribe(&format!("app-{number}"), request(number))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for number in 0..20 {
        let _hold = bench.subscriptions.hold().await;
        let mark = bench.subscriptions.mark();
        let change = Transaction::new().put(format!("changes/{number}"), "");
        bench.store.commit(mark.guard(change)).await.unwrap();
    }
    for task in busy {
        task.await.unwrap();
    }
    assert_eq!(bench.subscriptions.count(), 200);
}
