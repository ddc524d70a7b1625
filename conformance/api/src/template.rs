//! Path templates (`/applications/{appInstanceId}/services`): expanding them and matching paths against them.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::encode::segment;

/// A part of a path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text that stands for itself; slashes included.
    Literal(String),
    /// A parameter, by its name.
    Parameter(String),
}

/// A path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

impl Template {
    /// Reads a template; an opening brace without its counterpart stands for itself.
    pub fn new(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                break;
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(Part::Parameter(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Template {
            text: text.to_owned(),
            parts,
        }
    }

    /// The template as the document writes it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The names of its parameters in order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Parameter(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The name of the last segment's parameter, where that segment is nothing else.
    pub fn last_parameter(&self) -> Option<&str> {
        let last = self.text.rsplit('/').next()?;
        last.strip_prefix('{')?.strip_suffix('}')
    }

    /// How many characters of it are literal: the more, the closer it fits a path.
    pub fn literals(&self) -> usize {
        let length = |part: &Part| match part {
            Part::Literal(text) => text.len(),
            Part::Parameter(_) => 0,
        };
        self.parts.iter().map(length).sum()
    }

    /// The template without its last segment; none for a template of one segment.
    pub fn parent(&self) -> Option<&str> {
        let (parent, _) = self.text.rsplit_once('/')?;
        (!parent.is_empty()).then_some(parent)
    }

    /// The path with each parameter replaced by its value, percent-encoded as one segment. A parameter without a
    /// value stays as the template writes it, which no caller should let happen.
    pub fn expand(&self, values: &BTreeMap<String, String>) -> String {
        let write = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Parameter(name) => match values.get(name) {
                Some(value) => segment(value),
                None => format!("{{{name}}}"),
            },
        };
        self.parts.iter().map(write).collect()
    }

    /// The values of the parameters in a path (without query), percent-decoded; none if it doesn't match. No
    /// parameter matches an empty text or one with a slash.
    pub fn matches(&self, path: &str) -> Option<BTreeMap<String, String>> {
        let mut values = BTreeMap::new();
        let mut rest = path;
        for (at, part) in self.parts.iter().enumerate() {
            match part {
                Part::Literal(text) => rest = rest.strip_prefix(text.as_str())?,
                Part::Parameter(name) => {
                    let end = match self.parts.get(at + 1) {
                        Some(Part::Literal(next)) => rest.find(next.as_str())?,
                        _ => rest.len(),
                    };
                    let (value, after) = rest.split_at(end);
                    if value.is_empty() || value.contains('/') {
                        return None;
                    }
                    let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
                    values.insert(name.clone(), value);
                    rest = after;
                }
            }
        }
        rest.is_empty().then_some(values)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may panic
mod tests {
    use super::*;

    #[test]
    fn expands_and_matches() {
        let template = Template::new("/applications/{appInstanceId}/services/{serviceId}");
        let values = BTreeMap::from([
            ("appInstanceId".to_owned(), "a/b c".to_owned()),
            ("serviceId".to_owned(), "ü".to_owned()),
        ]);
        let path = template.expand(&values);
        assert_eq!(path, "/applications/a%2Fb%20c/services/%C3%BC");
        assert_eq!(template.matches(&path).unwrap(), values);
        assert_eq!(template.matches("/applications//services/x"), None);
        assert_eq!(template.matches("/applications/a/services/x/y"), None);
        assert_eq!(template.matches("/applications/a/services"), None);
        assert_eq!(template.last_parameter(), Some("serviceId"));
        assert_eq!(template.parent(), Some("/applications/{appInstanceId}/services"));
    }
}
