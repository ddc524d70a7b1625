//! `mepctl notifications`: what was given up is seen, delivered again, or forgotten.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::command::{mepctl, register, service};
use crate::platform::APP;
use crate::whole::Whole;

async fn dead(url: &str, count: usize) -> Vec<Value> {
    for _ in 0..200 {
        let letters = mepctl(url, &["--json", "notifications", "dead", "--app", APP])
            .await
            .json();
        let letters = letters.as_array().unwrap().clone();
        if letters.len() == count {
            return letters;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("never {count} dead letters");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_seen_replayed_and_discarded() {
    let whole = Whole::start().await;
    let url = &whole.url;
    assert_eq!(
        mepctl(url, &["notifications", "dead"]).await.ok(),
        "there are none\n"
    );
    let callback = "http://127.0.0.1:9/notify";
    mepctl(url, &["subscriptions", "create", APP, "--callback", callback])
        .await
        .ok();
    register(url, APP, &service("first", "1")).await;
    dead(url, 1).await;
    register(url, APP, &service("second", "1")).await;
    let letters = dead(url, 2).await;
    let subscription = letters[0]["subscription"].as_str().unwrap();
    let id = letters[0]["id"].as_str().unwrap();

    let table = mepctl(url, &["notifications", "list"]).await.ok();
    assert!(
        table.contains(callback) && table.contains(subscription),
        "{table}"
    );
    let table = mepctl(url, &["notifications", "dead"]).await.ok();
    assert!(
        table.contains("ServiceAvailabilityNotification") && table.contains(id),
        "{table}"
    );

    let said = mepctl(url, &["notifications", "replay", subscription, id])
        .await
        .ok();
    assert_eq!(said, "1 notification is delivered again\n");
    // Nobody listens there, so that it is given up once more.
    dead(url, 2).await;
    let said = mepctl(url, &["--json", "notifications", "replay", "--all"])
        .await
        .json();
    assert_eq!(said, json!({"count": 2}));
    dead(url, 2).await;
    mepctl(url, &["notifications", "discard", subscription, id])
        .await
        .ok();
    dead(url, 1).await;
    assert_eq!(
        mepctl(url, &["notifications", "discard", subscription])
            .await
            .ok(),
        "1 notification is forgotten\n"
    );
    dead(url, 0).await;
    let said = mepctl(url, &["notifications", "discard", subscription])
        .await
        .failed(1);
    assert!(said.contains("404"), "{said}");
}
