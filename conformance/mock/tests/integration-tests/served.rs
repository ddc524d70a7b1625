//! The server on a socket: notifications, and an orderly end.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use mecforge_mock::{Options, serve};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::client::documents;

async fn receiver() -> (String, mpsc::UnboundedReceiver<Value>) {
    let (sender, received) = mpsc::unbounded_channel();
    let router = Router::new().route("/", post(take)).with_state(sender);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (format!("http://{address}/"), received)
}

async fn take(State(sender): State<mpsc::UnboundedSender<Value>>, body: String) {
    sender.send(serde_json::from_str(&body).unwrap()).unwrap();
}

/// A request over a socket: status line and body.
async fn call(address: &str, method: &str, path: &str, body: Option<&Value>) -> (String, Value) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = body.map(Value::to_string).unwrap_or_default();
    let head = format!(
        "{method} /mec_service_mgmt/v1{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().to_owned();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn subscribers_are_notified() {
    let api = documents()
        .into_iter()
        .find(|api| api.id == "mec011-service-management")
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let options = Options {
        callbacks: true,
        ..Options::default()
    };
    let server = tokio::spawn(serve(listener, vec![api], options, async move {
        let _ = stopped.await;
    }));
    let (callback, mut received) = receiver().await;
    let subscription = json!({"subscriptionType": "SerAvailabilityNotificationSubscription",
        "callbackReference": callback, "filteringCriteria": {"serNames": ["wanted"]}});
    let (status, made) = call(
        &address,
        "POST",
        "/applications/b/subscriptions",
        Some(&subscription),
    )
    .await;
    assert_eq!(status, "201", "{made}");
    let mut service = json!({
        "serName": "other", "version": "1", "state": "ACTIVE", "serializer": "JSON",
        "transportInfo": {"id": "t", "name": "n", "type": "REST_HTTP", "protocol": "HTTP", "version": "2",
            "endpoint": {"uris": ["http://a/"]}, "security": {}},
    });
    call(&address, "POST", "/applications/a/services", Some(&service)).await;
    service["serName"] = json!("wanted");
    let (_, offered) = call(&address, "POST", "/applications/a/services", Some(&service)).await;
    let path = format!(
        "/applications/a/services/{}",
        offered["serInstanceId"].as_str().unwrap()
    );
    service["state"] = json!("INACTIVE");
    assert_eq!(call(&address, "PUT", &path, Some(&service)).await.0, "200");
    assert_eq!(call(&address, "DELETE", &path, None).await.0, "204");
    for change in ["ADDED", "STATE_CHANGED", "REMOVED"] {
        let told = tokio::time::timeout(Duration::from_secs(10), received.recv())
            .await
            .unwrap()
            .unwrap();
        let reference = &told["serviceReferences"][0];
        assert_eq!(reference["changeType"], change, "{told}");
        assert_eq!(reference["serInstanceId"], offered["serInstanceId"]);
        assert_eq!(reference.get("link").is_some(), change != "REMOVED");
        assert_eq!(told["_links"]["subscription"], made["_links"]["self"]);
    }
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}
