//! What MEC 011 says beyond its document: views, filters, heartbeats, links.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Client, serve};

fn service(name: &str) -> Value {
    json!({
        "serName": name, "version": "1", "state": "ACTIVE", "serializer": "JSON",
        "transportInfo": {"id": "t", "name": "n", "type": "REST_HTTP", "protocol": "HTTP", "version": "2",
            "endpoint": {"uris": ["http://a/"]}, "security": {}},
    })
}

async fn offer(client: &Client, instance: &str, service: &Value) -> Value {
    let path = format!("/applications/{instance}/services");
    client.call("POST", &path, Some(service)).await.is(201).json()
}

#[tokio::test]
async fn views_agree_and_applications_are_apart() {
    let client = serve("mec011-service-management");
    let made = offer(&client, "a", &service("one")).await;
    let id = made["serInstanceId"].as_str().unwrap();
    let read = |path: String| {
        let client = &client;
        async move { client.call("GET", &path, None).await }
    };
    assert_eq!(read(format!("/services/{id}")).await.is(200).json(), made);
    assert_eq!(read("/services".to_owned()).await.json(), json!([made]));
    assert_eq!(
        read("/applications/a/services".to_owned()).await.json(),
        json!([made])
    );
    assert_eq!(
        read("/applications/b/services".to_owned()).await.json(),
        json!([])
    );
    read(format!("/applications/b/services/{id}")).await.is(404);
    client
        .call("DELETE", &format!("/applications/b/services/{id}"), None)
        .await
        .is(404);
    client
        .call("DELETE", &format!("/applications/a/services/{id}"), None)
        .await
        .is(204);
    read(format!("/services/{id}")).await.is(404);
}

#[tokio::test]
async fn what_is_the_servers_to_say_is_not_taken() {
    let client = serve("mec011-service-management");
    let mut body = service("one");
    body["serInstanceId"] = json!("mine");
    body["_links"] = json!({"self": {"href": "http://elsewhere/"}});
    body["unknown"] = json!(1);
    let made = offer(&client, "a", &body).await;
    assert_ne!(made["serInstanceId"], "mine");
    assert_eq!(made.get("unknown"), None);
    let id = made["serInstanceId"].as_str().unwrap();
    let own = format!("http://mock/mec_service_mgmt/v1/applications/a/services/{id}");
    assert_eq!(made["_links"]["self"]["href"], json!(own));
    client.call("PUT", &own, Some(&made)).await.is(200);
    assert_eq!(client.call("GET", &own, None).await.json(), made);
}

#[tokio::test]
async fn filters_select() {
    let client = serve("mec011-service-management");
    let mut two = service("two");
    two["isLocal"] = json!(false);
    two["scopeOfLocality"] = json!("ZONE");
    two["consumedLocalOnly"] = json!(false);
    two["serCategory"] = json!({"href": "/c", "id": "c", "name": "n", "version": "1"});
    let one = offer(&client, "a", &service("one")).await;
    let two = offer(&client, "a", &two).await;
    let id = one["serInstanceId"].as_str().unwrap();
    for (query, expected) in [
        ("ser_name=one".to_owned(), json!([one])),
        ("ser_name=one&ser_name=two".to_owned(), json!([one, two])),
        ("ser_name=three".to_owned(), json!([])),
        (format!("ser_instance_id={id}"), json!([one])),
        ("ser_category_id=c".to_owned(), json!([two])),
        ("scope_of_locality=MEC_HOST".to_owned(), json!([one])),
        ("scope_of_locality=ZONE".to_owned(), json!([two])),
        ("consumed_local_only=true".to_owned(), json!([one])),
        ("consumed_local_only=false".to_owned(), json!([two])),
        ("is_local=true".to_owned(), json!([one])),
        ("is_local=false".to_owned(), json!([one, two])),
        ("is_local=true&scope_of_locality=ZONE".to_owned(), json!([])),
    ] {
        let listed = client
            .call("GET", &format!("/services?{query}"), None)
            .await
            .is(200)
            .json();
        assert_eq!(listed, expected, "{query}");
    }
}

#[tokio::test]
async fn who_is_silent_is_suspended() {
    let client = serve("mec011-service-management");
    let quiet = offer(&client, "a", &service("quiet")).await;
    let quiet = quiet["serInstanceId"].as_str().unwrap().to_owned();
    client
        .call("GET", &format!("/applications/a/services/{quiet}/liveness"), None)
        .await
        .is(404);
    let mut body = service("one");
    body["livenessInterval"] = json!(10);
    let made = offer(&client, "a", &body).await;
    let liveness = made["_links"]["liveness"]["href"].as_str().unwrap().to_owned();
    let own = made["_links"]["self"]["href"].as_str().unwrap().to_owned();
    let beat = json!({"state": "ACTIVE"});
    let first = client.call("GET", &liveness, None).await.is(200);
    assert_eq!(first.json()["interval"], 10);
    *client.clock.lock().unwrap() += Duration::from_secs(12);
    client.call("PATCH", &liveness, Some(&beat)).await.is(200);
    let stale = [("if-match", first.header("etag"))];
    client
        .call_with("PATCH", &liveness, Some(&beat), &stale)
        .await
        .is(412);
    *client.clock.lock().unwrap() += Duration::from_secs(12);
    assert_eq!(client.call("GET", &own, None).await.json()["state"], "ACTIVE");
    *client.clock.lock().unwrap() += Duration::from_secs(1);
    assert_eq!(client.call("GET", &own, None).await.json()["state"], "SUSPENDED");
    client.call("PATCH", &liveness, Some(&beat)).await.is(200);
    assert_eq!(client.call("GET", &own, None).await.json()["state"], "ACTIVE");
}

#[tokio::test]
async fn subscriptions_are_listed_by_links() {
    for (id, kind, name) in [
        (
            "mec011-service-management",
            "subscriptionType",
            "SerAvailabilityNotificationSubscription",
        ),
        (
            "mec011-service-management@v2.1.1",
            "rel",
            "SerAvailabilityNotificationSubscription",
        ),
    ] {
        let client = serve(id);
        let path = "/applications/a/subscriptions";
        let empty = client.call("GET", path, None).await.is(200).json();
        assert_eq!(empty["_links"]["subscriptions"], json!([]), "{id}");
        assert_eq!(
            empty["_links"]["self"]["href"],
            "http://mock/mec_service_mgmt/v1/applications/a/subscriptions"
        );
        let body = json!({"subscriptionType": name, "callbackReference": "http://127.0.0.1:9/x"});
        let made = client.call("POST", path, Some(&body)).await.is(201);
        let listed = client.call("GET", path, None).await.is(200).json();
        let link = &listed["_links"]["subscriptions"][0];
        assert_eq!(link["href"], made.header("location"), "{id}");
        assert_eq!(link[kind], name, "{id}");
    }
}

#[tokio::test]
async fn an_instance_in_a_body_is_the_paths() {
    let client = serve("mec011-app-support");
    let body = |instance: &str| {
        json!({"subscriptionType": "AppTerminationNotificationSubscription",
            "callbackReference": "http://127.0.0.1:9/x", "appInstanceId": instance})
    };
    client
        .call("POST", "/applications/a/subscriptions", Some(&body("a")))
        .await
        .is(201);
    client
        .call("POST", "/applications/a/subscriptions", Some(&body("b")))
        .await
        .is(400);
    let time = client
        .call("GET", "/timing/current_time", None)
        .await
        .is(200)
        .json();
    assert_eq!(time["seconds"], 1_800_000_000);
}

#[tokio::test]
async fn links_that_a_request_declares_are_kept() {
    let client = serve("mec010-app-grant");
    let maker = client.api.operation("POST", "/grants").unwrap();
    let mut body = client.body(maker).unwrap();
    body["_links"] =
        json!({"appLcmOpOcc": {"href": "/a"}, "appInstance": {"href": "/b"}, "self": {"href": "/c"}});
    let made = client.call("POST", "/grants", Some(&body)).await.is(201);
    let links = &made.json()["_links"];
    assert_eq!(
        (&links["appLcmOpOcc"]["href"], &links["appInstance"]["href"]),
        (&json!("/a"), &json!("/b"))
    );
    assert_ne!(links["self"]["href"], "/c");
}
