//! Why a document can't be read.

use mecforge_document::Diagnostic;

/// Why a document can't be tested.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The document has faults; each says file, line, rule and what to do.
    #[error("{}", first(.0))]
    Faults(Vec<Diagnostic>),
    /// The document has more operations than are tested.
    #[error("{document}: it has more than {most} operations; test a part of it at a time")]
    TooMany {
        /// The document's name.
        document: String,
        /// How many there may be.
        most: usize,
    },
    /// The document has no `paths`.
    #[error("{document}: it has no paths, so there is nothing to test")]
    NoPaths {
        /// The document's name.
        document: String,
    },
    /// A part of the document is not what OpenAPI says.
    #[error("{document}: {pointer}: {message}")]
    Malformed {
        /// The document's name.
        document: String,
        /// Where.
        pointer: String,
        /// What is wrong.
        message: String,
    },
}

/// How many faults are shown.
const SHOWN: usize = 10;

/// The first faults, a line each, and how many more there are.
fn first(faults: &[Diagnostic]) -> String {
    let mut lines: Vec<String> = faults.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = faults.len().saturating_sub(SHOWN);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}
