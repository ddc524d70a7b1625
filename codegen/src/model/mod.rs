//! Stage `model`: a settled document becomes the typed model of an API that the emitters print.

pub mod api;
mod lower;
mod names;
pub mod predicate;
pub mod shape;
pub mod types;

pub use api::Api;
pub use lower::{Options, lower};

pub(crate) use names::{identifier, snake_name, type_name};
