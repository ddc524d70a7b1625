//! Valid and invalid instances of a JSON Schema (2020-12) that lives inside a bigger JSON document.
//!
//! The judge of everything is the `jsonschema` crate: no valid instance is handed out that it refuses,
//! and no invalid one that it accepts. An invalid instance breaks exactly one rule; everything else about it is valid.
//! The crate knows nothing of HTTP or OpenAPI. Nothing depends on the clock or on the order of hash maps.
//!
//! ```
//! use std::sync::Arc;
//! use mecforge_instances::Schema;
//!
//! let document = Arc::new(serde_json::json!({
//!     "schemas": {"Name": {"type": "string", "maxLength": 3}}
//! }));
//! let schema = Schema::new(&document, "/schemas/Name")?;
//! assert_eq!(schema.minimal(), Some(serde_json::json!("a")));
//! let broken = schema.invalid_cases(&serde_json::json!("a"));
//! assert!(broken.iter().any(|case| case.schema_pointer == "/schemas/Name/maxLength"));
//! # Ok::<(), mecforge_instances::Unsupported>(())
//! ```

mod alternatives;
mod breakers;
mod cases;
mod chooser;
mod evaluate;
mod facets;
mod failures;
mod formats;
mod generate;
mod invalid;
mod judge;
mod model;
mod negate;
mod numbers;
mod objects;
mod options;
mod pairwise;
mod pattern;
mod pointer;
mod read;
mod routes;
mod scalars;
mod schema;
mod shrink;
mod sites;
mod valid;
mod vary;
mod witness;

pub use cases::{InvalidCase, Limited, ValidCase, ValidKind};
pub use judge::Breach;
pub use options::{Binding, Direction, Options, Unsupported};
pub use routes::Constraint;
pub use schema::{INVALID_CASES, Schema, VALID_CASES};
