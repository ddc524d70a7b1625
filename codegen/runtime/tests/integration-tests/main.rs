//! Tests of the runtime as generated code uses it: routing and refusals, conditions, forms, the client, callbacks.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod callbacks;
mod client;
mod conditions;
mod refusals;
mod server;
mod support;
mod tls;
mod transport;
