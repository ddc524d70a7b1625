//! Stage `load`: text → [`Document`], one tree out of all the files that a document is spread over.
//!
//! YAML 1.2 and JSON are read with the position of every value. Relative references to other files are
//! bundled: what they name becomes part of `components` (of `definitions`, `parameters` and `responses` in
//! Swagger 2.0), so that the stages after this one see a single document. Every fault that can be found is
//! found in one run.

mod anchors;
mod bundle;
mod check;
mod components;
mod files;
mod json;
mod paths;
mod scalar;
mod syntax;
mod tabs;
mod text;
mod yaml;

use std::collections::HashSet;

use crate::{Diagnostic, Document, Node, Pointer};

/// Where [`load`] reads files from. A function from path to text is one.
pub trait Source {
    /// The text of a file, by its path from the root directory; parts are separated by `/`.
    ///
    /// # Errors
    /// Why there is no such text, in one clause: the file is missing, it is no UTF-8, …
    fn read(&self, path: &str) -> Result<String, String>;
}

impl<F: Fn(&str) -> Result<String, String>> Source for F {
    fn read(&self, path: &str) -> Result<String, String> {
        self(path)
    }
}

/// Reads the document at `path` and all files that it refers to.
///
/// References become local (`#/…`); those that lead nowhere or in a circle are faults.
/// Path items are copied to where they are referred to; everything else becomes a component under its own
/// name, with a number behind it where another file has something different under that name.
///
/// # Errors
/// All faults of all files, sorted by file and line.
pub fn load(source: &dyn Source, path: &str) -> Result<Document, Vec<Diagnostic>> {
    let (document, mut faults) = match bundle::bundle(source, path) {
        Ok(bundled) => bundled,
        Err(faults) => return Err(sorted(faults)),
    };
    // What could not be bundled is still there as it was written, and is no second fault.
    let place = |fault: &Diagnostic| (fault.file.clone(), fault.line, fault.column);
    let known: HashSet<_> = faults.iter().map(place).collect();
    faults.extend(
        check::references(&document)
            .into_iter()
            .filter(|fault| !known.contains(&place(fault))),
    );
    if faults.is_empty() {
        Ok(document)
    } else {
        Err(sorted(faults))
    }
}

fn sorted(mut faults: Vec<Diagnostic>) -> Vec<Diagnostic> {
    faults.sort();
    faults.dedup();
    faults
}

/// Reads one text whose root is a mapping, for example an overlay; references are left as they are.
///
/// A name that ends in `.json` makes it JSON; else it is YAML, of which JSON is a part.
///
/// # Errors
/// All faults of the text, in its order.
pub fn load_text(name: &str, text: &str) -> Result<Document, Vec<Diagnostic>> {
    let root = parse(0, name, text)?;
    let document = Document {
        files: vec![name.to_owned()],
        root,
    };
    match document.root.as_object() {
        Some(_) => Ok(document),
        None => Err(vec![no_mapping(&document, &document.root)]),
    }
}

fn no_mapping(document: &Document, root: &Node) -> Diagnostic {
    let message = format!("the root of the text is no mapping (type: {})", root.kind());
    Diagnostic::at(document, root, &Pointer::root(), message)
}

/// Reads one text as file number `file`.
fn parse(file: u32, name: &str, text: &str) -> Result<Node, Vec<Diagnostic>> {
    let text = text::prepare(text);
    if name.to_ascii_lowercase().ends_with(".json") {
        return json::parse(file, name, &text);
    }
    if text.trim_start().starts_with(['{', '['])
        && let Ok(root) = json::parse(file, name, &text)
    {
        return Ok(root);
    }
    yaml::parse(file, name, &text)
}
