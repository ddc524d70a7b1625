//! Requests and answers with whole bodies, and how faults read and change them.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode, Uri, request, response};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use crate::place::{Scope, Target};

/// A request whose body has been read.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Request line and header fields.
    pub(crate) parts: request::Parts,
    /// The body.
    pub(crate) body: Bytes,
    /// What the path names.
    pub(crate) target: Target,
}

impl Request {
    /// A request as it came.
    pub(crate) fn new(parts: request::Parts, body: Bytes) -> Self {
        let target = Target::of(parts.uri.path());
        Self { parts, body, target }
    }

    /// A request of the proxy's own, with the `Host` of another.
    pub(crate) fn to(method: Method, path: &str, like: &Self) -> Option<Self> {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = method;
        parts.uri = path.parse().ok()?;
        if let Some(host) = like.parts.headers.get(http::header::HOST) {
            parts.headers.insert(http::header::HOST, host.clone());
        }
        Some(Self::new(parts, Bytes::new()))
    }

    /// The method.
    pub(crate) fn method(&self) -> &str {
        self.parts.method.as_str()
    }

    /// The path, percent-encoded.
    pub(crate) fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// Whether the request is within a scope.
    pub(crate) fn is_in(&self, scope: Scope) -> bool {
        self.target.is_in(self.method(), scope)
    }

    /// Whether it is a method at a place.
    pub(crate) fn is(&self, method: &'static str, place: crate::place::Place) -> bool {
        self.method() == method && self.target.place == place
    }

    /// The body as JSON, if it is.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Replaces the body.
    pub(crate) fn set_json(&mut self, value: &Value) {
        self.set_body(value.to_string().into());
    }

    /// Replaces the body, and tells its length as before: by a length or by chunks.
    pub(crate) fn set_body(&mut self, body: Bytes) {
        self.body = body;
        measure(&mut self.parts.headers, self.body.len());
    }

    /// The parameters of the query, decoded.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        let decode = |text: &str| {
            percent_decode_str(&text.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        };
        let query = self.parts.uri.query().unwrap_or_default();
        query
            .split('&')
            .filter(|each| !each.is_empty())
            .map(|each| each.split_once('=').unwrap_or((each, "")))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect()
    }

    /// Whether the query has a parameter.
    pub(crate) fn has_parameter(&self, name: &str) -> bool {
        self.query().iter().any(|(each, _)| each == name)
    }

    /// Replaces the query; the values of lists keep their commas.
    pub(crate) fn set_query(&mut self, parameters: &[(String, String)]) {
        let encode = |text: &str| {
            utf8_percent_encode(text, NON_ALPHANUMERIC)
                .to_string()
                .replace("%2C", ",")
        };
        let pairs: Vec<String> = parameters
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name).replace("%5F", "_"), encode(value)))
            .collect();
        let query = if pairs.is_empty() {
            String::new()
        } else {
            format!("?{}", pairs.join("&"))
        };
        self.set_path(&format!("{}{query}", self.path()));
    }

    /// Replaces path and query; one that is no path changes nothing.
    pub(crate) fn set_path(&mut self, path_and_query: &str) {
        let mut parts = self.parts.uri.clone().into_parts();
        let Ok(path) = path_and_query.parse() else { return };
        parts.path_and_query = Some(path);
        if let Ok(uri) = Uri::from_parts(parts) {
            self.target = Target::of(uri.path());
            self.parts.uri = uri;
        }
    }

    /// A header field as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// Takes a header field away.
    pub(crate) fn remove_header(&mut self, name: &str) {
        self.parts.headers.remove(name);
    }
}

/// An answer whose body has been read.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Status line and header fields.
    pub(crate) parts: response::Parts,
    /// The body.
    pub(crate) body: Bytes,
}

impl Answer {
    /// An answer with a status and nothing else.
    pub(crate) fn empty(status: u16) -> Self {
        let (mut parts, ()) = http::Response::new(()).into_parts();
        parts.status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self {
            parts,
            body: Bytes::new(),
        }
    }

    /// An answer with a JSON body.
    pub(crate) fn json_with(status: u16, body: &Value) -> Self {
        let mut answer = Self::empty(status);
        answer.set_header("content-type", "application/json");
        answer.set_json(body);
        answer
    }

    /// A problem, as a correct platform words it.
    pub(crate) fn problem(status: u16, request: &Request, detail: &str) -> Self {
        let mut answer = Self::empty(status);
        let title = answer.parts.status.canonical_reason().unwrap_or("Problem");
        let body = json!({
            "type": "about:blank", "title": title, "status": status, "detail": detail, "instance": request.path(),
        });
        answer.set_header("content-type", "application/problem+json");
        answer.set_json(&body);
        answer
    }

    /// The status.
    pub(crate) fn status(&self) -> u16 {
        self.parts.status.as_u16()
    }

    /// Replaces the status.
    pub(crate) fn set_status(&mut self, status: u16) {
        if let Ok(status) = StatusCode::from_u16(status) {
            self.parts.status = status;
        }
    }

    /// Whether the status is 2xx.
    pub(crate) fn is_success(&self) -> bool {
        self.parts.status.is_success()
    }

    /// The body as JSON, if it is.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Replaces the body by JSON; the media type stays.
    pub(crate) fn set_json(&mut self, value: &Value) {
        self.set_body(value.to_string().into());
    }

    /// Replaces the body, and tells its length as before: by a length or by chunks.
    pub(crate) fn set_body(&mut self, body: Bytes) {
        self.body = body;
        measure(&mut self.parts.headers, self.body.len());
    }

    /// A header field as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// Sets a header field; a value that is no header value changes nothing.
    pub(crate) fn set_header(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.parts.headers.insert(HeaderName::from_static(name), value);
        }
    }

    /// Takes a header field away.
    pub(crate) fn remove_header(&mut self, name: &str) {
        self.parts.headers.remove(name);
    }

    /// The path in `Location`, without scheme and host.
    pub(crate) fn location_path(&self) -> Option<String> {
        let location: Uri = self.header(LOCATION.as_str())?.parse().ok()?;
        Some(location.path().to_owned())
    }

    /// Changes each resource of a JSON body: the elements of a list, or the one object.
    pub(crate) fn each_resource(&mut self, change: impl Fn(&mut Value)) {
        let Some(mut body) = self.json() else { return };
        let before = body.clone();
        match &mut body {
            Value::Array(list) => list.iter_mut().for_each(change),
            other => change(other),
        }
        if body != before {
            self.set_json(&body);
        }
    }
}

/// Makes `Content-Length` true where there is one, or where nothing else tells the length.
fn measure(headers: &mut HeaderMap, length: usize) {
    if headers.contains_key(CONTENT_LENGTH) || !headers.contains_key(TRANSFER_ENCODING) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if length == 0 {
        headers.remove(CONTENT_TYPE);
    }
}
