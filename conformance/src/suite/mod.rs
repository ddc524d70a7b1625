//! What every check stands on: the suite's data, requests, resources at the target, and verdicts.

mod action;
mod call;
mod check;
mod context;
mod coverage;
mod dns;
mod fixtures;
mod link;
mod making;
mod minimise;
mod options;
mod outcome;
mod places;
mod plan;
mod plausible;
mod raw;
mod receiver;
mod record;
mod reproduce;
mod responses;
mod seed;
mod sending;
mod state;
pub mod syntax;
mod tags;
pub(crate) mod time;
mod whereabouts;
mod world;

pub use call::{Call, Exchange, Identity, Intent, Payload, Role};
pub use check::{Check, Group, Source};
pub use context::{Context, Mode, Reported};
pub use coverage::Recorder;
pub use dns::{AddressRecord, DnsAnswer, ask};
pub use fixtures::{Action, Fixtures, FixturesError, Person};
pub(crate) use link::{Linked, follow};
pub use minimise::minimise;
pub use options::{Clock, Options};
pub use outcome::{Failure, Outcome, Stop};
pub use plan::{Beside, Case, Plan, Run, case};
pub(crate) use plausible::is_constant;
pub use raw::RawCall;
pub use receiver::{Behaviour, Letter, Mailbox, Receiver, Socket};
pub use reproduce::{Origin, OriginApi, curl, needed, rust_test};
pub use responses::CHECKS as RESPONSE_CHECKS;
pub use seed::{hash, short};
pub(crate) use state::declares;
pub use state::{ApiState, Clients, Suite};
pub use whereabouts::location_path;
pub(crate) use whereabouts::{
    as_it_stands, each_named, ends_in, identifier, is_at, last_segment, path_below, plain, resolved,
};
pub use world::{Made, Values, reading, suggested_identifier};
pub(crate) use world::{name_apart, name_like_path, prepare, twin};
