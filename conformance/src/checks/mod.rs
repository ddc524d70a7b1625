//! The checks: what each group demands, and the cases by which it is tested.

mod http;
mod input;
mod state;

use std::sync::{Arc, LazyLock};

use crate::suite::{Case, Check, Plan, RESPONSE_CHECKS, Suite};

/// All checks, by group.
pub fn all() -> &'static [&'static Check] {
    static ALL: LazyLock<Vec<&'static Check>> = LazyLock::new(|| {
        let groups = [input::CHECKS, http::CHECKS, state::CHECKS];
        RESPONSE_CHECKS
            .iter()
            .chain(groups.into_iter().flatten().copied())
            .collect()
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
    http::plan(suite, &mut plan);
    state::plan(suite, &mut plan);
    input::plan(suite, &mut plan);
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
