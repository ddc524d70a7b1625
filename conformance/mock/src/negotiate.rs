//! Media types: what a body is, and which of the declared ones the client takes (RFC 9110, 8.3 and 12.5.1).

use axum::http::{HeaderMap, header};

/// The media type without its parameters, in lower case.
pub(crate) fn essence(media_type: &str) -> String {
    media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// Whether a media type belongs to a range such as `*/*`, `text/*` or `application/json`.
fn in_range(range: &str, media_type: &str) -> bool {
    let Some((kind, sub)) = range.split_once('/') else {
        return range == "*";
    };
    let (of, name) = media_type.split_once('/').unwrap_or((media_type, ""));
    (kind == "*" && sub == "*") || (kind == of && (sub == "*" || sub == name))
}

/// How specific a range is: a named type before `text/*` before `*/*`.
fn precision(range: &str) -> u8 {
    match range.split_once('/') {
        Some((_, "*")) | None => u8::from(!range.starts_with('*')),
        Some(_) => 2,
    }
}

/// The ranges of `Accept` with their weights; none if the field is absent or empty.
fn ranges(headers: &HeaderMap) -> Vec<(String, f32)> {
    let fields = headers.get_all(header::ACCEPT).iter();
    let parts = fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|text| text.split(','));
    parts
        .filter(|part| !part.trim().is_empty())
        .map(|part| {
            let mut weight = 1.0;
            for parameter in part.split(';').skip(1) {
                if let Some((name, value)) = parameter.split_once('=')
                    && name.trim().eq_ignore_ascii_case("q")
                {
                    weight = value.trim().parse::<f32>().unwrap_or(1.0).clamp(0.0, 1.0);
                }
            }
            (essence(part), weight)
        })
        .collect()
}

/// The offered media type that the client likes best; of equals the first. None if it excludes all of them.
pub(crate) fn choose<'offer>(headers: &HeaderMap, offers: &[&'offer str]) -> Option<&'offer str> {
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return offers.first().copied();
    }
    let weight = |offer: &str| {
        let offer = essence(offer);
        let fitting = ranges.iter().filter(|(range, _)| in_range(range, &offer));
        let best = fitting.max_by_key(|(range, _)| precision(range));
        best.map_or(0.0, |(_, weight)| *weight)
    };
    let mut chosen: Option<(&'offer str, f32)> = None;
    for offer in offers {
        let weight = weight(offer);
        if weight > 0.0 && chosen.is_none_or(|(_, best)| weight > best) {
            chosen = Some((offer, weight));
        }
    }
    chosen.map(|(offer, _)| offer)
}

/// What is wrong with the media type of a body, if it is none of the declared ones.
pub(crate) fn unsupported(headers: &HeaderMap, declared: &[&str]) -> Option<String> {
    let known = declared.join(", ");
    let mut fields = headers.get_all(header::CONTENT_TYPE).iter();
    let field = fields.next().and_then(|field| field.to_str().ok());
    let (Some(field), None) = (field, fields.next()) else {
        return Some(format!(
            "the body needs one Content-Type; this operation takes {known}"
        ));
    };
    let media_type = essence(field);
    if !declared
        .iter()
        .any(|offer| in_range(&essence(offer), &media_type))
    {
        return Some(format!("this operation takes {known}, not {media_type}"));
    }
    let charset = field.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"'))
    });
    if charset.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
        return Some("the charset is UTF-8 or not said".to_owned());
    }
    let encoded = headers.get_all(header::CONTENT_ENCODING).iter();
    let coded = encoded.filter_map(|field| field.to_str().ok());
    coded
        .flat_map(|text| text.split(','))
        .any(|coding| !matches!(coding.trim().to_ascii_lowercase().as_str(), "" | "identity"))
        .then(|| "a body is sent without a content coding".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may panic
mod tests {
    use super::*;

    fn accept(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, text.parse().unwrap())])
    }

    #[test]
    fn the_best_is_chosen() {
        let offers = ["application/json", "text/plain"];
        let cases = [
            ("*/*", Some("application/json")),
            ("text/*", Some("text/plain")),
            ("text/plain;q=0.5, application/json;q=0.4", Some("text/plain")),
            ("application/json;q=0, */*;q=0.1", Some("text/plain")),
            ("Application/JSON; charset=utf-8", Some("application/json")),
            ("application/json;q=0", None),
            ("image/png", None),
            ("", Some("application/json")),
        ];
        for (text, expected) in cases {
            assert_eq!(choose(&accept(text), &offers), expected, "{text}");
        }
    }

    #[test]
    fn a_body_says_what_it_is() {
        let judge = |text: &str| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, text.parse().unwrap())]);
            unsupported(&headers, &["application/json"]).is_none()
        };
        assert!(judge("application/json"));
        assert!(judge("APPLICATION/json; charset=\"UTF-8\""));
        assert!(!judge("application/json; charset=latin1"));
        assert!(!judge("text/plain"));
        assert!(unsupported(&HeaderMap::new(), &["application/json"]).is_some());
    }
}
