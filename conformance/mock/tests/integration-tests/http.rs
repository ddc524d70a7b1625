//! HTTP: paths, methods, media types, parameters, limits.

use axum::body::Body;
use axum::http::Request;
use mecforge_mock::{MockError, Options, router};
use serde_json::json;

use crate::client::{Answer, Client, documents, serve};

fn client() -> Client {
    serve("mec011-service-management")
}

async fn raw(client: &Client, request: axum::http::request::Builder, body: impl Into<Body>) -> Answer {
    client.send(request.body(body.into()).unwrap()).await
}

const SERVICES: &str = "/mec_service_mgmt/v1/applications/a/services";

#[tokio::test]
async fn paths_and_methods() {
    let client = client();
    for path in [
        "/",
        "/nothing",
        "/services/",
        "//services",
        "/services/x/y",
        "/applications//services",
    ] {
        let answer = client.call("GET", path, None).await.is(404);
        assert_eq!(answer.json()["status"], 404);
        assert_eq!(answer.json()["instance"], format!("/mec_service_mgmt/v1{path}"));
    }
    let answer = client.call("DELETE", "/services", None).await.is(405);
    assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
    let answer = client
        .call("BREW", "/applications/a/services", None)
        .await
        .is(405);
    assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS, POST");
    let answer = client.call("OPTIONS", "/services", None).await.is(204);
    assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
    client.call("GET", "/services/%zz", None).await.is(400);
    client.call("GET", "/services/%ff", None).await.is(400);
    client
        .call("GET", "/applications/a%2Fb/services", None)
        .await
        .is(200);
}

#[tokio::test]
async fn parameters_are_judged() {
    let client = client();
    for (query, status) in [
        ("?unknown=1", 400),
        ("?is_local=maybe", 400),
        ("?is_local=true", 200),
        ("?is_local=true&is_local=true", 400),
        ("?scope_of_locality=NOWHERE", 400),
        ("?scope_of_locality=ZONE", 200),
        ("?ser_name=a&ser_name=b", 200),
        ("?ser_name=a&ser_instance_id=b", 400),
        ("?ser_name=%zz", 400),
        ("?ser_name=a%20b", 200),
    ] {
        let answer = client.call("GET", &format!("/services{query}"), None).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.text);
    }
}

#[tokio::test]
async fn media_types_are_negotiated() {
    let client = client();
    for (accept, status) in [
        ("application/json", 200),
        ("*/*;q=0.1", 200),
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("text/html, application/*;q=0.2", 200),
    ] {
        let answer = client
            .call_with("GET", "/services", None, &[("accept", accept)])
            .await;
        assert_eq!(answer.status, status, "{accept}");
    }
    let post = || Request::post(SERVICES).header("host", "mock");
    raw(&client, post().header("content-type", "text/plain"), "{}")
        .await
        .is(415);
    raw(&client, post(), "{}").await.is(415);
    let encoded = post()
        .header("content-type", "application/json")
        .header("content-encoding", "gzip");
    raw(&client, encoded, "{}").await.is(415);
    let json = || post().header("content-type", "application/json");
    let broken: [&[u8]; 6] = [b"", b"{", b"{}{}", b"[NaN]", b"{\"a\":1,\"a\":2}", b"\"\xff\""];
    for body in broken {
        raw(&client, json(), body.to_vec()).await.is(400);
    }
    let answer = client
        .call_with("GET", "/services", None, &[("accept", "text/html")])
        .await;
    assert_eq!(answer.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn everything_is_bounded() {
    let client = client();
    let long = "a".repeat(9_000);
    client
        .call("GET", &format!("/services?ser_name={long}"), None)
        .await
        .is(414);
    let long = "a".repeat(40_000);
    client
        .call_with("GET", "/services", None, &[("x-long", &long)])
        .await
        .is(431);
    let post = Request::post(SERVICES)
        .header("host", "mock")
        .header("content-type", "application/json");
    raw(&client, post, vec![b' '; (4 << 20) + 1]).await.is(413);
}

#[tokio::test]
async fn instances_may_have_to_be_known() {
    let api = documents()
        .into_iter()
        .find(|api| api.id == "mec011-app-support")
        .unwrap();
    let options = Options {
        known_instances: Some(vec!["a".to_owned()]),
        ..Options::default()
    };
    let client = Client::new(api, options);
    client
        .call("GET", "/applications/a/dns_rules", None)
        .await
        .is(200);
    client
        .call("GET", "/applications/b/dns_rules", None)
        .await
        .is(404);
    let body = json!({"appName": "x", "appInstanceId": "b", "endpoint": {"uris": []}});
    client.call("POST", "/registrations", Some(&body)).await.is(201);
    client.call("POST", "/registrations", Some(&body)).await.is(403);
    client
        .call("GET", "/applications/b/dns_rules", None)
        .await
        .is(200);
    client.call("DELETE", "/registrations/b", None).await.is(204);
    client
        .call("GET", "/applications/b/dns_rules", None)
        .await
        .is(404);
}

#[test]
fn two_apis_with_one_path_are_refused() {
    let api = documents()
        .into_iter()
        .find(|api| api.id == "mec011-app-support")
        .unwrap();
    let error = router(vec![api.clone(), api], Options::default()).unwrap_err();
    assert!(matches!(error, MockError::Conflict { .. }), "{error}");
}

#[tokio::test]
async fn what_an_application_has_made_goes_with_it() {
    let client = crate::client::serve("mec011-app-support");
    let body = json!({"appName": "x", "appInstanceId": "b", "endpoint": {"uris": []}});
    client.call("POST", "/registrations", Some(&body)).await.is(201);
    let path = "/applications/b/subscriptions";
    let subscription = json!({"subscriptionType": "AppTerminationNotificationSubscription",
        "callbackReference": "http://127.0.0.1:9/", "appInstanceId": "b"});
    client.call("POST", path, Some(&subscription)).await.is(201);
    let before = client.call("GET", path, None).await.is(200).json();
    client.call("DELETE", "/registrations/b", None).await.is(204);
    client.call("POST", "/registrations", Some(&body)).await.is(201);
    let after = client.call("GET", path, None).await.is(200).json();
    assert!(before["_links"]["subscriptions"][0].is_object(), "{before}");
    assert!(
        after["_links"]
            .get("subscriptions")
            .is_none_or(|list| list == &json!([])),
        "{after}"
    );
}
