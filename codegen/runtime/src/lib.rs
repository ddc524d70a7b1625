//! What every generated MEC API crate needs at run time, written once by hand.
//!
//! Always there: decoding with rules ([`Decode`], [`decode`], [`rules`], [`mod@format`]), whose refusals name the JSON
//! pointer and the rule. With features: `server` (routing and uniform refusals for axum), `client` (reqwest),
//! `callbacks` (sending and receiving notifications), `arbitrary` (proptest strategies that honour the rules).

#[cfg(feature = "callbacks")]
pub mod callbacks;
#[cfg(feature = "client")]
pub mod client;
pub mod decode;
#[cfg(feature = "http")]
mod entity_tag;
pub mod format;
mod invalid;
mod json;
#[cfg(feature = "http")]
mod location;
#[cfg(feature = "http")]
pub mod media_type;
#[cfg(feature = "http")]
pub mod operation;
#[cfg(feature = "http")]
pub mod parameter;
#[cfg(feature = "http")]
mod problem_details;
pub mod rules;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "arbitrary")]
pub mod strategy;
pub mod union;

#[cfg(feature = "server")]
pub use axum;
#[cfg(feature = "http")]
pub use bytes::Bytes;
pub use decode::{Decode, ObjectReader, check, from_slice};
#[cfg(feature = "http")]
pub use entity_tag::{EntityTag, InvalidCondition, Preconditions, TagCondition};
#[cfg(feature = "http")]
pub use http;
pub use invalid::Invalid;
pub use json::{Json, Number};
#[cfg(feature = "http")]
pub use location::Location;
#[cfg(feature = "http")]
pub use problem_details::{PROBLEM_JSON, ProblemDetails};
pub use serde;
pub use serde_json;
