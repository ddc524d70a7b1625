//! How the generated crate behaves: a server that implements its trait, called by its client over a socket.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod client;
mod notifications;
mod platform;
mod server;
