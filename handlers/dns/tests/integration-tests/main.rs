//! The name server from outside: by `dig`, by sockets, and by what it tells other handlers.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod answers;
mod dig;
mod forwarding;
mod fuzz;
mod rules;
mod services;
mod sockets;
mod subject;
