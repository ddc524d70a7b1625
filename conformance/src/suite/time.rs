//! Times as reports write them.

use std::time::SystemTime;

/// RFC 3339, UTC, with milliseconds.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

/// Today's date in UTC, `YYYY-MM-DD`.
pub(crate) fn today() -> String {
    rfc3339(SystemTime::now()).chars().take(10).collect()
}
