//! The checks: what each group demands, and the cases by which it is tested.

mod concurrency;
mod http;
mod input;
mod model;
mod security;
mod state;

use std::sync::{Arc, LazyLock};

use crate::suite::{Case, Check, Plan, RESPONSE_CHECKS, Suite};

/// A module of checks.
struct Part {
    checks: fn() -> &'static [&'static Check],
    plan: fn(&Arc<Suite>, &mut Plan),
}

/// The modules, in the order in which their cases run.
static PARTS: &[Part] = &[
    Part {
        checks: || http::CHECKS,
        plan: http::plan,
    },
    Part {
        checks: || state::CHECKS,
        plan: state::plan,
    },
    Part {
        checks: || model::CHECKS,
        plan: model::plan,
    },
    Part {
        checks: || concurrency::CHECKS,
        plan: concurrency::plan,
    },
    Part {
        checks: || input::CHECKS,
        plan: input::plan,
    },
    Part {
        checks: || &security::CHECKS,
        plan: security::plan,
    },
];

/// All checks, by group.
pub fn all() -> &'static [&'static Check] {
    static ALL: LazyLock<Vec<&'static Check>> = LazyLock::new(|| {
        let own = PARTS.iter().flat_map(|part| (part.checks)().iter().copied());
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
    for part in PARTS {
        (part.plan)(suite, &mut plan);
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
        alone: false,
        read_only: true,
        repeats: 0,
        run: Arc::new(|_| Box::pin(async { Ok(()) })),
    }
}
