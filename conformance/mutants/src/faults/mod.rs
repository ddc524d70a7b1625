//! The catalogue: all faults, a module for each class or two.

mod acceptance;
mod acceptance_elsewhere;
mod addresses;
mod concurrency;
mod conditions;
mod existence;
mod filters;
mod http_rules;
mod identifiers;
mod isolation;
mod limits;
mod links;
mod notification_contents;
mod notifications;
mod problems;
mod refusal;
mod registration;
mod robustness;
mod rules;
mod security;
mod shape;
mod status;
mod storage;
mod time;
mod values;

use crate::fault::Fault;

/// All faults, class by class.
#[must_use]
pub fn catalogue() -> Vec<Fault> {
    [
        shape::faults(),
        values::faults(),
        limits::faults(),
        filters::faults(),
        storage::faults(),
        links::faults(),
        status::faults(),
        conditions::faults(),
        existence::faults(),
        isolation::faults(),
        acceptance::faults(),
        acceptance_elsewhere::faults(),
        refusal::faults(),
        problems::faults(),
        http_rules::faults(),
        addresses::faults(),
        identifiers::faults(),
        concurrency::faults(),
        notifications::faults(),
        notification_contents::faults(),
        time::faults(),
        security::faults(),
        robustness::faults(),
        rules::faults(),
        registration::faults(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The fault with this id; `none` is [`Fault::none`].
#[must_use]
pub fn find(id: &str) -> Option<Fault> {
    if id == "none" {
        return Some(Fault::none());
    }
    catalogue().into_iter().find(|fault| fault.id == id)
}
