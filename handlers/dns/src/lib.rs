//! DNS rules of MEC 011, and the name server that answers by them.
//!
//! [`NameServer`] keeps the rules (as `contracts::rules::DnsRules`) and, once it is [bound](NameServer::bind), answers
//! by the active ones over UDP and TCP. Rules live in the store; what the server answers by is a view that is current
//! before a change of rules is acknowledged.
//!
//! - Names of active rules, and all names in [`Options::zones`], are answered with authority.
//! - With [`Options::service_zone`], services that applications register are found as names as well.
//! - All else is asked of [`Options::upstreams`], for clients in [`Options::recursion_for`], and remembered.
//!
//! What must not happen here: HTTP, and rules about who may change which rule.

mod answer;
mod cache;
mod forward;
mod metrics;
mod name;
mod names;
mod options;
mod rules;
mod server;
mod services;
mod socket;
mod stage;
mod upstreams;
mod wire;

pub use ipnet::IpNet;
pub use name::{HostName, InvalidName};
pub use options::{Options, private_networks, system_upstreams, upstreams_in};
pub use server::{NameServer, Status};
pub use socket::{BindError, Running};
