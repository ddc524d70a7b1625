//! Code generation: a settled OpenAPI document becomes the typed model of an API and then Rust source.
//!
//! [`model::lower`] reads the document; the emitters under [`emit`] print the model. Both are pure: no files, no
//! network, no clock. The stages before are `mecforge-document`'s.

pub mod coverage;
pub mod emit;
pub mod model;
mod status;
