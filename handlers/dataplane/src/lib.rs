//! Traffic rules of MEC 011, and the data plane that puts them in force.
//!
//! [`DataPlane`] keeps the rules in the store and implements [`mecforge_contracts::rules::TrafficRules`]: a change is
//! judged ([`Intent`]), put in force by a [`Backend`], and only then committed; if it is not committed, the old rules
//! are put back. [`DataPlane::start`] compares kernel and store at intervals and mends what somebody else has changed.
//!
//! Back ends: [`Kind::Nftables`] writes nftables tables of its own, one for each family of addresses, and replaces
//! them in one transaction; [`Kind::Disabled`] puts nothing in force and refuses active rules.
//!
//! # What a rule does
//! The data plane sees packets that arrive over a network interface, before they are routed; packets that programs of
//! this machine send are not its business. Rules are tried in the order of their priorities (0 first), then of
//! application instance and identifier; the first that matches decides, and no other rule sees the packet.
//! `accept` in these tables overrules no other table: a firewall of the machine still has its say.
//!
//! What must not happen here: HTTP paths, other handlers, and a rule that is acknowledged but not in force.

mod address;
mod backend;
mod change;
mod drift;
mod intent;
mod interval;
mod judge;
mod metrics;
mod nftables;
mod options;
mod plane;
mod view;

pub use address::{Addresses, MacAddress, Network};
pub use backend::{Applied, Backend, BackendError, Disabled, Tally};
pub use drift::Running;
pub use intent::{Action, Destination, Filter, Intent, Outer, RuleName, Tunnel};
pub use interval::Intervals;
pub use nftables::Nftables;
pub use options::{ForwardAddress, Kind, Options, OptionsError};
pub use plane::DataPlane;
