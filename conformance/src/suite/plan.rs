//! Cases and the plan that the checks write them into.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::check::Check;
use super::context::Context;
use super::outcome::Outcome;

/// What a case does, as often as it is asked to.
pub type Run =
    Arc<dyn for<'a> Fn(&'a mut Context) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>> + Send + Sync>;

/// Something to be done and judged.
#[derive(Clone)]
pub struct Case {
    /// `check-id|api-id|METHOD /path|name`: stable, as `replay` and the random numbers depend on it.
    pub id: String,
    /// The check.
    pub check: &'static Check,
    /// Index of the API.
    pub api: usize,
    /// Index of the operation, where the case is about one.
    pub operation: Option<usize>,
    /// Lower runs earlier: 0 for what other cases rely on, 1 for the usual, 2 for the many. 3 is for what waits for time:
    /// it runs beside all of these, whether others may run beside them or not.
    /// 4 is for what must come last because it ends something.
    pub stage: u8,
    /// Who may run meanwhile.
    pub beside: Beside,
    /// Whether it sends nothing but safe methods, so that `--read-only` runs it.
    pub read_only: bool,
    /// How often a breach has to be tried again at most before it is called flaky.
    pub repeats: u8,
    /// What it does.
    pub run: Run,
}

/// Which cases run beside one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// All that may.
    All,
    /// Those that work with what they have made themselves, as this one changes what was there before. What it finds is
    /// tried again with nobody beside it.
    Makers,
    /// Nobody: it measures time, or changes something that all see.
    Nobody,
}

impl Case {
    /// Lets nobody run beside it.
    pub fn alone(&mut self) {
        self.beside = Beside::Nobody;
    }
}

/// The cases of a run. The checks fill it in; the engine runs it.
#[derive(Default)]
pub struct Plan {
    /// The cases, in the order in which they were added.
    pub cases: Vec<Case>,
    /// Generators of random cases: the engine asks each in turn for number 0, 1, 2, … until the run is over.
    pub random: Vec<Arc<dyn Fn(u64) -> Case + Send + Sync>>,
    /// What can't be tested, said already when planning: check, API, operation, why, and whether it is not applicable
    /// (else it is inconclusive).
    pub skipped: Vec<(&'static str, usize, Option<usize>, String, bool)>,
}

impl Plan {
    /// Adds a case of stage 1 and gives it back, so that it can be changed.
    ///
    /// `name` tells it from the others of its check at its operation. Write it as
    /// `plan.add(suite, &CHECK, api, operation, "name", |context| Box::pin(async move { … Ok(()) }))`.
    pub fn add<F>(
        &mut self,
        suite: &super::Suite,
        check: &'static Check,
        api: usize,
        operation: Option<usize>,
        name: &str,
        run: F,
    ) -> &mut Case
    where
        F: for<'a> Fn(&'a mut Context) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>
            + Send
            + Sync
            + 'static,
    {
        self.cases.push(case(suite, check, api, operation, name, run));
        let last = self.cases.len() - 1;
        &mut self.cases[last]
    }

    /// Says that a check can't be judged, and why.
    pub fn inconclusive(
        &mut self,
        check: &'static Check,
        api: usize,
        operation: Option<usize>,
        reason: &str,
    ) {
        self.skipped
            .push((check.id, api, operation, reason.to_owned(), false));
    }

    /// Says that a check doesn't apply, and why.
    pub fn not_applicable(
        &mut self,
        check: &'static Check,
        api: usize,
        operation: Option<usize>,
        reason: &str,
    ) {
        self.skipped
            .push((check.id, api, operation, reason.to_owned(), true));
    }
}

/// A case of stage 1 that may run beside others.
pub fn case<F>(
    suite: &super::Suite,
    check: &'static Check,
    api: usize,
    operation: Option<usize>,
    name: &str,
    run: F,
) -> Case
where
    F: for<'a> Fn(&'a mut Context) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>
        + Send
        + Sync
        + 'static,
{
    let state = &suite.apis[api];
    let key = operation.map_or("", |index| state.api.operations[index].key.as_str());
    Case {
        id: format!("{}|{}|{key}|{name}", check.id, state.api.id),
        check,
        api,
        operation,
        stage: 1,
        beside: match operation.is_some_and(|index| state.is_shared(index)) {
            true => Beside::Nobody,
            false => Beside::All,
        },
        read_only: operation.is_some_and(|index| state.api.operations[index].is_safe()),
        repeats: 2,
        run: Arc::new(run),
    }
}
