//! Runs the cases of a plan: side by side, within the limits of the run, each breach tried again before it is believed.

mod breach;
mod ledger;
mod progress;
mod purposes;
mod report;
mod turns;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::checks;
use crate::suite::{self, Beside, Case, Context, Mode, Plan, Role, Stop, Suite};
use ledger::Ledger;
use turns::Turns;

pub use progress::Progress;
pub use report::report;

/// Rounds of random cases where neither `--cases` nor `--time` says how many.
const ROUNDS: u64 = 10;

/// Cases that wait for time beside each other, for each case that works.
const WAITING: usize = 4;

/// What random cases leave of the time of a run to those that must come last; at most a quarter of it.
const RESERVE: Duration = Duration::from_secs(8);

/// How many requests one of those may need.
const RESERVED_REQUESTS: u64 = 8;

/// A run.
pub struct Engine {
    suite: Arc<Suite>,
    ledger: Mutex<Ledger>,
    turns: Turns,
    /// Whether the checks that `--only` names have no cases of their own, and are judged in those of others.
    on_the_way: AtomicBool,
    done: AtomicU64,
    planned: AtomicU64,
    /// The case that began last.
    what: Mutex<String>,
    gone: Mutex<Option<String>>,
    interrupted: AtomicBool,
    /// Whether planned cases did not begin before the run was over.
    missed: AtomicBool,
    started: SystemTime,
}

/// The stages one after the other, and in each the first case of every check at every operation, then the second, and
/// so on: a short run sees something of everything.
fn in_turns(cases: Vec<Case>) -> Vec<Case> {
    let mut counts = BTreeMap::new();
    let mut numbered: Vec<_> = cases
        .into_iter()
        .map(|case| {
            let count = counts
                .entry((case.stage, case.check.id, case.api, case.operation))
                .or_insert(0_u32);
            *count += 1;
            // Side by side, those that must be alone keep the others waiting once and not each time.
            ((case.stage, *count, case.beside == Beside::Nobody), case)
        })
        .collect();
    numbered.sort_by_key(|(turn, _)| *turn);
    numbered.into_iter().map(|(_, case)| case).collect()
}

impl Engine {
    /// A run of a suite.
    pub fn new(suite: Arc<Suite>) -> Arc<Self> {
        Arc::new(Engine {
            suite,
            ledger: Mutex::default(),
            turns: Turns::default(),
            on_the_way: AtomicBool::new(false),
            done: AtomicU64::new(0),
            planned: AtomicU64::new(0),
            what: Mutex::default(),
            gone: Mutex::new(None),
            interrupted: AtomicBool::new(false),
            missed: AtomicBool::new(false),
            started: SystemTime::now(),
        })
    }

    /// Ends the run early; what has begun cleans up after itself.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
        self.suite.end();
    }

    fn with<T>(&self, change: impl FnOnce(&mut Ledger) -> T) -> T {
        change(&mut self.ledger.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs everything, or, with `only`, the one case of that id.
    ///
    /// # Errors
    /// Why nothing can be tested: the target can't be reached.
    pub async fn run(self: &Arc<Self>, only: Option<&str>) -> Result<(), String> {
        let mut base = Context::new(&self.suite, &checks::preparation(), Mode::First);
        self.prepare(&mut base).await?;
        let mut plan = checks::plan(&self.suite);
        self.select(&mut plan, only);
        for (check, api, operation, reason, not_applicable) in plan.skipped.drain(..) {
            self.with(|ledger| {
                let tally = ledger.tally((check, api, operation));
                match not_applicable {
                    true => tally.not_applicable = Some(reason),
                    false => tally.inconclusive = Some(reason),
                }
            });
        }
        let cases = in_turns(std::mem::take(&mut plan.cases));
        let rounds = match only {
            Some(_) => 0,
            None => ROUNDS * plan.random.len() as u64,
        };
        self.planned.store(cases.len() as u64 + rounds, Ordering::Relaxed);
        for case in &cases {
            let place = (case.check.id, case.api, case.operation);
            if self.selects(place) {
                self.with(|ledger| {
                    ledger.tally(place);
                });
            }
        }
        let mut stages: [Vec<Case>; 5] = Default::default();
        for case in cases {
            stages[usize::from(case.stage.min(4))].push(case);
        }
        let [first, usual, many, slow, last] = stages;
        let reserve = if last.is_empty() { Duration::ZERO } else { RESERVE };
        self.suite
            .reserved
            .store(last.len() as u64 * RESERVED_REQUESTS, Ordering::Relaxed);
        let jobs = self.suite.options.jobs;
        // What waits for time waits beside the others.
        let waiting = self.planned(slow, jobs.saturating_mul(WAITING), reserve);
        let busy = async {
            for stage in [first, usual, many] {
                self.planned(stage, jobs, reserve).await;
            }
            if only.is_none() {
                self.random(&plan, reserve).await;
            }
        };
        tokio::join!(waiting, busy);
        self.planned(last, jobs, Duration::ZERO).await;
        base.clean_up().await;
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match gone.filter(|_| self.suite.judged() == 0) {
            Some(reason) => Err(reason),
            None => Ok(()),
        }
    }

    /// Looks whether anybody is there, and finds application instances.
    async fn prepare(&self, context: &mut Context) -> Result<(), String> {
        let first = self.suite.apis.iter().enumerate().find_map(|(api, state)| {
            let safe = state
                .api
                .operations
                .iter()
                .find(|operation| operation.method == "GET")?;
            Some((api, safe.index))
        });
        let Some((api, operation)) = first else {
            return Err(
                "the document has no operation with GET, so that nothing tells whether the target is there"
                    .to_owned(),
            );
        };
        let mut call = context.call(api, operation, &suite::Values::new());
        call.path = call.path.replace(['{', '}'], "");
        call.role = Role::SetUp;
        call.operation = None;
        match context.send(call).await {
            Err(Stop::Gone(reason)) => return Err(reason),
            Err(_) => {}
            Ok(exchange) => match &exchange.outcome {
                Err(fault) => {
                    return Err(format!(
                        "{} is no HTTP server that can be tested: {fault}",
                        self.suite.target
                    ));
                }
                Ok(response) => {
                    let server = response.header("server").map(str::to_owned);
                    *self.suite.server.lock().unwrap_or_else(PoisonError::into_inner) = server;
                }
            },
        }
        if !self.suite.options.read_only {
            // Cases that need the receiver say themselves why there is none.
            let _ = self.suite.listen().await;
        }
        context.reported.clear();
        let prepared = suite::prepare(context).await;
        self.suite.prepared(std::mem::take(&mut context.trace));
        match prepared {
            Err(Stop::Gone(reason)) => Err(reason),
            _ => Ok(()),
        }
    }

    fn select(&self, plan: &mut Plan, only: Option<&str>) {
        let options = &self.suite.options;
        let key = |api: usize, operation: Option<usize>| {
            let document = &self.suite.apis[api].api;
            operation.map(|index| document.operations[index].key.clone())
        };
        for case in &plan.cases {
            let operation = key(case.api, case.operation);
            let api = &self.suite.apis[case.api].api.id;
            if let Some(reason) = options.denial(case.check.id, api, operation.as_deref()) {
                self.with(|ledger| {
                    ledger
                        .tally((case.check.id, case.api, case.operation))
                        .not_applicable = Some(reason);
                });
            }
        }
        let planned = plan.cases.iter().map(|case| case.check.id);
        let mut planned = planned.chain(plan.skipped.iter().map(|(check, ..)| *check));
        let named = |check: &str| {
            options
                .only
                .iter()
                .any(|(kind, id)| kind == "check" && id == check)
        };
        let any = options.only.iter().any(|(kind, _)| kind == "check");
        self.on_the_way
            .store(any && !planned.any(named), Ordering::Relaxed);
        plan.cases.retain(|case| {
            let operation = key(case.api, case.operation);
            self.runs(case.check.id, case.api, operation.as_deref())
                && (!options.read_only || case.read_only)
                && only.is_none_or(|id| case.id == id)
        });
        if options.read_only {
            plan.random.clear();
        }
        plan.skipped.retain(|(check, api, operation, ..)| {
            let id = &self.suite.apis[*api].api.id;
            options.selects(check, id, key(*api, *operation).as_deref())
        });
        if let Some(id) = only.filter(|_| plan.cases.is_empty()) {
            // A random case: its number is the last part of its id.
            let number = id
                .rsplit('-')
                .next()
                .and_then(|number| number.parse().ok())
                .unwrap_or(0);
            let found = plan
                .random
                .iter()
                .map(|make| make(number))
                .find(|case| case.id == id);
            plan.cases.extend(found);
        }
    }

    /// Whether a check at an operation has a place among the requirements.
    fn selects(&self, (check, api, operation): (&str, usize, Option<usize>)) -> bool {
        if !self.on_the_way.load(Ordering::Relaxed) {
            return true;
        }
        let document = &self.suite.apis[api].api;
        let key = operation.map(|index| document.operations[index].key.as_str());
        self.suite.options.selects(check, &document.id, key)
    }

    /// Whether a case of a check at an operation runs.
    fn runs(&self, check: &str, api: usize, operation: Option<&str>) -> bool {
        let (options, id) = (&self.suite.options, &self.suite.apis[api].api.id);
        match self.on_the_way.load(Ordering::Relaxed) {
            true => options.selects_place(check, id, operation),
            false => options.selects(check, id, operation),
        }
    }

    async fn planned(self: &Arc<Self>, cases: Vec<Case>, jobs: usize, reserve: Duration) {
        let workers = jobs.clamp(1, cases.len().max(1));
        if !self.all(cases.into_iter(), workers, reserve).await {
            self.missed.store(true, Ordering::Relaxed);
        }
    }

    /// Runs cases side by side, in their order; none begins when only `reserve` is left of the time. Says whether all have
    /// begun.
    async fn all<I>(self: &Arc<Self>, cases: I, workers: usize, reserve: Duration) -> bool
    where
        I: Iterator<Item = Case> + Send + 'static,
    {
        // A case and the bodies that it sends are gone when it has run: a run of an hour needs no more memory than a short one.
        let cases = Arc::new(Mutex::new(cases));
        let next = |cases: &Mutex<I>| cases.lock().unwrap_or_else(PoisonError::into_inner).next();
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..workers {
            let (engine, cases) = (Arc::clone(self), Arc::clone(&cases));
            running.spawn(async move {
                while !engine.suite.is_nearly_over(reserve)
                    && let Some(case) = next(&cases)
                {
                    engine.begins(&case);
                    engine.judge(&case).await;
                    engine.done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while running.join_next().await.is_some() {}
        next(&cases).is_none()
    }

    /// Runs random cases, one of each kind and then the next of each, until the run is over.
    async fn random(self: &Arc<Self>, plan: &Plan, reserve: Duration) {
        let bounded = self.suite.options.cases.is_some() || self.suite.options.time.is_some();
        let mut makers = plan.random.clone();
        makers.retain(|make| {
            let case = make(0);
            let document = &self.suite.apis[case.api].api;
            let key = case
                .operation
                .map(|index| document.operations[index].key.as_str());
            self.runs(case.check.id, case.api, key)
        });
        if makers.is_empty() {
            return;
        }
        let rounds = if bounded { u64::MAX } else { ROUNDS };
        let (suite, jobs) = (Arc::clone(&self.suite), self.suite.options.jobs.max(1));
        // Cases in a row after which nothing more was judged than before: nothing can be sent any more, and another would
        // change nothing.
        let vain = 2 * makers.len() + jobs;
        let (mut before, mut idle) = (suite.judged(), 0);
        let cases = (0..rounds)
            .flat_map(move |round| makers.clone().into_iter().map(move |make| make(round)))
            .take_while(move |_| {
                let judged = suite.judged();
                idle = if judged == before { idle + 1 } else { 0 };
                before = judged;
                idle <= vain
            });
        self.all(cases, jobs, reserve).await;
    }

    fn begins(&self, case: &Case) {
        let operation = case
            .operation
            .map(|index| &self.suite.apis[case.api].api.operations[index].key);
        let what = match operation {
            Some(key) => format!("{} at {key}", case.check.id),
            None => case.check.id.to_owned(),
        };
        *self.what.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }
}
