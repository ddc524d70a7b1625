//! What every check stands on: the suite's data, requests, resources at the target, and verdicts.

mod action;
mod call;
mod check;
mod context;
mod coverage;
mod fixtures;
mod minimise;
mod options;
mod outcome;
mod plan;
mod receiver;
mod record;
mod reproduce;
mod responses;
mod seed;
mod state;
mod world;

pub use call::{Call, Exchange, Identity, Intent, Payload, Role};
pub use check::{Check, Group, Source};
pub use context::{Context, Mode, Reported};
pub use coverage::Recorder;
pub use fixtures::{Action, Fixtures, FixturesError, Person};
pub use minimise::minimise;
pub use options::{Clock, Options};
pub use outcome::{Failure, Outcome, Stop};
pub use plan::{Case, Plan, Run, case};
pub use receiver::{Behaviour, Letter, Mailbox, Receiver};
pub use reproduce::{Origin, OriginApi, curl, needed, rust_test};
pub use responses::CHECKS as RESPONSE_CHECKS;
pub use seed::{hash, short};
pub(crate) use state::declares;
pub use state::{ApiState, Clients, Suite};
pub use world::{Made, Values, location_path, reading, suggested_identifier};
pub(crate) use world::{identifier, path_below, prepare};
