//! The conformance suite: tests any MEC platform against ETSI's documents and the RFCs below them.
//!
//! [`profile`] says what is tested, [`suite`] is what every check stands on (requests, resources, verdicts),
//! [`checks`] are the checks, [`purposes`] ETSI's test purposes as data, [`engine`] runs their cases and makes the report. It knows documents and HTTP, and nothing
//! of any platform.

pub mod checks;
pub mod command;
pub mod engine;
pub mod profile;
pub mod purposes;
pub mod statement;
pub mod suite;
