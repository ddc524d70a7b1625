//! Unit tests of the ledger, on a real store.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use mecforge_contracts::outbox::{Outgoing, Target};
use mecforge_store::Embedded;
use serde_json::value::RawValue;

use super::*;
use crate::queues::Cause;

const SUBSCRIPTION: &str = "subscriptions/test/app/1";

/// Puts notifications with these identifiers into the outbox, one after the other.
async fn outbox(store: &Embedded, ids: &[&str]) -> Vec<Place> {
    let mut places = Vec::new();
    for id in ids {
        let outgoing = Outgoing {
            subscription: SUBSCRIPTION.into(),
            target: Target::Callback("http://127.0.0.1/".into()),
            notification: "TestNotification".into(),
            happened: 1,
            body: RawValue::from_string("{}".to_owned()).unwrap(),
        };
        let key: Arc<str> = keys::outgoing(SUBSCRIPTION, id).into();
        let value = serde_json::to_vec(&outgoing).unwrap();
        let revision = store
            .commit(Transaction::new().put(key.clone(), value))
            .await
            .unwrap();
        places.push((revision, key));
    }
    places
}

fn given_up(place: &Place) -> Settlement {
    Settlement::GiveUp(GivenUp {
        subscription: SUBSCRIPTION.into(),
        place: place.clone(),
        attempts: 1,
        reason: "because".to_owned(),
        cause: Cause::Refused,
    })
}

#[tokio::test]
async fn dead_letters_of_one_batch_keep_their_order() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(directory.path()).unwrap();
    // Identifiers are random: their order says nothing.
    let ids = ["z", "b", "y", "a", "x"];
    let places = outbox(&store, &ids).await;
    let mut ledger = Ledger::default();
    for place in &places {
        ledger.add(given_up(place));
        assert!(ledger.has_settled(place));
    }
    ledger.start(&store);
    assert!(ledger.committed().await, "there were dead letters");
    assert!(ledger.is_empty() && !ledger.has_settled(&places[0]));
    assert!(store.range(keys::OUTBOX, None, 10).entries.is_empty());
    let mut dead = store.range(keys::DEAD_LETTERS, None, 10).entries;
    dead.sort_by_key(|(_, entry)| entry.created);
    let order: Vec<_> = dead
        .iter()
        .map(|(key, _)| keys::dead_letter_at(key).unwrap().1)
        .collect();
    assert_eq!(order, ids);
}

#[tokio::test]
async fn a_notification_that_comes_back_under_its_key_is_another() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(directory.path()).unwrap();
    let places = outbox(&store, &["a"]).await;
    let mut ledger = Ledger::default();
    ledger.add(Settlement::Delete(places[0].clone()));
    let replayed = (places[0].0.next(), places[0].1.clone());
    assert!(ledger.has_settled(&places[0]) && !ledger.has_settled(&replayed));
}

#[tokio::test]
async fn subscriptions_that_leave_nothing_do_not_hold_up_others() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(directory.path()).unwrap();
    let places = outbox(&store, &["a"]).await;
    let mut ledger = Ledger::default();
    for index in 0..3 * BATCH {
        ledger.add(Settlement::Forget(
            format!("subscriptions/test/app/gone-{index}").into(),
        ));
    }
    ledger.add(Settlement::Delete(places[0].clone()));
    ledger.start(&store);
    assert!(!ledger.committed().await);
    assert!(ledger.is_empty());
    assert!(store.range(keys::OUTBOX, None, 10).entries.is_empty());
}
