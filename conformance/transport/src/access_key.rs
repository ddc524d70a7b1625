//! EdgeGallery's signature with an access key and a secret key, `SDK-HMAC-SHA256`.
//!
//! The canonical form is that of EdgeGallery/mep `mepauth/util/sign.go` (and mep-agent `src/util/sign.go`), read as a
//! specification: method, path (segments escaped one by one, empty and dot segments left out, a slash at its end),
//! query pairs sorted, signed headers sorted as `name:value` lines and an empty line, their names joined by `;`, and
//! the hexadecimal SHA-256 of the body. What is signed: the scheme's name, the time and the SHA-256 of that.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// The name of the scheme.
const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// What Go's `url.QueryEscape` leaves as it is, beside letters and digits.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What is signed.
#[derive(Debug)]
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) target: &'a str,
    pub(crate) host: &'a str,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

/// The headers that prove the key: `x-sdk-date` and `authorization`.
pub(crate) fn sign(
    access_key: &str,
    secret_key: &str,
    signed: &Signed<'_>,
    now: SystemTime,
) -> Result<Vec<(String, String)>, String> {
    let date = date(now);
    let (canonical, names) = canonical_request(signed, &date);
    let text = format!(
        "{ALGORITHM}\n{date}\n{}",
        hexadecimal(&Sha256::digest(canonical.as_bytes()))
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(secret_key.as_bytes())
        .map_err(|error| format!("the secret key can't be used: {error}"))?;
    mac.update(text.as_bytes());
    let signature = hexadecimal(&mac.finalize().into_bytes());
    let authorization =
        format!("{ALGORITHM} Access={access_key}, SignedHeaders={names}, Signature={signature}");
    Ok(vec![
        ("x-sdk-date".to_owned(), date),
        ("authorization".to_owned(), authorization),
    ])
}

fn canonical_request(signed: &Signed<'_>, date: &str) -> (String, String) {
    let (path, query) = signed.target.split_once('?').unwrap_or((signed.target, ""));
    // The order is the alphabet's.
    let mut headers = Vec::new();
    if let Some(content_type) = signed.content_type {
        headers.push(("content-type", content_type.trim()));
    }
    headers.push(("host", signed.host));
    headers.push(("x-sdk-date", date));
    let lines: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let canonical = format!(
        "{}\n{}\n{}\n{}\n{names}\n{}",
        signed.method,
        canonical_path(path),
        canonical_query(query),
        lines.concat(),
        hexadecimal(&Sha256::digest(signed.body)),
    );
    (canonical, names)
}

fn canonical_path(path: &str) -> String {
    let mut canonical = String::from("/");
    for segment in path.split('/') {
        let segment = percent_decode_str(segment).decode_utf8_lossy();
        if !matches!(segment.as_ref(), "" | "." | "..") {
            canonical.push_str(&escape(&segment));
            canonical.push('/');
        }
    }
    canonical
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            format!("{}={}", escape(&unescape(name)), escape(&unescape(value)))
        })
        .collect();
    pairs.sort();
    pairs.join("&")
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string().replace("%20", "+")
}

fn unescape(text: &str) -> String {
    let blanks = text.replace('+', " ");
    percent_decode_str(&blanks).decode_utf8_lossy().into_owned()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `YYYYMMDDTHHMMSSZ`.
fn date(now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Days since 1970-01-01 as a date of the Gregorian calendar, by eras of 400 years that begin in March.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    //! Expectations were computed with Python's hashlib and hmac from the rules in the module's comment.
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn writes_dates_across_leap_years() {
        let at = |seconds| date(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "19700101T000000Z");
        assert_eq!(at(951_782_400), "20000229T000000Z");
        assert_eq!(at(1_767_225_599), "20251231T235959Z");
        assert_eq!(at(1_709_251_200), "20240301T000000Z");
    }

    #[test]
    fn canonical_parts_follow_mepauth() {
        assert_eq!(canonical_path("/mep/../token"), "/mep/token/");
        assert_eq!(canonical_path("/a%20b/c"), "/a+b/c/");
        assert_eq!(canonical_path("/"), "/");
        assert_eq!(canonical_query("b=2&a=x%20y&a=1"), "a=1&a=x+y&b=2");
    }

    #[test]
    fn signs_as_another_implementation_of_the_rules_does() {
        let signed = Signed {
            method: "POST",
            target: "/mep/token?b=x%20y&a=1",
            host: "mep.example:8443",
            content_type: Some("application/json"),
            body: b"{\"a\":1}",
        };
        let now = UNIX_EPOCH + Duration::from_secs(1767323045);
        let headers = sign("AK", "secret-key", &signed, now).unwrap();
        assert_eq!(
            headers[0],
            ("x-sdk-date".to_owned(), "20260102T030405Z".to_owned())
        );
        let signature = headers[1].1.rsplit_once("Signature=").unwrap().1;
        assert_eq!(
            signature,
            "ebba4de81d80b62f68d399996c7d28472df16d9d35505185a27ca386494697e1"
        );
    }
}
