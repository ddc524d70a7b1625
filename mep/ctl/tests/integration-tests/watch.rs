//! `mepctl services watch`.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::command::{mepctl, register, service};
use crate::platform::{APP, TestPlatform};
use crate::whole::Whole;

/// Watches while services come, change and go, and returns what was seen.
async fn watched(url: &str, interval: &str) -> Vec<(String, String)> {
    register(url, APP, &service("before", "1")).await;
    let arguments = [
        "--json",
        "services",
        "watch",
        "--changes",
        "2",
        "--interval",
        interval,
    ];
    let watching = mepctl(url, &arguments);
    let changing = async {
        sleep(Duration::from_millis(500)).await;
        let id = register(url, APP, &service("new", "1")).await;
        sleep(Duration::from_millis(1500)).await;
        mepctl(url, &["services", "delete", APP, &id]).await.ok();
    };
    let both = async { tokio::join!(watching, changing) };
    let (said, ()) = timeout(Duration::from_secs(20), both).await.unwrap();
    let lines = said.ok();
    let seen = lines.lines().map(|line| {
        let event: Value = serde_json::from_str(line).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&event["change"]), text(&event["service"]["serName"]))
    });
    seen.collect()
}

fn expected() -> Vec<(String, String)> {
    [("PRESENT", "before"), ("ADDED", "new"), ("REMOVED", "new")]
        .map(|(change, name)| (change.to_owned(), name.to_owned()))
        .to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_followed_by_the_platforms_events() {
    let whole = Whole::start().await;
    // With events nobody waits for an hour.
    assert_eq!(watched(&whole.url, "3600").await, expected());
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_found_without_events() {
    let platform = TestPlatform::start().await;
    assert_eq!(watched(&platform.url(), "1").await, expected());
}
