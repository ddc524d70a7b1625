//! Service management in process: requests as they come from HTTP, answers as they go there, a real store below.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod api;
mod changes;
mod ending;
mod liveness;
mod meddling;
mod notifications;
mod queries;
mod services;
mod subscriptions;
