//! Entity tags (RFC 9110 section 8.8.3) and the conditions that name them (section 13.1).

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// An entity tag: names one state of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntityTag {
    weak: bool,
    opaque: String,
}

impl EntityTag {
    /// A strong tag.
    ///
    /// Characters that an entity tag cannot hold (controls, blanks, `"`) are written as `%` and two hexadecimal
    /// digits, so that every text makes a valid tag and different texts make different tags.
    pub fn strong(opaque: impl AsRef<str>) -> Self {
        Self {
            weak: false,
            opaque: escape(opaque.as_ref()),
        }
    }

    /// A weak tag; see [`EntityTag::strong`] for the characters.
    pub fn weak(opaque: impl AsRef<str>) -> Self {
        Self {
            weak: true,
            opaque: escape(opaque.as_ref()),
        }
    }

    /// Whether the tag is weak.
    pub fn is_weak(&self) -> bool {
        self.weak
    }

    /// What stands between the quotes.
    pub fn opaque(&self) -> &str {
        &self.opaque
    }

    /// Reads one tag as a header writes it: `"…"` or `W/"…"`.
    pub fn parse(text: &str) -> Option<Self> {
        let (tag, rest) = parse_one(text.trim_matches([' ', '\t']))?;
        rest.is_empty().then_some(tag)
    }

    /// Equality for reuse of a representation that may differ in trifles (RFC 9110 section 8.8.3.2).
    pub fn weak_eq(&self, other: &Self) -> bool {
        self.opaque == other.opaque
    }

    /// Equality byte for byte: no weak tag is equal to anything (RFC 9110 section 8.8.3.2).
    pub fn strong_eq(&self, other: &Self) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    /// The tag as a header value.
    pub fn to_header_value(&self) -> HeaderValue {
        // `escape` and `parse_one` admit only characters that a header value may hold.
        HeaderValue::try_from(self.to_string()).unwrap_or_else(|_| HeaderValue::from_static("W/\"\""))
    }

    /// The tag of a message, where it carries a valid one.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        headers
            .get(header::ETAG)
            .and_then(|value| value.to_str().ok())
            .and_then(Self::parse)
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}\"{}\"",
            if self.weak { "W/" } else { "" },
            self.opaque
        )
    }
}

fn is_tag_character(character: char) -> bool {
    character == '!' || ('#'..='~').contains(&character)
}

fn escape(text: &str) -> String {
    use std::fmt::Write;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match char::from(byte) {
            '%' => escaped.push_str("%25"),
            character if is_tag_character(character) => escaped.push(character),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}

fn parse_one(text: &str) -> Option<(EntityTag, &str)> {
    let (weak, text) = match text.strip_prefix("W/") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let text = text.strip_prefix('"')?;
    let (opaque, rest) = text.split_once('"')?;
    let valid = opaque.chars().all(is_tag_character);
    valid.then(|| {
        (
            EntityTag {
                weak,
                opaque: opaque.to_owned(),
            },
            rest,
        )
    })
}

/// The value of `If-Match` or `If-None-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagCondition {
    /// `*`: any state of an existing resource.
    Any,
    /// A list of tags; an empty one holds for no resource.
    Tags(Vec<EntityTag>),
}

impl TagCondition {
    fn from_headers(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Self>, InvalidCondition> {
        let mut values = headers.get_all(name).iter().peekable();
        if values.peek().is_none() {
            return Ok(None);
        }
        let invalid = || InvalidCondition { header: name.clone() };
        let mut tags = Vec::new();
        for value in headers.get_all(name) {
            let text = value.to_str().map_err(|_| invalid())?;
            if text.trim() == "*" {
                let alone = headers.get_all(name).iter().count() == 1;
                return if alone {
                    Ok(Some(Self::Any))
                } else {
                    Err(invalid())
                };
            }
            parse_list(text, &mut tags).ok_or_else(invalid)?;
        }
        if tags.is_empty() {
            Err(invalid())
        } else {
            Ok(Some(Self::Tags(tags)))
        }
    }
}

impl fmt::Display for TagCondition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("*"),
            Self::Tags(tags) => {
                for (index, tag) in tags.iter().enumerate() {
                    write!(formatter, "{}{tag}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

/// Appends the tags of a comma-separated list; empty elements are allowed (RFC 9110 section 5.6.1.2).
fn parse_list(mut text: &str, tags: &mut Vec<EntityTag>) -> Option<()> {
    loop {
        text = text.trim_start_matches([' ', '\t', ',']);
        if text.is_empty() {
            return Some(());
        }
        let (tag, rest) = parse_one(text)?;
        tags.push(tag);
        text = rest.trim_start_matches([' ', '\t']);
        if !text.is_empty() && !text.starts_with(',') {
            return None;
        }
    }
}

/// A conditional header that is neither `*` nor a list of entity tags.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{header} is neither * nor a list of entity tags in double quotes")]
pub struct InvalidCondition {
    /// The header's name in lower case.
    pub header: HeaderName,
}

/// The conditions under which a request is to be carried out (RFC 9110 section 13.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// `If-Match`: only if the resource exists in one of these states.
    pub if_match: Option<TagCondition>,
    /// `If-None-Match`: only if the resource does not exist in any of these states.
    pub if_none_match: Option<TagCondition>,
}

impl Preconditions {
    /// Reads the conditions of a request.
    ///
    /// An `If-Match` that is no list of entity tags names the tag of no resource, so it never holds: the request is
    /// refused with 412, and not carried out, as ETSI's test cases (MEC-DEC 032-3, `…_PF`) expect of unquoted text.
    ///
    /// # Errors
    /// An `If-None-Match` that is neither `*` nor a list of entity tags: it would hold for everything.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, InvalidCondition> {
        let if_match = TagCondition::from_headers(headers, &header::IF_MATCH);
        Ok(Self {
            if_match: if_match.unwrap_or_else(|_| Some(TagCondition::Tags(Vec::new()))),
            if_none_match: TagCondition::from_headers(headers, &header::IF_NONE_MATCH)?,
        })
    }

    /// Carry the request out only if the resource still is in this state.
    pub fn if_match(tag: EntityTag) -> Self {
        Self {
            if_match: Some(TagCondition::Tags(vec![tag])),
            if_none_match: None,
        }
    }

    /// Carry the request out only if the resource is no longer in this state.
    pub fn if_none_match(tag: EntityTag) -> Self {
        Self {
            if_match: None,
            if_none_match: Some(TagCondition::Tags(vec![tag])),
        }
    }

    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    /// Whether `If-Match` holds; `current` is the tag of the resource, `None` where it does not exist.
    pub fn if_match_holds(&self, current: Option<&EntityTag>) -> bool {
        match (&self.if_match, current) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(TagCondition::Any), Some(_)) => true,
            (Some(TagCondition::Tags(tags)), Some(current)) => tags.iter().any(|tag| tag.strong_eq(current)),
        }
    }

    /// Whether `If-None-Match` holds; `current` is the tag of the resource, `None` where it does not exist.
    pub fn if_none_match_holds(&self, current: Option<&EntityTag>) -> bool {
        match (&self.if_none_match, current) {
            (None, _) | (Some(_), None) => true,
            (Some(TagCondition::Any), Some(_)) => false,
            (Some(TagCondition::Tags(tags)), Some(current)) => !tags.iter().any(|tag| tag.weak_eq(current)),
        }
    }

    /// Refuses a change whose conditions do not hold; `current` is the tag of the resource, `None` where
    /// it does not exist.
    ///
    /// # Errors
    /// A `412 Precondition Failed` that names the condition.
    #[cfg(feature = "server")]
    pub fn check(&self, current: Option<&EntityTag>) -> Result<(), crate::server::Problem> {
        use crate::server::Problem;
        if !self.if_match_holds(current) {
            return Err(match current {
                Some(current) => Problem::precondition_failed(format!(
                    "the resource has changed: If-Match does not name its entity tag {current}"
                )),
                None => Problem::precondition_failed("If-Match is given, but the resource does not exist"),
            }
            .with_parameter("If-Match"));
        }
        if !self.if_none_match_holds(current) {
            return Err(Problem::precondition_failed(
                "the resource exists in a state that If-None-Match excludes",
            )
            .with_parameter("If-None-Match"));
        }
        Ok(())
    }
}
