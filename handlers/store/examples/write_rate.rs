//! Measures the embedded store: durable writes per second, their latency, and how long opening takes.
//!
//! `cargo run --release -p mecforge-store --example write_rate -- DIRECTORY [WRITERS] [SECONDS]`
#![allow(clippy::print_stdout, reason = "a measurement prints its result")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mecforge_store::{Embedded, Expected, Store, Transaction};

const VALUE: [u8; 400] = [b'x'; 400];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().ok_or("which directory?")?;
    let writers: u64 = arguments.next().map_or(Ok(64), |number| number.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(5), |number| number.parse())?;
    let store = Arc::new(open(Path::new(&directory))?);
    let mut latencies = write(&store, writers, Duration::from_secs(seconds)).await?;
    latencies.sort_unstable();
    let at = |share: usize| {
        latencies
            .get(latencies.len() * share / 100)
            .copied()
            .unwrap_or_default()
    };
    let figures = store.figures();
    println!(
        "{} writes/s with {writers} writers, p50 {:?}, p99 {:?}, {} syncs, {} snapshots, {}",
        latencies.len() as u64 / seconds,
        at(50),
        at(99),
        figures.syncs,
        figures.snapshots,
        memory()
    );
    drop(store);
    open(Path::new(&directory))?;
    Ok(())
}

fn open(directory: &Path) -> Result<Embedded, Box<dyn Error>> {
    let begun = Instant::now();
    let store = Embedded::open(directory)?;
    println!(
        "opened {} entries in {:?}, {}",
        store.figures().entries,
        begun.elapsed(),
        memory()
    );
    Ok(store)
}

/// The latency of every write; keys come from 100,000 names, the first write of a name must find it absent.
async fn write(store: &Arc<Embedded>, writers: u64, time: Duration) -> Result<Vec<Duration>, Box<dyn Error>> {
    let number = Arc::new(AtomicU64::new(store.revision().0));
    let end = Instant::now() + time;
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let (store, number) = (store.clone(), number.clone());
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                while Instant::now() < end {
                    let number = number.fetch_add(1, Ordering::Relaxed);
                    let key = format!(
                        "services/application-{}/service-{}",
                        number % 1000,
                        number % 100_000
                    );
                    let mut transaction = Transaction::new().put(&*key, &VALUE[..]);
                    if number < 100_000 {
                        transaction = transaction.expect(key, Expected::Absent);
                    }
                    let begun = Instant::now();
                    store.commit(transaction).await?;
                    latencies.push(begun.elapsed());
                }
                Ok::<_, mecforge_store::CommitError>(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.append(&mut task.await??);
    }
    Ok(latencies)
}

/// Resident memory now and at its highest.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(", ")
}
