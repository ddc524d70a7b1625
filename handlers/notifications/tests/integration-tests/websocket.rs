//! Deliveries on WebSockets, with a client that is not ours.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use futures_util::{SinkExt, StreamExt};
use mecforge_contracts::deliveries::Deliveries;
use mecforge_contracts::keys;
use mecforge_contracts::outbox::Target;
use mecforge_notifications::{Notifications, Options};
use mecforge_store::Transaction;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::{Bed, NO_CONTENT, Receiver, eventually, posted, quick};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What an API that offers WebSockets does.
async fn upgrade(
    State(notifications): State<Arc<Notifications>>,
    Path(id): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(async move |socket| {
        let subscription = keys::subscription("test", "app", &id);
        notifications.web_sockets().serve(&subscription, socket).await;
    })
}

async fn serve(bed: &Bed) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/{id}", any(upgrade))
        .with_state(bed.notifications.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn connect(address: SocketAddr, id: &str) -> Client {
    connect_async(format!("ws://{address}/{id}")).await.unwrap().0
}

async fn post(bed: &Bed, subscription: &str, number: u64) {
    let target = Target::WebSocket(subscription.into());
    bed.commit(posted(Transaction::new(), subscription, target, number))
        .await;
}

async fn next(client: &mut Client) -> u64 {
    let next = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            match client.next().await {
                Some(Ok(Message::Text(text))) => break text,
                Some(Ok(Message::Ping(_))) => {}
                other => panic!("{other:?}"),
            }
        }
    });
    let text = next.await.unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["number"].as_u64().unwrap()
}

#[tokio::test]
async fn what_waits_is_delivered_when_the_client_connects_and_in_order() {
    let bed = Bed::new(quick());
    let address = serve(&bed).await;
    let subscription = bed.subscribe("1").await;
    for number in 0..3 {
        post(&bed, &subscription, number).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let state = || bed.notifications.states("").first().cloned().unwrap_or_default();
    eventually(
        || state().queued == 3 && state().next_attempt.is_none(),
        || format!("{:?}", state()),
    )
    .await;
    let state = state();
    assert_eq!(
        (state.queued, state.failures, state.next_attempt),
        (3, 0, None),
        "nothing is tried in vain"
    );
    let mut client = connect(address, "1").await;
    for expected in 0..3 {
        assert_eq!(next(&mut client).await, expected);
    }
    post(&bed, &subscription, 3).await;
    assert_eq!(next(&mut client).await, 3);
    bed.empty().await;

    // Gone and back again.
    client.close(None).await.unwrap();
    eventually(
        || !bed.notifications.web_sockets().is_connected(&subscription),
        String::new,
    )
    .await;
    post(&bed, &subscription, 4).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut client = connect(address, "1").await;
    assert_eq!(next(&mut client).await, 4);
    // What the client says is ignored.
    client.send(Message::text("hello")).await.unwrap();
    post(&bed, &subscription, 5).await;
    assert_eq!(next(&mut client).await, 5);
    bed.empty().await;
}

#[tokio::test]
async fn a_second_client_takes_the_place_of_the_first() {
    let bed = Bed::new(quick());
    let address = serve(&bed).await;
    let subscription = bed.subscribe("1").await;
    let mut first = connect(address, "1").await;
    eventually(
        || bed.notifications.web_sockets().is_connected(&subscription),
        String::new,
    )
    .await;
    let mut second = connect(address, "1").await;
    let end = tokio::time::timeout(Duration::from_secs(10), first.next())
        .await
        .unwrap();
    assert!(matches!(end, Some(Ok(Message::Close(_)))), "{end:?}");
    post(&bed, &subscription, 1).await;
    assert_eq!(next(&mut second).await, 1);
    assert!(bed.notifications.web_sockets().is_connected(&subscription));
}

#[tokio::test]
async fn clients_that_are_gone_without_a_word_are_noticed_by_pings() {
    let bed = Bed::new(Options {
        websocket_ping: Duration::from_millis(200),
        ..quick()
    });
    let address = serve(&bed).await;
    let subscription = bed.subscribe("1").await;
    // A client that does not read does not answer pings either.
    let silent = connect(address, "1").await;
    let connected = || bed.notifications.web_sockets().is_connected(&subscription);
    eventually(connected, String::new).await;
    eventually(|| !connected(), || "it is still there".to_owned()).await;
    drop(silent);

    let mut lively = connect(address, "1").await;
    let reader = tokio::spawn(async move {
        let mut number = None;
        while number.is_none() {
            number = Some(next(&mut lively).await);
        }
        number
    });
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(connected(), "it answers");
    post(&bed, &subscription, 9).await;
    assert_eq!(reader.await.unwrap(), Some(9));
}

#[tokio::test]
async fn the_socket_closes_with_the_subscription_and_others_do_not_wait() {
    let bed = Bed::new(quick());
    let address = serve(&bed).await;
    let (with, without) = (bed.subscribe("1").await, bed.subscribe("2").await);
    let callback = bed.subscribe("3").await;
    let receiver = Receiver::start(|_| NO_CONTENT).await;
    let mut client = connect(address, "1").await;
    post(&bed, &without, 0).await;
    post(&bed, &with, 1).await;
    bed.post(&callback, &receiver.url, 2).await;
    assert_eq!(next(&mut client).await, 1);
    receiver.wait_for(1).await;
    bed.commit(Transaction::new().delete(with).delete(without)).await;
    let end = tokio::time::timeout(Duration::from_secs(10), client.next())
        .await
        .unwrap();
    assert!(matches!(end, Some(Ok(Message::Close(_)))), "{end:?}");
    bed.empty().await;

    let problem = bed
        .notifications
        .test(&Target::WebSocket("subscriptions/test/app/1".into()), "{}")
        .await
        .unwrap_err();
    assert_eq!(problem.status(), 422);
}
