//! The binary against servers that are right, wrong in one way, constant, or no servers at all.
#![allow(clippy::unwrap_used)] // a test may panic

mod command_line;
mod hostile;
mod http;
mod purposes;
mod rust_test;
mod security;
mod server;
mod tagged;
mod vault;
mod verdicts;
