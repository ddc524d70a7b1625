//! What the readers of YAML and of JSON share: limits, the gathering of faults, what must stay text.

use crate::{Diagnostic, Node, Origin, Pointer};

/// How many mappings and sequences may stand inside each other in one file.
///
/// The YAML parser has a limit of its own at 255 levels of brackets; this one comes before it.
pub(super) const MAX_DEPTH: usize = 250;

/// How many faults of one text are listed.
const MAX_FAULTS: usize = 100;

/// The faults of one text.
pub(super) struct Faults {
    name: String,
    diagnostics: Vec<Diagnostic>,
}

impl Faults {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            diagnostics: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, origin: Origin, pointer: Pointer, message: impl Into<String>, help: &str) {
        if self.diagnostics.len() < MAX_FAULTS {
            self.diagnostics.push(Diagnostic {
                file: self.name.clone(),
                line: origin.line,
                column: origin.column,
                pointer,
                message: message.into(),
                help: help.to_owned(),
            });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// The tree of a text without faults.
    pub(super) fn into_result(self, root: Option<Node>) -> Result<Node, Vec<Diagnostic>> {
        match root {
            Some(root) if self.diagnostics.is_empty() => Ok(root),
            _ => Err(self.diagnostics),
        }
    }
}

/// Whether a scalar at `pointer` stays text even where it looks like a number.
///
/// These are the versions: `1.10` and `1.1` are two of them, but one number.
pub(super) fn keeps_text(pointer: &Pointer) -> bool {
    matches!(
        pointer.as_str(),
        "/openapi" | "/swagger" | "/overlay" | "/info/version"
    )
}
