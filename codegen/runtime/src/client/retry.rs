//! When a call is tried again, and how long it waits before.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, header};

/// How often and when an idempotent call is tried again (RFC 9110 section 9.2.2).
///
/// Calls of GET, HEAD, OPTIONS, PUT and DELETE are tried again after a transport error and after 429, 502, 503 and 504;
/// others, and changes with `If-Match` or `If-None-Match`, only when no connection could be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// How often a call is made at most, the first time included.
    pub attempts: u32,
    /// How long to wait before the second attempt; it doubles with each further one.
    pub first_delay: Duration,
    /// The longest wait. A server that asks for a longer one by `Retry-After` is not asked again.
    pub longest_delay: Duration,
}

impl RetryPolicy {
    /// Every call is made once.
    pub const NEVER: Self = Self {
        attempts: 1,
        first_delay: Duration::ZERO,
        longest_delay: Duration::ZERO,
    };

    /// How long to wait before the attempt after `attempt` (counted from 1); `None` for not at all.
    pub(crate) fn delay(&self, attempt: u32, retry_after: Option<Duration>) -> Option<Duration> {
        if attempt >= self.attempts || retry_after.is_some_and(|asked| asked > self.longest_delay) {
            return None;
        }
        let doubled = self
            .first_delay
            .saturating_mul(1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX));
        let delay = doubled.min(self.longest_delay);
        // Half of the wait is random, so that clients that failed together don't come back together.
        let jittered = delay.mul_f64(0.5 + fastrand::f64() / 2.0);
        Some(retry_after.map_or(jittered, |asked| asked.max(jittered)))
    }
}

impl Default for RetryPolicy {
    /// Three attempts, 100 ms and 200 ms apart, at most 5 s.
    fn default() -> Self {
        Self {
            attempts: 3,
            first_delay: Duration::from_millis(100),
            longest_delay: Duration::from_secs(5),
        }
    }
}

/// How long the server asks to wait (RFC 9110 section 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO))
}
