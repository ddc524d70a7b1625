//! What the handlers of a platform share, and all they know of each other.
//!
//! - [`keys`]: where in the store each kind of resource is;
//! - [`Applications`]: which application instances exist, for handlers whose resources belong to one;
//! - [`access`]: who may act for an application instance;
//! - [`outcome`]: refusals of the store as problems.
//!
//! What must not happen here: behaviour of any one API.

pub mod access;
mod applications;
pub mod keys;
pub mod outcome;

pub use applications::{Applications, Presence};
