//! The checks that judge how header fields and problem documents of every answer are written.

use mecforge_report::Severity;
use serde_json::Value;

use super::call::Exchange;
use super::check::{Check, Group, Source};
use super::outcome::Failure;

/// The check of header fields.
pub static FIELDS: Check = Check {
    id: "field-syntax",
    group: Group::Responses,
    title: "ETag, Location, Allow and Content-Type are written as HTTP and JSON demand",
    severity: Severity::Error,
    explanation: "An entity tag is in quotes, Location is a URI reference, Allow a list of methods, and JSON is not declared in another charset than UTF-8.",
    sources: &[
        Source::Rfc(9110, "8.8.3"),
        Source::Rfc(9110, "10.2.2"),
        Source::Rfc(9110, "10.2.1"),
        Source::Rfc(8259, "8.1"),
    ],
};

/// The check of what a problem document says.
pub static TELLS: Check = Check {
    id: "problem-tells",
    group: Group::Responses,
    title: "a problem document says what is wrong",
    severity: Severity::Warning,
    explanation: "It has the member status, and title or detail. The documents make all members optional, so this is a warning.",
    sources: &[Source::Etsi("ETSI GS MEC 009", "6.15"), Source::Rfc(9457, "3.1")],
};

/// Judges one answer: which checks were judged, and what they found.
pub(super) fn judge(exchange: &Exchange) -> Vec<(&'static Check, Option<Failure>)> {
    let mut all = Vec::new();
    type Rule = fn(&str) -> Option<&'static str>;
    let rules: [(&str, Rule); 4] = [
        ("etag", entity_tag),
        ("location", location),
        ("allow", allow),
        ("content-type", charset),
    ];
    for (name, rule) in rules {
        let Some(value) = exchange.header(name) else {
            continue;
        };
        let failure = rule(value).map(|what| {
            let title = format!("the header field {name} is {what}");
            Failure::new(title, "as HTTP defines it", format!("{name}: {value}"))
        });
        all.push((&FIELDS, failure));
    }
    let problem = exchange
        .header("content-type")
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/problem+json"));
    let body = exchange.body().filter(|_| problem && exchange.status() >= 400);
    if let Some(Value::Object(members)) = body {
        let text = |name: &str| {
            members
                .get(name)
                .and_then(Value::as_str)
                .is_some_and(|text| !text.is_empty())
        };
        let missing = match (members.contains_key("status"), text("title") || text("detail")) {
            (true, true) => None,
            (false, _) => Some("a problem document has no status"),
            (true, false) => Some("a problem document has neither title nor detail"),
        };
        let failure =
            missing.map(|title| Failure::new(title, "status, and title or detail", exchange.summary()));
        all.push((&TELLS, failure));
    }
    all
}

fn entity_tag(value: &str) -> Option<&'static str> {
    let opaque = value.strip_prefix("W/").unwrap_or(value);
    let inner = opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains(['"', ' ']) => None,
        _ => Some("no entity tag in quotes"),
    }
}

fn location(value: &str) -> Option<&'static str> {
    let broken = value.is_empty()
        || value.contains(['{', '}', '<', '>', '"', '\\', '^', '`', '|', ' '])
        || value.chars().any(char::is_control);
    broken.then_some("no URI reference")
}

fn allow(value: &str) -> Option<&'static str> {
    let token = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter);
    let names = value.split(',').map(str::trim);
    let broken = names
        .into_iter()
        .any(|name| !name.is_empty() && !name.chars().all(token));
    broken.then_some("no list of methods")
}

fn charset(value: &str) -> Option<&'static str> {
    let lower = value.to_ascii_lowercase();
    let (essence, parameters) = lower.split_once(';')?;
    let json = essence.trim() == "application/json" || essence.trim().ends_with("+json");
    let mut named = parameters.split(';').filter_map(|one| one.trim().split_once('='));
    let (_, charset) = named.find(|(name, _)| name.trim() == "charset")?;
    let charset = charset.trim().trim_matches('"');
    let fits = matches!(charset, "utf-8" | "utf8" | "us-ascii");
    (json && !fits).then_some("JSON in another charset than UTF-8")
}

/// Whether a header field's text obeys a schema: as text, or as the number or truth value that it may stand for.
pub(super) fn obeys(schema: &mecforge_instances::Schema, text: &str) -> bool {
    let other = serde_json::from_str(text).ok();
    let readings = [Some(Value::String(text.to_owned())), other];
    readings.iter().flatten().any(|reading| schema.is_valid(reading))
}

#[cfg(test)]
mod tests {
    use super::{allow, charset, entity_tag, location};

    #[test]
    fn fields_are_judged_by_their_grammar() {
        for good in ["\"a\"", "W/\"a-1\"", "\"\""] {
            assert_eq!(entity_tag(good), None, "{good}");
        }
        for bad in ["a", "\"a", "w/\"a\"", "\"a\"b\""] {
            assert!(entity_tag(bad).is_some(), "{bad}");
        }
        assert_eq!(location("/v1/things/t%201"), None);
        assert!(location("/v1/things/{id}").is_some());
        assert_eq!(allow("GET, HEAD"), None);
        assert_eq!(allow(""), None);
        assert!(allow("GET HEAD").is_some());
        assert_eq!(charset("application/json; charset=UTF-8"), None);
        assert_eq!(charset("text/html; charset=latin-1"), None);
        assert!(charset("application/problem+json; charset=\"iso-8859-1\"").is_some());
    }
}
