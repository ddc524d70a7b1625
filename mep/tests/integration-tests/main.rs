//! The `mep` binary from outside: configuration, start, pages, limits, signals.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod answers;
mod app_support;
mod bad_requests;
mod browser;
mod configuration;
mod console;
mod durability;
mod examples;
mod http;
mod in_process;
mod lifecycle;
mod limits;
mod namespace;
mod pages;
mod process;
mod receiver;
mod registrations;
mod scenario;
mod v2_1_1;
