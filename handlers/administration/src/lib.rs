//! What an operator sees and does: deliveries, dead letters, rules, applications, and everything that changes.
//!
//! - [`Administration`] has the HTTP API below [`BASE_PATH`], for the web console, `mepctl` and scripts;
//! - [`document`] describes it in OpenAPI;
//! - `GET /events` tells by server-sent events what changes, from the store's change feed.
//!
//! What must not happen here: decisions of an API of ETSI. This crate reads what the handlers keep, and asks them for
//! what an operator may do.

mod administration;
mod call;
mod counts;
mod document;
mod events;
mod kind;
mod origin;
mod resources;

pub use administration::{Administration, Listener, Options, Platform};
pub use document::document;

/// The path below which the API's resources are.
pub const BASE_PATH: &str = "/administration/v1";
