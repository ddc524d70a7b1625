//! What a case works with: sending, reporting, and everything that it made, which is removed afterwards.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use fastrand::Rng;
use mecforge_api::Operation;
use mecforge_transport::Fault;
use serde_json::Value;

use super::call::{Call, Exchange, Identity, Payload, Role};
use super::outcome::{Failure, Stop};
use super::plan::Case;
use super::tags::Tags;
use super::world::Values;
use super::{Suite, responses, seed};

/// Why a case runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// For the first time.
    First,
    /// Again, to see whether a breach repeats.
    Again,
}

/// A breach with the number of exchanges before it was reported.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The breach.
    pub failure: Failure,
    /// The exchange of the trace with which its evidence begins.
    pub from: usize,
    /// How many exchanges of the trace belong to it, with those before the evidence.
    pub until: usize,
}

/// What a case works with.
pub struct Context {
    /// The run.
    pub suite: Arc<Suite>,
    /// The case.
    pub case: Case,
    /// Why it runs.
    pub mode: Mode,
    /// Random numbers that depend on the seed and the case's id only.
    pub rng: Rng,
    /// What was sent, in order; evidence.
    pub trace: Vec<mecforge_report::Exchange>,
    /// What was reported.
    pub reported: Vec<Reported>,
    /// Pairs of check and operation that were judged on the way, for the requirements.
    pub judged: BTreeSet<(&'static str, usize, Option<usize>)>,
    /// What was made and is to be removed, the last first: API, path, and on whose behalf.
    pub(super) made: Vec<(usize, String, Identity)>,
    /// On whose behalf requests are made that name nobody.
    pub(super) acting: Identity,
    pub(super) counter: u32,
    /// How many things are being made for the sake of others.
    pub(super) depth: u8,
    /// The exchange with which the evidence of what is reported begins.
    pub(super) start: usize,
    /// Repeating the minimiser's requests must not fill the trace.
    pub(super) quiet: bool,
    tags: Tags,
}

/// After so many removals without an answer no more are tried: each would cost the whole time-out.
const PATIENCE: u64 = 5;

/// What is accepted of an operation's answers: JSON, and what else it answers with where that is never JSON.
fn accepted(operation: Option<&Operation>) -> String {
    const JSON: &str = "application/json, application/problem+json";
    let contents: Vec<_> = operation
        .into_iter()
        .flat_map(Operation::successes)
        .flat_map(|response| &response.content)
        .collect();
    let foreign = match contents.iter().any(|content| content.is_json()) {
        true => "",
        false => contents.first().map_or("", |content| content.media_type.as_str()),
    };
    match foreign {
        "" => JSON.to_owned(),
        media_type => format!("{media_type}, {JSON}"),
    }
}

impl Context {
    /// A context for one run of a case.
    pub fn new(suite: &Arc<Suite>, case: &Case, mode: Mode) -> Self {
        Context {
            rng: Rng::with_seed(seed::hash(suite.options.seed, &[&case.id])),
            suite: Arc::clone(suite),
            case: case.clone(),
            mode,
            trace: Vec::new(),
            reported: Vec::new(),
            judged: BTreeSet::new(),
            made: Vec::new(),
            acting: Identity::Main,
            counter: 0,
            depth: 0,
            start: 0,
            quiet: false,
            tags: Tags::default(),
        }
    }

    /// A text that no other case uses, and that is the same in every run with this seed: letters, digits and `-`.
    pub fn unique(&mut self) -> String {
        self.counter += 1;
        let case = seed::short(seed::hash(self.suite.options.seed, &[&self.case.id]));
        match self.mode {
            Mode::First => format!("{case}-{}", self.counter),
            Mode::Again => format!("{case}-{}-again", self.counter),
        }
    }

    /// A request for an operation, with the parameters that it must carry and without body.
    pub fn call(&self, api: usize, operation: usize, values: &Values) -> Call {
        let state = &self.suite.apis[api];
        let declared = &state.api.operations[operation];
        let (query, headers) = state.required_parameters(operation);
        Call {
            api,
            operation: Some(operation),
            method: declared.method.clone(),
            path: declared.path.expand(values),
            query,
            headers,
            identity: self.acting,
            ..Call::default()
        }
    }

    /// The `Accept` with which an operation is asked.
    pub fn accepted(&self, api: usize, operation: usize) -> String {
        accepted(Some(&self.suite.apis[api].api.operations[operation]))
    }

    /// Reports a breach and goes on.
    pub fn report(&mut self, failure: Failure) {
        let (from, until) = (self.start, self.trace.len());
        self.reported.push(Reported { failure, from, until });
    }

    /// Lets the evidence of what is reported from now on begin here.
    pub fn begin(&mut self) {
        self.start = self.trace.len();
    }

    /// Where the evidence of what is reported now begins.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Forgets what was sent after a place of the trace and what was reported after a number of breaches: a try that
    /// nobody needs to see.
    pub fn forget(&mut self, trace: usize, reported: usize) {
        self.trace.truncate(trace);
        self.reported.truncate(reported);
        self.start = self.start.min(trace);
    }

    /// A context for a client that works beside others within this case; [`Context::absorb`] takes back what it did.
    pub fn fork(&mut self, client: u32) -> Context {
        let mut own = Context::new(&self.suite, &self.case, self.mode);
        own.counter = self.counter + (client + 1) * 1000;
        own.rng = self.rng.fork();
        own
    }

    /// Takes back what clients did: their exchanges in the order in which they began, and what is to be removed.
    pub fn absorb(&mut self, clients: Vec<Context>) {
        let from = self.trace.len();
        for client in clients {
            self.trace.extend(client.trace);
            self.judged.extend(client.judged);
            self.made.extend(client.made);
            self.counter = self.counter.max(client.counter);
            for mut reported in client.reported {
                // What shows it is among what all of them sent.
                reported.from = self.start;
                reported.until = usize::MAX;
                self.reported.push(reported);
            }
        }
        self.trace[from..].sort_by(|one, other| one.started_at.cmp(&other.started_at));
    }

    /// Notes that a check was judged at an operation, so that its requirement has a verdict.
    pub fn judge(&mut self, check: &'static str, api: usize, operation: Option<usize>) {
        self.judged.insert((check, api, operation));
    }

    /// Sends a request. The answer of a declared operation is judged by all checks of the group `responses` on the way.
    ///
    /// # Errors
    /// [`Stop::Gone`] if there is nobody to talk to, [`Stop::Over`] if the run is over, [`Stop::Inconclusive`] if the
    /// platform answers 429 however long it is waited for.
    pub async fn send(&mut self, call: Call) -> Result<Exchange, Stop> {
        let over = match self.mode {
            Mode::First => self.suite.is_over(),
            Mode::Again => self.suite.is_over_altogether(),
        };
        if call.role != Role::CleanUp && over {
            return Err(Stop::Over);
        }
        if self.suite.options.read_only && !matches!(call.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
            return Err(Stop::NotApplicable(
                "--read-only sends safe methods only".to_owned(),
            ));
        }
        if let Some(reason) = self.denial(&call) {
            return Err(Stop::NotApplicable(reason));
        }
        let exchange = self.patiently(call).await;
        if let Err(fault) = &exchange.outcome {
            if fault.is_unreachable() {
                return Err(Stop::Gone(fault.to_string()));
            }
            if fault.is_ours() {
                return Err(Stop::Inconclusive(fault.to_string()));
            }
            if let Fault::Timeout { limit, .. } = fault
                && exchange.elapsed_ms > 1.5 * limit.as_secs_f64() * 1000.0
            {
                return Err(Stop::Inconclusive(format!(
                    "this machine was too busy to test: it noticed after {:.0} s that {:.0} s were over",
                    exchange.elapsed_ms / 1000.0,
                    limit.as_secs_f64()
                )));
            }
        }
        self.suite.recorder.exchange(&self.suite, &exchange);
        if exchange.call.role != Role::CleanUp {
            self.suite.judged.fetch_add(1, Ordering::Relaxed);
            if !self.quiet {
                let suite = Arc::clone(&self.suite);
                let (judged, failures) = responses::judge(&suite, &exchange);
                self.judged.extend(judged);
                for failure in failures {
                    self.report(failure.shown_by(&exchange.call));
                }
                self.tags_change(&exchange);
            }
        }
        self.remember(&exchange);
        match exchange.status() {
            429 if !exchange.call.impatient && exchange.call.role != Role::CleanUp => {
                Err(super::sending::limited(&exchange))
            }
            _ => Ok(exchange),
        }
    }

    /// Reports a strong entity tag that stays while what it is of changes (RFC 9110, 8.8.1).
    fn tags_change(&mut self, exchange: &Exchange) {
        let suite = Arc::clone(&self.suite);
        let Some(tag) = self.tags.stale(&suite, exchange) else {
            return;
        };
        let actual = format!("{tag} again, with {}", exchange.summary());
        let failure = Failure::new(
            "the entity tag stays though the object changes",
            "another tag",
            actual,
        );
        let operations = &suite.apis[exchange.call.api].api.operations;
        let key = exchange
            .call
            .operation
            .map(|index| operations[index].key.as_str());
        let failure = failure.of("entity-tag-changes");
        self.report(match key {
            Some(key) => failure.at(key),
            None => failure,
        });
    }

    /// Why a request is not sent: the vendor's statement says that its operation is not offered.
    fn denial(&self, call: &Call) -> Option<String> {
        let operation = call.operation.filter(|_| call.role != Role::CleanUp)?;
        let document = &self.suite.apis[call.api].api;
        let key = &document.operations[operation].key;
        self.suite.options.denial("", &document.id, Some(key))
    }

    pub(super) fn headers(&self, call: &Call) -> Vec<(String, String)> {
        let mut headers = call.headers.clone();
        let has = |headers: &[(String, String)], name: &str| {
            headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name))
        };
        let operation = call
            .operation
            .map(|index| &self.suite.apis[call.api].api.operations[index]);
        if !call.no_accept && !has(&headers, "accept") {
            headers.push(("Accept".to_owned(), accepted(operation)));
        }
        if !has(&headers, "content-type") {
            let declared = operation.and_then(|operation| operation.json_body());
            let media_type = match &call.payload {
                Payload::None => None,
                Payload::Json(_) => Some(declared.map_or("application/json", |content| &content.media_type)),
                Payload::Bytes(media_type, _) => Some(media_type.as_str()).filter(|text| !text.is_empty()),
            };
            if let Some(media_type) = media_type {
                headers.push(("Content-Type".to_owned(), media_type.to_owned()));
            }
        }
        headers
    }

    /// Notes what a request made, so that it is removed in the end, also where nobody asked for it.
    fn remember(&mut self, exchange: &Exchange) {
        let made = match exchange.call.method.as_str() {
            "POST" => super::location_path(&self.suite, exchange),
            "PUT" => Some(exchange.call.path.clone()),
            _ => None,
        };
        if let Some(path) = made.filter(|_| exchange.status() == 201) {
            self.suite.places.made(exchange.call.api, &path);
            // What nobody made is removed as the main application.
            let owner = match exchange.call.identity {
                Identity::Other => Identity::Other,
                Identity::Main | Identity::Nobody => Identity::Main,
            };
            self.made.push((exchange.call.api, path, owner));
        }
        if exchange.call.method == "DELETE" && exchange.is_success() {
            self.suite.places.removed(exchange.call.api, &exchange.call.path);
            self.made
                .retain(|(api, path, _)| (*api, path) != (exchange.call.api, &exchange.call.path));
        }
    }

    /// A body that a correct platform accepts for an operation, bound to the values of its path.
    ///
    /// # Errors
    /// [`Stop::Inconclusive`] if none can be generated.
    pub fn body(&mut self, api: usize, operation: usize, values: &Values) -> Result<Value, Stop> {
        let suite = Arc::clone(&self.suite);
        let state = &suite.apis[api];
        let key = &state.api.operations[operation].key;
        let unique = self.unique();
        if let Some(body) = state.knowledge.body(key, &unique) {
            return Ok(body);
        }
        if let Some(reason) = state.foreign_body(operation) {
            return Err(Stop::Inconclusive(reason));
        }
        let schema = state.body_schema(operation);
        let mut body = schema
            .as_ref()
            .and_then(|schema| schema.minimal())
            .ok_or_else(|| {
                Stop::Inconclusive(format!("no valid body of {key} can be generated from its schema"))
            })?;
        if let Some(schema) = &schema {
            super::world::name_apart(&mut body, &unique, &|body| schema.is_valid(body));
        }
        self.bind(&mut body, values);
        super::world::name_like_path(&mut body, values, "");
        Ok(body)
    }

    /// Puts the values of the path and the callback address into a generated body.
    pub fn bind(&self, body: &mut Value, values: &Values) {
        let callback = self.receiver().map(super::Receiver::swallowing);
        let nobody = || "http://127.0.0.1:9/mec-conformance".to_owned();
        crate::profile::bind(body, values, &callback.unwrap_or_else(|_| nobody()));
    }

    /// Gives a service a state that the release under test has, if its document does not know the one that it has:
    /// MEC 011 has SUSPENDED since V3.1.1.
    pub fn fit_release(&self, api: usize, operation: usize, body: &mut Value) {
        let schema = self.suite.apis[api].body_schema(operation);
        let wrong = schema.is_some_and(|schema| !schema.is_valid(body));
        if let Some(state) = body.get_mut("state").filter(|_| wrong) {
            *state = "INACTIVE".into();
        }
    }

    /// Removes what the case made. What can't be removed is noted for the report.
    pub async fn clean_up(&mut self) {
        while let Some((api, path, identity)) = self.made.pop() {
            let suite = Arc::clone(&self.suite);
            let document = &suite.apis[api].api;
            let delete = document
                .resource_at(&path)
                .and_then(|resource| resource.operation("DELETE"));
            let Some(operation) = delete else {
                suite.leave(format!(
                    "{}{path}: the API has no DELETE for it",
                    suite.apis[api].base_path
                ));
                continue;
            };
            let call = Call {
                api,
                operation: Some(operation),
                method: "DELETE".to_owned(),
                path: path.clone(),
                role: Role::CleanUp,
                identity,
                ..Call::default()
            };
            if suite.unanswered.load(Ordering::Relaxed) >= PATIENCE {
                suite.leave(format!(
                    "{}{path}: not tried, as removals are not answered",
                    suite.apis[api].base_path
                ));
                continue;
            }
            let exchange = self.patiently(call).await;
            if exchange.is_success() {
                suite.places.removed(api, &path);
            }
            if exchange.outcome.is_err() {
                suite.unanswered.fetch_add(1, Ordering::Relaxed);
            }
            if !exchange.is_success() && !matches!(exchange.status(), 404 | 410) {
                suite.leave(format!(
                    "{}{path}: {}",
                    suite.apis[api].base_path,
                    exchange.summary()
                ));
            }
        }
    }

    /// Values for all path parameters of an operation: things that exist are made or found.
    ///
    /// # Errors
    /// [`Stop::Inconclusive`] where nothing can be made or found.
    pub async fn values(&mut self, api: usize, operation: usize) -> Result<Values, Stop> {
        super::world::values(self, api, operation).await
    }
}
