//! The agent against a real registry behind a socket, and the `mep-agent` program from outside.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod configurations;
mod life;
mod local;
mod platform;
mod process;
mod rules;
mod running;
