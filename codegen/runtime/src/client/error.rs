//! Why a call has not succeeded.

use std::error::Error as StdError;
use std::fmt;

use http::{HeaderMap, StatusCode};

use super::Answer;
use crate::{Invalid, ProblemDetails};

/// A boxed error of the caller's own, for example of a token provider.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a call has not succeeded. `R` has a variant for each response that the operation declares.
#[non_exhaustive]
pub enum Error<R> {
    /// The server gave another of the responses that the operation declares.
    Response {
        /// The response as a typed value.
        response: Box<R>,
        /// The response as it came, with all its headers.
        answer: Box<Answer>,
    },
    /// The server gave a response that the operation does not declare, or not as it declares it.
    Unexpected {
        /// The response as it came.
        answer: Box<Answer>,
        /// What is unexpected about it.
        reason: Unexpected,
    },
    /// The request breaks a rule of the API and was not sent.
    InvalidRequest {
        /// The parameter that is at fault; `None` for the body.
        parameter: Option<&'static str>,
        /// The rule, and the place in the body.
        invalid: Invalid,
    },
    /// The request could not be sent, or the response not be received.
    Transport(reqwest::Error),
    /// There was no response in time.
    Timeout(reqwest::Error),
    /// The token provider has failed.
    Token(BoxError),
}

/// What is unexpected about a response.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unexpected {
    /// The operation declares no response of this status.
    Status,
    /// The body is not of the declared media type.
    MediaType,
    /// The body breaks a rule of its schema.
    Body(Invalid),
    /// A header that is declared is absent or breaks a rule.
    Header(&'static str, Invalid),
    /// The body is longer than the limit that is set for the client, in bytes.
    TooLong(usize),
}

impl fmt::Display for Unexpected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status => formatter.write_str("the operation does not declare this status"),
            Self::MediaType => formatter.write_str("the body is not of the declared media type"),
            Self::Body(invalid) => write!(formatter, "in the body, {invalid}"),
            Self::Header(name, invalid) => write!(formatter, "header {name}: {invalid}"),
            Self::TooLong(limit) => write!(formatter, "the body is longer than {limit} bytes"),
        }
    }
}

impl<R> Error<R> {
    /// The declared response that the server gave instead of a successful one.
    pub fn response(&self) -> Option<&R> {
        match self {
            Self::Response { response, .. } => Some(response),
            _ => None,
        }
    }

    /// The response as it came, where there was one.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Response { answer, .. } | Self::Unexpected { answer, .. } => Some(answer),
            _ => None,
        }
    }

    /// The status of the response, where there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.answer().map(Answer::status)
    }

    /// The headers of the response, where there was one.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.answer().map(Answer::headers)
    }

    /// The problem details that the server sent, where it sent some.
    pub fn problem(&self) -> Option<ProblemDetails> {
        self.answer().and_then(Answer::problem)
    }

    /// Whether the same call may succeed later: no response in time, or one that asks to wait.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Transport(_) | Self::Timeout(_) => true,
            _ => self
                .status()
                .is_some_and(|status| matches!(status.as_u16(), 429 | 502..=504)),
        }
    }
}

impl<R> fmt::Display for Error<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response { answer, .. } => match answer.problem().and_then(|problem| problem.detail) {
                Some(detail) => write!(formatter, "the server answered {}: {detail}", answer.status()),
                None => write!(formatter, "the server answered {}", answer.status()),
            },
            Self::Unexpected { answer, reason } => {
                write!(formatter, "unexpected answer {}: {reason}", answer.status())
            }
            Self::InvalidRequest {
                parameter: None,
                invalid,
            } => {
                write!(formatter, "the body was not sent, because {invalid}")
            }
            Self::InvalidRequest {
                parameter: Some(name),
                invalid,
            } => {
                write!(
                    formatter,
                    "the request was not sent, because of parameter {name}: {invalid}"
                )
            }
            Self::Transport(_) => formatter.write_str("no response could be had from the server"),
            Self::Timeout(_) => formatter.write_str("the server gave no response in time"),
            Self::Token(_) => formatter.write_str("no access token could be had"),
        }
    }
}

impl<R> fmt::Debug for Error<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response { answer, .. } => formatter.debug_tuple("Response").field(answer).finish(),
            Self::Unexpected { answer, reason } => formatter
                .debug_struct("Unexpected")
                .field("reason", reason)
                .field("answer", answer)
                .finish(),
            Self::InvalidRequest { parameter, invalid } => formatter
                .debug_struct("InvalidRequest")
                .field("parameter", parameter)
                .field("invalid", invalid)
                .finish(),
            Self::Transport(error) => formatter.debug_tuple("Transport").field(error).finish(),
            Self::Timeout(error) => formatter.debug_tuple("Timeout").field(error).finish(),
            Self::Token(error) => formatter.debug_tuple("Token").field(error).finish(),
        }
    }
}

impl<R> StdError for Error<R> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Transport(error) | Self::Timeout(error) => Some(error),
            Self::Token(error) => Some(error.as_ref()),
            _ => None,
        }
    }
}

impl<R> From<Failure> for Error<R> {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::InvalidRequest { parameter, invalid } => Self::InvalidRequest { parameter, invalid },
            Failure::Transport(error) if error.is_timeout() => Self::Timeout(error),
            Failure::Transport(error) => Self::Transport(error),
            Failure::Token(error) => Self::Token(error),
            Failure::TooLong(answer, limit) => Self::Unexpected {
                answer,
                reason: Unexpected::TooLong(limit),
            },
        }
    }
}

/// What [`Error`] says, without the operation's responses: most of the client is the same code for all operations.
#[derive(Debug)]
pub(crate) enum Failure {
    InvalidRequest {
        parameter: Option<&'static str>,
        invalid: Invalid,
    },
    Transport(reqwest::Error),
    Token(BoxError),
    TooLong(Box<Answer>, usize),
}
