//! The server's side: from an HTTP request to a typed call of a handler, and back.
//!
//! Generated code names the operations of its API and decodes their parameters; everything that is the same
//! for every API is here: matching of paths and methods, negotiation, limits, conditional requests, problems.

mod body;
mod call;
mod caller;
mod form;
mod nearest;
mod problem;
mod query;
mod reply;
mod routes;
mod template;

pub use body::BodyLimit;
pub use call::{Call, FromCall};
pub use caller::{Caller, Encrypted, Mount, Principal, PublicUrl, RequestId};
pub use problem::Problem;
pub use reply::Reply;
pub use routes::{Answered, ApiService, Routes};
