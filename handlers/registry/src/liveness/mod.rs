//! Heartbeats (MEC 011 clauses 8.1.2.2 and 8.2.10): a service that asked for an interval and stays silent for longer
//! is suspended, until it is heard of again.
//!
//! A heartbeat of an active service is written into memory and nowhere else. The timers do not follow it: one that
//! goes off looks when the service was last heard of, and is set again if that was recently.

mod heartbeat;
mod methods;
mod metrics;
mod pulse;
mod suspension;
mod timers;

pub use methods::accept_other_methods;
pub(crate) use metrics::Counters;
pub(crate) use pulse::{Clock, Pulse};
