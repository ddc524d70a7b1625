//! Decoding with rules: from a JSON tree to typed values, or to the place and the rule that is broken.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::invalid::Invalid;
use crate::json::Json;
use crate::rules::{ArrayRules, IntegerRules, MapRules, NumberRules, Rule, StringRules};

/// A type that decodes itself from a JSON tree and accepts no value that breaks its rules.
pub trait Decode: Sized {
    /// Decodes a value.
    ///
    /// # Errors
    /// [`Invalid`] with the pointer, the rule and a sentence for the first rule that is broken.
    fn decode(json: &Json<'_>) -> Result<Self, Invalid>;
}

/// Decodes a JSON text.
///
/// # Errors
/// [`Invalid`] where the bytes are no JSON text or the value breaks a rule of `T`.
pub fn from_slice<T: Decode>(bytes: &[u8]) -> Result<T, Invalid> {
    T::decode(&Json::parse(bytes)?)
}

/// Checks a value that a program has built against the rules of its type.
///
/// # Errors
/// [`Invalid`] for the first rule that is broken; the rule `json` where the value can't be written as JSON.
pub fn check<T: Decode + Serialize>(value: &T) -> Result<(), Invalid> {
    let bytes = serde_json::to_vec(value)
        .map_err(|error| Invalid::new("json", format!("can't be written: {error}")))?;
    from_slice::<T>(&bytes).map(drop)
}

fn wrong_type(json: &Json<'_>, expected: &str) -> Invalid {
    Invalid::new("type", format!("must be {expected}, not {}", json.kind()))
}

/// Text without rules.
///
/// # Errors
/// [`Invalid`] with the rule `type`.
pub fn string(json: &Json<'_>) -> Result<String, Invalid> {
    json.as_str()
        .map(str::to_owned)
        .ok_or_else(|| wrong_type(json, "a string"))
}

/// Text with rules.
///
/// # Errors
/// [`Invalid`] with the rule `type` or one of [`StringRules::check`].
pub fn string_with(json: &Json<'_>, rules: &StringRules) -> Result<String, Invalid> {
    let text = json.as_str().ok_or_else(|| wrong_type(json, "a string"))?;
    rules.check(text)?;
    Ok(text.to_owned())
}

/// `true` or `false`.
///
/// # Errors
/// [`Invalid`] with the rule `type`.
pub fn boolean(json: &Json<'_>) -> Result<bool, Invalid> {
    match json {
        Json::Bool(value) => Ok(*value),
        _ => Err(wrong_type(json, "a boolean")),
    }
}

fn integer(json: &Json<'_>, rules: &IntegerRules) -> Result<i128, Invalid> {
    let Json::Number(number) = json else {
        return Err(wrong_type(json, "an integer"));
    };
    let value = number
        .as_integer()
        .ok_or_else(|| wrong_type(json, "an integer"))?;
    rules.check(value)?;
    Ok(value)
}

/// An integer that is never negative.
///
/// # Errors
/// [`Invalid`] with the rule `type` or one of [`IntegerRules::check`].
pub fn unsigned(json: &Json<'_>, rules: &IntegerRules) -> Result<u64, Invalid> {
    let value = integer(json, rules)?;
    u64::try_from(value)
        .map_err(|_| Invalid::new("maximum", "must be an integer of 64 bits that is not negative"))
}

/// An integer.
///
/// # Errors
/// [`Invalid`] with the rule `type` or one of [`IntegerRules::check`].
pub fn signed(json: &Json<'_>, rules: &IntegerRules) -> Result<i64, Invalid> {
    let value = integer(json, rules)?;
    i64::try_from(value).map_err(|_| Invalid::new("maximum", "must be an integer of 64 bits"))
}

/// A number.
///
/// # Errors
/// [`Invalid`] with the rule `type` or one of [`NumberRules::check`].
pub fn number(json: &Json<'_>, rules: &NumberRules) -> Result<f64, Invalid> {
    let Json::Number(number) = json else {
        return Err(wrong_type(json, "a number"));
    };
    let value = number.as_f64();
    rules.check(value)?;
    Ok(value)
}

/// A list.
///
/// # Errors
/// [`Invalid`] with the rule `type`, one of [`ArrayRules::check`], or that of an element.
pub fn array<T>(
    json: &Json<'_>,
    rules: &ArrayRules,
    item: impl Fn(&Json<'_>) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    let Json::Array(items) = json else {
        return Err(wrong_type(json, "an array"));
    };
    rules.check(items)?;
    let decode = |(index, json)| item(json).map_err(|error: Invalid| error.at_index(index));
    items.iter().enumerate().map(decode).collect()
}

/// An object whose names are data.
///
/// # Errors
/// [`Invalid`] with the rule `type`, one of [`MapRules::check`], or that of a member.
pub fn map<T>(
    json: &Json<'_>,
    rules: &MapRules,
    value: impl Fn(&Json<'_>) -> Result<T, Invalid>,
) -> Result<BTreeMap<String, T>, Invalid> {
    let Json::Object(members) = json else {
        return Err(wrong_type(json, "an object"));
    };
    rules.check(members.len())?;
    let decode = |(name, json): &(std::borrow::Cow<'_, str>, Json<'_>)| match value(json) {
        Ok(value) => Ok((name.to_string(), value)),
        Err(error) => Err(error.within(name)),
    };
    members.iter().map(decode).collect()
}

/// An object that the standard leaves open.
///
/// # Errors
/// [`Invalid`] with the rule `type` or one of [`MapRules::check`].
pub fn open_object(
    json: &Json<'_>,
    rules: &MapRules,
) -> Result<serde_json::Map<String, serde_json::Value>, Invalid> {
    let Json::Object(members) = json else {
        return Err(wrong_type(json, "an object"));
    };
    rules.check(members.len())?;
    Ok(members
        .iter()
        .map(|(name, json)| (name.to_string(), json.to_value()))
        .collect())
}

/// A value that the standard leaves open.
///
/// # Errors
/// None: every value is accepted.
pub fn any(json: &Json<'_>) -> Result<serde_json::Value, Invalid> {
    Ok(json.to_value())
}

/// A value or `null`.
///
/// # Errors
/// [`Invalid`] with the rule that the value breaks.
pub fn nullable<T>(
    json: &Json<'_>,
    value: impl Fn(&Json<'_>) -> Result<T, Invalid>,
) -> Result<Option<T>, Invalid> {
    match json {
        Json::Null => Ok(None),
        _ => value(json).map(Some),
    }
}

/// The refusal of a text that an enumeration does not have.
pub fn unknown_value(json: &Json<'_>, values: &[&str]) -> Invalid {
    let Some(text) = json.as_str() else {
        return wrong_type(json, "a string");
    };
    Invalid::new(
        "enum",
        format!("must be one of {}, not {text:?}", values.join(", ")),
    )
}

/// The refusal of an integer that an enumeration does not have.
pub fn unknown_integer(json: &Json<'_>, values: &[i64]) -> Invalid {
    let Json::Number(number) = json else {
        return wrong_type(json, "an integer");
    };
    let values = values.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    Invalid::new(
        "enum",
        format!("must be one of {values}, not {}", number.as_f64()),
    )
}

/// A JSON object that is being decoded into a struct.
pub struct ObjectReader<'json, 'input> {
    json: &'json Json<'input>,
    members: &'json [(std::borrow::Cow<'input, str>, Json<'input>)],
    /// Where the next property is looked for first: writers tend to keep the order of the declaration.
    next: Cell<usize>,
}

impl<'json, 'input> ObjectReader<'json, 'input> {
    /// Starts to read an object.
    ///
    /// # Errors
    /// [`Invalid`] with the rule `type` where the value is no object.
    pub fn new(json: &'json Json<'input>) -> Result<Self, Invalid> {
        match json {
            Json::Object(members) => Ok(Self {
                json,
                members,
                next: Cell::new(0),
            }),
            _ => Err(wrong_type(json, "an object")),
        }
    }

    fn find(&self, name: &str) -> Option<&'json Json<'input>> {
        let start = self.next.get();
        let (before, after) = self.members.split_at(start.min(self.members.len()));
        let mut after = after.iter().enumerate();
        if let Some((offset, (_, json))) = after.find(|(_, (key, _))| key == name) {
            self.next.set(start + offset + 1);
            return Some(json);
        }
        before
            .iter()
            .find_map(|(key, json)| (key == name).then_some(json))
    }

    /// A property that must be there.
    ///
    /// # Errors
    /// [`Invalid`] with the rule `required` at the object, or the rule that the property breaks.
    pub fn required<T>(
        &self,
        name: &str,
        decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<T, Invalid> {
        match self.find(name) {
            Some(json) => decode(json).map_err(|error| error.within(name)),
            None => Err(Invalid::new("required", format!("must have the property {name}"))),
        }
    }

    /// A property that may be absent. `null` is a value, not absence.
    ///
    /// # Errors
    /// [`Invalid`] with the rule that the property breaks.
    pub fn optional<T>(
        &self,
        name: &str,
        decode: impl FnOnce(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Invalid> {
        self.find(name)
            .map(|json| decode(json).map_err(|error| error.within(name)))
            .transpose()
    }

    /// Checks rules across the properties.
    ///
    /// # Errors
    /// [`Invalid`] for the first rule that does not hold.
    pub fn check(&self, rules: &[Rule]) -> Result<(), Invalid> {
        rules.iter().try_for_each(|rule| rule.check(self.json))
    }

    /// Checks how many members there are, undeclared ones included.
    ///
    /// # Errors
    /// [`Invalid`] with the rule `minProperties` or `maxProperties`.
    pub fn check_count(&self, rules: &MapRules) -> Result<(), Invalid> {
        rules.check(self.members.len())
    }

    /// Refuses properties that are not declared (`additionalProperties: false`).
    ///
    /// # Errors
    /// [`Invalid`] with the rule `additionalProperties` at the first of them.
    pub fn refuse_undeclared(&self, declared: &[&str]) -> Result<(), Invalid> {
        match self
            .members
            .iter()
            .find(|(name, _)| !declared.contains(&name.as_ref()))
        {
            Some((name, _)) => {
                Err(Invalid::new("additionalProperties", "is a property that is not declared").within(name))
            }
            None => Ok(()),
        }
    }

    /// The properties that are not declared (`additionalProperties` with a schema).
    ///
    /// # Errors
    /// [`Invalid`] with the rule that one of them breaks.
    pub fn additional<T>(
        &self,
        declared: &[&str],
        decode: impl Fn(&Json<'_>) -> Result<T, Invalid>,
    ) -> Result<BTreeMap<String, T>, Invalid> {
        let undeclared = self
            .members
            .iter()
            .filter(|(name, _)| !declared.contains(&name.as_ref()));
        undeclared
            .map(|(name, json)| match decode(json) {
                Ok(value) => Ok((name.to_string(), value)),
                Err(error) => Err(error.within(name)),
            })
            .collect()
    }
}

impl Decode for String {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        string(json)
    }
}

impl Decode for bool {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        boolean(json)
    }
}

impl Decode for u64 {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        unsigned(json, &IntegerRules::UNSIGNED)
    }
}

impl Decode for i64 {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        signed(json, &IntegerRules::SIGNED)
    }
}

impl Decode for f64 {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        number(json, &NumberRules::NONE)
    }
}

impl Decode for serde_json::Value {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        any(json)
    }
}

impl Decode for serde_json::Map<String, serde_json::Value> {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        open_object(json, &MapRules::NONE)
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        array(json, &ArrayRules::NONE, T::decode)
    }
}

impl<T: Decode> Decode for BTreeMap<String, T> {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        map(json, &MapRules::NONE, T::decode)
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        nullable(json, T::decode)
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(json: &Json<'_>) -> Result<Self, Invalid> {
        T::decode(json).map(Box::new)
    }
}

/// Gives types that implement [`Decode`] serde's `Deserialize`, so that every serde format reads them with
/// the same rules; the message of a refusal begins with the JSON pointer.
#[macro_export]
macro_rules! deserialize {
    ($($name:ty),+ $(,)?) => {$(
        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let json = <$crate::Json<'de> as $crate::serde::Deserialize>::deserialize(deserializer)?;
                <Self as $crate::Decode>::decode(&json).map_err($crate::serde::de::Error::custom)
            }
        }
    )+};
}

/// Gives enumerations of texts `Serialize`, `Display` and `FromStr`, from their `as_str` and [`Decode`].
#[macro_export]
macro_rules! text_enumeration {
    ($name:ty) => {
        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::Invalid;

            fn from_str(text: &str) -> Result<Self, $crate::Invalid> {
                <Self as $crate::Decode>::decode(&$crate::Json::from(text))
            }
        }

        $crate::deserialize!($name);
    };
}

/// Gives enumerations of integers `Serialize`, `Display` and `TryFrom<i64>`, from their `as_i64` and [`Decode`].
#[macro_export]
macro_rules! integer_enumeration {
    ($name:ty) => {
        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64(self.as_i64())
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.as_i64(), formatter)
            }
        }

        impl TryFrom<i64> for $name {
            type Error = $crate::Invalid;

            fn try_from(value: i64) -> Result<Self, $crate::Invalid> {
                <Self as $crate::Decode>::decode(&$crate::Json::from(value))
            }
        }

        $crate::deserialize!($name);
    };
}

/// Gives checked names for texts `Display` and `FromStr`.
#[macro_export]
macro_rules! text_newtype {
    ($name:ty) => {
        impl ::std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                formatter.write_str(self)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::Invalid;

            fn from_str(text: &str) -> Result<Self, $crate::Invalid> {
                <Self as $crate::Decode>::decode(&$crate::Json::from(text))
            }
        }
    };
}
