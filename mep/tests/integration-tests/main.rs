//! The `mep` binary from outside: configuration, start, pages, limits, signals.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod configuration;
mod http;
mod lifecycle;
mod limits;
mod pages;
mod process;
