//! How many notifications a second are delivered to receivers on this machine, from the transaction that causes them
//! to the acknowledgement that is written down: `cargo bench -p mecforge-notifications`.
//!
//! Each line is one case: how many subscriptions notify how many receivers. A subscription is delivered to one
//! notification after the other, so that a single one shows the time of one exchange.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot unwrap has failed")]
#![allow(clippy::print_stdout, reason = "it prints what it measures")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mecforge_contracts::keys;
use mecforge_contracts::outbox::{Outgoing, Target};
use mecforge_contracts::time::unix_milliseconds;
use mecforge_notifications::{Notifications, Options};
use mecforge_store::{Embedded, Store, Transaction};
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Notifications of each case.
const TOTAL: u64 = 50_000;
/// Notifications that wait at most, so that the measurement is of deliveries and not of a burst.
const AHEAD: u64 = 5_000;

fn main() {
    // `cargo test` runs benchmarks as well, with this argument missing.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    for (subscriptions, receivers) in [(1, 1), (100, 1), (100, 100), (1000, 1000)] {
        let total = if subscriptions == 1 { TOTAL / 5 } else { TOTAL };
        let elapsed = runtime.block_on(measure(subscriptions, receivers, total));
        #[expect(clippy::cast_precision_loss, reason = "it is printed with four digits")]
        let rate = total as f64 / elapsed.as_secs_f64();
        println!(
            "{subscriptions:>5} subscriptions, {receivers:>5} receivers: {total} in {elapsed:.2?}, {rate:.0} notifications/s"
        );
    }
}

async fn measure(subscriptions: usize, receivers: usize, total: u64) -> Duration {
    let acknowledged = Arc::new(AtomicU64::new(0));
    let mut urls = Vec::new();
    for _ in 0..receivers {
        urls.push(receive(acknowledged.clone()).await);
    }
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Embedded::open(directory.path()).unwrap());
    let options = Options {
        queue_length: 100_000,
        ..Options::default()
    };
    let notifications = Notifications::new(store.clone(), options).unwrap();
    let running = notifications.start();
    let mut all = Vec::new();
    for index in 0..subscriptions {
        let key = keys::subscription("bench", "app", &index.to_string());
        store
            .commit(Transaction::new().put(key.clone(), "{}"))
            .await
            .unwrap();
        all.push((key, urls[index % receivers].clone()));
    }
    let start = Instant::now();
    let mut posted = 0;
    while posted < total {
        if posted.saturating_sub(acknowledged.load(Ordering::Relaxed)) > AHEAD {
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        }
        // One change that up to a hundred subscribers are told of.
        let mut transaction = Transaction::new();
        for _ in 0..100.min(subscriptions) {
            let index = usize::try_from(posted).unwrap() % subscriptions;
            transaction = post(transaction, &all[index], posted);
            posted += 1;
        }
        store.commit(transaction).await.unwrap();
    }
    while !store.range(keys::OUTBOX, None, 1).entries.is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let elapsed = start.elapsed();
    assert!(acknowledged.load(Ordering::Relaxed) >= total);
    running.stop().await;
    elapsed
}

fn post(transaction: Transaction, (subscription, url): &(String, Arc<str>), number: u64) -> Transaction {
    let outgoing = Outgoing {
        subscription: subscription.as_str().into(),
        target: Target::Callback(url.clone()),
        notification: "ServiceAvailabilityNotification".into(),
        happened: unix_milliseconds(),
        body: body(number),
    };
    outgoing.post(transaction).unwrap()
}

/// A body of about the size of a notification of one service's availability.
fn body(number: u64) -> Box<RawValue> {
    let text = format!(
        r#"{{"notificationType":"SerAvailabilityNotification","serviceReferences":[{{"link":{{"href":"/mec_service_mgmt/v1/services/{number}"}},"serName":"weather","serInstanceId":"{number}","state":"ACTIVE","changeType":"ADDED"}}],"_links":{{"subscription":{{"href":"/mec_service_mgmt/v1/applications/app/subscriptions/1"}}}}}}"#
    );
    RawValue::from_string(text).unwrap()
}

/// A receiver that acknowledges everything and does little else.
async fn receive(acknowledged: Arc<AtomicU64>) -> Arc<str> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/callback", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, acknowledged.clone()));
        }
    });
    url.into()
}

async fn answer(mut stream: TcpStream, acknowledged: Arc<AtomicU64>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut buffer = Vec::with_capacity(8192);
    loop {
        while let Some(length) = request_length(&buffer) {
            buffer.drain(..length);
            acknowledged.fetch_add(1, Ordering::Relaxed);
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.ok()?;
        }
        if stream.read_buf(&mut buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// The length of the request that a buffer begins with, once it is whole.
fn request_length(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).unwrap();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    let whole = head + length.parse::<usize>().unwrap();
    (buffer.len() >= whole).then_some(whole)
}
