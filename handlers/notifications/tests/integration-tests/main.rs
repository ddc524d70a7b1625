//! Deliveries over real sockets, from a real store.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod addresses;
mod bounds;
mod crash;
mod delivery;
mod fairness;
mod operators;
mod support;
mod websocket;
