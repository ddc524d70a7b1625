//! Application support of MEC 011 (clause 7): registrations, lives and ends of application instances, the rules that
//! a manager has given them, and the time.
//!
//! [`AppSupport`] implements the generated server trait and [`Lifecycle`](mecforge_contracts::lifecycle::Lifecycle);
//! [`Instances`] says which application instances exist.
//!
//! Whatever ends an application instance, in whole or in part, is one transaction of everything that goes: see
//! `removal`. Rules are only handed on here: they are kept and put in force by whoever implements
//! [`rules`](mecforge_contracts::rules).

mod compare;
mod confirmations;
mod core;
mod endings;
mod instances;
mod lives;
mod registrations;
mod removal;
mod rules;
mod subscriptions;
mod support;
mod timers;
mod timing;

pub use core::{Options, Parts};
pub use instances::Instances;
pub use subscriptions::TERMINATION;
pub use support::AppSupport;
