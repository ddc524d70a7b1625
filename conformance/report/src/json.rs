//! The JSON form: writing, reading, and its published schema.

use std::path::{Path, PathBuf};

use crate::model::{FORMAT, Report};

/// The JSON Schema (2020-12) of the JSON form. A reader of it should accept members that it does not know: a later
/// release of the same major version of the format may add some.
pub const SCHEMA: &str = include_str!("../schema/report.schema.json");

/// Why a text is not a report.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not JSON, or not the JSON of a report.
    #[error(
        "line {line}, column {column}: {reason}; give a report.json that `mec-conformance run --report-dir` wrote"
    )]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1; 0 where the line ended too early.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// It is a report in a form that this release can't read.
    #[error(
        "line 1: the report has format {found:?}, and this release reads {FORMAT}; read it with the release that wrote it, or run the suite again"
    )]
    Format {
        /// The format that it claims.
        found: String,
    },
}

/// Why a file is not a report.
#[derive(Debug, thiserror::Error)]
pub enum ReadFileError {
    /// The file can't be read, or is not UTF-8.
    #[error("{path}: cannot be read as text; give the path of a report.json that the suite wrote", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("{path}: {error}", path = path.display())]
    NoReport {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        error: ReadError,
    },
}

/// Writes a report as indented JSON with a final line feed.
#[must_use]
pub fn json(report: &Report) -> String {
    // Serialising fails only for maps with keys that are no strings, which a report can't have, and an infinite
    // number becomes null; the schema's test would show either.
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads a report from its JSON form.
///
/// # Errors
/// The text is not JSON, lacks a member or has one of another type, or has a format whose first number is not that of
/// [`FORMAT`].
pub fn read(text: &str) -> std::result::Result<Report, ReadError> {
    // A report of another format would fail at some member of it: say first that it is another format.
    if let Ok(Claim { format: Some(found) }) = serde_json::from_str::<Claim>(text)
        && major(&found) != major(FORMAT)
    {
        return Err(ReadError::Format { found });
    }
    serde_json::from_str(text).map_err(|error| {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let reason = error.to_string();
        let reason = reason.strip_suffix(place.as_str()).unwrap_or(&reason).to_owned();
        ReadError::Malformed {
            line: error.line(),
            column: error.column(),
            reason,
        }
    })
}

/// Reads a report from a file.
///
/// # Errors
/// The file can't be read, or [`read`] refuses what it holds; the message names the file.
pub fn read_file(path: &Path) -> std::result::Result<Report, ReadFileError> {
    let text = std::fs::read_to_string(path).map_err(|source| ReadFileError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    read(&text).map_err(|error| ReadFileError::NoReport {
        path: path.to_owned(),
        error,
    })
}

/// The one member that is read before all others.
#[derive(serde::Deserialize)]
struct Claim {
    format: Option<String>,
}

fn major(format: &str) -> &str {
    format.split('.').next().unwrap_or_default()
}
