//! The operator's API, in-process and over sockets.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod asking;
mod chrome;
mod console;
mod document;
mod events;
#[path = "../../../../mep/src/pages/console.rs"]
mod files;
mod letters;
mod lists;
mod refusals;
mod world;
