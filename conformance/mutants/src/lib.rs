//! Faults to be found: a proxy that puts one fault at a time between a correct MEC 011 platform and its client.
//!
//! A conformance suite is worth what it finds. [`catalogue`] has the faults, [`Proxy`] makes one of them happen in front
//! of a platform that has none, [`Stage`] proves that a fault really shows, and [`run`] lets a suite run against one and tells whether it noticed. Nothing here knows
//! a suite but by its command line, and the platform but by HTTP and its command line.

mod behaviour;
mod callbacks;
mod client;
mod comparison;
mod context;
mod demonstration;
mod fault;
mod faults;
mod message;
mod permitted;
mod place;
mod platform;
mod proxy;
mod run;
mod score;
mod survivors;
mod upstream;
mod wire;

pub use comparison::{Comparison, Pair};
pub use demonstration::{Demonstration, DemonstrationError, Stage};
pub use fault::{Class, Fault};
pub use faults::{catalogue, find};
pub use platform::{INSTANCES, Platform, PlatformError};
pub use proxy::{Proxy, StartError};
pub use run::{Outcome, RunError, Settings, Suite, run};
pub use score::{Score, Share};
pub use survivors::{Unexpected, unexpected};
