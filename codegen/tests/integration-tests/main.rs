//! Golden tests of the generator on documents of our own.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod operations;
mod refusals;
mod rules;
