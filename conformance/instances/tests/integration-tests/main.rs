//! The generators against the `jsonschema` crate, which is built here without any of their code.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod documents;
mod keywords;
mod options;
mod statistics;
