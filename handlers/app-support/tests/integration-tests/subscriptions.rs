//! Subscriptions to termination notifications.

use mecforge_runtime::server::Principal;
use serde_json::json;

use crate::api::{Api, subscription};

const PATH: &str = "/applications/app/subscriptions";

#[tokio::test]
async fn subscriptions_are_made_read_listed_and_deleted() {
    let api = Api::new().await;
    let own = format!("http://mep.test:8080/mec_app_support/v1{PATH}");
    let empty = api.get(PATH).await.expect(200);
    assert_eq!(
        empty.body,
        json!({"_links": {"self": {"href": own}, "subscriptions": []}})
    );

    let made = api.post(PATH, subscription("app")).await.expect(201);
    let location = made.header("location").to_owned();
    let mut expected = subscription("app");
    expected["_links"] = json!({"self": {"href": location}});
    assert_eq!(made.body, expected);
    let path = location
        .strip_prefix("http://mep.test:8080/mec_app_support/v1")
        .unwrap();
    let read = api.get(path).await.expect(200);
    assert_eq!(
        (&read.body, read.header("etag")),
        (&expected, made.header("etag"))
    );

    let kind = "AppTerminationNotificationSubscription";
    let listed = api.get(PATH).await.expect(200);
    assert_eq!(
        listed.body["_links"]["subscriptions"],
        json!([{"href": location, "subscriptionType": kind, "rel": kind}])
    );

    let condition = [("if-match", "\"0\"")];
    api.call("DELETE", path, &condition, json!(null))
        .await
        .expect(412);
    api.delete(path).await.expect(204);
    api.delete(path).await.expect(404);
    assert_eq!(
        api.get(path).await.expect(404).body["parameter"],
        "subscriptionId"
    );
    assert_eq!(api.get(PATH).await.body, empty.body);
}

#[tokio::test]
async fn subscriptions_that_break_a_rule_are_refused() {
    let mut api = Api::new().await;
    api.register("other").await;
    let refused = api.post(PATH, subscription("other")).await;
    refused.expect_pointer(400, "/appInstanceId", "const");
    let mut body = subscription("app");
    body["callbackReference"] = json!("http://forbidden.example/");
    let refused = api.post(PATH, body.clone()).await;
    refused.expect_pointer(400, "/callbackReference", "callbackPolicy");
    body["callbackReference"] = json!("/relative");
    let refused = api.post(PATH, body).await;
    refused.expect_pointer(400, "/callbackReference", "format");
    for _ in 0..3 {
        api.subscribe("app").await;
    }
    api.post(PATH, subscription("app")).await.expect(403);
    api.post("/applications/nobody/subscriptions", subscription("nobody"))
        .await
        .expect(404);

    let other = api.subscribe("other").await;
    api.get(&format!("{PATH}/{other}")).await.expect(404);
    api.principal = Principal::application("other");
    for method in ["GET", "POST"] {
        let body = if method == "POST" {
            subscription("app")
        } else {
            json!(null)
        };
        api.call(method, PATH, &[], body).await.expect(403);
    }
}
