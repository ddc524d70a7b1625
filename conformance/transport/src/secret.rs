//! Values that must never be printed, and the mask that takes them out of what is.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// The shortest value that is searched for in other text; shorter ones would blank out ordinary words.
const SHORTEST: usize = 4;

/// Headers whose values are never shown, whoever set them.
const SENSITIVE_HEADERS: [&str; 12] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "api-key",
    "apikey",
    "x-auth-token",
    "x-access-token",
    "x-subject-token",
    "x-csrf-token",
    "x-amz-security-token",
];

/// Members of JSON bodies whose string values are never shown.
const SENSITIVE_MEMBERS: [&str; 9] = [
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "clientSecret",
    "secretKey",
    "secret_key",
    "password",
    "private_key",
];

/// Words that may stay before a masked credential, because they only name the scheme.
const SCHEMES: [&str; 6] = [
    "Bearer",
    "Basic",
    "Digest",
    "Negotiate",
    "DPoP",
    "SDK-HMAC-SHA256",
];

/// A value that neither `Debug` nor anything else prints.
#[derive(Clone, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for sending it to where it belongs.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl From<Vec<u8>> for Secret<Vec<u8>> {
    fn from(value: Vec<u8>) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl From<String> for Secret<String> {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

/// Knows the secrets of a run and takes them out of headers, addresses and bodies.
#[derive(Default)]
pub struct Masker {
    /// All spellings of all secrets, the longest first.
    spellings: RwLock<Vec<String>>,
    /// Further header names, in lower case.
    headers: RwLock<Vec<String>>,
}

impl fmt::Debug for Masker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Masker")
    }
}

impl Masker {
    /// Adds a secret in every spelling in which it may turn up: as it is, percent-encoded, escaped in JSON.
    /// Values of fewer than four characters are only masked as whole values of sensitive headers.
    pub fn add_secret(&self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        let json = serde_json::Value::from(secret).to_string();
        let json = json.trim_matches('"').to_owned();
        let mut spellings = self.spellings.write().unwrap_or_else(PoisonError::into_inner);
        for spelling in [secret.to_owned(), percent.replace("%20", "+"), percent, json] {
            if !spellings.contains(&spelling) {
                spellings.push(spelling);
            }
        }
        spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
    }

    /// Adds a header whose value is always masked.
    pub fn add_header(&self, name: &str) {
        self.headers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(name.to_ascii_lowercase());
    }

    /// The text without secrets.
    pub fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for spelling in self
            .spellings
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            if text.contains(spelling.as_str()) {
                text = text.replace(spelling.as_str(), MASK);
            }
        }
        text
    }

    /// The header's value without secrets: all of it where the name is sensitive, except the scheme's name.
    pub fn header(&self, name: &str, value: &str) -> String {
        let name = name.to_ascii_lowercase();
        let sensitive = SENSITIVE_HEADERS.contains(&name.as_str())
            || self
                .headers
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .contains(&name);
        if !sensitive {
            return self.text(value);
        }
        match value.split_once(' ') {
            Some((scheme, _)) if SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) => {
                format!("{scheme} {MASK}")
            }
            _ => MASK.to_owned(),
        }
    }

    /// The body without secrets, known ones and the values of JSON members that are secrets by their names.
    pub fn body(&self, body: &Bytes) -> Bytes {
        let mut bytes = None;
        for spelling in self
            .spellings
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            let current: &[u8] = bytes.as_deref().unwrap_or(body);
            if let Some(replaced) = replace_bytes(current, spelling.as_bytes()) {
                bytes = Some(replaced);
            }
        }
        for member in SENSITIVE_MEMBERS {
            let current: &[u8] = bytes.as_deref().unwrap_or(body);
            if let Some(replaced) = mask_member(current, member) {
                bytes = Some(replaced);
            }
        }
        bytes.map_or_else(|| body.clone(), Bytes::from)
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle).filter(|_| !needle.is_empty())
}

fn replace_bytes(text: &[u8], needle: &[u8]) -> Option<Vec<u8>> {
    let mut rest = text;
    let mut replaced = Vec::new();
    while let Some(at) = find(rest, needle) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(MASK.as_bytes());
        rest = &rest[at + needle.len()..];
    }
    if rest.len() == text.len() {
        return None;
    }
    replaced.extend_from_slice(rest);
    Some(replaced)
}

/// Masks `"member": "value"` wherever it stands, also in JSON that is cut short.
fn mask_member(text: &[u8], member: &str) -> Option<Vec<u8>> {
    let key = format!("\"{member}\"");
    let mut rest = text;
    let mut replaced = Vec::new();
    let mut changed = false;
    while let Some(at) = find(rest, key.as_bytes()) {
        let after = at + key.len();
        let value = rest[after..]
            .iter()
            .position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b':'));
        let start = after + value.unwrap_or(0);
        replaced.extend_from_slice(&rest[..start]);
        rest = &rest[start..];
        if start > after && rest.first() == Some(&b'"') {
            let end = string_end(rest);
            replaced.extend_from_slice(format!("\"{MASK}\"").as_bytes());
            rest = &rest[end..];
            changed = true;
        }
    }
    replaced.extend_from_slice(rest);
    changed.then_some(replaced)
}

/// The length of the JSON string at the beginning of `text`, its quotation marks included.
fn string_end(text: &[u8]) -> usize {
    let mut escaped = false;
    for (index, byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}
