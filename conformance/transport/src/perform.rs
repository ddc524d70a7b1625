//! One exchange on the wire: send, read, bound, and repeat where that is certain to be harmless.
//!
//! A request is repeated once, on a new connection, only if
//! - nothing of it was written, because the connection was already closed when it was to be sent,
//! - or its method is safe (RFC 9110 clause 9.2.1) and a connection used before was closed without a byte of an answer,
//! - or an HTTP/2 server said that it did not look at it (GOAWAY without error, REFUSED_STREAM; RFC 9113 clause 8.7).
//!
//! Anything else that was written to the server is never sent a second time, PUT and DELETE included: the second one may
//! be answered otherwise than the first.

use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use tokio::time::Instant;

use crate::decode::decode;
use crate::exchange::{Response, Version};
use crate::fault::{self, Circumstances, Fault, Phase};
use crate::pool::{Body, Lease, Pool, Sender};

/// How much of a body is kept beside a fault.
const KEPT: usize = 64 << 10;

/// The bounds of an exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) timeout: Duration,
    pub(crate) body: usize,
}

/// A request in hyper's terms, which can be sent more than once.
#[derive(Debug, Clone)]
pub(crate) struct Composed {
    pub(crate) method: http::Method,
    pub(crate) uri: http::Uri,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Composed {
    fn request(&self) -> http::Request<Body> {
        let mut request = http::Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }

    /// The request with the absolute address and the headers that HTTP/2 wants.
    fn request_http2(&self, pool: &Pool) -> Result<http::Request<Body>, Fault> {
        let wrong = |error: http::Error| Fault::InvalidRequest(error.to_string());
        let mut request = self.request();
        let host = request.headers_mut().remove(http::header::HOST);
        let authority = host
            .as_ref()
            .and_then(|host| host.to_str().ok())
            .map(str::to_owned);
        let target = pool.connector().target();
        let mut parts = self.uri.clone().into_parts();
        if parts.scheme.is_none() {
            let authority = authority.unwrap_or_else(|| target.authority());
            parts.scheme = Some(if target.is_secure() {
                http::uri::Scheme::HTTPS
            } else {
                http::uri::Scheme::HTTP
            });
            parts.authority = Some(
                authority
                    .parse()
                    .map_err(|error| wrong(http::Error::from(error)))?,
            );
        }
        *request.uri_mut() = http::Uri::from_parts(parts).map_err(|error| wrong(error.into()))?;
        *request.version_mut() = http::Version::HTTP_2;
        Ok(request)
    }

    fn is_safe(&self) -> bool {
        // CONNECT and unknown methods are not.
        self.method.is_safe()
    }
}

/// What came of an exchange.
#[derive(Debug)]
pub(crate) struct Performed {
    pub(crate) outcome: Result<Response, Fault>,
    pub(crate) partial: Option<Box<Response>>,
    pub(crate) attempts: u32,
    pub(crate) reused: bool,
}

/// An answer's header.
struct Head {
    status: u16,
    version: Version,
    lines: Vec<(String, String)>,
}

/// How far an attempt has come; it outlives the attempt's time.
#[derive(Default)]
struct Progress {
    in_body: bool,
    sending: bool,
    reused: bool,
    head: Option<Head>,
    body: BytesMut,
}

impl Progress {
    fn phase(&self) -> Phase {
        match (self.in_body, self.sending) {
            (true, _) => Phase::Body,
            (false, true) => Phase::Headers,
            (false, false) => Phase::Connect,
        }
    }
}

/// Why an attempt failed.
struct Failure {
    fault: Fault,
    /// Whether it is certain that the server did not see the request, or harmless if it did.
    repeatable: bool,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            repeatable: false,
        }
    }
}

/// Sends a request and reads its answer within the limits, on a new connection where `fresh` says so.
pub(crate) async fn perform(pool: &Pool, composed: &Composed, limits: Limits, fresh: bool) -> Performed {
    let deadline = Instant::now() + limits.timeout;
    let mut attempts = 1;
    loop {
        let mut progress = Progress::default();
        let attempt = attempt(pool, composed, limits, fresh || attempts > 1, &mut progress);
        let outcome = match tokio::time::timeout_at(deadline, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Fault::Timeout {
                phase: progress.phase(),
                limit: limits.timeout,
            }
            .into()),
        };
        let reused = progress.reused;
        match outcome {
            Err(failure) if failure.repeatable && attempts == 1 => attempts = 2,
            Err(failure) => {
                let partial = partial(progress);
                return Performed {
                    outcome: Err(failure.fault),
                    partial,
                    attempts,
                    reused,
                };
            }
            Ok(()) => {
                let (outcome, partial) = complete(progress, limits.body);
                return Performed {
                    outcome,
                    partial,
                    attempts,
                    reused,
                };
            }
        }
    }
}

async fn attempt(
    pool: &Pool,
    composed: &Composed,
    limits: Limits,
    fresh: bool,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let mut lease = pool.lend(fresh).await?;
    progress.reused = lease.reused;
    progress.sending = true;
    let http1 = matches!(lease.sender, Sender::Http1(_));
    // Twice the limit leaves room for one header at its limit and some interim answers before it.
    let allowance = http1.then(|| 2 * pool.header_limit() as u64 + (16 << 10));
    let mark = lease.meter.begin(allowance);
    let response = match send(pool, composed, &mut lease).await {
        Ok(response) => response,
        Err(error) => {
            if !http1 {
                pool.forget_shared();
            }
            return Err(failure(pool, composed, &lease, mark, error));
        }
    };
    lease.meter.lift();
    progress.in_body = true;
    let (head, mut body) = response.into_parts();
    progress.head = Some(Head {
        status: head.status.as_u16(),
        version: version(head.version),
        lines: header_lines(&head.headers),
    });
    if head.status == http::StatusCode::SWITCHING_PROTOCOLS {
        return Ok(());
    }
    if body.size_hint().lower() > limits.body as u64 {
        // What comes first is evidence enough; the rest is not worth its time.
        let _ = read(&mut body, KEPT.min(limits.body), &mut progress.body).await;
        return Err(Fault::TooLarge { limit: limits.body }.into());
    }
    match read(&mut body, limits.body, &mut progress.body).await {
        Ok(true) => {}
        Ok(false) => return Err(Fault::TooLarge { limit: limits.body }.into()),
        Err(error) => {
            let circumstances = circumstances(pool, Phase::Body, true, &[]);
            return Err(fault::classify(&error, &circumstances).into());
        }
    }
    pool.give_back(lease);
    Ok(())
}

/// hyper's error, and whether the request came back unsent.
struct SendError {
    error: hyper::Error,
    unsent: bool,
}

async fn send(
    pool: &Pool,
    composed: &Composed,
    lease: &mut Lease,
) -> Result<http::Response<Incoming>, Result<SendError, Fault>> {
    let sent = match &mut lease.sender {
        Sender::Http1(sender) => sender.try_send_request(composed.request()).await,
        Sender::Http2(sender) => {
            let request = composed.request_http2(pool).map_err(Err)?;
            sender.try_send_request(request).await
        }
    };
    sent.map_err(|mut error| {
        let unsent = error.take_message().is_some();
        Ok(SendError {
            error: error.into_error(),
            unsent,
        })
    })
}

fn failure(
    pool: &Pool,
    composed: &Composed,
    lease: &Lease,
    mark: u64,
    error: Result<SendError, Fault>,
) -> Failure {
    let SendError { error, unsent } = match error {
        Ok(error) => error,
        Err(fault) => return fault.into(),
    };
    let answered = matches!(lease.sender, Sender::Http1(_)) && lease.meter.answered(mark);
    let beginning = lease.meter.beginning();
    let fault = fault::classify(&error, &circumstances(pool, Phase::Headers, answered, &beginning));
    let lost = matches!(fault, Fault::Closed | Fault::Reset { .. });
    let repeatable =
        lease.reused && !answered && (unsent || lost && composed.is_safe()) || is_unprocessed(&error);
    Failure { fault, repeatable }
}

/// Whether an HTTP/2 server said that it did not process the request.
fn is_unprocessed(error: &hyper::Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<h2::Error>() {
            let graceful = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
            return error.is_remote() && (graceful || error.reason() == Some(h2::Reason::REFUSED_STREAM));
        }
        source = cause.source();
    }
    false
}

fn circumstances<'a>(pool: &'a Pool, phase: Phase, answered: bool, beginning: &'a [u8]) -> Circumstances<'a> {
    Circumstances {
        address: pool.connector().address(),
        phase,
        header_limit: pool.header_limit(),
        answered,
        beginning,
    }
}

/// Reads until the end (true) or until more than the limit has come (false).
async fn read(body: &mut Incoming, limit: usize, into: &mut BytesMut) -> Result<bool, hyper::Error> {
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            let room = limit.saturating_sub(into.len());
            into.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() > room {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn version(version: http::Version) -> Version {
    match version {
        http::Version::HTTP_2 | http::Version::HTTP_3 => Version::Http2,
        http::Version::HTTP_10 | http::Version::HTTP_09 => Version::Http10,
        _ => Version::Http11,
    }
}

/// Header lines as text: UTF-8 where they are, else with U+FFFD.
pub(crate) fn header_lines(headers: &http::HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

fn response(head: Head, body: Bytes, encoded_length: usize) -> Response {
    let Head {
        status,
        version,
        lines,
    } = head;
    Response {
        status,
        version,
        headers: lines,
        body,
        encoded_length,
        json: OnceLock::new(),
    }
}

fn complete(progress: Progress, limit: usize) -> (Result<Response, Fault>, Option<Box<Response>>) {
    let Progress {
        head: Some(head),
        body,
        ..
    } = progress
    else {
        return (Err(Fault::Closed), None);
    };
    let encoded = body.freeze();
    let codings: Vec<&str> = head
        .lines
        .iter()
        .filter(|(name, _)| name == "content-encoding")
        .map(|(_, value)| value.as_str())
        .collect();
    match decode(&encoded, &codings, limit) {
        Ok(body) => (Ok(response(head, body, encoded.len())), None),
        Err((fault, begun)) => {
            let kept = begun.slice(..begun.len().min(KEPT));
            (Err(fault), Some(Box::new(response(head, kept, encoded.len()))))
        }
    }
}

fn partial(progress: Progress) -> Option<Box<Response>> {
    let encoded_length = progress.body.len();
    let mut body = progress.body;
    body.truncate(KEPT);
    // A copy: the rest of a large buffer must not stay alive with its beginning.
    let body = Bytes::copy_from_slice(&body);
    progress
        .head
        .map(|head| Box::new(response(head, body, encoded_length)))
}
