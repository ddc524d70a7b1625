//! The server on a socket: notifications, and an orderly end.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use futures_util::StreamExt;
use mecforge_mock::{MockError, Options, serve};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

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

/// A request to service management over a socket: status and body.
async fn call(address: &str, method: &str, path: &str, body: Option<&Value>) -> (String, Value) {
    send(address, method, &format!("/mec_service_mgmt/v1{path}"), body).await
}

/// A request over a socket: status and body.
async fn send(address: &str, method: &str, path: &str, body: Option<&Value>) -> (String, Value) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = body.map(Value::to_string).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
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

/// A server of a document that sends notifications: its address, what stops it, and its end.
async fn started(id: &str) -> (String, oneshot::Sender<()>, JoinHandle<Result<(), MockError>>) {
    let api = documents().into_iter().find(|api| api.id == id).unwrap();
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
    (address, stop, server)
}

#[tokio::test]
async fn subscribers_are_notified() {
    let (address, stop, server) = started("mec011-service-management").await;
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

/// What comes next, within some seconds.
async fn next<T>(coming: impl Future<Output = Option<T>>) -> T {
    tokio::time::timeout(Duration::from_secs(10), coming)
        .await
        .unwrap()
        .unwrap()
}

/// A deadline some seconds from now.
fn deadline(seconds: u64) -> Value {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    json!({"seconds": now.unwrap().as_secs() + seconds, "nanoSeconds": 0})
}

#[tokio::test]
async fn a_websocket_brings_what_a_callback_would() {
    let (address, stop, server) = started("mec012-radio-network-information").await;
    let wish = json!({"subscriptionType": "CellChangeSubscription", "filterCriteriaAssocHo": {},
        "websockNotifConfig": {"requestWebsocketUri": true}, "requestTestNotification": true,
        "expiryDeadline": deadline(4)});
    let (status, made) = send(&address, "POST", "/rni/v2/subscriptions", Some(&wish)).await;
    assert_eq!(status, "201", "{made}");
    let own = made["_links"]["self"]["href"].as_str().unwrap();
    let offered = made["websockNotifConfig"]["websocketUri"].as_str().unwrap();
    assert_eq!(
        offered.strip_prefix("ws:"),
        Some(format!("{}/websocket", &own[5..]).as_str())
    );
    let (mut socket, _) = tokio_tungstenite::connect_async(offered).await.unwrap();
    for kind in ["TestNotification", "ExpiryNotification"] {
        let message = next(socket.next()).await.unwrap();
        let told: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        assert_eq!(told["notificationType"], kind);
        assert_eq!(told["_links"]["subscription"]["href"], own);
    }
    // When the subscription has ended, so has the WebSocket, and there is no other.
    assert!(matches!(next(socket.next()).await, Ok(Message::Close(_))));
    assert!(tokio_tungstenite::connect_async(offered).await.is_err());
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn one_of_two_ways_is_chosen_and_a_change_changes_it() {
    let (address, stop, server) = started("mec012-radio-network-information").await;
    let (first, mut at_first) = receiver().await;
    let (second, mut at_second) = receiver().await;
    let mut wish = json!({"subscriptionType": "CellChangeSubscription", "filterCriteriaAssocHo": {},
        "websockNotifConfig": {"requestWebsocketUri": true}, "callbackReference": first,
        "requestTestNotification": true});
    let (_, made) = send(&address, "POST", "/rni/v2/subscriptions", Some(&wish)).await;
    assert_eq!(
        (&made["callbackReference"], made.get("websockNotifConfig")),
        (&json!(first), None)
    );
    assert_eq!(
        next(at_first.recv()).await["notificationType"],
        "TestNotification"
    );
    let own = made["_links"]["self"]["href"].as_str().unwrap();
    let path = own.strip_prefix(&format!("http://{address}")).unwrap();
    wish["callbackReference"] = json!(second);
    let (status, changed) = send(&address, "PUT", path, Some(&wish)).await;
    assert_eq!(
        (status.as_str(), &changed["callbackReference"]),
        ("200", &json!(second))
    );
    assert_eq!(
        next(at_second.recv()).await["notificationType"],
        "TestNotification"
    );
    wish.as_object_mut().unwrap().remove("callbackReference");
    let (_, changed) = send(&address, "PUT", path, Some(&wish)).await;
    let offered = changed["websockNotifConfig"]["websocketUri"].as_str().unwrap();
    let (mut socket, _) = tokio_tungstenite::connect_async(offered).await.unwrap();
    assert!(
        next(socket.next())
            .await
            .unwrap()
            .to_text()
            .unwrap()
            .contains("TestNotification")
    );
    assert!(at_first.try_recv().is_err() && at_second.try_recv().is_err());
    stop.send(()).unwrap();
    drop(socket);
    server.await.unwrap().unwrap();
}
