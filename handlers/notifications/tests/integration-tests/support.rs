//! A store with deliveries, and receivers that do as they are told.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use mecforge_contracts::keys;
use mecforge_contracts::outbox::{Outgoing, Target};
use mecforge_contracts::time::unix_milliseconds;
use mecforge_notifications::{Notifications, Options, Running};
use mecforge_store::{Embedded, Store, Transaction};
use serde_json::value::RawValue;
use tokio::net::TcpListener;

/// What a receiver got.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) content_type: String,
    pub(crate) number: u64,
    pub(crate) at: Instant,
}

/// What a receiver answers, and after how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) header: Option<(&'static str, &'static str)>,
    pub(crate) delay: Duration,
}

pub(crate) const NO_CONTENT: Answer = Answer {
    status: 204,
    header: None,
    delay: Duration::ZERO,
};

pub(crate) const HANGING: Answer = Answer {
    status: 204,
    header: None,
    delay: Duration::from_secs(3600),
};

pub(crate) fn status(status: u16) -> Answer {
    Answer { status, ..NO_CONTENT }
}

/// A subscriber's endpoint. Each connection carries one request.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    pub(crate) async fn start(answer: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let router = router(answer, received.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, received }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// How many came.
    pub(crate) fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }

    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.received().iter().map(|received| received.number).collect()
    }

    pub(crate) async fn wait_for(&self, count: usize) {
        eventually(
            || self.received.lock().unwrap().len() >= count,
            || format!("{:?}", self.received()),
        )
        .await;
    }
}

/// Answers every `POST`, and keeps what came.
pub(crate) fn router(
    answer: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    received: Arc<Mutex<Vec<Received>>>,
) -> Router {
    let answer = Arc::new(answer);
    Router::new().fallback(move |request: Request| {
        let (answer, all) = (answer.clone(), received.clone());
        async move {
            let received = read(request).await;
            let Answer {
                status,
                header,
                delay,
            } = answer(&received);
            all.lock().unwrap().push(received);
            tokio::time::sleep(delay).await;
            let mut response = Response::builder().status(status).header("connection", "close");
            if let Some((name, value)) = header {
                response = response.header(name, value);
            }
            response.body(Body::empty()).unwrap()
        }
    })
}

async fn read(request: Request) -> Received {
    assert_eq!(request.method(), "POST");
    let (head, body) = request.into_parts();
    let header = |name: &str| {
        let value = head.headers.get(name);
        value
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    };
    let (path, id, content_type) = (
        head.uri.path().to_owned(),
        header("x-notification-id"),
        header("content-type"),
    );
    let body = axum::body::to_bytes(body, 64 * 1024 * 1024).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    Received {
        path,
        id,
        content_type,
        number: body["number"].as_u64().unwrap_or(u64::MAX),
        at: Instant::now(),
    }
}

/// A platform's store and its deliveries.
pub(crate) struct Bed {
    pub(crate) store: Arc<Embedded>,
    pub(crate) notifications: Arc<Notifications>,
    pub(crate) running: Option<Running>,
    /// Goes last.
    pub(crate) _directory: tempfile::TempDir,
}

/// Options with short waits.
pub(crate) fn quick() -> Options {
    Options {
        first_delay: Duration::from_millis(20),
        longest_delay: Duration::from_millis(100),
        timeout: Duration::from_secs(5),
        ..Options::default()
    }
}

impl Bed {
    pub(crate) fn new(options: Options) -> Self {
        let mut bed = Self::stopped(options);
        bed.start();
        bed
    }

    /// Deliveries that have not started.
    pub(crate) fn stopped(options: Options) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(Embedded::open(directory.path()).unwrap());
        let notifications = Notifications::new(store.clone(), options).unwrap();
        Self {
            store,
            notifications,
            running: None,
            _directory: directory,
        }
    }

    pub(crate) fn start(&mut self) {
        self.running = Some(self.notifications.start());
    }

    pub(crate) async fn commit(&self, transaction: Transaction) {
        self.store.commit(transaction).await.unwrap();
    }

    /// A subscription, by its key.
    pub(crate) async fn subscribe(&self, id: &str) -> String {
        let key = keys::subscription("test", "app", id);
        self.commit(Transaction::new().put(key.clone(), "{}")).await;
        key
    }

    pub(crate) async fn post(&self, subscription: &str, url: &str, number: u64) {
        let target = Target::Callback(url.into());
        self.commit(posted(Transaction::new(), subscription, target, number))
            .await;
    }

    /// Waits until nothing waits any more.
    pub(crate) async fn empty(&self) {
        let waiting = || self.store.range(keys::OUTBOX, None, 10).entries;
        eventually(|| waiting().is_empty(), || format!("{:?}", waiting())).await;
    }
}

/// Adds a notification to a transaction.
pub(crate) fn posted(
    transaction: Transaction,
    subscription: &str,
    target: Target,
    number: u64,
) -> Transaction {
    let outgoing = Outgoing {
        subscription: subscription.into(),
        target,
        notification: "TestNotification".into(),
        happened: unix_milliseconds(),
        body: RawValue::from_string(format!(r#"{{"number": {number}}}"#)).unwrap(),
    };
    outgoing.post(transaction).unwrap()
}

/// Waits until something is so, at most 60 s.
pub(crate) async fn eventually(condition: impl Fn() -> bool, state: impl Fn() -> String) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "waited in vain: {}",
            state()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
