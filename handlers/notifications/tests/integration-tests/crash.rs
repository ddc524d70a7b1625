//! A platform that is killed: what was written is delivered after the restart, in order.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mecforge_contracts::keys;
use mecforge_contracts::outbox::Target;
use mecforge_notifications::{Notifications, Options};
use mecforge_store::{Embedded, Store, Transaction};

use crate::support::{Answer, NO_CONTENT, Received, Receiver, eventually, posted, quick, status};

const DIRECTORY: &str = "MECFORGE_TEST_CRASH_DIRECTORY";
const RECEIVER: &str = "MECFORGE_TEST_CRASH_RECEIVER";
/// More than one subscription has.
const ROUND: u64 = 1_000_000;

/// The platform that is killed. Without the environment that the other test gives it, there is nothing to do.
#[tokio::test]
async fn platform_for_the_crash_test() {
    let (Ok(directory), Ok(url)) = (std::env::var(DIRECTORY), std::env::var(RECEIVER)) else {
        return;
    };
    let round: u64 = url.rsplit_once("#").unwrap().1.parse().unwrap();
    let store = Arc::new(Embedded::open(Path::new(&directory)).unwrap());
    let notifications = Notifications::new(store.clone(), patient()).unwrap();
    let _running = notifications.start();
    // The test reads on standard error what was acknowledged.
    for first in (round * ROUND..).step_by(10).take(50) {
        // Ten share a write to disk.
        let commits: Vec<_> = (first..first + 10)
            .map(|number| store.commit(change(&url, number)))
            .collect();
        for (number, commit) in (first..).zip(commits) {
            commit.await.unwrap();
            writeln!(std::io::stderr(), "committed {number}").unwrap();
        }
    }
    std::future::pending::<()>().await;
}

/// A change that two subscribers are told of.
fn change(url: &str, number: u64) -> Transaction {
    ["a", "b"]
        .into_iter()
        .fold(Transaction::new(), |transaction, id| {
            let subscription = keys::subscription("test", "app", id);
            let target = Target::Callback(url.replace('#', &format!("{id}/")).into());
            posted(
                transaction.put(subscription.clone(), "{}"),
                &subscription,
                target,
                number,
            )
        })
}

/// Options with which nothing is given up.
fn patient() -> Options {
    Options {
        queue_length: usize::MAX,
        attempts: u32::MAX,
        ..quick()
    }
}

fn start(directory: &Path, url: &str, round: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::platform_for_the_crash_test", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(RECEIVER, format!("{url}/#{round}"))
        // A proxy that the environment names must not be used: there is none at this address.
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .env("http_proxy", "http://127.0.0.1:1")
        .env("ALL_PROXY", "http://127.0.0.1:1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs the platform until it has committed some changes, kills it, and gives the last one that it said was committed.
fn run_and_kill(directory: &Path, url: &str, round: u64) -> u64 {
    let mut child = start(directory, url, round);
    let lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let mut committed = lines.filter_map(|line| line.strip_prefix("committed ")?.parse::<u64>().ok());
    let enough = round * ROUND + 100 + 37 * round;
    let seen = committed.find(|number| *number >= enough).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    committed.last().unwrap_or(seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_that_is_killed_delivers_everything_after_the_restart() {
    let attempts = AtomicU64::new(0);
    let receiver = Receiver::start(move |received| match received.number % 11 {
        0 if !attempts.fetch_add(1, Ordering::Relaxed).is_multiple_of(3) => status(503),
        3 => Answer {
            delay: Duration::from_millis(3),
            ..NO_CONTENT
        },
        _ => NO_CONTENT,
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let mut committed = Vec::new();
    for round in 0..3 {
        let (path, url) = (directory.path().to_owned(), receiver.url.clone());
        let last = tokio::task::spawn_blocking(move || run_and_kill(&path, &url, round));
        committed.push(last.await.unwrap());
    }
    let before = receiver.received().len();
    let store = Arc::new(Embedded::open(directory.path()).unwrap());
    let waiting = || store.range(keys::OUTBOX, None, usize::MAX).entries.len();
    let left = waiting();
    let notifications = Notifications::new(store.clone(), patient()).unwrap();
    let running = notifications.start();
    eventually(|| waiting() == 0, || format!("{} wait", waiting())).await;
    running.stop().await;
    assert!(
        left > 0 && before > 0,
        "{before} were delivered before the last restart, {left} after it"
    );
    let dead = store.range(keys::DEAD_LETTERS, None, 10).entries;
    assert!(dead.is_empty(), "{dead:?}");
    for id in ["a", "b"] {
        let received = receiver.received();
        let of = received
            .iter()
            .filter(|received| received.path == format!("/{id}/{}", received.number / ROUND));
        check(&of.collect::<Vec<_>>(), &committed);
    }
}

/// Each number came, the first time in order, and always with the same identifier.
fn check(received: &[&Received], committed: &[u64]) {
    let mut ids: HashMap<u64, &str> = HashMap::new();
    let mut first = Vec::new();
    for received in received {
        let id = ids.entry(received.number).or_insert_with(|| {
            first.push(received.number);
            &received.id
        });
        assert_eq!(*id, received.id, "number {}", received.number);
    }
    assert!(first.is_sorted(), "{first:?}");
    for (round, last) in (0..).zip(committed) {
        let numbers: Vec<_> = first.iter().filter(|number| **number / ROUND == round).collect();
        let count = numbers.len() as u64;
        assert_eq!(
            numbers.last().map(|number| **number),
            Some(round * ROUND + count - 1),
            "a number is missing"
        );
        assert!(
            round * ROUND + count > *last,
            "number {last} was acknowledged and is missing"
        );
    }
}
