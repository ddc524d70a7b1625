//! From a request to its operation: matching, the uniform refusals, and the way back.
//!
//! Routes are matched here and not by axum, because OpenAPI's templates and RFC 9110 ask for more than axum's
//! matcher gives: decoded comparison, several parameters in a segment, templates that overlap, and a
//! problem document for every refusal.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use tower_service::Service;

use super::body;
use super::caller::mount_of;
use super::query::Query;
use super::template::{self, Template};
use super::{Call, Caller, Problem, Reply};
use crate::Preconditions;
use crate::media_type::negotiate;
use crate::operation::Operation;

/// What an operation's handler returns.
type ReplyFuture = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send>>;

type Handler = Box<dyn Fn(Call) -> ReplyFuture + Send + Sync>;

/// Response extension: the operation that answered, for logs and metrics.
#[derive(Clone, Copy, Debug)]
pub struct Answered(pub &'static Operation);

struct Route {
    template: Template,
    operation: &'static Operation,
    method: Method,
    handler: Handler,
}

/// The operations of one API and what serves them.
#[derive(Default)]
pub struct Routes {
    routes: Vec<Route>,
}

impl Routes {
    /// No operations yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an operation.
    #[must_use]
    pub fn route<A, F, O>(mut self, operation: &'static Operation, api: &Arc<A>, handler: F) -> Self
    where
        A: Send + Sync + 'static,
        F: Fn(Arc<A>, Call) -> O + Send + Sync + 'static,
        O: Future<Output = Result<Reply, Problem>> + Send + 'static,
    {
        let api = Arc::clone(api);
        self.routes.push(Route {
            template: Template::parse(operation.path),
            operation,
            // OpenAPI's methods are all valid.
            method: Method::from_bytes(operation.method.as_bytes()).unwrap_or_default(),
            handler: Box::new(move |call| Box::pin(handler(Arc::clone(&api), call))),
        });
        self
    }

    /// The service that answers every request, also those that no operation matches.
    pub fn into_service(mut self) -> ApiService {
        // The more concrete template comes first, and an operation of HEAD before the GET that could serve it.
        self.routes.sort_by_key(|route| {
            (
                route.template.len(),
                route.template.rank(),
                route.method != Method::HEAD,
            )
        });
        ApiService {
            routes: Arc::new(self),
        }
    }

    /// The service as a router, for use with [`axum::Router::nest`], layers and `axum::serve`.
    pub fn into_router(self) -> axum::Router {
        let service = self.into_service();
        axum::Router::new()
            .route_service("/", service.clone())
            .route_service("/{*path}", service.clone())
            .fallback_service(service)
    }

    fn find(&self, method: &Method, path: &str) -> Result<Found<'_>, Problem> {
        let segments = template::decode(path).map_err(|_| {
            Problem::bad_request("a segment of the path is wrongly escaped, is not UTF-8 or holds a NUL")
        })?;
        let serves = |route: &Route| {
            route.method == *method || (*method == Method::HEAD && route.method == Method::GET)
        };
        let mut allowed: Vec<&Method> = Vec::new();
        for route in self
            .routes
            .iter()
            .filter(|route| route.template.len() == segments.len())
        {
            let Some(values) = route.template.captures(&segments) else {
                continue;
            };
            if serves(route) {
                return Ok(Found::Route(route, values));
            }
            allowed.push(&route.method);
        }
        match allowed.is_empty() {
            true => Err(Problem::not_found(format!("there is no resource at {path}"))),
            false => Ok(Found::Others(allow(&allowed))),
        }
    }
}

enum Found<'routes> {
    /// An operation, and the values of its path parameters.
    Route(&'routes Route, Vec<String>),
    /// Operations of other methods: the value of `Allow`.
    Others(String),
}

/// The value of `Allow`: the methods of a path, with those that follow from them.
fn allow(methods: &[&Method]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for method in methods {
        let implied: &[&str] = if **method == Method::GET {
            &["GET", "HEAD"]
        } else {
            &[method.as_str()]
        };
        names.extend(
            implied
                .iter()
                .copied()
                .filter(|name| !names.contains(name))
                .collect::<Vec<_>>(),
        );
    }
    if !names.contains(&"OPTIONS") {
        names.push("OPTIONS");
    }
    names.join(", ")
}

/// An API as a [`tower`](tower_service::Service) service.
#[derive(Clone)]
pub struct ApiService {
    routes: Arc<Routes>,
}

impl ApiService {
    /// Answers a request whose path is relative to the API's root.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let is_head = parts.method == Method::HEAD;
        let mut response = match self.routes.find(&parts.method, parts.uri.path()) {
            Ok(Found::Route(route, values)) => {
                let operation = route.operation;
                let mut response = carry_out(route, values, parts, body).await;
                response.extensions_mut().insert(Answered(operation));
                response
            }
            Ok(Found::Others(allow)) => refuse_method(&parts, &allow),
            Err(problem) => refuse(&parts, problem),
        };
        if is_head {
            *response.body_mut() = Body::empty();
        }
        response
    }
}

/// Carries out one operation; a problem is told where the client asked for it.
async fn carry_out(route: &Route, path: Vec<String>, parts: Parts, body: Body) -> Response<Body> {
    // A problem names the target, but by then the handler has the request.
    let target = format!("{}{}", mount_of(&parts.extensions), parts.uri.path());
    let answer = answer(route, path, Caller::new(parts), body)
        .await
        .and_then(Reply::into_http);
    answer.unwrap_or_else(|problem| problem.finish(&target).into_http())
}

/// The refusals that need no handler, then the handler, then conditions on GET.
async fn answer(route: &Route, path: Vec<String>, caller: Caller, body: Body) -> Result<Reply, Problem> {
    let operation = route.operation;
    let headers = caller.headers();
    if !operation.produces.is_empty() && negotiate(headers, operation.produces).is_none() {
        let offered = operation.produces.join(", ");
        let detail = format!("Accept excludes what this operation answers with: {offered}");
        return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, detail).with_parameter("Accept"));
    }
    let query = Query::parse(caller.uri().query(), operation)?;
    let conditions = match route.method == Method::GET {
        true => Preconditions::from_headers(headers)?,
        false => Preconditions::default(),
    };
    let body = body::read(operation.body, &caller, body).await?;
    let reply = (route.handler)(Call {
        operation,
        caller,
        path,
        query,
        body,
    })
    .await?;
    conditional(reply, &conditions)
}

/// The answer to GET under its conditions (RFC 9110 section 13.2.2).
fn conditional(reply: Reply, conditions: &Preconditions) -> Result<Reply, Problem> {
    if conditions.is_empty() || reply.status() != StatusCode::OK {
        return Ok(reply);
    }
    let Some(tag) = reply.entity_tag() else {
        return Ok(reply);
    };
    if !conditions.if_match_holds(Some(tag)) {
        return Err(
            Problem::precondition_failed("If-Match does not name the resource's entity tag")
                .with_parameter("If-Match"),
        );
    }
    match conditions.if_none_match_holds(Some(tag)) {
        true => Ok(reply),
        false => Ok(reply.not_modified()),
    }
}

fn refuse(parts: &Parts, problem: Problem) -> Response<Body> {
    problem
        .finish(&format!("{}{}", mount_of(&parts.extensions), parts.uri.path()))
        .into_http()
}

fn refuse_method(parts: &Parts, allow: &str) -> Response<Body> {
    if parts.method == Method::OPTIONS {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if let Ok(allow) = HeaderValue::from_str(allow) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        return response;
    }
    let detail = format!("{} is not offered here, only {allow}", parts.method);
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).with_header(header::ALLOW, allow);
    refuse(parts, problem)
}

impl Service<Request<Body>> for ApiService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.answer(request).await) })
    }
}
