//! The typed values of response headers.

use std::fmt;

use http::HeaderValue;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What a URI reference cannot hold unescaped: controls, blanks and the delimiters of RFC 3986 appendix C.
const NOT_IN_URI: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The value of `Location`: the URI reference of a created or moved resource (RFC 9110 section 10.2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Location(String);

impl Location {
    /// A location; characters that no URI holds are percent-encoded.
    pub fn new(reference: impl AsRef<str>) -> Self {
        Self(utf8_percent_encode(reference.as_ref(), NOT_IN_URI).to_string())
    }

    /// The URI reference.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment of the path, percent-decoded: mostly the identifier of what was created.
    ///
    /// `None` where the path ends in `/` or the segment is not UTF-8.
    pub fn last_segment(&self) -> Option<String> {
        let path = self.0.split(['?', '#']).next()?;
        let segment = path.rsplit('/').next().filter(|segment| !segment.is_empty())?;
        percent_encoding::percent_decode_str(segment)
            .decode_utf8()
            .ok()
            .map(|text| text.into_owned())
    }

    /// The location as a header value.
    pub fn to_header_value(&self) -> HeaderValue {
        // `new` has percent-encoded everything that a header value cannot hold.
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl AsRef<str> for Location {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Location {
    fn from(reference: &str) -> Self {
        Self::new(reference)
    }
}

impl From<String> for Location {
    fn from(reference: String) -> Self {
        Self::new(reference)
    }
}
