//! The MEC platform as a library: what the `mep` command puts together.
//!
//! [`config`] says what to run, [`platform`] wires store, handlers and pages into one service, [`server`] carries it
//! over HTTP, and [`telemetry`] tells what happens. The behaviour itself is in `handlers/`, the protocol in
//! `generated/`.
//!
//! What must not happen here: MEC behaviour of its own, or knowledge of a path of any ETSI API.

mod answers;
pub mod config;
pub mod pages;
pub mod platform;
pub mod server;
mod start;
pub mod telemetry;
mod wiring;

pub use start::run;
