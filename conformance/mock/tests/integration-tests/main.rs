//! The server is asked over its router, and judged by validators of its own documents that are built here.
#![allow(clippy::unwrap_used)] // a test may panic

mod client;
mod documents;
mod http;
mod mec011;
mod resources;
mod served;
