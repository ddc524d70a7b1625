//! Problem details as they travel: the JSON object of RFC 9457, read leniently.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The media type of problem details in JSON (RFC 9457 section 6.1).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A problem details object (RFC 9457 section 3), as a server wrote it.
///
/// All members are optional on the wire, and a member of the wrong type is ignored, as RFC 9457
/// section 3.1 asks of consumers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ProblemDetails {
    /// URI reference that names the kind of problem; `about:blank` where it is absent.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub problem_type: Option<String>,
    /// Short summary of the kind of problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The HTTP status code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// URI reference that names this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// All other members, for example `pointer`, `parameter` and `rule` of a mecforge server.
    #[serde(flatten)]
    pub extensions: Map<String, Value>,
}

impl ProblemDetails {
    /// Reads problem details; `None` where the bytes are not a JSON object.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Self>(bytes).ok()
    }

    /// The text of an extension member, where there is one.
    pub fn extension(&self, name: &str) -> Option<&str> {
        self.extensions.get(name).and_then(Value::as_str)
    }
}

impl<'de> Deserialize<'de> for ProblemDetails {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = Map::deserialize(deserializer)?;
        let mut text = |name: &str| match members.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (problem_type, title) = (text("type"), text("title"));
        let (detail, instance) = (text("detail"), text("instance"));
        let status = members.remove("status").and_then(|status| status.as_u64());
        let status = status.and_then(|status| u16::try_from(status).ok());
        Ok(Self {
            problem_type,
            title,
            status,
            detail,
            instance,
            extensions: members,
        })
    }
}
