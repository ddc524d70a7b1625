//! Why a document can't be read.

use mecforge_document::Diagnostic;

/// Why a document can't be tested.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The document has faults; each says file, line, rule and what to do.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Faults(Vec<Diagnostic>),
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
