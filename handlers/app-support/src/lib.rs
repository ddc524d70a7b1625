//! Application support of MEC 011 (clause 7), as far as it is here: registration of application instances.
//!
//! [`AppSupport`] implements the generated server trait, [`Instances`] says which application instances exist.
//!
//! Not here yet, and answered with `501`: traffic and DNS rules, time, confirmations and termination notifications.

mod instances;
mod registrations;
mod support;

pub use instances::Instances;
pub use support::AppSupport;
