//! Finds the weather on a MEC platform and asks for it.
//!
//! `cargo run -p mecforge-examples --bin weather-app [-- http://127.0.0.1:8080]`
#![allow(clippy::print_stdout, reason = "an example tells what it does")]

use anyhow::Result;
use mecforge_examples::{SERVICE_NAME, consumer};

#[tokio::main]
async fn main() -> Result<()> {
    let platform = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
    let services = consumer::find(&platform).await?;
    if services.is_empty() {
        println!("nobody offers {SERVICE_NAME:?} at {platform}; start weather-service first");
    }
    for service in services {
        let name = format!("{} {}", service.ser_name, service.version);
        match consumer::call(&service).await {
            Ok(weather) => println!("{name}: {} °C, {}", weather.celsius, weather.sky),
            // Whoever offers a service may be gone; another one may answer.
            Err(error) => println!("{name}: {error:#}"),
        }
    }
    Ok(())
}
