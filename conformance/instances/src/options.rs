//! What a caller may ask of the generators, and what this crate can't do.

use serde_json::Value;

/// Which way the instances travel; it decides about `readOnly` properties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// From a client to a server: optional `readOnly` properties are never generated.
    #[default]
    Request,
    /// From a server to a client: `readOnly` means nothing.
    Response,
}

/// A rule for the values that are generated at one place; the judge knows nothing of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Binding {
    /// Every generated instance has this value here, whenever the object around it is there and some valid instance has it.
    Fixed(Value),
    /// The property is never generated.
    Absent,
    /// Numbers are at least this.
    AtLeast(i64),
    /// Numbers are at most this.
    AtMost(i64),
    /// Strings have at most this many code points.
    MaxLength(usize),
    /// Arrays have at most this many items.
    MaxItems(usize),
    /// Strings match this regular expression.
    Pattern(String),
    /// The value is one of these.
    OneOf(Vec<Value>),
}

/// How instances are judged and generated.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Whether `format` is asserted, by the judge too.
    pub formats: bool,
    /// Which way the instances travel.
    pub direction: Direction,
    /// Rules beyond the schema: a JSON pointer into the instance, in which `*` stands for any one segment, and what holds there.
    pub bindings: Vec<(String, Binding)>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            formats: true,
            direction: Direction::Request,
            bindings: Vec::new(),
        }
    }
}

/// A schema that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the schema at {pointer:?} can't be used: {keyword}{}{reason}", if keyword.is_empty() { "" } else { ": " })]
pub struct Unsupported {
    /// JSON pointer of the schema in the document.
    pub pointer: String,
    /// The keyword that stands in the way; empty when it is the schema as a whole.
    pub keyword: String,
    /// Why.
    pub reason: String,
}

impl Unsupported {
    pub(crate) fn new(pointer: &str, keyword: &str, reason: &str) -> Unsupported {
        Unsupported {
            pointer: pointer.to_owned(),
            keyword: keyword.to_owned(),
            reason: reason.to_owned(),
        }
    }
}
