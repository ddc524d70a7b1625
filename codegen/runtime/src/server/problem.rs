//! The one error of every server: an RFC 9457 problem, and apart from it what only the log may tell.

use std::error::Error;
use std::fmt;

use axum::response::IntoResponse;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

use crate::Invalid;
use crate::problem_details::{PROBLEM_JSON, ProblemDetails};

/// Why a request is refused or has failed.
///
/// What a client sees is `type`, `title`, `status`, `detail`, `instance` and the extension members `pointer`,
/// `parameter` and `rule`. The [cause](Problem::with_cause) is logged and never shown.
pub struct Problem(Box<Inner>);

struct Inner {
    status: StatusCode,
    details: ProblemDetails,
    headers: HeaderMap,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

/// The longest detail, in bytes: details quote the request, which may be long.
const LONGEST_DETAIL: usize = 1000;

impl Problem {
    /// A problem with any status; `detail` says what went wrong this time, without a final full stop.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let details = ProblemDetails {
            problem_type: Some("about:blank".to_owned()),
            title: Some(status.canonical_reason().unwrap_or("Unknown Status").to_owned()),
            status: Some(status.as_u16()),
            detail: Some(shortened(detail.into())),
            instance: None,
            extensions: Map::new(),
        };
        Self(Box::new(Inner {
            status,
            details,
            headers: HeaderMap::new(),
            cause: None,
        }))
    }

    /// `400 Bad Request`: the request breaks a rule.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// `401 Unauthorized`: the request lacks valid credentials. `challenge` is the value of `WWW-Authenticate`.
    pub fn unauthorized(challenge: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail).with_header(header::WWW_AUTHENTICATE, challenge)
    }

    /// `403 Forbidden`: the caller may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// `404 Not Found`: there is no such resource.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// `409 Conflict`: the state of the resource does not allow this.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// `412 Precondition Failed`: a condition of the request does not hold.
    pub fn precondition_failed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, detail)
    }

    /// `413 Content Too Large`: the body is longer than `limit` bytes.
    pub fn content_too_large(limit: usize) -> Self {
        let detail = format!("the body is longer than the limit of {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail).with_extension("limit", limit)
    }

    /// `415 Unsupported Media Type`: the body is of a type that the operation does not take.
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    }

    /// `422 Unprocessable Content`: the request is well formed, but its meaning is wrong.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// `429 Too Many Requests`: try again after so many seconds.
    pub fn too_many_requests(retry_after_seconds: u64, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail)
            .with_header(header::RETRY_AFTER, &retry_after_seconds.to_string())
    }

    /// `500 Internal Server Error`: the cause goes to the log, the client learns nothing of it.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the server has failed; its log tells why",
        )
        .with_cause(cause)
    }

    /// `501 Not Implemented`: the server does not offer this operation.
    pub fn not_implemented(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, detail)
    }

    /// `503 Service Unavailable`: try again later.
    pub fn service_unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// Names the parameter that is at fault, as it is called on the wire.
    #[must_use]
    pub fn with_parameter(self, name: &str) -> Self {
        self.with_extension("parameter", name)
    }

    /// Names the place in the body that is at fault, as a JSON pointer.
    #[must_use]
    pub fn with_pointer(self, pointer: impl Into<String>) -> Self {
        self.with_extension("pointer", pointer.into())
    }

    /// Names the rule that is broken, for example `maxLength`.
    #[must_use]
    pub fn with_rule(self, rule: &str) -> Self {
        self.with_extension("rule", rule)
    }

    /// Adds an extension member (RFC 9457 section 3.2).
    #[must_use]
    pub fn with_extension(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.details.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// Names the kind of problem by a URI reference and a title that is the same for every occurrence.
    #[must_use]
    pub fn with_type(mut self, uri: impl Into<String>, title: impl Into<String>) -> Self {
        self.0.details.problem_type = Some(uri.into());
        self.0.details.title = Some(title.into());
        self
    }

    /// Names this occurrence by a URI reference; otherwise it is the path of the request. What can't stand in a URI is
    /// percent-encoded.
    #[must_use]
    pub fn with_instance(mut self, uri: impl AsRef<str>) -> Self {
        self.0.details.instance = Some(uri_reference(uri.as_ref()));
        self
    }

    /// Adds a header to the response. A value that no header can hold is left out.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.append(name, value);
        }
        self
    }

    /// Attaches the cause for the log.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What the client sees.
    pub fn details(&self) -> &ProblemDetails {
        &self.0.details
    }

    /// What is wrong with a parameter.
    pub(crate) fn parameter(name: &str, invalid: &Invalid) -> Self {
        let place = match invalid.depth() {
            0 => String::new(),
            _ => format!(" at {}", invalid.pointer()),
        };
        let problem = Self::bad_request(format!("parameter {name}{place} {}", invalid.message()))
            .with_parameter(name)
            .with_rule(invalid.rule());
        match invalid.depth() {
            0 => problem,
            _ => problem.with_pointer(invalid.pointer()),
        }
    }

    /// Sets `instance` where nobody has, and writes what the client must not see to the log.
    pub(crate) fn finish(mut self, path: &str) -> Self {
        // What the platform does not offer (501), or foresees that it cannot do now (503 without a cause), is an answer
        // and no fault of ours; access lines and metrics have it.
        let foreseen = match self.0.status {
            StatusCode::NOT_IMPLEMENTED => true,
            StatusCode::SERVICE_UNAVAILABLE => self.0.cause.is_none(),
            _ => false,
        };
        if self.0.status.is_server_error() && !foreseen {
            let cause = self.0.cause.as_deref().map_or_else(String::new, causes);
            let detail = self.0.details.detail.as_deref().unwrap_or_default();
            tracing::error!(
                status = self.0.status.as_u16(),
                path,
                detail,
                cause,
                "request failed"
            );
        } else if let Some(cause) = self.0.cause.as_deref() {
            tracing::debug!(
                status = self.0.status.as_u16(),
                path,
                cause = causes(cause),
                "request refused"
            );
        }
        self.0.details.instance.get_or_insert_with(|| uri_reference(path));
        self
    }
}

/// A text as a URI reference (RFC 3986, 4.1): the path of a request may have a percent sign that begins no escape, and
/// characters that HTTP libraries let pass.
fn uri_reference(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut reference = String::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        let escape = || {
            let digits = bytes.get(at + 1..at + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        };
        let stands = match byte {
            b'%' => escape(),
            byte => byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(byte),
        };
        match stands {
            true => reference.push(char::from(*byte)),
            false => reference.push_str(&format!("%{byte:02X}")),
        }
    }
    reference
}

/// A text of at most [`LONGEST_DETAIL`] bytes and a mark that something is missing.
fn shortened(mut text: String) -> String {
    if text.len() > LONGEST_DETAIL {
        text.truncate(text.floor_char_boundary(LONGEST_DETAIL));
        text.push('…');
    }
    text
}

/// An error and what caused it, outermost first.
fn causes(error: &(dyn Error + Send + Sync + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// A body that breaks a rule of its schema: `400 Bad Request` with pointer and rule.
impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        let detail = match invalid.depth() {
            0 => format!("the body {}", invalid.message()),
            _ => format!("{} {}", invalid.pointer(), invalid.message()),
        };
        Self::bad_request(detail)
            .with_pointer(invalid.pointer())
            .with_rule(invalid.rule())
    }
}

/// A header that is no condition: `400 Bad Request` that names the header.
impl From<crate::InvalidCondition> for Problem {
    fn from(invalid: crate::InvalidCondition) -> Self {
        Self::bad_request(invalid.to_string()).with_parameter(invalid.header.as_str())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = self.0.details.detail.as_deref().unwrap_or_default();
        write!(formatter, "{}: {detail}", self.0.status)
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Problem")
            .field("details", &self.0.details)
            .field("cause", &self.0.cause)
            .finish_non_exhaustive()
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0
            .cause
            .as_deref()
            .map(|cause| cause as &(dyn Error + 'static))
    }
}

impl Problem {
    /// The response: `application/problem+json`, never cached unless a header says otherwise.
    pub fn into_http<B: From<Bytes>>(self) -> Response<B> {
        let Inner {
            status,
            details,
            headers,
            ..
        } = *self.0;
        // Texts and numbers only: serialising them cannot fail.
        let body = Bytes::from(serde_json::to_vec(&details).unwrap_or_default());
        let length = body.len();
        let mut response = Response::new(B::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        self.into_http()
    }
}

#[cfg(test)]
mod tests {
    use super::uri_reference;

    #[test]
    fn instances_are_uri_references() {
        assert_eq!(uri_reference("/a/%2Fb?c=d"), "/a/%2Fb?c=d");
        assert_eq!(uri_reference("/%zz/%4/%"), "/%25zz/%254/%25");
        assert_eq!(uri_reference("/{a}\"|ü"), "/%7Ba%7D%22%7C%C3%BC");
    }
}
