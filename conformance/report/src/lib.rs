//! The report of a conformance run: its data, and its forms for people (HTML, text), CI (JUnit), code hosts (SARIF),
//! programs (JSON with a published schema) and whoever wants the evidence (HAR); a badge; and what got better or worse
//! between two runs.
//!
//! Every form is a pure function from a [`Report`] to a text: no clock, no files, no order that differs between calls.
//! Reports quote hostile servers: each form escapes what it quotes, shows characters that would hide or reorder text
//! ([`visible`]), and cuts what is long, saying so. Masking secrets is not done here but before a report is made.

mod badge;
mod compare;
mod describe;
mod har;
mod html;
mod identifier;
mod json;
mod junit;
mod likewise;
mod model;
mod sarif;
mod text;
mod visible;
mod wording;
mod xml;

pub use badge::badge;
pub use compare::{Change, Comparison, Direction, FindingChange, Side, compare};
pub use har::har;
pub use html::html;
pub use identifier::finding_id;
pub use json::{ReadError, ReadFileError, SCHEMA, json, read, read_file};
pub use junit::junit;
pub use model::*;
pub use sarif::sarif;
pub use text::{TextOptions, text};
pub use visible::visible;
