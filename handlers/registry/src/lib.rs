//! Service management of MEC 011 (clause 8): applications offer services, find those of others, are told of changes,
//! and show that they are alive.
//!
//! [`Registry`] implements the generated server trait. Services live in the store; an index of them in memory
//! answers queries and is current before a change is acknowledged. A change of services and the notifications that it
//! causes are one transaction; delivery is the business of whoever watches the outbox. [`Registry::start`] watches
//! for heartbeats.

mod availability;
mod changes;
mod ending;
mod event;
mod filter;
mod index;
mod liveness;
mod matching;
mod options;
mod registry;
mod server;
mod service;
mod subscribing;
mod transports;

pub use availability::SUBSCRIPTION_KIND;
pub use liveness::accept_other_methods;
pub use options::{Liveness, Options};
pub use registry::Registry;
pub use transports::{InvalidTransport, Transports};
