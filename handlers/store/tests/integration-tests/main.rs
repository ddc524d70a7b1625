//! The embedded store against the suite of all stores, and against what only a journal can suffer: kills, torn
//! writes, damage, a second process.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod conformance;
mod damage;
mod kill;
mod model;
