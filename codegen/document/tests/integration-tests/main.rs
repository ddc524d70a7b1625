//! Tests of the stages from outside: documents in, documents and messages out.

// A test that can't go on should say so at once.
#![allow(clippy::unwrap_used)]

mod corpus;
mod load;
mod overlay;
mod prepared;
mod repair;
mod settle;
mod upgrade;
