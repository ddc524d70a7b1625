//! The server itself: from a path to the operation that answers it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Version, header};
use axum::response::Response;
use mecforge_api::{Api, Operation, Resource, Template};

use crate::answer::Answer;
use crate::notify::Notifier;
use crate::parameters::{self, Query};
use crate::plan::{Family, Plan};
use crate::problem::Problem;
use crate::schemas::lock;
use crate::store::{Scope, Store};
use crate::{MockError, Options, read};

/// The longest address, in bytes.
const MAX_ADDRESS: usize = 8_192;
/// The largest head, in bytes of names and values.
const MAX_HEAD: usize = 32_768;

/// Everything that a request needs.
pub(crate) struct Mock {
    pub(crate) plans: Vec<Plan>,
    pub(crate) options: Options,
    pub(crate) store: Mutex<Store>,
    pub(crate) started: Duration,
    pub(crate) notifier: Notifier,
    identifiers: AtomicU64,
}

/// A request whose operation is known and whose parameters are good.
pub(crate) struct Call<'a> {
    pub(crate) mock: &'a Mock,
    /// The place of its API.
    pub(crate) at: usize,
    pub(crate) plan: &'a Plan,
    pub(crate) resource: &'a Resource,
    pub(crate) operation: &'a Operation,
    /// The path's parameters.
    pub(crate) values: Scope,
    /// The path as it came, base path included.
    pub(crate) path: String,
    /// Scheme and host that the client sees; empty if it did not say.
    pub(crate) origin: String,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) query: Query,
    pub(crate) now: Duration,
}

/// What an address and a method mean.
struct Target<'a> {
    at: usize,
    plan: &'a Plan,
    resource: &'a Resource,
    operation: &'a Operation,
    values: Scope,
}

/// Stirs a number so that neighbours look nothing alike; no two give the same.
pub(crate) fn stir(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

impl Mock {
    pub(crate) fn new(apis: Vec<Arc<Api>>, options: Options) -> Result<Mock, MockError> {
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for api in &apis {
            for resource in &api.resources {
                let path = format!("{}{}", api.base_path, resource.path.text());
                if let Some(other) = seen.insert(path.clone(), api.id.clone()) {
                    let one = other;
                    let other = api.id.clone();
                    return Err(MockError::Conflict { one, other, path });
                }
            }
        }
        Ok(Mock {
            plans: apis.into_iter().map(Plan::new).collect::<Result<_, _>>()?,
            started: (options.now)(),
            options,
            store: Mutex::default(),
            notifier: Notifier::default(),
            identifiers: AtomicU64::new(0),
        })
    }

    /// An identifier that nothing had before; deterministic.
    pub(crate) fn identifier(&self, plan: &Plan, family: &Family, item: &Template) -> String {
        let count = self.identifiers.fetch_add(1, Ordering::Relaxed);
        // Adding before stirring keeps different counts different.
        let number = stir(count.wrapping_add(stir(self.options.seed ^ 0x5eed)));
        plan.identifier(family, item, number, count + 1)
    }

    /// The resource that a path means.
    fn find(&self, path: &str) -> Option<(usize, &Plan, &Resource, Scope)> {
        let plans = self.plans.iter().enumerate();
        let found = plans.filter_map(|(at, plan)| {
            let below = path.strip_prefix(plan.api.base_path.as_str())?;
            let resource = plan.api.resource_at(below)?;
            Some((at, plan, resource, resource.path.matches(below)?))
        });
        found.max_by_key(|(_, plan, resource, _)| (plan.api.base_path.len(), resource.path.literals()))
    }

    /// A refusal in the form that the document declares for the operation, also where it came before that was looked at.
    fn declared(&self, problem: Problem, parts: &Parts) -> Problem {
        let Some((_, plan, resource, _)) = self.find(parts.uri.path()) else {
            return problem;
        };
        match resource.operation(parts.method.as_str()) {
            Some(index) => problem.for_operation(plan, &plan.api.operations[index]),
            None => problem,
        }
    }

    async fn answer(&self, parts: &Parts, body: Body) -> Result<Answer, Problem> {
        let hosts = parts.headers.get_all(header::HOST).iter().count();
        if hosts > 1 || (hosts == 0 && parts.version == axum::http::Version::HTTP_11) {
            let detail = "HTTP/1.1 demands the header field Host once (RFC 9112, 3.2)";
            return Err(Problem::bad_request(detail));
        }
        let address = parts.uri.path_and_query().map_or("", |address| address.as_str());
        if address.len() > MAX_ADDRESS {
            let detail = format!("the address is longer than {MAX_ADDRESS} bytes");
            return Err(Problem::new(StatusCode::URI_TOO_LONG, detail));
        }
        let head: usize = parts
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum();
        if head > MAX_HEAD {
            let detail = format!("the header fields are longer than {MAX_HEAD} bytes");
            return Err(Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail));
        }
        judge_host(parts)?;
        let path = parts.uri.path();
        let decoded = parameters::decode(path);
        let found = match decoded {
            Ok(_) => self.find(path),
            // Which resource it would be is told by the part that can be read.
            Err(_) => self.find(&path.replace('%', "%25")),
        };
        let Some((at, plan, resource, values)) = found else {
            let unknown = Problem::not_found("no resource of a served document has this path");
            return Err(decoded.err().unwrap_or(unknown));
        };
        let method = parts.method.as_str();
        if method == "OPTIONS" && !resource.allows("OPTIONS") {
            return Ok(Answer::empty(StatusCode::NO_CONTENT).with(header::ALLOW, &allow(resource)));
        }
        let declared = match method {
            "HEAD" => resource.operation("HEAD").or_else(|| resource.operation("GET")),
            method => resource.operation(method),
        };
        let Some(operation) = declared.and_then(|index| plan.api.operations.get(index)) else {
            let mut problem = Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                format!("this resource does not have the method {method}"),
            );
            problem.allow = Some(allow(resource));
            return Err(problem);
        };
        if let Err(problem) = decoded {
            return Err(problem.for_operation(plan, operation));
        }
        let target = Target {
            at,
            plan,
            resource,
            operation,
            values,
        };
        let performed = self.perform(target, parts, body).await;
        performed.map_err(|problem| problem.for_operation(plan, operation))
    }

    async fn perform(&self, target: Target<'_>, parts: &Parts, body: Body) -> Result<Answer, Problem> {
        let Target { plan, operation, .. } = target;
        let query = parts.uri.query().unwrap_or("");
        let query = parameters::read(plan, operation, &target.values, query, &parts.headers)?;
        let given = read::body(plan, operation, &parts.headers, body).await?;
        let call = Call {
            mock: self,
            at: target.at,
            plan,
            resource: target.resource,
            operation,
            values: target.values,
            path: parts.uri.path().to_owned(),
            origin: self.origin(parts),
            headers: &parts.headers,
            query,
            now: (self.options.now)(),
        };
        self.settle();
        call.respond(given)
    }

    fn origin(&self, parts: &Parts) -> String {
        if let Some(url) = &self.options.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let host = parts
            .headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let host = host.or(parts.uri.authority().map(|authority| authority.as_str()));
        host.map(|host| format!("http://{host}")).unwrap_or_default()
    }

    /// Lets time have its effect: what has ended goes, who is not heard of falls silent.
    pub(crate) fn settle(&self) {
        let now = (self.options.now)();
        let mut store = lock(&self.store);
        if !store.is_timed() {
            return;
        }
        for path in store.expire(now) {
            self.notifier.forget(&path);
        }
        self.announce(&mut store, now);
        crate::liveness::suspend(self, &mut store, now);
    }
}

/// RFC 9112, 3.2: a request with no `Host`, or with several, is refused.
fn judge_host(parts: &Parts) -> Result<(), Problem> {
    let hosts = parts.headers.get_all(header::HOST).iter().count();
    let named = parts.version >= Version::HTTP_2 && parts.uri.authority().is_some();
    match hosts {
        1 => Ok(()),
        0 if named || parts.version < Version::HTTP_11 => Ok(()),
        _ => Err(Problem::bad_request("a request has exactly one Host")),
    }
}

/// The value of `Allow`.
fn allow(resource: &Resource) -> String {
    let mut methods: Vec<&str> = resource.operations.keys().map(String::as_str).collect();
    for implied in ["HEAD", "OPTIONS"] {
        if !methods.contains(&implied) && (implied == "OPTIONS" || resource.allows(implied)) {
            methods.push(implied);
        }
    }
    methods.sort_unstable();
    methods.join(", ")
}

/// Answers any request.
pub(crate) async fn handle(State(mock): State<Arc<Mock>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    if let Some(opened) = mock.websocket(&mut parts).await {
        return opened;
    }
    let answer = match mock.answer(&parts, body).await {
        Ok(answer) => answer,
        Err(problem) => Answer::problem(&mock.declared(problem, &parts), parts.uri.path()),
    };
    answer.into_response(parts.method == axum::http::Method::HEAD)
}
