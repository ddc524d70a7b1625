//! What the handlers of a platform share, and all they know of each other.
//!
//! - [`keys`]: where in the store each kind of resource is;
//! - [`Applications`]: which application instances exist, for handlers whose resources belong to one;
//! - [`access`]: who may act for an application instance;
//! - [`outcome`]: refusals of the store as problems;
//! - [`outbox`]: notifications, written in the transaction that causes them, and [`deliveries`]: how they fare;
//! - [`rules`]: DNS rules and traffic rules, and their effect;
//! - [`Belongings`] and [`lifecycle`]: what goes away with an application instance, and when;
//! - [`time`]: the wall clock.
//!
//! What must not happen here: behaviour of any one API.

pub mod access;
mod applications;
mod belongings;
pub mod deliveries;
pub mod keys;
pub mod lifecycle;
pub mod outbox;
pub mod outcome;
pub mod rules;
pub mod time;

pub use applications::{Applications, Presence};
pub use belongings::Belongings;
