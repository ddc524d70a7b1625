//! Application support in process: requests as they come from HTTP, answers as they go there, a real store below, and
//! around it small parts that really keep what they are given.
#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod api;
mod confirmations;
mod endings;
mod parts;
mod races;
mod removal;
mod restarts;
mod rules;
mod subscriptions;
mod timing;
