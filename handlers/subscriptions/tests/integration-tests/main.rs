//! Subscriptions on a real store.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod belongings;
mod bench;

mod expiry;
mod records;
