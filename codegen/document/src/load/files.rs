//! The files of a document: each is read once, when a reference first leads into it.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Source, no_mapping, parse, paths};
use crate::{Diagnostic, Document, Node, Origin, Pointer, Value};

/// How many files a document may be spread over.
const MAX_FILES: usize = 1_000;

/// How long the path of a file may be, in bytes; directories that contain themselves make endless ones.
const MAX_PATH: usize = 1_024;

/// How many references may lead from one to the next before one names a thing.
pub(super) const MAX_CHAIN: usize = 200;

/// A place in one of the files.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// The number of the file; 0 is the one that was asked for.
    pub(super) file: u32,
    /// The place in it, as the file itself counts.
    pub(super) pointer: Pointer,
}

impl Place {
    pub(super) fn child(&self, token: &str) -> Self {
        Self {
            file: self.file,
            pointer: self.pointer.child(token),
        }
    }
}

/// Why a file can't be had.
#[derive(Clone)]
enum Unusable {
    /// It could not be read; whoever refers to it is told why.
    Unreadable(String),
    /// Its own faults are on the list.
    Reported,
}

pub(super) struct Files<'source> {
    source: &'source dyn Source,
    names: Vec<String>,
    roots: Vec<Rc<Node>>,
    by_path: HashMap<String, Result<u32, Unusable>>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'source> Files<'source> {
    /// Reads the first file.
    pub(super) fn open_root(source: &'source dyn Source, path: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut files = Self {
            source,
            names: Vec::new(),
            roots: Vec::new(),
            by_path: HashMap::new(),
            diagnostics: Vec::new(),
        };
        let fault = |message: String| {
            vec![Diagnostic {
                file: path.to_owned(),
                line: 0,
                column: 0,
                pointer: Pointer::root(),
                message,
                help: String::new(),
            }]
        };
        let Some(path) = paths::normalise(path) else {
            return Err(fault("the path leads out of the root directory".to_owned()));
        };
        match files.file(&path) {
            Ok(_) => {}
            Err(Unusable::Unreadable(reason)) => return Err(fault(reason)),
            Err(Unusable::Reported) => return Err(files.diagnostics),
        }
        let document = files.document(Node::new(Value::Null));
        let root = files.root(0);
        match root.as_object() {
            Some(_) => Ok(files),
            None => Err(vec![no_mapping(&document, &root)]),
        }
    }

    fn file(&mut self, path: &str) -> Result<u32, Unusable> {
        if let Some(known) = self.by_path.get(path) {
            return known.clone();
        }
        let number = u32::try_from(self.roots.len()).unwrap_or(u32::MAX);
        let outcome = match self.read(path) {
            Err(reason) => Err(Unusable::Unreadable(reason)),
            Ok(text) => match parse(number, path, &text) {
                Ok(root) => {
                    self.names.push(path.to_owned());
                    self.roots.push(Rc::new(root));
                    Ok(number)
                }
                Err(faults) => {
                    self.diagnostics.extend(faults);
                    Err(Unusable::Reported)
                }
            },
        };
        self.by_path.insert(path.to_owned(), outcome.clone());
        outcome
    }

    fn read(&self, path: &str) -> Result<String, String> {
        if self.roots.len() >= MAX_FILES {
            return Err(format!("the document is spread over more than {MAX_FILES} files"));
        }
        if path.len() > MAX_PATH {
            return Err(format!("its path is longer than {MAX_PATH} bytes"));
        }
        self.source.read(path)
    }

    /// The path of a file.
    pub(super) fn name(&self, file: u32) -> &str {
        self.names.get(file as usize).map_or("", String::as_str)
    }

    /// The tree of a file.
    pub(super) fn root(&self, file: u32) -> Rc<Node> {
        self.roots
            .get(file as usize)
            .map_or_else(|| Rc::new(Node::new(Value::Null)), Rc::clone)
    }

    /// Whether there is something at `place`.
    pub(super) fn has(&self, place: &Place) -> bool {
        self.root(place.file).pointer(&place.pointer).is_some()
    }

    /// A document of these files around `root`.
    pub(super) fn document(&self, root: Node) -> Document {
        Document {
            files: self.names.clone(),
            root,
        }
    }

    /// Where the reference `text`, written at `place`, leads; nothing is reported.
    pub(super) fn target(&mut self, text: &str, file: u32) -> Option<Place> {
        let target = paths::parse(text, self.name(file)).ok()?;
        let file = match target.path {
            None => file,
            Some(path) => self.file(&path).ok()?,
        };
        Some(Place {
            file,
            pointer: target.pointer,
        })
    }

    /// Where the reference `text`, written at `place`, leads; reports why it leads nowhere.
    pub(super) fn resolve(&mut self, text: &str, place: &Place, origin: Origin) -> Option<Place> {
        let target = match paths::parse(text, self.name(place.file)) {
            Ok(target) => target,
            Err((message, help)) => {
                self.fault(place, origin, message, help);
                return None;
            }
        };
        let file = match target.path {
            None => place.file,
            Some(path) => match self.file(&path) {
                Ok(file) => file,
                Err(Unusable::Unreadable(reason)) => {
                    let message =
                        format!("the reference {text:?} leads to a file that can't be had: {reason}");
                    self.fault(place, origin, message, "");
                    return None;
                }
                Err(Unusable::Reported) => return None,
            },
        };
        let target = Place {
            file,
            pointer: target.pointer,
        };
        // What is missing in the root is reported by `check`, on the bundled document.
        if file != 0 && !self.has(&target) {
            self.fault(place, origin, format!("the reference {text:?} leads nowhere"), "");
            return None;
        }
        Some(target)
    }

    /// The place that a chain of bare references from `place` ends at; `None` where it never ends.
    pub(super) fn follow(&mut self, place: Place) -> Option<Place> {
        let mut passed = vec![place];
        loop {
            let last = passed.last()?;
            let root = self.root(last.file);
            let next = match root.pointer(&last.pointer).and_then(bare_reference) {
                Some(text) => self.target(text, last.file).filter(|next| self.has(next)),
                None => None,
            };
            match next {
                None => return passed.pop(),
                Some(next) if passed.contains(&next) || passed.len() >= MAX_CHAIN => return None,
                Some(next) => passed.push(next),
            }
        }
    }

    pub(super) fn fault(&mut self, place: &Place, origin: Origin, message: impl Into<String>, help: &str) {
        self.diagnostics.push(Diagnostic {
            file: self.name(place.file).to_owned(),
            line: origin.line,
            column: origin.column,
            pointer: place.pointer.clone(),
            message: message.into(),
            help: help.to_owned(),
        });
    }
}

/// The target of a reference that has nothing beside it but words.
pub(super) fn bare_reference(node: &Node) -> Option<&str> {
    let members = node.as_object()?;
    let is_bare = members
        .keys()
        .all(|key| matches!(key.as_str(), "$ref" | "description" | "summary"));
    if is_bare { node.ref_target() } else { None }
}
