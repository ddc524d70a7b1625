//! Runs the built `xtask` on small checkouts of its own, with a local stand-in for ETSI's forge.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod checkout;
mod forge;
mod generate;
mod help;
mod lint;
mod pull;
mod pull_corpus;
mod pull_failures;
mod standalone;
mod test_verb;
