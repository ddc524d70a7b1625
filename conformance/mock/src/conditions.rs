//! Conditional requests: `If-Match` and `If-None-Match` (RFC 9110, 13.1.1 and 13.1.2).

use axum::http::{HeaderMap, HeaderName, StatusCode, header};

use crate::problem::Problem;

/// The entity tags of a field: `None` if it is absent.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let fields: Vec<_> = headers
        .get_all(name)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .collect();
    if fields.is_empty() {
        return headers.contains_key(name).then(Vec::new);
    }
    let mut tags = Vec::new();
    for field in fields {
        let mut rest = field.trim();
        while !rest.is_empty() {
            let weak = if rest.starts_with("W/\"") { 2 } else { 0 };
            let end = match rest[weak..].strip_prefix('"').and_then(|text| text.find('"')) {
                // The opening quote, the text and the closing quote.
                Some(length) => weak + length + 2,
                None => rest.find(',').unwrap_or(rest.len()),
            };
            tags.push(rest[..end].trim().to_owned());
            rest = rest[end..].trim_start_matches([',', ' ', '\t']);
        }
    }
    Some(tags)
}

/// Judges a reading against the current entity tag: If-Match holds for every method that selects a representation
/// (13.1.1).
///
/// # Errors
/// 412.
pub(crate) fn before_reading(headers: &HeaderMap, current: &str) -> Result<(), Problem> {
    match matches(headers, Some(current)) {
        true => Ok(()),
        false => Err(failed("If-Match names no current state of the resource")),
    }
}

fn failed(detail: &str) -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, detail)
}

/// Whether If-Match is absent or holds. Strong comparison: a weak tag never matches (8.8.3.2).
fn matches(headers: &HeaderMap, current: Option<&str>) -> bool {
    let holds = |tags: Vec<String>| {
        current.is_some_and(|current| tags.iter().any(|tag| tag == "*" || tag == current))
    };
    tags(headers, &header::IF_MATCH).is_none_or(holds)
}

/// Judges a change against the current entity tag of what is changed; `None` if there is nothing yet.
///
/// # Errors
/// 412.
pub(crate) fn before_change(headers: &HeaderMap, current: Option<&str>) -> Result<(), Problem> {
    if !matches(headers, current) {
        return Err(failed("If-Match names no current state of the resource"));
    }
    if let Some(tags) = tags(headers, &header::IF_NONE_MATCH)
        && current.is_some_and(|current| tags.iter().any(|tag| tag == "*" || weakly(tag) == current))
    {
        return Err(failed("If-None-Match names the current state of the resource"));
    }
    Ok(())
}

/// Whether a reader has the current state already (304).
pub(crate) fn not_modified(headers: &HeaderMap, current: &str) -> bool {
    let tags = tags(headers, &header::IF_NONE_MATCH).unwrap_or_default();
    tags.iter().any(|tag| tag == "*" || weakly(tag) == current)
}

fn weakly(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may panic
mod tests {
    use super::*;

    fn headers(name: HeaderName, text: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, text.parse().unwrap())])
    }

    #[test]
    fn if_match_compares_strongly() {
        let cases = [
            ("\"1\"", true),
            ("*", true),
            ("\"0\", \"1\"", true),
            ("\"a,b\",\"1\"", true),
            ("W/\"1\"", false),
            ("1", false),
            ("\"2\"", false),
            ("", false),
        ];
        for (text, holds) in cases {
            let judged = before_change(&headers(header::IF_MATCH, text), Some("\"1\""));
            assert_eq!(judged.is_ok(), holds, "{text}");
        }
        assert!(before_change(&headers(header::IF_MATCH, "*"), None).is_err());
        assert!(before_change(&HeaderMap::new(), None).is_ok());
    }

    #[test]
    fn if_none_match_compares_weakly() {
        assert!(not_modified(&headers(header::IF_NONE_MATCH, "W/\"1\""), "\"1\""));
        assert!(not_modified(
            &headers(header::IF_NONE_MATCH, "\"0\" , \"1\""),
            "\"1\""
        ));
        assert!(!not_modified(&headers(header::IF_NONE_MATCH, "\"0\""), "\"1\""));
        assert!(before_change(&headers(header::IF_NONE_MATCH, "*"), Some("\"1\"")).is_err());
        assert!(before_change(&headers(header::IF_NONE_MATCH, "*"), None).is_ok());
    }
}
