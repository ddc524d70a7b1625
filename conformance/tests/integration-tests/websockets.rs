//! WebSockets that a platform offers: right ones, wrong ones and hostile ones.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::SinkExt;
use mecforge_mock::Options;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

use crate::notifications::{run, verdicts};
use crate::server::serve;

const CHECK: &str = "notification-websocket";

/// The address of the subscription that was made last.
type Subscription = Arc<Mutex<String>>;

/// What a server does with a connection.
type Script = fn(TcpStream, String) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// The reference server of MEC 012 that offers this WebSocket to who asks for one.
fn offering(websocket: String, subscription: Subscription) -> SocketAddr {
    let apis = mecforge_conformance::profile::find("mec012-v2.2.1").unwrap();
    let apis = apis.into_iter().map(|(api, _)| Arc::new(api)).collect();
    let router = mecforge_mock::router(apis, Options::default()).unwrap();
    let offer = move |request: Request, next: Next| {
        let (websocket, subscription) = (websocket.clone(), Arc::clone(&subscription));
        async move {
            let (mut parts, body) = next.run(request).await.into_parts();
            let mut bytes = to_bytes(body, usize::MAX).await.unwrap();
            if let Ok(mut body) = serde_json::from_slice::<Value>(&bytes)
                && let Some(Value::Object(config)) = body.get_mut("websockNotifConfig")
            {
                config.insert("websocketUri".to_owned(), json!(websocket));
                *subscription.lock().unwrap() = body["_links"]["self"]["href"].as_str().unwrap().to_owned();
                bytes = Bytes::from(body.to_string());
                parts.headers.remove("content-length");
            }
            Response::from_parts(parts, Body::from(bytes))
        }
    };
    serve(router.layer(axum::middleware::from_fn(offer)))
}

/// A server that plays a script on each connection.
fn scripted(script: Script, subscription: Subscription) -> SocketAddr {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let subscription = subscription.lock().unwrap().clone();
                tokio::spawn(script(stream, subscription));
            }
        });
    });
    receiver.recv().unwrap()
}

/// Runs the check against a platform whose WebSocket plays a script; the titles of findings, and the verdict.
#[track_caller]
fn judged(script: Script) -> (Vec<String>, String) {
    let subscription = Subscription::default();
    let server = scripted(script, Arc::clone(&subscription));
    asked(format!("ws://{server}/notifications"), subscription)
}

/// The same with any address.
#[track_caller]
fn asked(address: String, subscription: Subscription) -> (Vec<String>, String) {
    let begun = std::time::Instant::now();
    let platform = offering(address, subscription);
    let (code, text, report) = run(platform, "mec012-v2.2.1", &[CHECK], &["--patience", "3s"]);
    assert!(begun.elapsed().as_secs() < 60, "{text}");
    let findings = report["findings"].as_array().unwrap();
    let titles: Vec<_> = findings
        .iter()
        .inspect(|finding| assert_eq!(finding["check"], CHECK, "{text}"))
        .map(|finding| finding["title"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(code == 1, !titles.is_empty(), "{text}");
    (titles, verdicts(&report, CHECK).concat())
}

async fn open(stream: TcpStream) -> WebSocketStream<TcpStream> {
    accept_async(stream).await.unwrap()
}

fn test_of(subscription: &str) -> Value {
    json!({"notificationType": "TestNotification", "_links": {"subscription": {"href": subscription}}})
}

/// Says one thing and waits for the client to go.
async fn says(stream: TcpStream, message: Message) {
    let mut socket = open(stream).await;
    socket.send(message).await.unwrap();
    let mut rest = Vec::new();
    let _ = socket.get_mut().read_to_end(&mut rest).await;
}

/// Reads the handshake of a client.
async fn handshake(stream: &mut TcpStream) {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.unwrap());
    }
}

/// Answers the handshake with these bytes and waits for the client to go.
async fn answers(mut stream: TcpStream, bytes: &[u8]) {
    handshake(&mut stream).await;
    let _ = stream.write_all(bytes).await;
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
}

/// Opens a WebSocket and sends bytes over and over.
async fn floods(stream: TcpStream, first: &[u8], again: &[u8]) {
    let mut socket = open(stream).await;
    let stream = socket.get_mut();
    let _ = stream.write_all(first).await;
    while !again.is_empty() && stream.write_all(again).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
}

#[test]
fn notifications_come_as_text_or_framed() {
    let right: [Script; 2] = [
        |stream, subscription| Box::pin(says(stream, Message::text(test_of(&subscription).to_string()))),
        |stream, subscription| {
            let mut framed =
                b"3GPP-WS-Notif-Seq: \0\0\0\x01\r\nContent-Type: application/json\r\n\r\n".to_vec();
            framed.extend(test_of(&subscription).to_string().bytes());
            Box::pin(says(stream, Message::binary(framed)))
        },
    ];
    for script in right {
        assert_eq!(judged(script), (Vec::new(), "pass".to_owned()));
    }
}

#[test]
fn what_is_wrong_is_found() {
    let wrong: &[(&str, Script)] = &[
        ("no notification", |stream, _| {
            Box::pin(says(stream, Message::text("hello")))
        }),
        ("breaks its schema", |stream, _| {
            Box::pin(says(
                stream,
                Message::text(json!({"notificationType": "TestNotification"}).to_string()),
            ))
        }),
        ("breaks its schema", |stream, _| {
            Box::pin(says(stream, Message::text("[1, 2]")))
        }),
        ("is not the subscription", |stream, _| {
            Box::pin(says(
                stream,
                Message::text(test_of("http://mep.example/another").to_string()),
            ))
        }),
        // A reserved bit, and nobody has agreed on what it means.
        ("no frames", |stream, _| {
            Box::pin(floods(stream, &[0xc1, 0x01, b'x'], &[]))
        }),
        // A mask, which is a client's (RFC 6455, 5.1).
        ("no frames", |stream, _| {
            Box::pin(floods(stream, &[0x81, 0x81, 1, 2, 3, 4, b'x'], &[]))
        }),
        ("can't be opened", |stream, _| {
            Box::pin(answers(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
        }),
        ("can't be opened", |stream, _| {
            Box::pin(answers(stream, b"SSH-2.0-OpenSSH\r\n"))
        }),
        ("can't be opened", |stream, _| {
            Box::pin(answers(stream, &[b'x'; 200_000]))
        }),
        ("can't be opened", |stream, _| Box::pin(answers(stream, b""))),
        ("can't be opened", |stream, _| {
            let answer = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: mine\r\n\r\n";
            Box::pin(answers(stream, answer))
        }),
    ];
    std::thread::scope(|scope| {
        for several in wrong.chunks(3) {
            scope.spawn(move || {
                for (number, (title, script)) in several.iter().enumerate() {
                    let (titles, verdict) = judged(*script);
                    assert!(
                        titles.len() == 1 && titles[0].contains(title),
                        "{number} {title}: {titles:?}, {verdict}"
                    );
                }
            });
        }
    });
    for address in [
        "/notifications/1",
        "http://127.0.0.1:9/",
        "ws://127.0.0.1:9/#part",
    ] {
        let (titles, verdict) = asked(address.to_owned(), Subscription::default());
        assert!(
            titles[0].contains("not the address of a WebSocket"),
            "{titles:?}, {verdict}"
        );
    }
    let (titles, _) = asked("ws://127.0.0.1:9/".to_owned(), Subscription::default());
    assert!(titles[0].contains("can't be opened"), "{titles:?}");
}

#[test]
fn what_cant_be_told_is_inconclusive() {
    let doubtful: &[(&str, Script)] = &[
        ("can't read it", |stream, _| {
            Box::pin(says(stream, Message::binary(vec![0xff; 9])))
        }),
        ("nothing came in time", |stream, _| {
            Box::pin(floods(stream, &[], &[]))
        }),
        ("the server closed it", |stream, _| {
            Box::pin(async { drop(open(stream).await) })
        }),
        ("answered 401", |stream, _| {
            Box::pin(answers(stream, b"HTTP/1.1 401 Unauthorized\r\n\r\n"))
        }),
        // Pings without end.
        ("none of them was a message", |stream, _| {
            Box::pin(floods(stream, &[], &[0x89, 0x00]))
        }),
        // A text that goes on for ever, a letter at a time, and one without letters.
        ("longer than", |stream, _| {
            static PIECES: [u8; 3_000] = pieces();
            Box::pin(floods(stream, &[0x01, 0x01, b'x'], &PIECES))
        }),
        ("nothing came in time", |stream, _| {
            Box::pin(floods(stream, &[0x01, 0x00], &[0x00, 0x00]))
        }),
        // A frame of 2^62 bytes.
        ("longer than", |stream, _| {
            Box::pin(floods(
                stream,
                &[0x81, 127, 0x40, 0, 0, 0, 0, 0, 0, 0],
                &[b'x'; 1_000],
            ))
        }),
    ];
    std::thread::scope(|scope| {
        for several in doubtful.chunks(2) {
            scope.spawn(move || {
                for (reason, script) in several {
                    let (titles, verdict) = judged(*script);
                    assert!(titles.is_empty(), "{reason}: {titles:?}");
                    assert!(
                        verdict.starts_with("\"inconclusive\"") && verdict.contains(reason),
                        "{reason}: {verdict}"
                    );
                }
            });
        }
    });
    let elsewhere = "ws://192.0.2.1/notifications".to_owned();
    let (titles, verdict) = asked(elsewhere, Subscription::default());
    assert!(
        titles.is_empty() && verdict.contains("on another host"),
        "{titles:?}, {verdict}"
    );
}

/// Continuations of one letter each.
const fn pieces() -> [u8; 3_000] {
    let mut pieces = [0; 3_000];
    let mut at = 0;
    while at < pieces.len() {
        pieces[at + 1] = 1;
        pieces[at + 2] = b'x';
        at += 3;
    }
    pieces
}

#[test]
fn who_is_answered_with_both_ways_is_told() {
    let check = "subscription-one-way";
    let platform = offering("ws://127.0.0.1:9/".to_owned(), Subscription::default());
    let (code, text, report) = run(platform, "mec012-v2.2.1", &[check], &[]);
    assert_eq!(code, 0, "a warning: {text}");
    assert_eq!(report["findings"][0]["check"], check, "{text}");
    assert!(text.contains("with a callback and with a WebSocket"), "{text}");
}
