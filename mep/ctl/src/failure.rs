//! Why a command has not worked, as one sentence.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use mecforge_runtime::client::{Answer, Error};

/// Why a command has not worked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments or a file are wrong.
    Usage(String),
    /// The platform has refused, or there is nothing like that.
    Refused { status: u16, sentence: String },
    /// The platform could not be reached, or its answer not be understood.
    Failed(String),
    /// The result could not be written.
    Output(io::Error),
}

impl Failure {
    /// What an answer that is no success says.
    pub(crate) fn refused(answer: &Answer) -> Self {
        let status = answer.status();
        let mut place = vec![status.to_string()];
        let mut detail = None;
        if let Some(problem) = answer.problem() {
            for (member, word) in [("pointer", "field"), ("parameter", "parameter"), ("rule", "rule")] {
                let text = problem.extension(member).filter(|text| !text.is_empty());
                place.extend(text.map(|text| format!("{word} {text}")));
            }
            detail = problem.detail.or(problem.title);
        }
        let detail = detail.unwrap_or_else(|| "the platform does not say why".to_owned());
        Self::Refused {
            status: status.as_u16(),
            sentence: format!("{detail} ({})", place.join(", ")),
        }
    }

    /// Whether the platform says that there is no such thing, or no such API.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }
}

/// An error with its causes.
pub(crate) fn causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) | Self::Refused { sentence: text, .. } => {
                formatter.write_str(&text.replace(char::is_control, " "))
            }
            Self::Output(error) => write!(formatter, "the result can't be written: {error}"),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl<R: 'static> From<Error<R>> for Failure {
    fn from(error: Error<R>) -> Self {
        match &error {
            Error::Response { answer, .. } => Self::refused(answer),
            Error::Unexpected { answer, .. } if !answer.status().is_success() => Self::refused(answer),
            Error::InvalidRequest { .. } => Self::Usage(error.to_string()),
            _ => Self::Failed(causes(&error)),
        }
    }
}
