//! What can go wrong in an exchange, each as one sentence that says what happened and what to do.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use crate::secret::Masker;

/// Where in an exchange something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Resolving the name, TCP and TLS.
    Connect,
    /// From the first byte of the request to the end of the answer's header.
    Headers,
    /// Reading the body.
    Body,
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Phase::Connect => "while connecting",
            Phase::Headers => "while waiting for the answer's header",
            Phase::Body => "while reading the answer's body",
        })
    }
}

/// Why there is no complete answer. `Display` is one sentence without a final full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The name does not resolve or no packet gets there.
    #[error("{address} can't be reached ({reason}); check the address and the network")]
    Unreachable {
        /// Host and port.
        address: String,
        /// What the operating system said.
        reason: String,
    },
    /// Nobody listens there.
    #[error("nothing listens at {address} (connection refused); start the platform or correct the address")]
    Refused {
        /// Host and port.
        address: String,
    },
    /// The TLS handshake or a record failed.
    #[error("TLS with {address} failed: {reason}; {advice}")]
    Tls {
        /// Host and port.
        address: String,
        /// What is wrong.
        reason: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// The exchange took too long.
    #[error("no complete answer within {} s: the time ran out {phase}", limit.as_secs_f64())]
    Timeout {
        /// How far it came.
        phase: Phase,
        /// The limit that was passed.
        limit: Duration,
    },
    /// The peer reset the connection.
    #[error("the server reset the connection {phase}")]
    Reset {
        /// How far it came.
        phase: Phase,
    },
    /// The peer closed the connection before the first byte of an answer.
    #[error("the server closed the connection without an answer")]
    Closed,
    /// The peer closed the connection in the middle of an answer.
    #[error("the server closed the connection in the middle of the answer")]
    Truncated,
    /// The body is longer than allowed; [`crate::Exchange::partial`] has its beginning.
    #[error("the body is longer than the limit of {limit} bytes")]
    TooLarge {
        /// The limit in bytes, after decompression.
        limit: usize,
    },
    /// The header (with all interim answers) is longer than allowed or has too many lines.
    #[error("the answer's header, interim answers included, is longer than the limit of {limit} bytes")]
    HeadersTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// What came is not HTTP.
    #[error("the answer is not well-formed HTTP: {0}")]
    Malformed(String),
    /// The content coding is unknown or its data is broken.
    #[error("the body can't be decoded: {0}")]
    BadEncoding(String),
    /// An HTTP/2 stream or connection error.
    #[error("HTTP/2 error: {0}")]
    Http2(String),
    /// The request can't be sent by this client; [`crate::Client::raw`] sends any bytes.
    #[error("the request can't be sent: {0}")]
    InvalidRequest(String),
    /// No token could be had.
    #[error("no credentials: {0}")]
    Credentials(String),
}

impl Fault {
    /// A stable name in kebab case, for reports and for comparing runs.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::Unreachable { .. } => "unreachable",
            Fault::Refused { .. } => "refused",
            Fault::Tls { .. } => "tls",
            Fault::Timeout { .. } => "timeout",
            Fault::Reset { .. } => "reset",
            Fault::Closed => "closed",
            Fault::Truncated => "truncated",
            Fault::TooLarge { .. } => "too-large",
            Fault::HeadersTooLarge { .. } => "headers-too-large",
            Fault::Malformed(_) => "malformed",
            Fault::BadEncoding(_) => "bad-encoding",
            Fault::Http2(_) => "http2",
            Fault::InvalidRequest(_) => "invalid-request",
            Fault::Credentials(_) => "credentials",
        }
    }

    /// Whether there is nobody to talk to: no connection, or none in time.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Fault::Unreachable { .. }
                | Fault::Refused { .. }
                | Fault::Tls { .. }
                | Fault::Timeout {
                    phase: Phase::Connect,
                    ..
                }
        )
    }

    /// The same without secrets: a server may echo them in what it sends instead of HTTP.
    pub(crate) fn masked(&self, masker: &Masker) -> Fault {
        let mut fault = self.clone();
        match &mut fault {
            Fault::Unreachable { reason, .. } | Fault::Tls { reason, .. } => *reason = masker.text(reason),
            Fault::Malformed(text)
            | Fault::BadEncoding(text)
            | Fault::Http2(text)
            | Fault::InvalidRequest(text)
            | Fault::Credentials(text) => *text = masker.text(text),
            _ => {}
        }
        fault
    }

    /// Whether the cause is on our side, so that the server is not to be blamed.
    pub fn is_ours(&self) -> bool {
        matches!(self, Fault::InvalidRequest(_) | Fault::Credentials(_))
    }
}

/// Marks the I/O error by which the meter stops a header that does not end.
#[derive(Debug, thiserror::Error)]
#[error("the header allowance is used up")]
pub(crate) struct AllowanceExceeded;

/// What a classification needs to know of the exchange.
#[derive(Debug)]
pub(crate) struct Circumstances<'a> {
    pub(crate) address: &'a str,
    pub(crate) phase: Phase,
    pub(crate) header_limit: usize,
    /// Whether a byte of this exchange's answer came.
    pub(crate) answered: bool,
    /// The first bytes that came, to show in a message.
    pub(crate) beginning: &'a [u8],
}

/// Turns an error of hyper, with all that it wraps, into a fault.
pub(crate) fn classify(error: &hyper::Error, circumstances: &Circumstances<'_>) -> Fault {
    if let Some(fault) = classify_sources(error, circumstances) {
        return fault;
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return closed(circumstances);
    }
    if error.is_user() {
        return Fault::InvalidRequest(chain(error));
    }
    // hyper has no accessor for "message head is too large" on the client's side; the text is its own constant.
    let text = error.to_string();
    if text.contains("too large") {
        return Fault::HeadersTooLarge {
            limit: circumstances.header_limit,
        };
    }
    if error.is_parse() {
        return Fault::Malformed(format!("{text}{}", shown(circumstances.beginning)));
    }
    match circumstances.phase {
        Phase::Body => Fault::Malformed(chain(error)),
        Phase::Connect | Phase::Headers => {
            Fault::Malformed(format!("{}{}", chain(error), shown(circumstances.beginning)))
        }
    }
}

fn classify_sources(error: &hyper::Error, circumstances: &Circumstances<'_>) -> Option<Fault> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return Some(classify_io(error, circumstances));
        }
        if let Some(error) = cause.downcast_ref::<h2::Error>() {
            return Some(classify_http2(error, circumstances));
        }
        source = cause.source();
    }
    None
}

fn classify_http2(error: &h2::Error, circumstances: &Circumstances<'_>) -> Fault {
    if let Some(error) = error.get_io() {
        return classify_io(error, circumstances);
    }
    let by_whom = if error.is_remote() {
        "the server sent"
    } else {
        "the answer breaks the protocol:"
    };
    let frame = match (error.is_go_away(), error.is_reset()) {
        (true, _) => "GOAWAY",
        (_, true) => "RST_STREAM",
        _ => "an error",
    };
    let reason = error
        .reason()
        .map_or_else(|| error.to_string(), |reason| format!("{reason:?}"));
    Fault::Http2(format!("{by_whom} {frame} ({reason})"))
}

/// Turns an I/O error on an open connection into a fault.
pub(crate) fn classify_io(error: &io::Error, circumstances: &Circumstances<'_>) -> Fault {
    if let Some(inner) = error.get_ref() {
        if inner.is::<AllowanceExceeded>() {
            return Fault::HeadersTooLarge {
                limit: circumstances.header_limit,
            };
        }
        if let Some(error) = inner.downcast_ref::<rustls::Error>() {
            return crate::tls::fault(error, circumstances.address);
        }
        // tokio-rustls and hyper wrap I/O errors in I/O errors.
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            return classify_io(error, circumstances);
        }
    }
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            Fault::Reset {
                phase: circumstances.phase,
            }
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::NotConnected => closed(circumstances),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            Fault::Malformed(format!("{error}{}", shown(circumstances.beginning)))
        }
        // What hyper's chunked decoder makes of broken chunk sizes and line ends.
        _ if circumstances.answered => Fault::Malformed(error.to_string()),
        _ => Fault::Unreachable {
            address: circumstances.address.to_owned(),
            reason: error.to_string(),
        },
    }
}

fn closed(circumstances: &Circumstances<'_>) -> Fault {
    if circumstances.answered || circumstances.phase == Phase::Body {
        Fault::Truncated
    } else {
        Fault::Closed
    }
}

/// Turns the failure of a TCP connection attempt into a fault.
pub(crate) fn of_connecting(error: &io::Error, address: &str) -> Fault {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Fault::Refused {
            address: address.to_owned(),
        },
        io::ErrorKind::ConnectionReset => Fault::Reset {
            phase: Phase::Connect,
        },
        _ => Fault::Unreachable {
            address: address.to_owned(),
            reason: error.to_string(),
        },
    }
}

/// The first bytes of what came, readable; a TLS record gets a hint.
fn shown(beginning: &[u8]) -> String {
    match beginning {
        [] => String::new(),
        [0x15 | 0x16, 3, 0..=4, ..] => {
            "; it begins like a TLS record: the server speaks TLS here, use https://".to_owned()
        }
        _ => format!("; it begins with \"{}\"", beginning.escape_ascii()),
    }
}

fn chain(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
