//! The data plane in the kernel: packets through network namespaces that must pass, and packets that must not.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod actions;
mod filters;
mod judgement;
mod keeping;
mod lab;
mod plane;
mod strangers;
mod tunnels;
