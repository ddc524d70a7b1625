//! The binary against servers that are right, wrong in one way, constant, or no servers at all.
#![allow(clippy::unwrap_used)] // a test may panic

mod boxes;
mod command_line;
mod courier;
mod effects;
mod elsewhere;
mod filters;
mod foreign;
mod hostile;
mod http;
mod interruption;
mod links;
mod notifications;
mod others;
mod patience;
mod purposes;
mod reference;
mod registry;
mod rust_test;
mod security;
mod selection;
mod sequences;
mod server;
mod statement;
mod subscriptions;
mod tagged;
mod vault;
mod verdicts;
mod websockets;
mod wrapped;
