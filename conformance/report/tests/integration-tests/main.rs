//! The forms of a report: golden files of a sample, what a hostile target can't do to them, and what is valid.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod compare;
mod golden;
mod hostile;
mod likewise;
mod reading;
mod sample;
mod shape;
