//! Proptest strategies that honour rules: what the `Arbitrary` implementations of generated types are made of.
//!
//! A strategy has a depth, so that types that contain themselves come to an end: at depth 0 optional properties
//! are absent and lists as short as their rules allow.

use std::collections::BTreeMap;

pub use proptest;
use proptest::collection::vec;
use proptest::prelude::*;
pub use proptest::prelude::{Just, Strategy};
pub use proptest::strategy::{BoxedStrategy, Union};

use crate::decode::{Decode, check};
use crate::format::Format;
use crate::invalid::Invalid;
use crate::rules::{ArrayRules, IntegerRules, MapRules, NumberRules, StringRules};

/// How deep a value is nested at most, beyond what its type requires.
pub const DEPTH: u32 = 4;

/// A type with a strategy for valid values.
pub trait Generate: Sized + std::fmt::Debug {
    /// A strategy for valid values, nested at most `depth` levels beyond what the type requires.
    fn generate(depth: u32) -> BoxedStrategy<Self>;
}

/// A schema of a document with what its Rust type does, for tests that go over all schemas.
pub struct Case {
    /// Name in `components/schemas`.
    pub name: &'static str,
    /// JSON pointer of the schema in the crate's document.
    pub pointer: &'static str,
    /// Draws valid values, as JSON.
    pub values: fn() -> BoxedStrategy<serde_json::Value>,
    /// Decodes a JSON text with the type and writes the value again.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub round_trip: fn(&[u8]) -> Result<serde_json::Value, Invalid>,
}

impl Case {
    /// The case of a type.
    pub fn of<T: Generate + Decode + serde::Serialize + 'static>(
        name: &'static str,
        pointer: &'static str,
    ) -> Self {
        Self {
            name,
            pointer,
            values: || {
                T::generate(DEPTH)
                    .prop_map(|value| serde_json::json!(value))
                    .boxed()
            },
            round_trip: |bytes| {
                let value = crate::from_slice::<T>(bytes)?;
                serde_json::to_value(&value)
                    .map_err(|error| Invalid::new("json", format!("can't be written: {error}")))
            },
        }
    }
}

impl<T: Generate + Clone + serde::Serialize + 'static> Generate for Vec<T> {
    fn generate(depth: u32) -> BoxedStrategy<Self> {
        array(depth, ArrayRules::NONE, T::generate)
    }
}

impl<T: Generate + Clone + 'static> Generate for BTreeMap<String, T> {
    fn generate(depth: u32) -> BoxedStrategy<Self> {
        map(depth, MapRules::NONE, T::generate)
    }
}

impl<T: Generate + Clone + 'static> Generate for Option<T> {
    fn generate(depth: u32) -> BoxedStrategy<Self> {
        nullable(depth, T::generate)
    }
}

impl Generate for serde_json::Value {
    fn generate(depth: u32) -> BoxedStrategy<Self> {
        any_json(depth)
    }
}

impl Generate for serde_json::Map<String, serde_json::Value> {
    fn generate(depth: u32) -> BoxedStrategy<Self> {
        open_object(depth, MapRules::NONE)
    }
}

macro_rules! generate {
    ($($name:ty => $strategy:expr;)+) => {$(
        impl Generate for $name {
            fn generate(_depth: u32) -> BoxedStrategy<Self> {
                $strategy
            }
        }
    )+};
}

generate! {
    bool => any::<bool>().boxed();
    String => text();
    u64 => unsigned(IntegerRules::UNSIGNED);
    i64 => signed(IntegerRules::SIGNED);
    f64 => number(NumberRules::NONE);
}

/// One of these values.
pub fn one_of<T: Clone + std::fmt::Debug + 'static>(values: Vec<T>) -> BoxedStrategy<T> {
    proptest::sample::select(values).boxed()
}

/// One of these values, each written as JSON.
pub fn one_of_json(texts: &'static [&'static str]) -> BoxedStrategy<serde_json::Value> {
    proptest::sample::select(texts)
        .prop_filter_map("JSON", |text| serde_json::from_str(text).ok())
        .boxed()
}

/// Mostly the first, now and then the second.
pub fn mostly<T: std::fmt::Debug + 'static>(
    usual: BoxedStrategy<T>,
    rare: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<T> {
    prop_oneof![4 => usual, 1 => rare].boxed()
}

/// One of these strategies.
pub fn union<T: std::fmt::Debug + 'static>(members: Vec<BoxedStrategy<T>>) -> BoxedStrategy<T> {
    Union::new(members).boxed()
}

/// Values that fulfil the rules across properties: others are dropped and drawn again.
pub fn valid<T: Decode + serde::Serialize + std::fmt::Debug + 'static>(
    strategy: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<T> {
    strategy
        .prop_filter("rules across properties", |value| check(value).is_ok())
        .boxed()
}

/// A property that may be absent.
pub fn optional<T: std::fmt::Debug + Clone + 'static>(
    depth: u32,
    strategy: impl FnOnce(u32) -> BoxedStrategy<T>,
) -> BoxedStrategy<Option<T>> {
    match depth {
        0 => Just(None).boxed(),
        _ => proptest::option::of(strategy(depth - 1)).boxed(),
    }
}

/// A value or `null`.
pub fn nullable<T: std::fmt::Debug + Clone + 'static>(
    depth: u32,
    strategy: impl FnOnce(u32) -> BoxedStrategy<T>,
) -> BoxedStrategy<Option<T>> {
    optional(depth, strategy)
}

/// A list.
pub fn array<T: std::fmt::Debug + Clone + serde::Serialize + 'static>(
    depth: u32,
    rules: ArrayRules,
    item: impl FnOnce(u32) -> BoxedStrategy<T>,
) -> BoxedStrategy<Vec<T>> {
    let least = rules.min_items.unwrap_or(0) as usize;
    let usual = least.saturating_add(if depth == 0 { 0 } else { 3 });
    let most = usual
        .min(rules.max_items.map_or(usize::MAX, |most| most as usize))
        .max(least);
    if most == 0 {
        return Just(Vec::new()).boxed();
    }
    let unique = rules.unique;
    let boundary = rules
        .max_items
        .filter(|most| *most <= 32 && depth > 0)
        .map(|most| most as usize);
    let item = item(depth.saturating_sub(1));
    let lists = vec(item.clone(), least..=most).boxed();
    let lists = match boundary {
        Some(boundary) => prop_oneof![4 => lists, 1 => vec(item, boundary)].boxed(),
        None => lists,
    };
    match unique {
        true => lists
            .prop_map(without_repetition)
            .prop_filter("enough elements that differ", move |items| items.len() >= least)
            .boxed(),
        false => lists,
    }
}

fn without_repetition<T: serde::Serialize>(items: Vec<T>) -> Vec<T> {
    let mut seen = Vec::new();
    let is_new = |item: &T| {
        let json = serde_json::to_value(item).unwrap_or_default();
        let new = !seen.contains(&json);
        seen.push(json);
        new
    };
    items.into_iter().filter(is_new).collect()
}

/// An object whose names are data.
pub fn map<T: std::fmt::Debug + Clone + 'static>(
    depth: u32,
    rules: MapRules,
    value: impl FnOnce(u32) -> BoxedStrategy<T>,
) -> BoxedStrategy<BTreeMap<String, T>> {
    let least = rules.min_properties.unwrap_or(0) as usize;
    let usual = least.saturating_add(if depth == 0 { 0 } else { 2 });
    let most = usual
        .min(rules.max_properties.map_or(usize::MAX, |most| most as usize))
        .max(least);
    if most == 0 {
        return Just(BTreeMap::new()).boxed();
    }
    proptest::collection::btree_map(
        "[a-zA-Z][a-zA-Z0-9_]{0,11}",
        value(depth.saturating_sub(1)),
        least..=most,
    )
    .boxed()
}

/// An object that the standard leaves open.
pub fn open_object(depth: u32, rules: MapRules) -> BoxedStrategy<serde_json::Map<String, serde_json::Value>> {
    map(depth, rules, any_json)
        .prop_map(|members| members.into_iter().collect())
        .boxed()
}

/// Any JSON value.
pub fn any_json(depth: u32) -> BoxedStrategy<serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        text().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(depth.min(2), 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
            proptest::collection::btree_map("[a-z]{1,6}", inner, 0..3)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
    .boxed()
}

fn text() -> BoxedStrategy<String> {
    prop_oneof![3 => "[ -~]{0,16}", 1 => "\\PC{0,12}"].boxed()
}

/// Text with rules.
pub fn string(rules: StringRules) -> BoxedStrategy<String> {
    let strategy = match (rules.pattern, rules.format) {
        (Some(pattern), _) => matching(pattern.source()),
        (None, Some(format)) => of_format(format),
        (None, None) => of_length(rules.min_length, rules.max_length),
    };
    strategy
        .prop_filter("rules for text", move |text| rules.check(text).is_ok())
        .boxed()
}

fn of_length(least: Option<u64>, most: Option<u64>) -> BoxedStrategy<String> {
    if least.is_none() && most.is_none() {
        return text();
    }
    let least = least.unwrap_or(0) as usize;
    let most = most.map_or(least + 16, |most| most as usize).max(least);
    let usual = most.min(least + 16);
    let characters = |count| {
        vec(
            prop_oneof![3 => proptest::char::range(' ', '~'), 1 => any::<char>()],
            count,
        )
    };
    let boundary = most.min(4096.max(least));
    prop_oneof![3 => characters(proptest::collection::SizeRange::from(least..=usual)),
        1 => characters(boundary.into()), 1 => characters(least.into())]
    .prop_map(|characters| characters.into_iter().collect())
    .boxed()
}

/// Text that a pattern matches. Patterns that proptest can't draw from (look-around) give printable texts, which
/// the rules then filter.
fn matching(pattern: &str) -> BoxedStrategy<String> {
    let digits = pattern
        .replace("\\d", "[0-9]")
        .replace("\\w", "[A-Za-z0-9_]")
        .replace("\\/", "/");
    match proptest::string::string_regex(digits.trim_start_matches('^').trim_end_matches('$')) {
        Ok(strategy) => strategy.boxed(),
        Err(_) => text(),
    }
}

fn of_format(format: Format) -> BoxedStrategy<String> {
    let date = (1970..2100u32, 1..=12u32, 1..=28u32).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}"));
    let time = (
        0..24u32,
        0..60u32,
        0..60u32,
        prop_oneof![Just("Z"), Just("+02:00"), Just(".125Z"), Just("-11:30")],
    )
        .prop_map(|(hour, minute, second, end)| format!("{hour:02}:{minute:02}:{second:02}{end}"));
    match format {
        Format::DateTime => (date, time)
            .prop_map(|(date, time)| format!("{date}T{time}"))
            .boxed(),
        Format::Date => date.boxed(),
        Format::Time => time.boxed(),
        Format::Duration => {
            prop_oneof!["P[1-9][0-9]?D", "PT[1-9][0-9]?H", "P[1-9]W", "P1Y2M3DT4H5M6S"].boxed()
        }
        Format::Uri => {
            "https?://[a-z]{1,8}\\.example(:[1-9][0-9]{1,3})?(/[a-z0-9]{1,6}){0,3}(\\?[a-z]=[0-9])?".boxed()
        }
        Format::UriReference => prop_oneof![
            of_format(Format::Uri),
            "(/[a-zA-Z0-9_.-]{1,8}){1,3}".boxed(),
            "[a-z]{0,6}".boxed()
        ]
        .boxed(),
        Format::Uuid => "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}".boxed(),
        Format::Ipv4 => any::<std::net::Ipv4Addr>()
            .prop_map(|address| address.to_string())
            .boxed(),
        Format::Ipv6 => any::<std::net::Ipv6Addr>()
            .prop_map(|address| address.to_string())
            .boxed(),
        Format::Hostname => "[a-z][a-z0-9]{0,8}(\\.[a-z][a-z0-9]{0,8}){0,2}".boxed(),
        Format::Email => "[a-z]{1,8}@[a-z]{1,8}\\.example".boxed(),
        Format::JsonPointer => "(/[a-z0-9]{1,4}){0,3}".boxed(),
        Format::Regex => "[a-z]{1,4}[+*]?".boxed(),
    }
}

/// An integer that is never negative.
pub fn unsigned(rules: IntegerRules) -> BoxedStrategy<u64> {
    integer(rules, 0, u64::MAX.into())
        .prop_map(|value| value as u64)
        .boxed()
}

/// An integer.
pub fn signed(rules: IntegerRules) -> BoxedStrategy<i64> {
    integer(rules, i64::MIN.into(), i64::MAX.into())
        .prop_map(|value| value as i64)
        .boxed()
}

fn integer(rules: IntegerRules, least: i128, most: i128) -> BoxedStrategy<i128> {
    let (least, most) = (rules.minimum.max(least), rules.maximum.min(most));
    let step = i128::from(rules.multiple_of.unwrap_or(1));
    let (least, most) = (
        least.div_euclid(step) + i128::from(least.rem_euclid(step) != 0),
        most.div_euclid(step),
    );
    let small = least.max(0).min(most);
    prop_oneof![
        1 => Just(least),
        1 => Just(most),
        3 => least..=most,
        3 => small..=small.saturating_add(100).min(most),
    ]
    .prop_map(move |value| value * step)
    .boxed()
}

/// A number: one with few digits, so that its text and its value are the same in every JSON library.
pub fn number(rules: NumberRules) -> BoxedStrategy<f64> {
    let least = rules.minimum.or(rules.exclusive_minimum).unwrap_or(-1e6);
    let most = rules
        .maximum
        .or(rules.exclusive_maximum)
        .unwrap_or(least.max(0.0) + 1e6);
    let bounds = [rules.minimum, rules.maximum]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>();
    let inner = (0..=1_000_000u32).prop_map(move |part| {
        let value = least + (most - least) * f64::from(part) / 1e6;
        (value * 1e4).round() / 1e4
    });
    let stepped = match rules.multiple_of {
        Some(step) => inner.prop_map(move |value| (value / step).round() * step).boxed(),
        None => inner.boxed(),
    };
    let strategy = match bounds.is_empty() {
        true => stepped,
        false => prop_oneof![3 => stepped, 1 => proptest::sample::select(bounds)].boxed(),
    };
    strategy
        .prop_filter("rules for numbers", move |value| rules.check(*value).is_ok())
        .boxed()
}

/// Gives types that implement [`Generate`] proptest's `Arbitrary`.
#[macro_export]
macro_rules! arbitrary {
    ($($name:ty),+ $(,)?) => {$(
        impl $crate::strategy::proptest::arbitrary::Arbitrary for $name {
            type Parameters = ();
            type Strategy = $crate::strategy::BoxedStrategy<Self>;

            fn arbitrary_with((): ()) -> Self::Strategy {
                <Self as $crate::strategy::Generate>::generate($crate::strategy::DEPTH)
            }
        }
    )+};
}
