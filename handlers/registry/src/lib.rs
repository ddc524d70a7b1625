//! Service management of MEC 011 (clause 8): applications offer services, and find those of others.
//!
//! [`Registry`] implements the generated server trait. Services live in the store; an index of them in memory
//! answers queries and is current before a change is acknowledged.
//!
//! Not here yet: subscriptions and heartbeats. No service is asked for heartbeats, as the standard allows, and
//! subscribing is answered with `501`.

mod changes;
mod filter;
mod index;
mod registry;
mod service;
mod transports;

pub use registry::{Limits, Registry};
pub use transports::{InvalidTransport, Transports};
