//! The JSON tree that types are decoded from: borrowed from the input, duplicates refused, cheap to walk.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::invalid::Invalid;

/// A JSON value (RFC 8259) that borrows its texts from the input where they hold no escapes.
///
/// [`serde_json::Value`] is not used here because it owns every text and loses duplicate keys; a validated
/// decode through this tree takes two thirds of the time.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'input> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    String(Cow<'input, str>),
    /// A list.
    Array(Vec<Json<'input>>),
    /// An object: its members in the order in which they were written, no name twice.
    Object(Vec<(Cow<'input, str>, Json<'input>)>),
}

/// A JSON number as its text says: an integer where it has neither fraction nor exponent and fits 64 bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A non-negative integer.
    Unsigned(u64),
    /// A negative integer.
    Signed(i64),
    /// Any other number.
    Float(f64),
}

impl Number {
    /// The number as an integer, where it is one: `1.0` is, as JSON Schema says.
    pub fn as_integer(self) -> Option<i128> {
        match self {
            Number::Unsigned(value) => Some(value.into()),
            Number::Signed(value) => Some(value.into()),
            // Above 2^53 a float no longer tells one integer from the next; within i128 the cast is exact.
            Number::Float(value) if value.fract() == 0.0 && value.abs() < 1e37 => Some(value as i128),
            Number::Float(_) => None,
        }
    }

    /// The number as a float, rounded to the nearest where it has more digits.
    pub fn as_f64(self) -> f64 {
        match self {
            Number::Unsigned(value) => value as f64,
            Number::Signed(value) => value as f64,
            Number::Float(value) => value,
        }
    }
}

impl<'input> Json<'input> {
    /// Reads one JSON text.
    ///
    /// # Errors
    /// [`Invalid`] with the rule `json` for anything that is no JSON text (bad UTF-8, nesting of over 127
    /// levels, a name that an object has twice); the message tells line and column.
    pub fn parse(bytes: &'input [u8]) -> Result<Self, Invalid> {
        serde_json::from_slice(bytes).map_err(|error| {
            let mut message = error.to_string();
            if error.is_eof() && bytes.iter().all(u8::is_ascii_whitespace) {
                message = "the text is empty".to_owned();
            }
            Invalid::new("json", format!("is not a JSON text: {message}"))
        })
    }

    /// The kind of the value as JSON Schema names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "boolean",
            Json::Number(number) if number.as_integer().is_some() => "integer",
            Json::Number(_) => "number",
            Json::String(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
        }
    }

    /// The member called `name`, where the value is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Json<'input>> {
        match self {
            Json::Object(members) => members
                .iter()
                .find_map(|(key, value)| (key == name).then_some(value)),
            _ => None,
        }
    }

    /// The text, where the value is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The integer of 64 bits, where the value is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Json::Number(number) => number.as_integer().and_then(|value| i64::try_from(value).ok()),
            _ => None,
        }
    }

    /// The same value as an owned tree.
    pub fn to_value(&self) -> serde_json::Value {
        match self {
            Json::Null => serde_json::Value::Null,
            Json::Bool(value) => (*value).into(),
            Json::Number(Number::Unsigned(value)) => (*value).into(),
            Json::Number(Number::Signed(value)) => (*value).into(),
            Json::Number(Number::Float(value)) => (*value).into(),
            Json::String(text) => text.as_ref().into(),
            Json::Array(items) => items.iter().map(Json::to_value).collect(),
            Json::Object(members) => members
                .iter()
                .map(|(key, value)| (key.to_string(), value.to_value()))
                .collect(),
        }
    }

    /// Equality as JSON Schema has it: numbers by value, objects without regard to order.
    pub fn equals(&self, other: &Json<'_>) -> bool {
        match (self, other) {
            (Json::Null, Json::Null) => true,
            (Json::Bool(left), Json::Bool(right)) => left == right,
            (Json::Number(left), Json::Number(right)) => match (left.as_integer(), right.as_integer()) {
                (Some(left), Some(right)) => left == right,
                (None, None) => left.as_f64() == right.as_f64(),
                _ => false,
            },
            (Json::String(left), Json::String(right)) => left == right,
            (Json::Array(left), Json::Array(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.equals(right))
            }
            (Json::Object(left), Json::Object(right)) => {
                left.len() == right.len()
                    && left
                        .iter()
                        .all(|(key, value)| other.get(key).is_some_and(|other| value.equals(other)))
            }
            _ => false,
        }
    }
}

impl<'input> From<&'input str> for Json<'input> {
    fn from(text: &'input str) -> Self {
        Json::String(Cow::Borrowed(text))
    }
}

impl From<i64> for Json<'_> {
    fn from(value: i64) -> Self {
        Json::Number(u64::try_from(value).map_or(Number::Signed(value), Number::Unsigned))
    }
}

struct JsonVisitor;

impl<'input> Visitor<'input> for JsonVisitor {
    type Value = Json<'input>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_some<D: Deserializer<'input>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Json::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Json::Number(Number::Unsigned(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Json::Number(
            u64::try_from(value).map_or(Number::Signed(value), Number::Unsigned),
        ))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Json::Number(Number::Float(value)))
    }

    fn visit_borrowed_str<E>(self, value: &'input str) -> Result<Self::Value, E> {
        Ok(Json::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Json::String(Cow::Owned(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(Json::String(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'input>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'input>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members: Vec<(Cow<'input, str>, Json<'input>)> = Vec::new();
        while let Some(Name(name)) = access.next_key()? {
            members.push((name, access.next_value()?));
        }
        match duplicate(&members) {
            Some(name) => Err(de::Error::custom(format_args!(
                "the name {name:?} occurs twice in one object"
            ))),
            None => Ok(Json::Object(members)),
        }
    }
}

/// A name that occurs twice. Small objects are compared pair by pair, which is quicker than hashing.
fn duplicate<'members>(members: &'members [(Cow<'_, str>, Json<'_>)]) -> Option<&'members str> {
    if members.len() <= 24 {
        return members.iter().enumerate().find_map(|(index, (name, _))| {
            members[..index]
                .iter()
                .any(|(earlier, _)| earlier == name)
                .then_some(name.as_ref())
        });
    }
    let mut seen = HashSet::with_capacity(members.len());
    members
        .iter()
        .find_map(|(name, _)| (!seen.insert(name.as_ref())).then_some(name.as_ref()))
}

impl<'de: 'input, 'input> Deserialize<'de> for Json<'input> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

/// The name of a member; borrowed where it can be, which `Cow`'s own `Deserialize` never does.
struct Name<'input>(Cow<'input, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a member's name")
            }

            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(value)))
            }

            fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(value.to_owned())))
            }
        }

        deserializer.deserialize_str(NameVisitor)
    }
}
