//! `mepctl apps` and `mepctl time`.

use serde_json::json;

use crate::command::{mepctl, mepctl_with};
use crate::platform::APP;
use crate::whole::Whole;

const CAMERA: &str =
    "{appName: camera, appProvider: Example, appInstanceId: cam/1, endpoint: {uris: ['http://a/']}}";

#[tokio::test(flavor = "multi_thread")]
async fn applications_are_registered_listed_shown_and_deregistered() {
    let whole = Whole::start().await;
    let url = &whole.url;
    let said = mepctl_with(url, &["apps", "register", "-"], CAMERA).await.ok();
    assert_eq!(said, "application camera is registered as cam/1\n");

    let listed = mepctl(url, &["--json", "apps", "list"]).await.json();
    let ids: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|app| &app["appInstanceId"])
        .collect();
    assert_eq!(ids, [APP, "cam/1"]);
    let table = mepctl(url, &["apps", "list"]).await.ok();
    assert!(
        table.contains("camera") && table.contains("registration"),
        "{table}"
    );

    let shown = mepctl(url, &["--json", "apps", "get", "cam/1"]).await.json();
    assert_eq!(shown["registration"]["appProvider"], "Example");
    assert_eq!(shown["instance"]["state"], "NOT_READY");
    let shown = mepctl(url, &["apps", "get", "cam/1"]).await.ok();
    assert!(shown.contains("Provider       Example\n"), "{shown}");

    mepctl(url, &["apps", "delete", "cam/1"]).await.ok();
    let said = mepctl(url, &["apps", "get", "cam/1"]).await.failed(1);
    assert_eq!(said, "mepctl: there is no application instance \"cam/1\"\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_ended_by_its_manager() {
    let whole = Whole::start().await;
    let url = &whole.url;
    mepctl_with(url, &["apps", "register", "-"], CAMERA).await.ok();
    let task = mepctl(url, &["--json", "apps", "terminate", "cam/1", "--wait"])
        .await
        .json();
    assert_eq!(task["state"], "SUCCEEDED");
    assert_eq!(mepctl(url, &["apps", "get", "cam/1"]).await.code, 1);
    let said = mepctl(url, &["apps", "terminate", "cam/1"]).await.failed(1);
    assert!(said.contains("404"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_is_shown() {
    let whole = Whole::start().await;
    let clock = mepctl(&whole.url, &["--json", "time"]).await.json();
    assert!(
        clock["currentTime"]["seconds"].as_u64().unwrap() > 1_700_000_000,
        "{clock}"
    );
    assert_ne!(clock["timingCaps"], json!(null));
    let text = mepctl(&whole.url, &["time"]).await.ok();
    assert!(text.starts_with("Time ") && text.contains("TRACEABLE"), "{text}");
}
