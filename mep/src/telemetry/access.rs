//! One line per request, and the identifier that ties it to everything else that was logged about it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use mecforge_runtime::server::RequestId;
use uuid::Uuid;

/// The header that carries a request's identifier, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest identifier that is taken from a client, in characters.
const LONGEST: usize = 128;

/// Makes identifiers that are unique across restarts and platforms.
#[derive(Debug)]
pub struct RequestIds {
    prefix: String,
    next: AtomicU64,
}

impl Default for RequestIds {
    fn default() -> Self {
        let mut prefix = Uuid::new_v4().simple().to_string();
        prefix.truncate(16);
        Self {
            prefix,
            next: AtomicU64::new(1),
        }
    }
}

impl RequestIds {
    /// The identifier of a request: its own if it brings a sane one, else a new one.
    pub fn identify(&self, headers: &HeaderMap) -> (RequestId, HeaderValue) {
        if let Some((value, text)) = headers
            .get(&REQUEST_ID)
            .and_then(|value| Some((value, sane(value)?)))
        {
            return (RequestId::new(text), value.clone());
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let text = format!("{}-{number:x}", self.prefix);
        let value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("-"));
        (RequestId::new(&text), value)
    }
}

/// An identifier that can stand in a log line as it is.
fn sane(value: &HeaderValue) -> Option<&str> {
    let text = value.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
    (!text.is_empty() && text.len() <= LONGEST && text.bytes().all(plain)).then_some(text)
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
        ids.identify(&headers).0.as_str().to_owned()
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
    fn new_identifiers_differ() {
        let ids = RequestIds::default();
        let identify = || ids.identify(&HeaderMap::new());
        let ((first, header), (second, _)) = (identify(), identify());
        assert_ne!(first, second);
        assert_eq!(header.to_str().unwrap(), first.as_str());
    }
}
