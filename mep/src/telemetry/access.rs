//! One line per request, and the identifier that ties it to everything else that was logged about it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use uuid::Uuid;

/// The header that carries a request's identifier, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest identifier that is taken from a client, in characters.
const LONGEST: usize = 128;

/// Makes identifiers that are unique across restarts and platforms.
#[derive(Debug)]
pub struct RequestIds {
    prefix: [u8; PREFIX],
    next: AtomicU64,
}

/// The length of what the identifiers of one process have in common.
const PREFIX: usize = 15;

impl Default for RequestIds {
    fn default() -> Self {
        let mut text = [0; uuid::fmt::Simple::LENGTH];
        Uuid::new_v4().simple().encode_lower(&mut text);
        let mut prefix = [0; PREFIX];
        prefix.copy_from_slice(&text[..PREFIX]);
        Self {
            prefix,
            next: AtomicU64::new(1),
        }
    }
}

impl RequestIds {
    /// The identifier of a request: its own if it brings a sane one, else a new one.
    pub fn identify(&self, headers: &HeaderMap) -> HeaderValue {
        if let Some(value) = headers.get(&REQUEST_ID).filter(|value| is_sane(value)) {
            return value.clone();
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut text = [b'0'; 32];
        text[..PREFIX].copy_from_slice(&self.prefix);
        text[PREFIX] = b'-';
        let mut end = PREFIX + 1;
        // In hexadecimal, without leading zeros.
        let digits = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1);
        for digit in (0..digits).rev() {
            text[end] = b"0123456789abcdef"[usize::try_from(number >> (4 * digit) & 15).unwrap_or_default()];
            end += 1;
        }
        HeaderValue::from_bytes(&text[..end]).unwrap_or(HeaderValue::from_static("-"))
    }
}

/// An identifier that can stand in a log line as it is.
fn is_sane(value: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    !value.is_empty() && value.len() <= LONGEST && value.as_bytes().iter().all(plain)
}

/// The text of an identifier that [`RequestIds::identify`] gave.
pub fn text_of(request_id: &HeaderValue) -> &str {
    // Only visible ASCII characters pass there.
    request_id.to_str().unwrap_or("-")
}

/// What the access line says.
#[derive(Debug)]
pub struct Access<'a> {
    /// The request's identifier.
    pub request_id: &'a str,
    /// The method.
    pub method: &'a Method,
    /// The path as it was sent, without the query.
    pub path: &'a str,
    /// The operation that answered, if one did.
    pub operation: Option<&'static str>,
    /// The status of the answer.
    pub status: StatusCode,
    /// How long answering took.
    pub elapsed: Duration,
}

impl Access<'_> {
    /// Writes the line.
    pub fn log(&self) {
        tracing::info!(
            target: "mep::access",
            method = self.method.as_str(),
            path = self.path,
            status = self.status.as_u16(),
            microseconds = u64::try_from(self.elapsed.as_micros()).unwrap_or(u64::MAX),
            operation = self.operation,
            request_id = self.request_id,
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]
    use super::*;

    fn identify(ids: &RequestIds, given: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_static(given));
        text_of(&ids.identify(&headers)).to_owned()
    }

    #[test]
    fn sane_identifiers_are_kept_and_others_replaced() {
        let ids = RequestIds::default();
        assert_eq!(identify(&ids, "trace-42"), "trace-42");
        for odd in ["", "two words", "quote\"", "<b>"] {
            assert_ne!(identify(&ids, odd), odd);
        }
    }

    #[test]
    fn new_identifiers_differ_in_their_number() {
        let ids = RequestIds {
            prefix: *b"0123456789abcde",
            next: AtomicU64::new(14),
        };
        let identify = || text_of(&ids.identify(&HeaderMap::new())).to_owned();
        assert_eq!(
            [identify(), identify(), identify()],
            ["0123456789abcde-e", "0123456789abcde-f", "0123456789abcde-10"]
        );
        let last = RequestIds {
            prefix: *b"0123456789abcde",
            next: AtomicU64::new(u64::MAX),
        };
        assert_eq!(
            text_of(&last.identify(&HeaderMap::new())),
            "0123456789abcde-ffffffffffffffff"
        );
    }
}
