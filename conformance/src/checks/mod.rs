//! The checks: what each group demands, and the cases by which it is tested.

mod concurrency;
mod effects;
mod enablement;
mod existence;
mod http;
pub(crate) mod input;
mod lifecycle;
mod lists;
mod model;
mod newcomers;
mod notifications;
pub(crate) mod purposes;
mod security;
pub(crate) mod state;
mod statement;
mod time;

use std::sync::{Arc, LazyLock};

use crate::suite::{Beside, Case, Check, Plan, RESPONSE_CHECKS, Suite};

/// A module of checks: what it has, and what it does.
type Part = (fn() -> &'static [&'static Check], fn(&Arc<Suite>, &mut Plan));

/// The modules, in the order in which their cases run.
static PARTS: &[Part] = &[
    // What takes long, and runs beside the others, comes first.
    (|| security::steady::CHECKS, security::steady::plan),
    (|| http::CHECKS, http::plan),
    (|| state::CHECKS, state::plan),
    (|| existence::CHECKS, existence::plan),
    (|| lifecycle::CHECKS, lifecycle::plan),
    (|| newcomers::CHECKS, newcomers::plan),
    (|| enablement::CHECKS, enablement::plan),
    // Before what waits for notifications and clocks.
    (|| &security::CHECKS, security::plan),
    (|| &notifications::CHECKS, notifications::plan),
    (|| time::CHECKS, time::plan),
    (|| model::CHECKS, model::plan),
    (|| lists::CHECKS, lists::plan),
    (|| concurrency::CHECKS, concurrency::plan),
    (|| input::CHECKS, input::plan),
    (|| effects::CHECKS, effects::plan),
    (|| statement::CHECKS, statement::plan),
    (|| purposes::CHECKS, purposes::plan),
];

/// All checks, by group.
pub fn all() -> &'static [&'static Check] {
    static ALL: LazyLock<Vec<&'static Check>> = LazyLock::new(|| {
        let own = PARTS.iter().flat_map(|(checks, _)| checks().iter().copied());
        RESPONSE_CHECKS.iter().chain(own).collect()
    });
    &ALL
}

/// The check of an id.
pub fn find(id: &str) -> Option<&'static Check> {
    all().iter().copied().find(|check| check.id == id)
}

/// The cases of all checks for a suite.
pub fn plan(suite: &Arc<Suite>) -> Plan {
    let mut plan = Plan::default();
    for (_, add) in PARTS {
        add(suite, &mut plan);
    }
    plan
}

/// A case that judges nothing: what is made before the others belongs to it.
pub(crate) fn preparation() -> Case {
    Case {
        id: "preparation".to_owned(),
        check: &RESPONSE_CHECKS[0],
        api: 0,
        operation: None,
        stage: 0,
        beside: Beside::All,
        read_only: true,
        repeats: 0,
        run: Arc::new(|_| Box::pin(async { Ok(()) })),
    }
}
