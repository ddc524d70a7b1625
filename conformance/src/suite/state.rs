//! The data of a run that all cases share.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use mecforge_api::{Api, Location, Parameter, query_pairs};
use mecforge_instances::Schema;
use mecforge_transport::Client;
use serde_json::{Value, json};

use super::places::Places;
use super::{Fixtures, Options, Origin, OriginApi, Receiver, Recorder};
use crate::profile::Knowledge;

/// Names and values.
type Pairs = Vec<(String, String)>;

/// One API under test.
pub struct ApiState {
    /// The document.
    pub api: Arc<Api>,
    /// The path below which it is tested: of the document, or of `--base-path`.
    pub base_path: String,
    /// What the standard says beyond the document.
    pub knowledge: Knowledge,
    schemas: Mutex<HashMap<String, Option<Schema>>>,
}

impl ApiState {
    /// An API at a base path.
    pub fn new(api: Api, base_path: Option<&str>, knowledge: Knowledge) -> Self {
        ApiState {
            base_path: base_path
                .unwrap_or(&api.base_path)
                .trim_end_matches('/')
                .to_owned(),
            api: Arc::new(api),
            knowledge,
            schemas: Mutex::new(HashMap::new()),
        }
    }

    /// The schema at a pointer as the document has it: for judging.
    pub fn schema(&self, pointer: &str) -> Option<Schema> {
        self.cached(pointer, None)
    }

    /// The schema of an operation's JSON body, for generating: narrowed by what is known beyond the document.
    pub fn body_schema(&self, operation: usize) -> Option<Schema> {
        let operation = &self.api.operations[operation];
        let pointer = operation.json_body()?.schema.as_deref()?;
        self.cached(pointer, Some(&operation.key))
    }

    /// Why no body of an operation can be made: it takes none of JSON.
    pub fn foreign_body(&self, operation: usize) -> Option<String> {
        let operation = &self.api.operations[operation];
        let body = operation.body.as_ref()?;
        let types: Vec<_> = body
            .content
            .iter()
            .map(|content| content.media_type.as_str())
            .collect();
        (operation.json_body().is_none() && !types.is_empty()).then(|| {
            format!(
                "{} takes {}; this suite makes bodies of JSON alone",
                operation.key,
                types.join(", ")
            )
        })
    }

    /// Whether an operation changes something that no case makes for itself, so that cases would see each other's changes.
    pub fn is_shared(&self, operation: usize) -> bool {
        let declared = &self.api.operations[operation];
        let path = declared.path.text();
        let made = self.api.resources.iter().any(|resource| {
            let own = resource.path.text();
            resource.maker.or(resource.upsert).is_some()
                && (path == own || path.starts_with(&format!("{own}/")))
        });
        matches!(declared.method.as_str(), "PUT" | "PATCH" | "DELETE") && !made
    }

    /// Whether a valid body of an operation is one that somebody might send.
    pub fn is_plausible(&self, operation: usize, body: &Value) -> bool {
        let declared = &self.api.operations[operation];
        // In a merge patch null removes a member, and what must be there can't be removed (RFC 7396).
        if declared.method == "PATCH" && has_null(body) {
            return false;
        }
        let content = declared.json_body();
        let schema = content.and_then(|content| content.schema.as_deref());
        schema.is_none_or(|schema| super::plausible::is_plausible(self, schema, body))
    }

    /// Query and header fields that an operation can't be asked without, with valid values.
    pub fn required_parameters(&self, operation: usize) -> (Pairs, Pairs) {
        let (mut query, mut headers) = (Vec::new(), Vec::new());
        let required = self.api.operations[operation]
            .parameters
            .iter()
            .filter(|parameter| parameter.required);
        let mut cookies = Vec::new();
        for parameter in required {
            let text = || {
                let usual = self.usual_values(parameter);
                usual.iter().find_map(|value| parameter.simple(value).ok())
            };
            match parameter.location {
                Location::Query => query.extend(self.usual_pairs(parameter)),
                Location::Header => headers.extend(text().map(|text| (parameter.name.clone(), text))),
                Location::Cookie => cookies.extend(text().map(|text| format!("{}={text}", parameter.name))),
                Location::Path => {}
            }
        }
        if !cookies.is_empty() {
            headers.push(("Cookie".to_owned(), cookies.join("; ")));
        }
        (query, headers)
    }

    /// The pairs of a parameter with the first of its usual values that has something to write.
    fn usual_pairs(&self, parameter: &Parameter) -> Pairs {
        let written = self
            .usual_values(parameter)
            .into_iter()
            .filter_map(|value| query_pairs(parameter, &value).ok());
        let says = |pairs: &Pairs| pairs.iter().any(|(_, value)| !value.is_empty());
        written.into_iter().find(says).unwrap_or_default()
    }

    /// Valid values of a parameter, the plainest first.
    fn usual_values(&self, parameter: &Parameter) -> Vec<Value> {
        let Some(schema) = self.schema(&parameter.schema) else {
            return Vec::new();
        };
        let plain = [json!("conformance"), json!(["conformance"])]
            .into_iter()
            .filter(|value| schema.is_valid(value));
        plain.chain(schema.minimal()).chain(schema.full()).collect()
    }

    fn cached(&self, pointer: &str, operation: Option<&str>) -> Option<Schema> {
        let name = format!("{}{pointer}", operation.unwrap_or_default());
        let mut schemas = self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
        schemas
            .entry(name)
            .or_insert_with(|| {
                let mut options = operation
                    .map(|key| self.knowledge.generation(key))
                    .unwrap_or_default();
                // A binding of a property that the schema does not have would make the generator add it.
                options.bindings.retain(|(place, _)| {
                    declares(
                        &self.api.document,
                        pointer,
                        place.split('/').nth(1).unwrap_or_default(),
                        0,
                    )
                });
                Schema::with_options(&self.api.document, pointer, &options).ok()
            })
            .clone()
    }
}

/// How the target is talked to, by whom.
pub struct Clients {
    /// The application of the command line.
    pub main: Client,
    /// The second application of the fixtures, if there is one.
    pub other: Option<Client>,
    /// Somebody without credentials.
    pub nobody: Client,
    /// The main application over the other version of HTTP: HTTP/2, or HTTP/1.1 where the run is made over HTTP/2.
    pub other_version: Client,
    /// Whether the operator gave credentials of the main application, so that leaving them out means something.
    pub credentials: bool,
    /// Whether they are in `Authorization`, so that another token in it is judged; a key in a field of its own stays valid
    /// beside any token.
    pub authorizes: bool,
}

/// Everything that the cases of a run share.
pub struct Suite {
    /// The APIs under test.
    pub apis: Vec<ApiState>,
    /// How the run is made.
    pub options: Options,
    /// What exists at the target.
    pub fixtures: Fixtures,
    /// What was reached.
    pub recorder: Recorder,
    /// The address of the target without a final slash.
    pub target: String,
    /// How the target is talked to.
    pub clients: Clients,
    /// Application instances at the target.
    pub(crate) instances: tokio::sync::OnceCell<Vec<String>>,
    /// Whether the application instances are names of the suite's own that nobody gave or registered.
    pub(crate) invented: AtomicBool,
    /// How many requests are left to the cases that must come last.
    pub(crate) reserved: AtomicU64,
    /// What was sent before the cases, which share what it made.
    preparation: std::sync::OnceLock<Vec<mecforge_report::Exchange>>,
    pub(crate) started: Instant,
    pub(crate) judged: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) over: AtomicBool,
    /// Removals that got no answer.
    pub(crate) unanswered: AtomicU64,
    /// Requests in a row that were answered 429 whatever the wait.
    pub(crate) limited: AtomicU64,
    /// What was made and removed.
    pub(crate) places: Places,
    pub(crate) left_behind: Mutex<Vec<String>>,
    pub(crate) observed: Mutex<BTreeMap<String, String>>,
    pub(crate) server: Mutex<Option<String>>,
    pub(crate) contradictions: Mutex<BTreeMap<&'static str, mecforge_report::Contradiction>>,
    /// Where notifications come to; none before [`Suite::listen`].
    pub(crate) receiver: OnceLock<Result<Receiver, String>>,
}

/// How long beyond the end of the run a breach that was seen before may be tried again.
const GRACE: Duration = Duration::from_secs(10);

impl Suite {
    /// A suite for APIs at a target.
    pub fn new(
        apis: Vec<ApiState>,
        options: Options,
        fixtures: Fixtures,
        target: &str,
        clients: Clients,
    ) -> Self {
        Suite {
            apis,
            options,
            fixtures,
            recorder: Recorder::default(),
            target: target.trim_end_matches('/').to_owned(),
            clients,
            instances: tokio::sync::OnceCell::new(),
            invented: AtomicBool::new(false),
            reserved: AtomicU64::new(0),
            preparation: std::sync::OnceLock::new(),
            started: Instant::now(),
            judged: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            over: AtomicBool::new(false),
            unanswered: AtomicU64::new(0),
            limited: AtomicU64::new(0),
            places: Places::default(),
            left_behind: Mutex::new(Vec::new()),
            observed: Mutex::default(),
            server: Mutex::new(None),
            contradictions: Mutex::default(),
            receiver: OnceLock::new(),
        }
    }

    /// Opens the receiver of notifications, once.
    ///
    /// # Errors
    /// Why there is none, and what to do; cases that need it are then inconclusive.
    pub async fn listen(&self) -> Result<(), String> {
        if self.receiver.get().is_none() {
            let options = &self.options;
            let (listen, url) = (
                options.callback_listen.as_deref(),
                options.callback_url.as_deref(),
            );
            // Where two begin at the same time, the second one's is dropped.
            let _ = self
                .receiver
                .set(Receiver::start(&self.target, listen, url).await);
        }
        match self.receiver.get() {
            Some(Err(reason)) => Err(reason.clone()),
            _ => Ok(()),
        }
    }

    /// Whether no more cases may begin: time or cases are used up, or somebody interrupted.
    pub fn is_over(&self) -> bool {
        let cases = self.options.cases.is_some_and(|most| self.judged() >= most);
        let time = self
            .options
            .time
            .is_some_and(|most| self.started.elapsed() >= most);
        cases || time || self.over.load(Ordering::Relaxed)
    }

    /// Whether only a rest is left: of the time `reserve`, of the cases some, but of each at most a quarter.
    pub fn is_nearly_over(&self, reserve: Duration) -> bool {
        let end = |most: Duration| most.saturating_sub(reserve.min(most / 4));
        let time = self.options.time;
        let late = time.is_some_and(|most| self.started.elapsed() >= end(most));
        let kept = |most: u64| match reserve.is_zero() {
            true => 0,
            false => self.reserved.load(Ordering::Relaxed).min(most / 4),
        };
        let full = |most: u64| self.judged() >= most - kept(most);
        self.is_over() || late || self.options.cases.is_some_and(full)
    }

    /// Whether not even a breach that was seen may be tried again: somebody interrupted, or the time has long been over.
    pub fn is_over_altogether(&self) -> bool {
        let late = |most| self.started.elapsed() >= most + GRACE;
        self.options.time.is_some_and(late) || self.over.load(Ordering::Relaxed)
    }

    /// Ends the run; what has begun is brought to its end.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Requests that were judged.
    pub fn judged(&self) -> u64 {
        self.judged.load(Ordering::Relaxed)
    }

    /// Requests that were sent.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Milliseconds since the start.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// What was sent before the cases.
    pub fn preparation(&self) -> &[mecforge_report::Exchange] {
        self.preparation.get().map_or(&[], Vec::as_slice)
    }

    /// Keeps what was sent before the cases, once.
    pub(crate) fn prepared(&self, exchanges: Vec<mecforge_report::Exchange>) {
        let _ = self.preparation.set(exchanges);
    }

    /// What tests on the generated clients need to know.
    pub fn origin(&self) -> Origin<'_> {
        let mut apis = Vec::new();
        for state in &self.apis {
            apis.push(OriginApi {
                api: &state.api,
                base_path: &state.base_path,
                package: state.knowledge.package(),
            });
        }
        Origin {
            target: &self.target,
            apis,
        }
    }

    /// Notes where the standard contradicts itself or its document, and which way the target goes: `observed` of the
    /// latest note that has one counts.
    pub fn contradicts(&self, id: &'static str, description: &str, observed: Option<String>) {
        let mut all = self.contradictions.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = all.entry(id).or_insert_with(|| mecforge_report::Contradiction {
            id: id.to_owned(),
            description: description.to_owned(),
            observed: None,
        });
        if observed.is_some() {
            entry.observed = observed;
        }
    }

    /// Notes what the target does where two readings are accepted, by the name of the contradiction or test purpose.
    pub(crate) fn observe(&self, what: &str, seen: String) {
        let mut observed = self.observed.lock().unwrap_or_else(PoisonError::into_inner);
        observed.insert(what.to_owned(), seen);
    }

    /// The application instance of the second identity, or the second of all.
    pub(crate) fn second_instance(&self) -> Option<String> {
        let named = self.fixtures.identity.get(1);
        let named = named.map(|person| person.app_instance_id.clone());
        named
            .filter(|id| !id.is_empty())
            .or_else(|| self.instances.get().and_then(|all| all.get(1)).cloned())
    }

    /// Whether the platform can tell two applications apart, as each has credentials of its own.
    pub(crate) fn tells_applications_apart(&self) -> bool {
        self.clients.credentials && self.clients.other.is_some()
    }

    /// Notes what could not be removed.
    pub(crate) fn leave(&self, what: String) {
        let mut list = self.left_behind.lock().unwrap_or_else(PoisonError::into_inner);
        if list.len() < 1000 {
            list.push(what);
        }
    }
}

/// Whether null is anywhere in a value.
fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

/// Whether a schema declares a property, itself or in a part of it.
pub(crate) fn declares(document: &Value, pointer: &str, name: &str, depth: u8) -> bool {
    let pointer = mecforge_api::resolve(document, pointer);
    let Some(schema) = document.pointer(&pointer) else {
        return false;
    };
    if schema
        .get("properties")
        .is_some_and(|properties| properties.get(name).is_some())
    {
        return true;
    }
    depth < 8
        && ["allOf", "oneOf", "anyOf"].iter().any(|key| {
            let parts = schema.get(key).and_then(Value::as_array).map_or(0, Vec::len);
            (0..parts).any(|at| declares(document, &format!("{pointer}/{key}/{at}"), name, depth + 1))
        })
}
