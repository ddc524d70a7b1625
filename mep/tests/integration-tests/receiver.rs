//! A receiver of notifications: answers every `POST` with 204 and remembers what came, or refuses it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// One delivery.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) path: String,
    /// `X-Notification-Id`, by which a receiver knows what it has had already.
    pub(crate) id: String,
    pub(crate) body: Value,
}

/// Listens until the test ends.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    deliveries: Arc<Mutex<Vec<Delivery>>>,
    refuses: Arc<AtomicBool>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let deliveries = Arc::new(Mutex::new(Vec::new()));
        let refuses = Arc::new(AtomicBool::new(false));
        let shared = (deliveries.clone(), refuses.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || while serve(&stream, &shared.0, &shared.1).is_some() {});
            }
        });
        Self {
            address,
            deliveries,
            refuses,
        }
    }

    /// Whether it answers 404 from now on, and remembers nothing.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What came to a path, in the order in which it came, each notification once.
    pub(crate) fn distinct(&self, path: &str) -> Vec<Delivery> {
        let mut seen = std::collections::HashSet::new();
        let deliveries = self.deliveries.lock().unwrap().clone();
        deliveries
            .into_iter()
            .filter(|delivery| delivery.path == path && seen.insert(delivery.id.clone()))
            .collect()
    }

    /// Waits until so many notifications have come to a path, for ten seconds at most.
    #[track_caller]
    pub(crate) fn wait_for(&self, path: &str, count: usize) -> Vec<Delivery> {
        let begun = Instant::now();
        loop {
            let distinct = self.distinct(path);
            if distinct.len() >= count {
                return distinct;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{count} notifications were expected at {path}, these came: {distinct:#?}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Serves one request of a connection; `None` at its end.
fn serve(stream: &TcpStream, deliveries: &Mutex<Vec<Delivery>>, refuses: &AtomicBool) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut id) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "x-notification-id" => id = value.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut stream = stream;
    if refuses.load(Ordering::SeqCst) {
        let refusal = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        return stream.write_all(refusal).ok();
    }
    let body = serde_json::from_slice(&body).unwrap();
    deliveries.lock().unwrap().push(Delivery { path, id, body });
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").ok()
}
