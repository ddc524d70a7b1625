//! API documents as they are served: those of the generated crates, with this platform as their server.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

/// The members of a JSON object in their order, their values untouched.
struct Members<'a>(Vec<(&'a str, &'a RawValue)>);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

struct Reader;

impl<'de> serde::de::Visitor<'de> for Reader {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// The document with `url` as its only server. Everything else stays as it is, byte for byte.
///
/// # Errors
/// A document that is no JSON object with plain names.
pub(super) fn with_server(document: &str, url: &str) -> Result<String, serde_json::Error> {
    let servers = serde_json::value::to_raw_value(&serde_json::json!([{ "url": url }]))?;
    let mut deserializer = serde_json::Deserializer::from_str(document);
    let Members(mut members) = serde::Deserializer::deserialize_map(&mut deserializer, Reader)?;
    match members.iter_mut().find(|(name, _)| *name == "servers") {
        Some((_, value)) => *value = &servers,
        None => members.push(("servers", &servers)),
    }
    serde_json::to_string(&Members(members))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]
    use super::*;

    #[test]
    fn only_the_server_changes() {
        let document =
            r#"{"openapi":"3.1.0","servers":[{"url":"https://localhost:8081/x"}],"paths":{"b":1,"a": 2}}"#;
        let expected = r#"{"openapi":"3.1.0","servers":[{"url":"http://here/x"}],"paths":{"b":1,"a": 2}}"#;
        assert_eq!(with_server(document, "http://here/x").unwrap(), expected);
        let without = with_server(r#"{"openapi":"3.1.0"}"#, "/x").unwrap();
        assert_eq!(without, r#"{"openapi":"3.1.0","servers":[{"url":"/x"}]}"#);
    }
}
