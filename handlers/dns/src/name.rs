//! Domain names: as people write them, as they travel, and which of them are names of hosts.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::str::FromStr;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

/// The longest label, in bytes (RFC 1035 clause 2.3.4).
pub(crate) const LONGEST_LABEL: usize = 63;
/// The longest name as it is written, in bytes and without a final dot (RFC 1035 clause 2.3.4).
const LONGEST_NAME: usize = 253;
/// The longest name as it travels, in bytes, the root's empty label included.
pub(crate) const LONGEST_WIRE_NAME: usize = 255;

/// Why a text is no name of a host. The text completes "… is no host name: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing, or a single dot.
    #[error("it is empty")]
    Empty,
    /// Two dots in a row, or one at the beginning.
    #[error("it has an empty label")]
    EmptyLabel,
    /// A label above 63 bytes.
    #[error("a label is longer than 63 bytes")]
    LongLabel,
    /// A name above 253 bytes.
    #[error("it is longer than 253 bytes")]
    LongName,
    /// A wildcard.
    #[error("wildcards are not supported, only exact names")]
    Wildcard,
    /// Something else than letters, digits and hyphens.
    #[error("{0:?} cannot occur in a host name")]
    Character(char),
    /// A hyphen where none may be.
    #[error("a label begins or ends with a hyphen")]
    Hyphen,
    /// The last label has digits only, so that the whole may be taken for an address (RFC 1123 clause 2.1).
    #[error("its last label is a number")]
    Number,
    /// An internationalised name that cannot be converted.
    #[error("it cannot be converted to ASCII by the rules of IDNA (UTS #46)")]
    International,
}

/// The name of a host or of a zone: lower-case, as it travels (RFC 1035 clause 3.1).
///
/// Made from text with or without a final dot; international names are converted by UTS #46.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(Box<[u8]>);

impl HostName {
    /// The bytes, with the root's empty label.
    pub(crate) fn wire(&self) -> &[u8] {
        &self.0
    }

    /// A name that has `label`, which must be a valid one, in front of this. `None` if it would be too long.
    pub(crate) fn child(&self, label: &str) -> Option<Self> {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| (1..=63).contains(length))?;
        if self.0.len() + label.len() + 1 > LONGEST_WIRE_NAME {
            return None;
        }
        let mut wire = Vec::with_capacity(self.0.len() + label.len() + 1);
        wire.push(length);
        wire.extend(label.bytes().map(|byte| byte.to_ascii_lowercase()));
        wire.extend_from_slice(&self.0);
        Some(Self(wire.into()))
    }

    fn from_ascii(text: &str) -> Self {
        let mut wire = Vec::with_capacity(text.len() + 2);
        for label in text.split('.') {
            wire.push(u8::try_from(label.len()).unwrap_or_default());
            wire.extend(label.bytes().map(|byte| byte.to_ascii_lowercase()));
        }
        wire.push(0);
        Self(wire.into())
    }
}

impl FromStr for HostName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(InvalidName::Empty);
        }
        if text.contains('*') {
            return Err(InvalidName::Wildcard);
        }
        let ascii = to_ascii(text)?;
        let mut last = "";
        for label in ascii.split('.') {
            check_label(label)?;
            last = label;
        }
        if ascii.len() > LONGEST_NAME {
            return Err(InvalidName::LongName);
        }
        if last.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidName::Number);
        }
        Ok(Self::from_ascii(&ascii))
    }
}

/// Converts names that are international, or claim to be.
fn to_ascii(text: &str) -> Result<Cow<'_, str>, InvalidName> {
    let encoded = |label: &str| {
        label
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
    };
    if text.is_ascii() && !text.split('.').any(encoded) {
        return Ok(Cow::Borrowed(text));
    }
    Uts46::new()
        .to_ascii(
            text.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Ignore,
        )
        .map_err(|_| InvalidName::International)
}

fn check_label(label: &str) -> Result<(), InvalidName> {
    if label.is_empty() {
        return Err(InvalidName::EmptyLabel);
    }
    let allowed = |character: char| character.is_ascii_alphanumeric() || character == '-';
    if let Some(character) = label.chars().find(|character| !allowed(*character)) {
        return Err(InvalidName::Character(character));
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err(InvalidName::Hyphen);
    }
    if label.len() > LONGEST_LABEL {
        return Err(InvalidName::LongLabel);
    }
    Ok(())
}

impl Borrow<[u8]> for HostName {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = &self.0[..];
        while let [length, following @ ..] = rest {
            let (label, following) = following
                .split_at_checked(usize::from(*length))
                .unwrap_or_default();
            if label.is_empty() {
                break;
            }
            write!(formatter, "{}.", String::from_utf8_lossy(label))?;
            rest = following;
        }
        Ok(())
    }
}

/// The offsets in `wire`, a valid name, at which it and each name that it is below begin; the root's is left out.
pub(crate) fn suffixes(wire: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let mut offset = 0;
    std::iter::from_fn(move || {
        let here = offset;
        let length = wire.get(here).copied().filter(|length| *length > 0)?;
        offset += usize::from(length) + 1;
        Some(here)
    })
}

/// The label that stands for a service's name: its letters and digits in lower case, with a hyphen for whatever is
/// between them. `None` if nothing is left, or more than fits behind an underscore.
pub(crate) fn label_of(name: &str) -> Option<String> {
    let mut label = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            label.push(character.to_ascii_lowercase());
        } else if !label.ends_with('-') && !label.is_empty() {
            label.push('-');
        }
    }
    label.truncate(label.trim_end_matches('-').len());
    (1..LONGEST_LABEL).contains(&label.len()).then_some(label)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn names_of_hosts_are_told_from_other_texts() {
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "b".repeat(61));
        assert_eq!(longest.len(), LONGEST_NAME);
        for (text, expected) in [
            ("App.Example.COM", Ok("app.example.com.")),
            ("app.example.com.", Ok("app.example.com.")),
            ("r3---a.example", Ok("r3---a.example.")),
            ("1.example", Ok("1.example.")),
            ("bücher.example", Ok("xn--bcher-kva.example.")),
            ("XN--bcher-kva.example", Ok("xn--bcher-kva.example.")),
            (&longest, Ok(&*format!("{longest}."))),
            ("", Err(InvalidName::Empty)),
            (".", Err(InvalidName::Empty)),
            ("a..b", Err(InvalidName::EmptyLabel)),
            (".a", Err(InvalidName::EmptyLabel)),
            ("a.b..", Err(InvalidName::EmptyLabel)),
            (&format!("a{label}.b"), Err(InvalidName::LongLabel)),
            (&format!("{longest}b"), Err(InvalidName::LongName)),
            ("*.example", Err(InvalidName::Wildcard)),
            ("a_b.example", Err(InvalidName::Character('_'))),
            ("a b.example", Err(InvalidName::Character(' '))),
            ("http://a.example", Err(InvalidName::Character(':'))),
            ("-a.example", Err(InvalidName::Hyphen)),
            ("a-.example", Err(InvalidName::Hyphen)),
            ("192.0.2.1", Err(InvalidName::Number)),
            ("xn--a.example", Err(InvalidName::International)),
        ] {
            let name = text.parse::<HostName>().map(|name| name.to_string());
            assert_eq!(name, expected.map(str::to_owned), "{text:?}");
        }
    }

    #[test]
    fn names_grow_by_labels_as_long_as_they_fit() {
        let zone: HostName = "mec.internal".parse().unwrap();
        assert_eq!(zone.wire(), b"\x03mec\x08internal\0");
        assert_eq!(zone.child("_Tcp").unwrap().to_string(), "_tcp.mec.internal.");
        assert_eq!(zone.child(""), None);
        assert_eq!(zone.child(&"a".repeat(64)), None);
        let long: HostName = ["a".repeat(60), "b".repeat(60), "c".repeat(60), "d".repeat(60)]
            .join(".")
            .parse()
            .unwrap();
        assert_eq!(long.wire().len(), 245);
        assert!(long.child(&"e".repeat(9)).is_some());
        assert_eq!(long.child(&"e".repeat(10)), None);
    }

    #[test]
    fn services_have_labels() {
        for (name, label) in [
            ("weather", Some("weather")),
            ("Weather Service/v1.0", Some("weather-service-v1-0")),
            ("--a--b--", Some("a-b")),
            ("ä", None),
            ("", None),
        ] {
            assert_eq!(label_of(name).as_deref(), label, "{name:?}");
        }
        assert_eq!(label_of(&"a".repeat(62)).unwrap().len(), 62);
        assert_eq!(label_of(&"a".repeat(63)), None);
    }

    #[test]
    fn every_suffix_is_found() {
        let name: HostName = "a.bc.d".parse().unwrap();
        assert_eq!(suffixes(name.wire()).collect::<Vec<_>>(), [0, 2, 5]);
    }
}
