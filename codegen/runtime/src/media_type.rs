//! Media types (RFC 9110 section 8.3) and what a client accepts of them (section 12.5.1).

use http::{HeaderMap, header};

/// A media type as a header carries it: type and subtype in lower case, and the parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    essence: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads a media type or a media range; `None` where the text is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = split_outside_quotes(text, ';');
        let essence = parts.next()?.trim().to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let mut parameters = Vec::new();
        for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            let value = unquote(value.trim())?;
            if !is_token(name.trim()) {
                return None;
            }
            parameters.push((name.trim().to_ascii_lowercase(), value));
        }
        Some(Self { essence, parameters })
    }

    /// Type and subtype in lower case, for example `application/json`.
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// The value of a parameter; `name` is in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the bytes are UTF-8: no `charset`, or one that says so (`utf-8`, `us-ascii`).
    pub fn is_utf8(&self) -> bool {
        self.parameter("charset").is_none_or(|charset| {
            ["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|known| charset.eq_ignore_ascii_case(known))
        })
    }

    /// Whether the type is JSON: `application/json` or a subtype that ends in `+json`.
    pub fn is_json(&self) -> bool {
        self.essence == "application/json" || self.essence.ends_with("+json")
    }

    /// Whether `essence`, written without parameters, falls into this media range.
    pub fn includes(&self, essence: &str) -> bool {
        match self.essence.strip_suffix('*') {
            Some("*/") => true,
            Some(prefix) => essence.len() > prefix.len() && essence.starts_with(prefix),
            None => self.essence.eq_ignore_ascii_case(essence),
        }
    }
}

/// The type and subtype of a media type that a document writes, without its parameters.
pub(crate) fn essence_of(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or(media_type).trim()
}

/// Which of several media types a client prefers.
///
/// `offered` is in the server's order of preference. `None` means that the client accepts none of them. A
/// request without `Accept`, or with nothing readable in it, accepts everything.
pub fn negotiate<'offer>(headers: &HeaderMap, offered: &[&'offer str]) -> Option<&'offer str> {
    let mut values = headers.get_all(header::ACCEPT).iter();
    // What most clients send is understood without taking it apart.
    if let (Some(only), None) = (values.next(), values.next())
        && only == "*/*"
    {
        return offered.first().copied();
    }
    let ranges = accepted_ranges(headers);
    if ranges.is_empty() {
        return offered.first().copied();
    }
    let mut best: Option<(u16, &str)> = None;
    for offer in offered {
        let quality = quality_of(&ranges, essence_of(offer));
        if quality > 0 && best.is_none_or(|(known, _)| quality > known) {
            best = Some((quality, offer));
        }
    }
    best.map(|(_, offer)| offer)
}

/// The media ranges of `Accept` with their quality in thousandths.
fn accepted_ranges(headers: &HeaderMap) -> Vec<(MediaType, u16)> {
    let mut ranges = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        let Ok(text) = value.to_str() else { continue };
        for element in split_outside_quotes(text, ',') {
            let Some(range) = MediaType::parse(element) else {
                continue;
            };
            let quality = range.parameter("q").map_or(Some(1000), parse_quality);
            if let Some(quality) = quality {
                ranges.push((range, quality));
            }
        }
    }
    ranges
}

/// The quality of the most specific range that includes `essence`; 0 where none does.
fn quality_of(ranges: &[(MediaType, u16)], essence: &str) -> u16 {
    let specificity = |range: &MediaType| match range.essence() {
        "*/*" => 0,
        essence if essence.ends_with("/*") => 1,
        _ => 2,
    };
    let matching = ranges.iter().filter(|(range, _)| range.includes(essence));
    matching
        .max_by_key(|(range, quality)| (specificity(range), *quality))
        .map_or(0, |(_, quality)| *quality)
}

/// Reads a quality value (RFC 9110 section 12.4.2) in thousandths.
fn parse_quality(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{fraction:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// The value of a parameter: a token or a quoted string.
pub(crate) fn unquote(text: &str) -> Option<String> {
    let Some(inner) = text.strip_prefix('"') else {
        return is_token(text).then(|| text.to_owned());
    };
    let inner = inner.strip_suffix('"')?;
    let mut value = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => value.push(characters.next()?),
            '"' => return None,
            _ => value.push(character),
        }
    }
    Some(value)
}

/// Splits at a separator that stands outside of quoted strings.
pub(crate) fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |character: char| {
        if escaped {
            escaped = false;
            return false;
        }
        match character {
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => return !quoted && character == separator,
        }
        false
    })
}
