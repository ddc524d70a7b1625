//! Tells what happens to weather services on a MEC platform, until it is interrupted.
//!
//! `cargo run -p mecforge-examples --bin weather-watch [-- http://127.0.0.1:8080]`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

use anyhow::Result;
use mecforge_examples::{SERVICE_NAME, observer};

#[tokio::main]
async fn main() -> Result<()> {
    let platform = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
    let mut observer = observer::observe(&platform).await?;
    println!("waiting for changes of {SERVICE_NAME:?}; Ctrl-C ends it");
    loop {
        tokio::select! {
            change = observer.next() => match change {
                Some(change) => println!(
                    "{} ({}): {}, now {}",
                    change.ser_name,
                    change.ser_instance_id,
                    change.change_type.as_str(),
                    change.state.as_str()
                ),
                None => break,
            },
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                break;
            }
        }
    }
    observer.withdraw().await
}
