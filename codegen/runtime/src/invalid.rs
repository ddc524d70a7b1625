//! Why a value was refused: the place as a JSON pointer, the rule, and a sentence.

use std::fmt;

/// A value that breaks a rule: where it is, which rule, and how to say so.
///
/// The rule is JSON Schema's keyword (`required`, `maxLength`, `enum`, …), or `json` for a text that is no JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Invalid(Box<Details>);

#[derive(Clone, PartialEq, Eq)]
struct Details {
    /// Tokens of the pointer, innermost first: an error grows outwards as it is passed up.
    tokens: Vec<String>,
    rule: &'static str,
    message: String,
}

impl Invalid {
    /// A broken rule at the place that is being looked at; the message completes "the value …".
    pub fn new(rule: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            tokens: Vec::new(),
            rule,
            message: message.into(),
        }))
    }

    /// The same error seen from one level further out: the place is in the member called `name`.
    #[must_use]
    pub fn within(mut self, name: &str) -> Self {
        self.0.tokens.push(name.replace('~', "~0").replace('/', "~1"));
        self
    }

    /// The same error seen from one level further out: the place is in element `index`.
    #[must_use]
    pub fn at_index(mut self, index: usize) -> Self {
        self.0.tokens.push(index.to_string());
        self
    }

    /// The place as a JSON pointer (RFC 6901); empty for the whole value.
    pub fn pointer(&self) -> String {
        self.0
            .tokens
            .iter()
            .rev()
            .fold(String::new(), |mut pointer, token| {
                pointer.push('/');
                pointer.push_str(token);
                pointer
            })
    }

    /// How many levels below the whole value the place is.
    pub fn depth(&self) -> usize {
        self.0.tokens.len()
    }

    /// The rule that is broken: JSON Schema's keyword, or `json`.
    pub fn rule(&self) -> &'static str {
        self.0.rule
    }

    /// What is wrong, without the place: completes "the value …", for example `must have at most 128 characters`.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.tokens.is_empty() {
            true => write!(formatter, "the value {} ({})", self.0.message, self.0.rule),
            false => write!(
                formatter,
                "{} {} ({})",
                self.pointer(),
                self.0.message,
                self.0.rule
            ),
        }
    }
}

impl fmt::Debug for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Invalid({self})")
    }
}

impl std::error::Error for Invalid {}
