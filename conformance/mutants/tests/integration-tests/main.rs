//! The proxy, the catalogue and the demonstrations, from outside.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod campaign;
mod catalogue;
mod demonstrations;
mod program;
mod transparency;
