//! `mepctl subscriptions`.

use serde_json::json;

use crate::command::mepctl;
use crate::platform::{APP, TestPlatform};

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_of_both_kinds_are_made_listed_and_ended() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    let callback = ["--callback", "http://127.0.0.1:9/notify"];
    let create = [&["--json", "subscriptions", "create", APP][..], &callback].concat();
    let filtered = [
        &create[..],
        &[
            "--name", "a", "--name", "b", "--state", "ACTIVE", "--local", "true",
        ],
    ]
    .concat();
    let made = mepctl(&url, &filtered).await.json();
    assert_eq!(
        made["filteringCriteria"],
        json!({"serNames": ["a", "b"], "states": ["ACTIVE"], "isLocal": true})
    );
    let ending = mepctl(&url, &[&create[..], &["--kind", "termination"]].concat())
        .await
        .json();
    assert_eq!(ending["appInstanceId"], APP);

    let listed = mepctl(&url, &["--json", "subscriptions", "list", APP])
        .await
        .json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 2, "{listed:?}");
    for subscription in listed {
        assert_eq!(subscription["callbackReference"], callback[1]);
    }
    let kind = ["subscriptions", "list", APP, "--kind", "termination"];
    let table = mepctl(&url, &kind).await.ok();
    assert!(
        table.contains("AppTerminationNotificationSubscription"),
        "{table}"
    );
    assert_eq!(table.lines().count(), 2, "{table}");

    for subscription in listed {
        let id = subscription["subscriptionId"].as_str().unwrap();
        mepctl(&url, &["subscriptions", "delete", APP, id]).await.ok();
    }
    assert_eq!(
        mepctl(&url, &["subscriptions", "list", APP]).await.ok(),
        "there are none\n"
    );
    let said = mepctl(&url, &["subscriptions", "delete", APP, "nothing"])
        .await
        .failed(1);
    assert!(said.contains("404"), "{said}");
}
