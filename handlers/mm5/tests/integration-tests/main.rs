//! Mm5 in process: requests as they come from HTTP, a real store below, and small platforms that refuse or crash.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod applications;
mod configurations;
mod document;
mod edgegallery;
mod events;
mod others;
mod platform;
mod refusals;
mod tasks;
