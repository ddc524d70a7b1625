//! The little that other verbs than `generate` must know of a document's inside: what it refers to, its title and
//! version, its prose.
//!
//! This reads events and builds no tree, and it forgives what the loader will complain about with a place.

use saphyr_parser::{Event, Parser};

/// What `pull` wants to know of a YAML or JSON text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    /// The target of each `$ref` in the order of the text.
    pub(crate) references: Vec<String>,
    /// `info.title`.
    pub(crate) title: Option<String>,
    /// `info.version`.
    pub(crate) version: Option<String>,
}

/// A collection that is being read.
enum Frame {
    /// A mapping, with the key whose value comes next.
    Mapping(Option<String>),
    Sequence,
}

/// Reads the outline of `text`; the error is the parser's, with line and column.
pub(crate) fn outline(text: &str) -> Result<Outline, String> {
    let mut outline = Outline::default();
    scalars(text, |stack, key, value| outline.note(stack, key, value))?;
    Ok(outline)
}

/// The texts under `description` and `summary`; the error is the parser's, with line and column.
pub(crate) fn descriptions(text: &str) -> Result<Vec<String>, String> {
    let mut descriptions = Vec::new();
    scalars(text, |_, key, value| {
        if matches!(key, "description" | "summary") {
            descriptions.push(value.to_owned());
        }
    })?;
    Ok(descriptions)
}

/// Calls `visit` for each scalar that is the value of a key, with the collections around it.
fn scalars(text: &str, mut visit: impl FnMut(&[Frame], &str, &str)) -> Result<(), String> {
    let text = without_blank_tabs(text);
    let mut stack: Vec<Frame> = Vec::new();
    for event in Parser::new_from_str(&text) {
        let (event, _) = event.map_err(|error| error.to_string())?;
        match event {
            Event::MappingStart(..) => stack.push(Frame::Mapping(None)),
            Event::SequenceStart(..) => stack.push(Frame::Sequence),
            Event::MappingEnd | Event::SequenceEnd => {
                stack.pop();
                complete(&mut stack, String::new());
            }
            Event::Alias(_) => complete(&mut stack, String::new()),
            Event::Scalar(value, ..) => {
                if let Some(Frame::Mapping(Some(key))) = stack.last() {
                    visit(&stack, key, &value);
                }
                complete(&mut stack, value.into_owned());
            }
            _ => {}
        }
    }
    Ok(())
}

impl Outline {
    fn note(&mut self, stack: &[Frame], key: &str, value: &str) {
        if key == "$ref" {
            self.references.push(value.to_owned());
        }
        let [Frame::Mapping(Some(outer)), _] = stack else {
            return;
        };
        match (outer.as_str(), key) {
            ("info", "title") => self.title = Some(value.to_owned()),
            ("info", "version") => self.version = Some(value.to_owned()),
            _ => {}
        }
    }
}

/// A node has ended: in a mapping it was a key, with this text, or the value of one.
fn complete(stack: &mut [Frame], text: String) {
    if let Some(Frame::Mapping(key)) = stack.last_mut() {
        *key = match key {
            Some(_) => None,
            None => Some(text),
        };
    }
}

/// ETSI has tabs on blank lines, where YAML means nothing by them and parsers stumble.
fn without_blank_tabs(text: &str) -> String {
    text.split('\n')
        .map(|line| if line.trim().is_empty() { "" } else { line })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The file that a `$ref` inside the file at `path` names, both relative to the project's root.
///
/// `None` for references that stay in their document or name another host.
/// The error says that the reference leaves the project.
pub(crate) fn referenced_file(path: &str, reference: &str) -> Result<Option<String>, String> {
    let file = reference.split('#').next().unwrap_or_default();
    if file.is_empty() || file.contains("://") {
        return Ok(None);
    }
    let file = percent_encoding::percent_decode_str(file).decode_utf8_lossy();
    let mut segments: Vec<&str> = path.split('/').collect();
    segments.pop();
    for segment in file.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments
                    .pop()
                    .ok_or_else(|| format!("{path} refers to {reference}, which lies outside its project"))?;
            }
            segment => segments.push(segment),
        }
    }
    Ok(Some(segments.join("/")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::{outline, referenced_file};

    #[test]
    fn reads_references_title_and_version() {
        let text = "info:\n  title: 'A'\n\t\n  version: 1.2.3\n  x: {title: no}\npaths:\n  /a: {$ref: 'b.yaml#/c'}\n  \
                    /d:\n  - title: no\n    $ref: '#/e'\n  ? [complex]\n  : $ref: f.json\n";
        let outline = outline(text).unwrap();
        assert_eq!(outline.references, ["b.yaml#/c", "#/e", "f.json"]);
        assert_eq!(outline.title.as_deref(), Some("A"));
        assert_eq!(outline.version.as_deref(), Some("1.2.3"));
    }

    #[test]
    fn reads_json() {
        let outline = outline(r#"{"info": {"version": "1"}, "a": {"$ref": "x.json"}}"#).unwrap();
        assert_eq!(
            (outline.references, outline.version),
            (vec!["x.json".to_owned()], Some("1".to_owned()))
        );
    }

    #[test]
    fn says_where_a_text_is_no_yaml() {
        assert!(outline("a: [b\nc: d").is_err());
    }

    #[test]
    fn joins_relative_references() {
        let file = |path, reference| referenced_file(path, reference).unwrap();
        assert_eq!(file("a/b.yaml", "#/c"), None);
        assert_eq!(file("a/b.yaml", "https://example.com/x.yaml#/c"), None);
        assert_eq!(file("a/b.yaml", "../c/d.yaml#/e").as_deref(), Some("c/d.yaml"));
        assert_eq!(file("b.yaml", "./c%20d.yaml").as_deref(), Some("c d.yaml"));
        assert!(
            referenced_file("a/b.yaml", "../../c.yaml")
                .unwrap_err()
                .contains("outside its project")
        );
    }
}
