//! Times as reports write them, and as HTTP does.

use std::time::{SystemTime, UNIX_EPOCH};

/// RFC 3339, UTC, with milliseconds.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

/// Today's date in UTC, `YYYY-MM-DD`.
pub(crate) fn today() -> String {
    rfc3339(SystemTime::now()).chars().take(10).collect()
}

/// Seconds since 1970 of a date as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn seconds_of_date(text: &str) -> Option<f64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut parts = text.split_once(", ")?.1.split(' ');
    let day: u32 = parts.next()?.parse().ok()?;
    let month = MONTHS.find(parts.next()?)? / 3 + 1;
    let year: u32 = parts.next()?.parse().ok()?;
    let time = parts.next()?;
    let stamp = format!("{year:04}-{month:02}-{day:02}T{time}Z");
    let time: SystemTime = humantime::parse_rfc3339(&stamp).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::seconds_of_date;

    #[test]
    fn dates_of_http_are_read() {
        assert_eq!(
            seconds_of_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777.0)
        );
        assert_eq!(seconds_of_date("yesterday"), None);
    }
}
