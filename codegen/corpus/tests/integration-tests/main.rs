//! Tests over every document and every schema of the generated crates.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod coverage;
mod documents;
mod fixtures;
mod judge;
mod mutate;
mod truth;
mod v2;
mod v2_differences;
