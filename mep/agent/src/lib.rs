//! A sidecar for applications that can't be changed: it registers their services with a MEC platform (ETSI
//! GS MEC 011, Mp1), sends their heartbeats, registers them anew when the platform has lost them, and removes
//! them when it stops. Applications may ask it where other services are.
//!
//! [`Configuration`] says what it is to do, [`Agent`] does it, [`local`] answers the application. What is not
//! here: tokens (the predecessor's AK and SK are accepted and have no use yet), and answering notifications.

mod agent;
mod backoff;
pub mod config;
pub mod local;
mod matching;
pub mod platform;
mod state;
mod status;

pub use agent::{Agent, Command};
pub use config::{Configuration, Environment};
pub use status::{ServiceStatus, Status};
