//! Shapes: what a value may be at one place, with the constraints that hold there.

use super::types::TypeId;

/// What a value at one place may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Any JSON value: `serde_json::Value`.
    Any,
    /// `true` or `false`: `bool`.
    Boolean,
    /// An integer: `u64` where it can't be negative, else `i64`.
    Integer(IntegerRules),
    /// A number: `f64`.
    Number(NumberRules),
    /// Text: `String`.
    String(StringRules),
    /// A list: `Vec`.
    Array {
        /// What an element may be.
        items: Box<Shape>,
        /// How many elements, and whether they differ.
        rules: ArrayRules,
    },
    /// An object whose keys are data: a map from text.
    Map {
        /// What a value may be; [`Shape::Any`] for an open object.
        values: Box<Shape>,
        /// How many members.
        rules: MapRules,
    },
    /// A type of the API.
    Named(TypeId),
    /// The shape or `null`: `Option`.
    Nullable(Box<Shape>),
}

impl Shape {
    /// Text without rules.
    pub fn string() -> Self {
        Shape::String(StringRules::default())
    }

    /// An open object.
    pub fn open_object() -> Self {
        Shape::Map {
            values: Box::new(Shape::Any),
            rules: MapRules::default(),
        }
    }
}

/// Rules for an integer; both bounds are inclusive.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IntegerRules {
    /// Smallest value.
    pub minimum: Option<i128>,
    /// Largest value.
    pub maximum: Option<i128>,
    /// The value is a multiple of this.
    pub multiple_of: Option<u64>,
}

impl IntegerRules {
    /// Whether `u64` holds the values: they are never negative.
    pub fn is_unsigned(&self) -> bool {
        self.minimum.is_some_and(|minimum| minimum >= 0)
    }
}

/// Rules for a number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NumberRules {
    /// Smallest value, inclusive.
    pub minimum: Option<f64>,
    /// Largest value, inclusive.
    pub maximum: Option<f64>,
    /// Lower bound, exclusive.
    pub exclusive_minimum: Option<f64>,
    /// Upper bound, exclusive.
    pub exclusive_maximum: Option<f64>,
    /// The value is a multiple of this.
    pub multiple_of: Option<f64>,
}

/// Rules for text; lengths count Unicode code points, as JSON Schema does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StringRules {
    /// Fewest code points.
    pub min_length: Option<u64>,
    /// Most code points.
    pub max_length: Option<u64>,
    /// ECMA 262 pattern that matches somewhere in the text.
    pub pattern: Option<String>,
    /// The format, where it is one that is checked.
    pub format: Option<Format>,
}

/// The formats that are checked; others are annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 3339 `date-time`.
    DateTime,
    /// RFC 3339 `full-date`.
    Date,
    /// RFC 3339 `full-time`.
    Time,
    /// ISO 8601 duration as in RFC 3339 appendix A.
    Duration,
    /// RFC 3986 URI with a scheme.
    Uri,
    /// RFC 3986 URI or relative reference.
    UriReference,
    /// RFC 4122 UUID.
    Uuid,
    /// Dotted-quad IPv4 address (RFC 2673 section 3.2).
    Ipv4,
    /// IPv6 address (RFC 4291 section 2.2).
    Ipv6,
    /// Host name (RFC 1123 section 2.1).
    Hostname,
    /// Mailbox (RFC 5321 section 4.1.2).
    Email,
    /// JSON pointer (RFC 6901).
    JsonPointer,
    /// ECMA 262 regular expression.
    Regex,
}

/// Rules for a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArrayRules {
    /// Fewest elements.
    pub min_items: Option<u64>,
    /// Most elements.
    pub max_items: Option<u64>,
    /// Whether no two elements are equal.
    pub unique: bool,
}

/// Rules for an object whose keys are data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapRules {
    /// Fewest members.
    pub min_properties: Option<u64>,
    /// Most members.
    pub max_properties: Option<u64>,
}
