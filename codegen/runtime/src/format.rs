//! The string formats of JSON Schema 2020-12 that are asserted, each by its RFC.
//!
//! URIs and mailboxes are checked by crates. The rest is a few lines each and is written here, because the
//! crates for it either read more than the RFC allows (dates with a blank for the `T`) or bring a calendar.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A string format of JSON Schema 2020-12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// RFC 3339 `date-time`.
    DateTime,
    /// RFC 3339 `full-date`.
    Date,
    /// RFC 3339 `full-time`.
    Time,
    /// ISO 8601 duration, as in RFC 3339 appendix A.
    Duration,
    /// RFC 3986 URI with a scheme.
    Uri,
    /// RFC 3986 URI or relative reference.
    UriReference,
    /// RFC 4122 UUID with hyphens.
    Uuid,
    /// Dotted-quad IPv4 address, RFC 2673 section 3.2.
    Ipv4,
    /// IPv6 address, RFC 4291 section 2.2.
    Ipv6,
    /// Host name, RFC 1123 section 2.1.
    Hostname,
    /// Mailbox, RFC 5321 section 4.1.2.
    Email,
    /// JSON pointer, RFC 6901.
    JsonPointer,
    /// ECMA 262 regular expression.
    Regex,
}

impl Format {
    /// The format's name in JSON Schema.
    pub fn name(self) -> &'static str {
        match self {
            Format::DateTime => "date-time",
            Format::Date => "date",
            Format::Time => "time",
            Format::Duration => "duration",
            Format::Uri => "uri",
            Format::UriReference => "uri-reference",
            Format::Uuid => "uuid",
            Format::Ipv4 => "ipv4",
            Format::Ipv6 => "ipv6",
            Format::Hostname => "hostname",
            Format::Email => "email",
            Format::JsonPointer => "json-pointer",
            Format::Regex => "regex",
        }
    }

    /// Whether `text` is of this format.
    pub fn matches(self, text: &str) -> bool {
        match self {
            Format::DateTime => match text.find(['T', 't']) {
                Some(at) => is_date(&text[..at]) && is_time(&text[at + 1..]),
                None => false,
            },
            Format::Date => is_date(text),
            Format::Time => is_time(text),
            Format::Duration => is_duration(text),
            Format::Uri => fluent_uri::Uri::parse(text).is_ok(),
            Format::UriReference => fluent_uri::UriRef::parse(text).is_ok(),
            Format::Uuid => is_uuid(text),
            Format::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
            Format::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Format::Hostname => is_hostname(text),
            Format::Email => is_email(text),
            Format::JsonPointer => is_json_pointer(text),
            Format::Regex => regress::Regex::new(text).is_ok(),
        }
    }
}

fn digits(text: &str, length: usize) -> Option<u32> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// RFC 3339 `full-date`: a day that exists.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(day)) = (
        parts.next().and_then(|part| digits(part, 4)),
        parts.next().and_then(|part| digits(part, 2)),
        parts.next().and_then(|part| digits(part, 2)),
    ) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// RFC 3339 `full-time`: with an offset; second 60 only where a leap second can be (23:59:60 UTC).
fn is_time(text: &str) -> bool {
    let Some(offset_at) = text.find(['Z', 'z', '+', '-']) else {
        return false;
    };
    let (clock, offset) = text.split_at(offset_at);
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (clock, None),
    };
    if fraction
        .is_some_and(|fraction| fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return false;
    }
    let mut parts = clock.splitn(3, ':').map(|part| digits(part, 2));
    let (Some(Some(hour)), Some(Some(minute)), Some(Some(second))) =
        (parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let Some(offset) = offset_minutes(offset) else {
        return false;
    };
    if hour > 23 || minute > 59 || second > 60 {
        return false;
    }
    second < 60 || (hour as i32 * 60 + minute as i32 - offset).rem_euclid(24 * 60) == 23 * 60 + 59
}

fn offset_minutes(text: &str) -> Option<i32> {
    if text == "Z" || text == "z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hour, minute) = text.get(1..)?.split_once(':')?;
    let (hour, minute) = (digits(hour, 2)?, digits(minute, 2)?);
    (hour <= 23 && minute <= 59).then_some(sign * (hour as i32 * 60 + minute as i32))
}

/// RFC 3339 appendix A: `P`, then weeks alone, or days and times with each unit at most once and in order.
fn is_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else {
        return false;
    };
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return false,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if let Some(weeks) = date.strip_suffix('W') {
        return time.is_empty()
            && !rest.contains('T')
            && !weeks.is_empty()
            && weeks.bytes().all(|b| b.is_ascii_digit());
    }
    !rest.is_empty() && units(date, "YMD") && units(time, "HMS")
}

/// Whether `text` is numbers with units of `order`, consecutive ones, each at most once.
fn units(mut text: &str, order: &str) -> bool {
    let mut order = order.chars().peekable();
    let mut started = false;
    while !text.is_empty() {
        let length = text.bytes().take_while(u8::is_ascii_digit).count();
        let Some(unit) = text[length..].chars().next() else {
            return false;
        };
        if length == 0 {
            return false;
        }
        loop {
            match order.next() {
                Some(next) if next == unit => break,
                // RFC 3339's grammar lets no unit be left out between two others.
                Some(_) if !started => {}
                _ => return false,
            }
        }
        started = true;
        text = &text[length + unit.len_utf8()..];
    }
    true
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// A mailbox whose domain is a host name or an address in brackets; mail knows no other.
fn is_email(text: &str) -> bool {
    let domain = text.rsplit_once('@').map_or("", |(_, domain)| domain);
    text.is_ascii()
        && email_address::EmailAddress::is_valid(text)
        && (domain.starts_with('[') || is_hostname(domain))
}

fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            // RFC 5891 section 4.2.3.1 reserves two hyphens in third and fourth place for A-labels.
            && (label.get(2..4) != Some("--") || label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--")))
    };
    !text.is_empty() && text.len() <= 253 && text.split('.').all(is_label)
}

fn is_json_pointer(text: &str) -> bool {
    let mut rest = text;
    if !text.is_empty() && !text.starts_with('/') {
        return false;
    }
    while let Some(at) = rest.find('~') {
        if !matches!(rest.as_bytes().get(at + 1), Some(b'0' | b'1')) {
            return false;
        }
        rest = &rest[at + 2..];
    }
    true
}
