//! Servers of a few lines: each connection is handed to a script, or answered from a list.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mecforge_transport::{Client, Exchange, Request, Settings, TargetUrl};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server that hands each connection, with its number, to `script`; its address.
pub(crate) async fn scripted<F, S>(script: F) -> String
where
    F: Fn(TcpStream, usize) -> S + Send + 'static,
    S: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(script(stream, number));
            number += 1;
        }
    });
    address
}

/// A server that answers each connection's first request with these bytes and closes.
pub(crate) async fn fixed(answer: impl Into<Vec<u8>>) -> String {
    let answer = Arc::new(answer.into());
    scripted(move |mut stream, _| {
        let answer = answer.clone();
        async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

/// The requests that a server has seen, as text.
pub(crate) type Seen = Arc<Mutex<Vec<String>>>;

/// A server that keeps connections open and answers by a function of the request's text.
pub(crate) async fn answering(
    answer: impl Fn(&str, usize) -> String + Send + Sync + 'static,
) -> (String, Seen) {
    let seen: Seen = Arc::default();
    let (answer, kept) = (Arc::new(answer), seen.clone());
    let address = scripted(move |mut stream, _| {
        let (answer, kept) = (answer.clone(), kept.clone());
        async move {
            loop {
                let request = read_request(&mut stream).await;
                if request.is_empty() {
                    return;
                }
                let reply = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(request.clone());
                    answer(&request, kept.len())
                };
                if stream.write_all(reply.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    (address, seen)
}

/// Reads a header and the body that its Content-Length announces; empty at the end of the connection.
pub(crate) async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
            let length = text
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.lines().next()?.parse().ok());
            if bytes.len() >= head + 4 + length.unwrap_or(0) {
                return String::from_utf8_lossy(&bytes).into_owned();
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return String::new(),
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

/// A 200 with this body.
pub(crate) fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Settings for an address.
pub(crate) fn settings(address: &str) -> Settings {
    Settings::new(TargetUrl::parse(address).unwrap())
}

/// Settings that give up after 800 ms.
pub(crate) fn hasty(address: &str) -> Settings {
    let mut settings = settings(address);
    settings.timeout = Duration::from_millis(800);
    settings.connect_timeout = Duration::from_millis(500);
    settings
}

/// One GET.
pub(crate) async fn get(address: &str) -> Exchange {
    Client::new(settings(address))
        .unwrap()
        .send(&Request::new("GET", "/x"))
        .await
}
