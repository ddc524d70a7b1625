//! The client against servers on loopback: correct ones, broken ones and hostile ones.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod credentials;
mod hostile;
mod plain;
mod secrets;
mod server;
mod tls;
