//! What a machine's files and kernel say, and what is made of it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod sources;
mod trust;
