//! What the stages say: [`Diagnostic`]s, which stop the work, and [`Finding`]s, which record a repair.

use std::fmt;

use crate::{Document, Node, Origin, Pointer};

/// A fault that stops the work: where it is, which rule it breaks and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The file as the caller named it.
    pub file: String,
    /// Line, counted from 1; 0 where there is none.
    pub line: u32,
    /// Column, counted from 1; 0 where there is none.
    pub column: u32,
    /// The place in the document; the root where the text could not be read at all.
    pub pointer: Pointer,
    /// The rule that is broken, in one clause without a final full stop.
    pub message: String,
    /// What the reader can do, in one clause without a final full stop; may be empty.
    pub help: String,
}

impl Diagnostic {
    /// A fault at a node of `document`.
    pub fn at(document: &Document, node: &Node, pointer: &Pointer, message: impl Into<String>) -> Self {
        Self::at_origin(document, node.origin, pointer, message)
    }

    /// A fault at a place of `document`.
    pub fn at_origin(
        document: &Document,
        origin: Origin,
        pointer: &Pointer,
        message: impl Into<String>,
    ) -> Self {
        Self {
            file: document.file_of(origin).to_owned(),
            line: origin.line,
            column: origin.column,
            pointer: pointer.clone(),
            message: message.into(),
            help: String::new(),
        }
    }

    /// The same fault with a word on what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.file)?;
        if self.line > 0 {
            write!(formatter, ":{}:{}", self.line, self.column)?;
        }
        write!(formatter, ": #{}: {}", self.pointer, self.message)?;
        if !self.help.is_empty() {
            write!(formatter, "; {}", self.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

/// A defect that a stage found in a document, and what it did about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file as the caller named it; empty where the place is not from a file.
    pub file: String,
    /// Line, counted from 1; 0 where there is none.
    pub line: u32,
    /// The place in the document, as ETSI wrote it.
    pub pointer: Pointer,
    /// The defect class in kebab case, for example `wrapped-body`.
    pub class: String,
    /// What is wrong, in one clause without a final full stop.
    pub defect: String,
    /// What was done, in one clause without a final full stop.
    pub repair: String,
    /// True where the repair accepts more than the standard may mean, because the document does not say it.
    pub widened: bool,
}

impl Finding {
    /// A defect at a place of `document`.
    pub fn new(
        document: &Document,
        origin: Origin,
        pointer: &Pointer,
        class: &str,
        defect: impl Into<String>,
        repair: impl Into<String>,
    ) -> Self {
        Self {
            file: document.file_of(origin).to_owned(),
            line: origin.line,
            pointer: pointer.clone(),
            class: class.to_owned(),
            defect: defect.into(),
            repair: repair.into(),
            widened: false,
        }
    }

    /// The same finding, marked as one that widens what is accepted.
    #[must_use]
    pub fn widened(mut self) -> Self {
        self.widened = true;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}: #{}: {}: {}; {}",
            self.file, self.line, self.pointer, self.class, self.defect, self.repair
        )
    }
}
