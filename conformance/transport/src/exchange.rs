//! Requests as they are asked for, exchanges as they happened, and their masked views.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde_json::Value;

use crate::fault::{Fault, Phase};
use crate::secret::Masker;

/// A request to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, exactly as sent.
    pub method: String,
    /// Path and query, exactly as sent; percent-encoding is untouched. The base path is not added
    /// ([`crate::TargetUrl::join`] does). Also `*`, and absolute addresses over HTTP/1.1.
    pub target: String,
    /// Headers, in this order. `Host`, `User-Agent` and `Authorization` given here replace ours.
    pub headers: Vec<(String, String)>,
    /// The body; `Content-Length` is added.
    pub body: Option<Bytes>,
    /// Whether the client's credentials are added.
    pub authenticate: bool,
}

impl Request {
    /// A request without headers and body, with credentials.
    pub fn new(method: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            headers: Vec::new(),
            body: None,
            authenticate: true,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body and its media type.
    #[must_use]
    pub fn body(mut self, media_type: impl Into<String>, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self.header("content-type", media_type)
    }

    /// Leaves the client's credentials out.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.authenticate = false;
        self
    }
}

/// A request as it was sent. `Debug` leaves out what may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct SentRequest {
    /// The method.
    pub method: String,
    /// The request target.
    pub target: String,
    /// The absolute address.
    pub url: String,
    /// All headers, names in lower case, those that the client added included.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Bytes>,
}

impl fmt::Debug for SentRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.body.as_ref().map_or(0, Bytes::len);
        write!(
            formatter,
            "{} with {} header fields and {length} bytes",
            self.method,
            self.headers.len()
        )
    }
}

/// The version of HTTP of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2.
    Http2,
}

impl Version {
    /// Its name, such as `HTTP/1.1`.
    pub fn as_str(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
            Version::Http2 => "HTTP/2",
        }
    }
}

/// An answer. `Debug` leaves out what may hold secrets.
#[derive(Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The version of HTTP.
    pub version: Version,
    /// The headers, names in lower case, in the order in which each name first came; bytes that are no UTF-8 are
    /// replaced by U+FFFD.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Bytes,
    /// The length of the body as it came, before decompression.
    pub encoded_length: usize,
    pub(crate) json: OnceLock<Result<Value, String>>,
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {} with {} bytes",
            self.version.as_str(),
            self.status,
            self.body.len()
        )
    }
}

impl Response {
    /// An answer out of its parts, for tests and replays.
    pub fn new(status: u16, version: Version, headers: Vec<(String, String)>, body: Bytes) -> Self {
        let encoded_length = body.len();
        Self {
            status,
            version,
            headers,
            body,
            encoded_length,
            json: OnceLock::new(),
        }
    }

    /// The first value of a header; the name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.iter();
        lines
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All values of a header; the name in any case.
    pub fn header_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON, parsed once.
    ///
    /// # Errors
    /// What is wrong with it and where, for a body that is no JSON or is nested more than 128 deep.
    pub fn json(&self) -> Result<&Value, &str> {
        self.json
            .get_or_init(|| serde_json::from_slice(&self.body).map_err(|error| error.to_string()))
            .as_ref()
            .map_err(String::as_str)
    }

    /// The body as text; bytes that are no UTF-8 are replaced by U+FFFD.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The media type without parameters, in lower case.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        Some(
            value
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase(),
        )
    }

    /// Header fields that RFC 9110 and RFC 9112 forbid in this message, though it could be read all the same.
    pub fn framing_defects(&self) -> Vec<&'static str> {
        let length = self.header("content-length").is_some();
        let coding = self.header("transfer-encoding").is_some();
        let mut defects = Vec::new();
        if length && coding {
            defects.push("Content-Length together with Transfer-Encoding (RFC 9112 clause 6.2)");
        }
        if self.status == 204 && length {
            defects.push("Content-Length with status 204 (RFC 9110 clause 8.6)");
        }
        if self.status == 204 && coding {
            defects.push("Transfer-Encoding with status 204 (RFC 9112 clause 6.1)");
        }
        defects
    }

    fn masked(&self, masker: &Masker) -> Response {
        Response {
            status: self.status,
            version: self.version,
            headers: mask_headers(&self.headers, masker),
            body: masker.body(&self.body),
            encoded_length: self.encoded_length,
            json: OnceLock::new(),
        }
    }
}

/// A request and what came of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The request as it was sent, or as it would have been.
    pub request: SentRequest,
    /// The answer, or why there is none.
    pub outcome: Result<Response, Fault>,
    /// What came of an answer before a fault: its header and at most the first 64 KiB of its body, decompressed
    /// where that was possible.
    pub partial: Option<Box<Response>>,
    /// When it began, after waiting for the rate limit and for a token.
    pub started: SystemTime,
    /// How long it took.
    pub elapsed: Duration,
    /// How many connections it was tried on: 2 after a transparent repetition.
    pub attempts: u32,
    /// Whether the connection had carried another exchange before. [`Fault::Closed`] or [`Fault::Reset`] on such a
    /// connection may only mean that the server closed it while it was idle.
    pub reused_connection: bool,
    pub(crate) masker: Arc<Masker>,
}

impl Exchange {
    /// The answer.
    pub fn response(&self) -> Option<&Response> {
        self.outcome.as_ref().ok()
    }

    /// The status code, where there is a complete answer.
    pub fn status(&self) -> Option<u16> {
        self.response().map(|response| response.status)
    }

    /// Whether the fault may only mean that the server closed an idle connection just when it was used again. Such a
    /// request is repeated by itself only if its method is safe or nothing of it had been written; whoever may
    /// repeat it should do so before blaming the server.
    pub fn may_be_stale(&self) -> bool {
        let closed = matches!(
            self.outcome,
            Err(Fault::Closed
                | Fault::Reset {
                    phase: Phase::Connect | Phase::Headers
                })
        );
        self.reused_connection && closed
    }

    /// The exchange without secrets, for reports and logs. To be sent again, it needs its secrets back.
    #[must_use]
    pub fn masked(&self) -> Exchange {
        let masker = &self.masker;
        let request = SentRequest {
            method: self.request.method.clone(),
            target: masker.text(&self.request.target),
            url: masker.text(&self.request.url),
            headers: mask_headers(&self.request.headers, masker),
            body: self.request.body.as_ref().map(|body| masker.body(body)),
        };
        Exchange {
            request,
            outcome: match &self.outcome {
                Ok(response) => Ok(response.masked(masker)),
                Err(fault) => Err(fault.masked(masker)),
            },
            partial: self
                .partial
                .as_ref()
                .map(|response| Box::new(response.masked(masker))),
            started: self.started,
            elapsed: self.elapsed,
            attempts: self.attempts,
            reused_connection: self.reused_connection,
            masker: Arc::clone(masker),
        }
    }
}

fn mask_headers(headers: &[(String, String)], masker: &Masker) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.clone(), masker.header(name, value)))
        .collect()
}
