//! Three applications on a MEC platform: one offers a service and gives signs of life, one finds it and calls it, one
//! is told of everything that happens to it.
//!
//! Start a platform (`cargo run --release --bin mep`), then in more terminals
//! `cargo run -p mecforge-examples --bin weather-watch`, `… --bin weather-service` and `… --bin weather-app`.
//! The tests of `mep` run all of them against the real binary.

pub mod consumer;
pub mod observer;
pub mod producer;

use serde::{Deserialize, Serialize};

/// What the weather service answers. Between the two applications; the platform knows nothing of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Weather {
    /// Air temperature in °C.
    pub celsius: f64,
    /// What the sky looks like.
    pub sky: String,
}

/// The name under which the service is offered and looked for.
pub const SERVICE_NAME: &str = "weather";

/// The snippets of the documentation, so that they keep compiling.
#[cfg(doctest)]
mod documentation {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/generated-crates.md")]
    struct GeneratedCrates;
}
