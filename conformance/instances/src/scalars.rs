//! Strings, numbers and booleans that the facets of one value allow, the plainest first.

use serde_json::{Number, Value};

use crate::facets::{Facets, Limit};
use crate::formats;
use crate::model::Types;
use crate::numbers;
use crate::pattern;

/// Candidates of one type; what is really valid is for the schema to say.
pub(crate) fn candidates(
    facets: &Facets,
    types: Types,
    variant: usize,
    rng: Option<&mut fastrand::Rng>,
) -> Vec<Value> {
    match types {
        Types::NULL => vec![Value::Null],
        Types::BOOLEAN => {
            let first = rng.map_or(variant % 2 == 1, fastrand::Rng::bool);
            vec![Value::Bool(first), Value::Bool(!first)]
        }
        Types::STRING => texts(facets, variant, rng)
            .into_iter()
            .map(Value::String)
            .collect(),
        Types::INTEGER => integers(facets, variant, rng),
        Types::FRACTION => fractions(facets, variant),
        _ => Vec::new(),
    }
}

fn texts(facets: &Facets, variant: usize, mut rng: Option<&mut fastrand::Rng>) -> Vec<String> {
    let mut found = Vec::new();
    let listed: Vec<&str> = facets.extensible.iter().filter_map(Value::as_str).collect();
    let examples = facets.examples.iter().filter_map(Value::as_str);
    match &mut rng {
        Some(rng) if !listed.is_empty() => found.push(listed[rng.usize(0..listed.len())].to_owned()),
        _ => found.extend(
            listed
                .iter()
                .cycle()
                .skip(variant)
                .take(listed.len())
                .map(|text| (*text).to_owned()),
        ),
    }
    for format in &facets.formats {
        let samples = formats::valid(format);
        let first = rng
            .as_mut()
            .filter(|_| !samples.is_empty())
            .map_or(variant, |rng| rng.usize(0..samples.len()));
        if variant > 0 && variant >= samples.len() {
            found.extend(many_of(format, variant));
        }
        found.extend(
            samples
                .iter()
                .cycle()
                .skip(first)
                .take(samples.len())
                .map(|(text, _)| (*text).to_owned()),
        );
    }
    for source in &facets.patterns {
        found.extend(pattern::strings(
            source,
            facets.min_length,
            facets.max_length,
            rng.as_deref_mut(),
        ));
    }
    let most = facets.max_length.unwrap_or(u64::MAX);
    if let Some(rng) = &mut rng
        && found.is_empty()
    {
        found.push(random_text(facets.min_length, most, rng));
    }
    if variant > 0 {
        found.push(format!("a{variant}"));
    }
    found.push(text_of_length(facets.min_length.max(1).min(most)));
    found.extend(examples.map(str::to_owned));
    found.push(text_of_length(facets.min_length));
    found
}

/// One more sample of a format than its list has.
fn many_of(format: &str, variant: usize) -> Option<String> {
    Some(match format {
        "uri" | "iri" | "uri-reference" | "iri-reference" => format!("http://example.com/{variant}"),
        "uuid" => format!("3f2b8c1e-5d4a-4b6c-8e7f-{variant:012x}"),
        "ipv4" => format!("192.0.{}.{}", (variant >> 8) & 255, variant & 255),
        "ipv6" => format!("2001:db8::{:x}", variant & 0xffff),
        "hostname" | "idn-hostname" => format!("h{variant}.example.com"),
        "email" | "idn-email" => format!("a{variant}@example.com"),
        _ => return None,
    })
}

/// A text of plain letters with this many code points.
pub(crate) fn text_of_length(length: u64) -> String {
    "a".repeat(usize::try_from(length.min(1 << 21)).unwrap_or(0))
}

fn random_text(min: u64, most: u64, rng: &mut fastrand::Rng) -> String {
    const ODD: &[char] = &[
        'ä', 'ß', '中', 'ع', '😀', '\u{301}', ' ', '"', '\\', '/', '%', '&', '<', '\'',
    ];
    let min = usize::try_from(min.min(1 << 16)).unwrap_or(0);
    let most = usize::try_from(most.min(min as u64 + 24)).unwrap_or(min);
    let length = rng.usize(min.max(1).min(most)..=most);
    let odd = rng.u8(0..8) == 0;
    (0..length)
        .map(|_| {
            if odd && rng.bool() {
                ODD[rng.usize(0..ODD.len())]
            } else {
                rng.alphanumeric()
            }
        })
        .collect()
}

/// The least whole number that is allowed.
pub(crate) fn least_integer(facets: &Facets) -> Option<i128> {
    facets.lower.as_ref().map(|limit| whole_inside(limit, true))
}

/// The greatest whole number that is allowed.
pub(crate) fn greatest_integer(facets: &Facets) -> Option<i128> {
    facets.upper.as_ref().map(|limit| whole_inside(limit, false))
}

fn whole_inside(limit: &Limit, lower: bool) -> i128 {
    let step = if lower { 1 } else { -1 };
    match numbers::whole(&limit.value) {
        Some(value) if limit.exclusive => value + step,
        Some(value) => value,
        None if lower => numbers::float(&limit.value).ceil() as i128,
        None => numbers::float(&limit.value).floor() as i128,
    }
}

fn integers(facets: &Facets, variant: usize, rng: Option<&mut fastrand::Rng>) -> Vec<Value> {
    let (low, high) = (least_integer(facets), greatest_integer(facets));
    let step = facets
        .steps
        .iter()
        .filter_map(numbers::whole)
        .find(|step| *step != 0)
        .map_or(1, i128::abs);
    let inside = |value: i128| low.is_none_or(|low| value >= low) && high.is_none_or(|high| value <= high);
    let start = if inside(0) { 0 } else { low.or(high).unwrap_or(0) };
    let aligned = start.div_euclid(step) * step;
    let mut found: Vec<i128> = Vec::new();
    let variant = i128::try_from(variant).unwrap_or(0);
    if let Some(rng) = rng {
        let first = low.unwrap_or_else(|| high.map_or(-1000, |high| high.saturating_sub(1000)));
        let last = high.unwrap_or_else(|| first.saturating_add(2000));
        if first <= last {
            let width = u64::try_from((last - first).min(i128::from(u64::MAX >> 1))).unwrap_or(0);
            let random = first + i128::from(rng.u64(0..=width));
            found
                .push([first, last, random, random, random, random][rng.usize(0..6)].div_euclid(step) * step);
        }
    }
    for base in [aligned, aligned + step] {
        found.extend([base + variant * step, base - variant * step]);
    }
    found.extend(low.into_iter().chain(high));
    found
        .into_iter()
        .filter(|value| inside(*value))
        .filter_map(numbers::integer)
        .collect()
}

fn fractions(facets: &Facets, variant: usize) -> Vec<Value> {
    let low = facets.lower.as_ref().map(|limit| numbers::float(&limit.value));
    let high = facets.upper.as_ref().map(|limit| numbers::float(&limit.value));
    let middle = match (low, high) {
        (Some(low), Some(high)) => (low + high) / 2.0,
        (Some(low), None) => low + 0.5,
        (None, Some(high)) => high - 0.5,
        (None, None) => 0.5,
    };
    [middle + variant as f64, middle, middle + 0.25]
        .into_iter()
        .filter_map(Number::from_f64)
        .map(Value::Number)
        .collect()
}
