//! Offers the weather on a MEC platform until it is interrupted.
//!
//! `cargo run -p mecforge-examples --bin weather-service [-- http://127.0.0.1:8080]`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

use anyhow::Result;
use mecforge_examples::producer;

#[tokio::main]
async fn main() -> Result<()> {
    let platform = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
    let offer = producer::offer(&platform).await?;
    println!("application instance {}", offer.app_instance_id);
    println!("service at {}", offer.service.links.self_.href);
    println!("Ctrl-C withdraws it");
    tokio::signal::ctrl_c().await?;
    offer.withdraw().await
}
