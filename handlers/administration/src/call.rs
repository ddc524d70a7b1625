//! One request of this API, strictly read, and how refusals are answered.

use std::future::Future;
use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, NestedPath, Query, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use mecforge_runtime::server::{Mount, Problem};
use serde::Serialize;

use crate::administration::Inner;

/// The longest body that is read, in bytes: none of the operations needs one.
const LONGEST_BODY: usize = 4 * 1024;

/// A request whose target has been read.
#[derive(Debug)]
pub(crate) struct Call {
    parameters: Vec<(String, String)>,
    query: Vec<(String, String)>,
    pub(crate) parts: Parts,
}

impl Call {
    async fn read(request: Request) -> Result<(Self, axum::body::Body), Problem> {
        let (mut parts, body) = request.into_parts();
        let parameters = RawPathParams::from_request_parts(&mut parts, &())
            .await
            .map_err(|error| Problem::bad_request(format!("the path is not valid: {}", error.body_text())))?
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        // What is no UTF-8 would be replaced by something else, and asked for.
        let raw = parts.uri.query().unwrap_or_default();
        if percent_encoding::percent_decode_str(raw).decode_utf8().is_err() {
            return Err(Problem::bad_request(
                "the query is not UTF-8 when its percent-encoding is undone",
            ));
        }
        let Query(query) = Query::try_from_uri(&parts.uri).map_err(|error| {
            Problem::bad_request(format!("the query is not valid: {}", error.body_text()))
        })?;
        let call = Self {
            parameters,
            query,
            parts,
        };
        Ok((call, body))
    }

    /// A parameter of the path.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.parameters
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map_or("", |(_, value)| value)
    }

    /// Refuses parameters of the query that the operation does not know, and those that come twice.
    pub(crate) fn allow(&self, known: &[&str]) -> Result<(), Problem> {
        let mut seen: Vec<&str> = Vec::new();
        for (name, _) in &self.query {
            if !known.contains(&name.as_str()) {
                let offered = match known {
                    [] => "this operation has none".to_owned(),
                    known => format!("it may be {}", known.join(", ")),
                };
                let detail = format!("there is no query parameter {name:?}; {offered}");
                return Err(Problem::bad_request(detail).with_parameter(name));
            }
            if seen.contains(&name.as_str()) {
                let detail = format!("parameter {name} must not be given twice");
                return Err(Problem::bad_request(detail).with_parameter(name));
            }
            seen.push(name);
        }
        Ok(())
    }

    /// A parameter of the query.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let (_, value) = self.query.iter().find(|(candidate, _)| candidate == name)?;
        Some(value)
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }
}

/// Answers a request by a handler, and refusals as problems that name the path.
pub(crate) async fn answer<F, A>(inner: Arc<Inner>, request: Request, handler: F) -> Response
where
    F: FnOnce(Arc<Inner>, Call) -> A,
    A: Future<Output = Result<Response, Problem>>,
{
    let path = whole_path(&request);
    let answered = async {
        let (call, _body) = Call::read(request).await?;
        handler(inner, call).await
    };
    answered.await.unwrap_or_else(|problem| refuse(problem, &path))
}

/// [`answer`] for a request that changes something.
///
/// A page of another site must not be able to make a browser send it, and its body, where there may be one, says
/// nothing that the path does not.
pub(crate) async fn answer_change<F, A>(inner: Arc<Inner>, request: Request, handler: F) -> Response
where
    F: FnOnce(Arc<Inner>, Call) -> A,
    A: Future<Output = Result<Response, Problem>>,
{
    let path = whole_path(&request);
    let answered = async {
        let (call, body) = Call::read(request).await?;
        crate::origin::check(&call, &inner.options.hosts)?;
        if call.parts.method == http::Method::POST {
            check_body(&call, body).await?;
        }
        handler(inner, call).await
    };
    answered.await.unwrap_or_else(|problem| refuse(problem, &path))
}

/// Refuses what is not JSON, and members, as there are none that mean anything.
async fn check_body(call: &Call, body: axum::body::Body) -> Result<(), Problem> {
    let media_type = call
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next());
    if !media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Problem::unsupported_media_type(
            "Content-Type must be application/json, even where there is no body",
        )
        .with_parameter("Content-Type"));
    }
    let bytes = axum::body::to_bytes(body, LONGEST_BODY)
        .await
        .map_err(|_| Problem::content_too_large(LONGEST_BODY))?;
    if bytes.is_empty() {
        return Ok(());
    }
    let value: serde_json::Value = serde_json::from_slice(&bytes)
        .map_err(|error| Problem::bad_request(format!("the body is not JSON: {error}")).with_rule("json"))?;
    match value.as_object().map(|members| members.keys().next()) {
        Some(None) => Ok(()),
        Some(Some(name)) => {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            let detail = format!("{pointer} is not a member of the body, which has none");
            Err(Problem::bad_request(detail)
                .with_pointer(pointer)
                .with_rule("additionalProperties"))
        }
        None => Err(Problem::bad_request("the body must be an object")
            .with_pointer("")
            .with_rule("type")),
    }
}

/// The path of a request with what has been taken off it on the way here.
fn whole_path(request: &Request) -> String {
    let extensions = request.extensions();
    let mount = extensions.get::<Mount>().map_or_else(
        || extensions.get::<NestedPath>().map_or("", NestedPath::as_str),
        Mount::as_str,
    );
    format!("{}{}", mount.trim_end_matches('/'), request.uri().path())
}

fn refuse(problem: Problem, path: &str) -> Response {
    if problem.status().is_server_error() {
        tracing::error!(?problem, path, "request failed");
    }
    let named = problem.details().instance.is_some();
    let problem = if named {
        problem
    } else {
        problem.with_instance(path)
    };
    problem.into_response()
}

/// The answer to a path that there is not.
pub(crate) async fn nowhere(request: Request) -> Response {
    let path = whole_path(&request);
    refuse(Problem::not_found(format!("there is nothing at {path}")), &path)
}

/// The answer to a method that a path does not have. The router adds `Allow`. OPTIONS is answered everywhere, as by
/// the platform's other APIs.
pub(crate) async fn not_allowed(request: Request) -> Response {
    if *request.method() == http::Method::OPTIONS {
        return http::StatusCode::NO_CONTENT.into_response();
    }
    let path = whole_path(&request);
    let detail = format!("{path} has no {}", request.method());
    refuse(Problem::new(http::StatusCode::METHOD_NOT_ALLOWED, detail), &path)
}

/// `200 OK` with a body that must not be kept by anybody.
pub(crate) fn json(body: &impl Serialize) -> Result<Response, Problem> {
    let value = serde_json::value::to_raw_value(body).map_err(Problem::internal)?;
    let mut response = Json(value).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    Ok(response)
}
