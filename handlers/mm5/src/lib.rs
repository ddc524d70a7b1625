//! Mm5: a platform manager configures application instances.
//!
//! - [`Mm5`] keeps configurations (name, requirements, DNS rules, traffic rules), carries out changes of them as
//!   tasks that survive a crash, and ends application instances;
//! - [`Mm5::router`] is our own API at [`BASE_PATH`], described by [`document`];
//! - [`Mm5::edgegallery_router`] speaks the predecessor's paths and bodies, over the same code;
//! - [`Mm5::start`] begins the background work: tasks, and events for managers that have subscribed.
//!
//! A configuration takes effect as one transaction together with the result of its task: rules are in force, the
//! configuration is stored and the task has succeeded, or nothing has changed and the task says why.
//!
//! What must not happen here: knowledge of how rules are put in force, or of what else belongs to an application
//! instance; both are asked for through the traits of `mecforge-contracts`.

mod api;
mod applications;
mod capabilities;
mod catch_up;
mod configuration;
mod edgegallery;
mod events;
mod feed;
mod happened;
mod index;
mod keys;
mod manager;
mod metrics;
mod options;
mod run;
mod submit;
mod subscriptions;
mod task;
mod worker;

pub use api::{BASE_PATH, document};
pub use applications::{ApplicationInstance, ApplicationState};
pub use capabilities::{Capability, CapabilityKind, Consumer};
pub use configuration::{Configuration, ProducedService};
pub use edgegallery::{EDGEGALLERY_PATHS, is_edgegallery_path};
pub use events::{EventType, PlatformEvent};
pub use manager::Mm5;
pub use options::Options;
pub use subscriptions::{EventSubscription, EventSubscriptionRequest};
pub use task::{
    RuleKind, RuleOperation, RuleOutcome, RuleProgress, Task, TaskOperation, TaskPhase, TaskState,
};
pub use worker::Running;
