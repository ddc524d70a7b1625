//! Server-sent events, over sockets.

use std::net::SocketAddr;
use std::time::Duration;

use mecforge_administration::{BASE_PATH, Options};
use mecforge_contracts::keys;
use mecforge_store::Transaction;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::document::judge_of_events;
use crate::world::{World, service};

/// Serves a world's API at a port of its own.
async fn serve(world: &World) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().nest(BASE_PATH, world.administration.router());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A client that reads the text of the stream.
struct Client {
    reader: BufReader<TcpStream>,
}

#[derive(Debug, Default, PartialEq)]
struct Received {
    name: String,
    id: Option<u64>,
    data: Value,
}

impl Client {
    async fn connect(address: SocketAddr, query: &str, last: Option<u64>) -> (Self, u16) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let last = last.map_or_else(String::new, |last| format!("Last-Event-ID: {last}\r\n"));
        let request = format!(
            "GET {BASE_PATH}/events{query} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{last}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut client = Self {
            reader: BufReader::new(stream),
        };
        let status = client.line().await.unwrap();
        let status = status.split(' ').nth(1).unwrap().parse().unwrap();
        while client.line().await.is_some_and(|line| !line.is_empty()) {}
        (client, status)
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = tokio::time::timeout(Duration::from_secs(20), self.reader.read_line(&mut line));
        match read.await.expect("nothing came for 20 s") {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim_end_matches(['\r', '\n']).to_owned()),
        }
    }

    /// The next event; `None` at the end of the stream. Sizes of chunks are neither fields nor comments.
    async fn next(&mut self) -> Option<Received> {
        let mut received = Received::default();
        loop {
            let line = self.line().await?;
            match line.split_once(": ") {
                Some(("event", name)) => received.name = name.to_owned(),
                Some(("id", id)) => received.id = Some(id.parse().unwrap()),
                Some(("data", data)) => received.data = serde_json::from_str(data).unwrap(),
                Some(("", comment)) => {
                    received.name = format!(": {comment}");
                    return Some(received);
                }
                _ if line.is_empty() && !received.name.is_empty() => return Some(received),
                _ => {}
            }
        }
    }

    async fn expect(&mut self, name: &str, id: Option<u64>) -> Value {
        let received = self.next().await.unwrap();
        assert_eq!(
            (received.name.as_str(), received.id),
            (name, id),
            "{}",
            received.data
        );
        if !name.starts_with(':') {
            assert!(judge_of_events().is_valid(&received.data), "{}", received.data);
        }
        received.data
    }
}

#[tokio::test]
async fn changes_are_told_as_they_happen() {
    let world = World::with_defaults();
    let address = serve(&world).await;
    let (mut client, status) = Client::connect(address, "", None).await;
    assert_eq!(status, 200);
    assert_eq!(client.expect("ready", Some(0)).await, json!({"revision": 0}));
    world
        .put(&keys::service("a", "s"), service("one", "ACTIVE"))
        .await;
    assert_eq!(
        client.expect("service", Some(1)).await,
        json!({"kind": "service", "change": "ADDED", "appInstanceId": "a", "id": "s", "revision": 1})
    );
    world
        .put(&keys::service("a", "s"), service("one", "INACTIVE"))
        .await;
    assert_eq!(client.expect("service", Some(2)).await["change"], "CHANGED");
    world.delete(&keys::service("a", "s")).await;
    assert_eq!(client.expect("service", Some(3)).await["change"], "REMOVED");
}

#[tokio::test]
async fn a_client_that_comes_back_is_told_what_it_has_missed() {
    let world = World::with_defaults();
    let address = serve(&world).await;
    world.put(&keys::application("a"), json!({})).await;
    world.put(&keys::application("b"), json!({})).await;
    let both = Transaction::new()
        .put(keys::service("a", "s"), "{}")
        .delete(keys::application("b"));
    world.store.commit(both).await.unwrap();
    let (mut client, _) = Client::connect(address, "", Some(1)).await;
    // `ready` has no number: the client has not yet seen what it is about to be told.
    assert_eq!(client.expect("ready", None).await, json!({"revision": 1}));
    assert_eq!(client.expect("application", Some(2)).await["id"], "b");
    let first = client.next().await.unwrap();
    let second = client.next().await.unwrap();
    assert_eq!(
        (first.id, second.id),
        (None, Some(3)),
        "only the last event of a change has its number"
    );
}

#[tokio::test]
async fn a_client_that_cannot_be_told_what_it_has_missed_starts_again() {
    let world = World::with_defaults();
    let address = serve(&world).await;
    world.put(&keys::application("a"), json!({})).await;
    // A number of another store.
    let (mut client, _) = Client::connect(address, "", Some(17)).await;
    assert_eq!(client.expect("reset", Some(1)).await, json!({"revision": 1}));
    world.put(&keys::application("b"), json!({})).await;
    assert_eq!(client.expect("application", Some(2)).await["id"], "b");
}

#[tokio::test]
async fn kinds_can_be_chosen_and_queues_are_mentioned_once() {
    let world = World::with_defaults();
    let address = serve(&world).await;
    let (mut client, _) = Client::connect(address, "?kinds=delivery,deadLetter", None).await;
    client.expect("ready", Some(0)).await;
    let subscription = keys::subscription("service-availability", "a", "1");
    world.put(&subscription, json!({})).await;
    let mut many = Transaction::new();
    for number in 0..1000 {
        many = many.put(keys::outgoing(&subscription, &number.to_string()), "{}");
    }
    world.store.commit(many).await.unwrap();
    world.give_up(&subscription, "n", 1_800_000_000_000).await;
    let delivery = client.expect("delivery", Some(2)).await;
    assert_eq!(
        (&delivery["id"], &delivery["appInstanceId"]),
        (&json!(subscription), &json!("a"))
    );
    assert_eq!(
        client.expect("deadLetter", Some(3)).await["subscription"],
        json!(subscription)
    );
}

#[tokio::test]
async fn a_client_that_does_not_read_costs_nothing_and_starts_again() {
    let world = World::with_defaults();
    let address = serve(&world).await;
    let (mut client, _) = Client::connect(address, "", None).await;
    client.expect("ready", Some(0)).await;
    // More than the buffers of the sockets take, and more than the store remembers.
    let long = "x".repeat(3000);
    let mut last = 0;
    for _ in 0..300 {
        let commits: Vec<_> = (0..100)
            .map(|number| {
                let key = keys::service(&format!("{long}{number}"), "s");
                world.store.commit(Transaction::new().put(key, "{}"))
            })
            .collect();
        for commit in commits {
            last = commit.await.unwrap().0;
        }
    }
    let (mut read, mut resets) = (0, 0);
    loop {
        let received = client.next().await.unwrap();
        match received.name.as_str() {
            "reset" => resets += 1,
            _ => read += 1,
        }
        if received.id == Some(last) {
            break;
        }
    }
    assert!(resets > 0, "the client is told that it has missed something");
    assert!(
        read < 20_000,
        "{read} of 30,000 events were kept for a client that does not read"
    );
    world.put(&keys::application("a"), json!({})).await;
    client.expect("application", Some(last + 1)).await;
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive_and_ends_when_the_platform_stops() {
    let world = World::new(Options {
        event_keep_alive: Duration::from_millis(400),
        event_clients: 1,
        ..Options::default()
    });
    let address = serve(&world).await;
    let (mut client, _) = Client::connect(address, "?kinds=task", None).await;
    client.expect("ready", Some(0)).await;
    // What the client does not want to know is no sign of life, however often it happens.
    let store = world.store.clone();
    let busy = tokio::spawn(async move {
        loop {
            let change = Transaction::new().put(keys::application("a"), "{}");
            store.commit(change).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    for _ in 0..3 {
        assert_eq!(client.next().await.unwrap().name, ": still here");
    }
    busy.abort();
    let (_, status) = Client::connect(address, "", None).await;
    assert_eq!(status, 503, "more clients than there are places");
    assert_eq!(world.get("/platform").await["eventClients"], 1);
    world.administration.close();
    while client.next().await.is_some() {}
    for _ in 0..100 {
        if world.get("/platform").await["eventClients"] == 0 {
            let (_, status) = Client::connect(address, "", None).await;
            assert_eq!(status, 503, "a platform that stops takes no clients");
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the stream has ended, but its place is still taken");
}
