//! A process that writes is killed without warning, again and again; what it was told is durable must be there.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use mecforge_store::{Embedded, Expected, Options, Store, Transaction};

const DIRECTORY: &str = "MECFORGE_STORE_KILL_TEST_DIRECTORY";

/// Not a test of its own: the process that gets killed. Without its environment variable it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn child_that_writes_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let options = Options::default().snapshot_after(200_000);
    let store = Arc::new(Embedded::open_with(Path::new(&directory), options).unwrap());
    let run = store.revision();
    let writers: Vec<_> = (0..16)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0.. {
                    let name = format!("{run}-{writer}-{number}");
                    let pair = Transaction::new()
                        .expect(format!("left/{name}"), Expected::Absent)
                        .put(format!("left/{name}"), vec![b'x'; 300])
                        .put(format!("right/{name}"), vec![b'x'; 300])
                        .delete(format!("left/{run}-{writer}-{}", number - 50))
                        .delete(format!("right/{run}-{writer}-{}", number - 50));
                    let revision = store.commit(pair).await.unwrap();
                    let line = format!("acknowledged {revision} {name}\n");
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Runs the child for a while, kills it and returns the last acknowledged (revision, name)s of each writer.
fn run_and_kill(directory: &Path, time: Duration) -> Vec<(u64, String)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "kill::child_that_writes_until_it_is_killed",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let lines = output
            .split(b'\n')
            .map_while(Result::ok)
            .filter_map(|line| String::from_utf8(line).ok());
        lines
            .filter_map(|line| {
                let (revision, name) = line.strip_prefix("acknowledged ")?.split_once(' ')?;
                Some((revision.parse().ok()?, name.to_owned()))
            })
            .collect::<Vec<_>>()
    });
    std::thread::sleep(time);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let mut total = 0;
    for round in 0..6 {
        let acknowledged = run_and_kill(directory.path(), Duration::from_millis(150 + 70 * round));
        total += acknowledged.len();
        let store = Embedded::open(directory.path()).unwrap();
        let last = acknowledged
            .iter()
            .map(|(revision, _)| *revision)
            .max()
            .unwrap_or_default();
        assert!(store.revision().0 >= last, "revision {} was acknowledged", last);
        // Writing number N deletes N - 50, and one write per writer may be durable without having been acknowledged.
        for (writer, number) in last_numbers(&acknowledged) {
            for kept in (number - 48).max(0)..=number {
                assert!(
                    store.get(&format!("left/{writer}-{kept}")).is_some(),
                    "{writer}-{kept} is lost"
                );
            }
        }
        let left = store.range("left/", None, usize::MAX).entries;
        let right = store.range("right/", None, usize::MAX).entries;
        assert_eq!(left.len(), right.len(), "a transaction was cut in half");
        assert!(
            left.iter()
                .zip(&right)
                .all(|((a, x), (b, y))| a[4..] == b[5..] && x == y)
        );
    }
    assert!(
        total > 1000,
        "only {total} writes were acknowledged, too few to mean anything"
    );
}

/// The highest acknowledged number of each writer.
fn last_numbers(acknowledged: &[(u64, String)]) -> BTreeMap<&str, i64> {
    let mut last = BTreeMap::new();
    for (_, name) in acknowledged {
        let (writer, number) = name.rsplit_once('-').unwrap();
        let number: i64 = number.parse().unwrap();
        last.entry(writer)
            .and_modify(|last: &mut i64| *last = number.max(*last))
            .or_insert(number);
    }
    last
}
