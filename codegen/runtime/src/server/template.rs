//! Path templates: which route a request's path belongs to, segment by segment and after percent-decoding.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A path template such as `/services/{serviceId}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// Fixed text.
    Literal(String),
    /// One parameter.
    Parameter,
    /// Parameters with fixed text around them; texts and parameters alternate and texts come first and last.
    Mixed(Vec<String>),
}

/// A path that no resource can have: a segment is wrongly escaped, is not UTF-8 or holds a NUL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InvalidPath;

impl Template {
    pub(super) fn parse(path: &str) -> Self {
        let segments = split(path).map(|segments| segments.map(Segment::parse).collect());
        Self {
            segments: segments.unwrap_or_default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.segments.len()
    }

    /// Sorts templates so that the more concrete one comes first, as OpenAPI asks.
    pub(super) fn rank(&self) -> Vec<u8> {
        let rank = |segment: &Segment| match segment {
            Segment::Literal(_) => 0,
            Segment::Mixed(_) => 1,
            Segment::Parameter => 2,
        };
        self.segments.iter().map(rank).collect()
    }

    /// The values of the parameters in the order of the template, where the path matches.
    pub(super) fn captures(&self, path: &[Cow<'_, str>]) -> Option<Vec<String>> {
        if path.len() != self.segments.len() {
            return None;
        }
        let mut values = Vec::new();
        for (segment, text) in self.segments.iter().zip(path) {
            if !segment.matches(text, &mut values) {
                return None;
            }
        }
        Some(values)
    }
}

impl Segment {
    fn parse(text: &str) -> Self {
        let mut texts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((_, after)) = after.split_once('}') else {
                break;
            };
            texts.push(before.to_owned());
            rest = after;
        }
        match texts.len() {
            0 => Self::Literal(text.to_owned()),
            1 if texts[0].is_empty() && rest.is_empty() => Self::Parameter,
            _ => {
                texts.push(rest.to_owned());
                Self::Mixed(texts)
            }
        }
    }

    fn matches(&self, text: &str, values: &mut Vec<String>) -> bool {
        match self {
            Self::Literal(literal) => literal == text,
            Self::Parameter => {
                values.push(text.to_owned());
                !text.is_empty()
            }
            Self::Mixed(texts) => Self::matches_mixed(texts, text, values),
        }
    }

    /// A parameter ends where the text that follows it first occurs; the last one ends with the segment.
    fn matches_mixed(texts: &[String], text: &str, values: &mut Vec<String>) -> bool {
        let [first, middle @ .., last] = texts else {
            return false;
        };
        let Some(rest) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        let Some(mut rest) = rest.strip_suffix(last.as_str()) else {
            return false;
        };
        for separator in middle {
            let start = rest.char_indices().nth(1).map_or(rest.len(), |(index, _)| index);
            let Some(end) = rest[start..].find(separator.as_str()) else {
                return false;
            };
            values.push(rest[..start + end].to_owned());
            rest = &rest[start + end + separator.len()..];
        }
        values.push(rest.to_owned());
        !rest.is_empty()
    }
}

/// The segments of a path as they are written; `None` where the path does not start with `/`.
fn split(path: &str) -> Option<impl Iterator<Item = &str>> {
    let rest = match path {
        "" => "",
        _ => path.strip_prefix('/')?,
    };
    let count = if rest.is_empty() { 0 } else { usize::MAX };
    Some(rest.split('/').take(count))
}

/// The percent-decoded segments of a request's path: `%2F` stays within its segment.
///
/// # Errors
/// A segment that is wrongly escaped, is not UTF-8 or holds a NUL.
pub(super) fn decode(path: &str) -> Result<Vec<Cow<'_, str>>, InvalidPath> {
    let Some(segments) = split(path) else {
        return Ok(vec![Cow::Borrowed("")]);
    };
    segments
        .map(|segment| match segment.contains('%') {
            false => Ok(Cow::Borrowed(segment)),
            true if !is_escaped(segment) => Err(InvalidPath),
            true => match percent_decode_str(segment).decode_utf8() {
                Ok(text) if !text.contains('\0') => Ok(text),
                _ => Err(InvalidPath),
            },
        })
        .collect()
}

/// Whether every `%` is followed by two hexadecimal digits.
pub(super) fn is_escaped(text: &str) -> bool {
    let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
    text.split('%')
        .skip(1)
        .map(str::bytes)
        .all(|mut rest| is_digit(rest.next()) && is_digit(rest.next()))
}
