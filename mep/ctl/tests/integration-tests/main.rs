//! `mepctl` against a platform behind a socket: the real handlers on a real store.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod apps;
mod command;
mod failures;
mod help;
mod notifications;
#[path = "../../../agent/tests/integration-tests/platform.rs"]
mod platform;
mod process;
#[path = "../../../agent/tests/integration-tests/rules.rs"]
mod rules;
mod rules_of_apps;
mod services;
mod subscriptions;
mod watch;
mod whole;
