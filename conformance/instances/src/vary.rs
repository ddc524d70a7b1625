//! Other valid values for one place: its limits, its listed values, and what nothing forbids.

use serde_json::{Number, Value};

use crate::cases::ValidKind;
use crate::facets::{self, Facets};
use crate::formats;
use crate::judge::shown;
use crate::numbers;
use crate::options::Binding;
use crate::pattern;
use crate::pointer;
use crate::scalars;
use crate::valid::{Candidate, Make, Site};
use crate::witness::named;

/// Strings that trip programs up, and what is special about them.
const UNICODE: &[(&str, &str)] = &[
    ("Zoë Straße", "Latin letters beyond ASCII"),
    ("e\u{301}", "a combining accent"),
    ("日本語", "three bytes a letter"),
    ("😀👩\u{200d}👩\u{200d}👧", "emoji with joiners"),
    ("مرحبا שלום", "text from right to left"),
    ("𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "letters beyond the basic plane"),
    ("\"\\/<&>'%00${a}", "characters that need escapes somewhere"),
    (" a ", "blanks at both ends"),
    ("\u{feff}a\u{200f}", "marks that cannot be seen"),
    ("a\tb\r\nc", "control characters"),
];
/// The value of an open enumeration that nobody lists.
const UNLISTED: &str = "X_MECFORGE_UNLISTED";
/// The property that nobody knows.
const UNKNOWN: &str = "x-mecforge-unknown";
/// Length of a long text, in characters.
const LONG: u64 = 65_536;
/// Length of a long array.
const MANY: usize = 200;
/// Nothing longer than this is built.
const MOST: u64 = 1 << 20;

type Candidates<'a> = Vec<(String, Candidate<'a>)>;

/// The limits that the node itself sets.
pub(crate) fn limits<'a>(site: &Site<'a>) -> Candidates<'a> {
    if is_bound(site) {
        return Vec::new();
    }
    let node = &site.schema.model[site.id];
    let mut out = Vec::new();
    listed(site, &mut out);
    match site.value() {
        Value::String(_) => texts(site, &mut out),
        Value::Number(_) => bounds(site, &mut out),
        Value::Array(_) => lengths(site, &mut out),
        Value::Object(object)
            if node
                .additional
                .is_none_or(|inner| site.schema.model[inner].boolean != Some(false))
                && !object.contains_key(UNKNOWN) =>
        {
            let place = pointer::child(site.place, UNKNOWN);
            let what = format!("an unknown property in {}", named(site.place));
            let make = Make::Replace(site.witness, Value::from("a"), None);
            out.push((
                format!("open {}", site.id),
                Candidate {
                    kind: ValidKind::Open,
                    what,
                    rule: node.pointer.clone(),
                    place,
                    make,
                },
            ));
        }
        _ => {}
    }
    out
}

/// What is odd, but allowed by all that applies at the place.
pub(crate) fn oddities<'a>(site: &Site<'a>) -> Candidates<'a> {
    let mut out = Vec::new();
    if is_bound(site) {
        return out;
    }
    let facets = facets(site);
    let place = named(site.place);
    if facets.allowed.is_some() || !facets.extensible.is_empty() {
        return out;
    }
    match site.value() {
        Value::String(_) if facets.patterns.is_empty() && facets.formats.is_empty() => {
            let fits = |text: &str| {
                facets
                    .max_length
                    .is_none_or(|max| text.chars().count() as u64 <= max)
            };
            for (text, why) in UNICODE
                .iter()
                .cycle()
                .skip(site.id)
                .take(UNICODE.len())
                .filter(|(text, _)| fits(text))
            {
                let padding = facets.min_length.saturating_sub(text.chars().count() as u64);
                let text = format!("{text}{}", scalars::text_of_length(padding));
                let candidate = site.replaced(
                    ValidKind::Unicode,
                    "",
                    format!("{place} with {why}"),
                    Value::from(text),
                );
                out.push((format!("unicode {}", site.id), candidate));
            }
            if facets.min_length == 0 {
                let candidate =
                    site.replaced(ValidKind::Boundary, "", format!("{place} empty"), Value::from(""));
                out.push((format!("empty {}", site.id), candidate));
            }
            if facets.max_length.is_none() {
                let what = format!("{place} with {LONG} characters");
                let candidate = site.replaced(
                    ValidKind::Large,
                    "",
                    what,
                    Value::String(scalars::text_of_length(LONG)),
                );
                out.push(("large text".to_owned(), candidate));
            }
        }
        Value::Number(number) => {
            if let Some(float) = numbers::whole(number)
                .filter(|value| value.abs() < 1 << 53)
                .and_then(|value| Number::from_f64(value as f64))
            {
                let what = format!("{place} as {float}");
                out.push((
                    format!("notation {}", site.id),
                    site.replaced(ValidKind::Notation, "", what, Value::Number(float)),
                ));
            }
            if facets.upper.is_none() {
                for (value, why) in [((1_i64 << 31) - 1, "2^31 - 1"), ((1 << 53) - 1, "2^53 - 1")] {
                    let candidate = site.replaced(
                        ValidKind::Large,
                        "",
                        format!("{place} as {why}"),
                        Value::from(value),
                    );
                    out.push(("large number".to_owned(), candidate));
                }
            }
        }
        Value::Array(items) if facets.max_items.is_none() && !items.is_empty() => {
            out.push((
                "large array".to_owned(),
                of_length(
                    site,
                    ValidKind::Large,
                    "",
                    MANY,
                    format!("{place} with {MANY} items"),
                ),
            ));
        }
        _ => {}
    }
    out
}

/// Whether the caller has given this place its value.
fn is_bound(site: &Site<'_>) -> bool {
    site.schema
        .options
        .at(site.place)
        .any(|binding| matches!(binding, Binding::Fixed(_) | Binding::Absent))
}

/// What applies here, with the caller's limits.
fn facets(site: &Site<'_>) -> Facets {
    let nodes = site
        .witness
        .walk
        .sites
        .get(site.place)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut facets = facets::of_nodes(&site.schema.model, nodes);
    let ranges: Vec<(i128, i128)> = facets
        .formats
        .iter()
        .filter_map(|format| formats::range(format))
        .collect();
    for (low, high) in ranges {
        for (bound, lower) in [(low, true), (high, false)] {
            if let Some(Value::Number(number)) = numbers::integer(bound) {
                if lower {
                    facets.raise(number, false)
                } else {
                    facets.cap(number, false)
                }
            }
        }
    }
    for binding in site.schema.options.at(site.place) {
        match binding {
            Binding::AtLeast(least) => facets.raise((*least).into(), false),
            Binding::AtMost(most) => facets.cap((*most).into(), false),
            Binding::MaxLength(most) => {
                facets.max_length = facets::least(facets.max_length, Some(*most as u64))
            }
            Binding::MaxItems(most) => facets.max_items = facets::least(facets.max_items, Some(*most as u64)),
            Binding::OneOf(values) => facets.allow(values),
            Binding::Pattern(source) => facets.patterns.push(source.clone()),
            Binding::Fixed(_) | Binding::Absent => {}
        }
    }
    facets
}

fn listed<'a>(site: &Site<'a>, out: &mut Candidates<'a>) {
    let node = &site.schema.model[site.id];
    let place = named(site.place);
    let listed = [
        ("const", node.constant.as_ref().map(std::slice::from_ref)),
        ("enum", node.enumeration.as_deref()),
    ];
    for (keyword, values) in listed {
        for value in values.into_iter().flatten() {
            let what = format!("{place} is {}", shown(value));
            let candidate = site.replaced(ValidKind::Boundary, keyword, what, value.clone());
            out.push((format!("{keyword} {}", site.id), candidate));
        }
    }
    for value in node.extensible.iter().flatten() {
        let what = format!("{place} is {}", shown(value));
        let candidate = site.replaced(ValidKind::Boundary, "x-extensible-enum", what, value.clone());
        out.push((format!("open enum {}", site.id), candidate));
    }
    if node.extensible.is_some() && site.value().is_string() {
        let what = format!("{place} is a value that is not listed");
        let candidate = site.replaced(
            ValidKind::Extension,
            "x-extensible-enum",
            what,
            Value::from(UNLISTED),
        );
        out.push((format!("extension {}", site.id), candidate));
    }
}

fn texts<'a>(site: &Site<'a>, out: &mut Candidates<'a>) {
    let node = &site.schema.model[site.id];
    let place = named(site.place);
    let facets = facets(site);
    for (keyword, length) in [("minLength", node.min_length), ("maxLength", node.max_length)] {
        let Some(length) = length
            .map(|length| length.min(facets.max_length.unwrap_or(length)))
            .filter(|length| *length <= MOST)
        else {
            continue;
        };
        let what = format!("{keyword} of {place}: {length} characters");
        let mut made: Vec<String> = facets
            .patterns
            .iter()
            .flat_map(|source| pattern::strings(source, length, Some(length), None))
            .chain([scalars::text_of_length(length)])
            .chain(
                facets
                    .formats
                    .iter()
                    .filter_map(|format| stretched(format, length)),
            )
            .collect();
        made.extend(
            ["😀", "ä"]
                .iter()
                .filter(|_| length > 0 && keyword == "maxLength")
                .map(|letter| letter.repeat(usize::try_from(length).unwrap_or(0))),
        );
        for text in made {
            out.push((
                format!("{keyword} {}", site.id),
                site.replaced(ValidKind::Boundary, keyword, what.clone(), Value::from(text)),
            ));
        }
    }
    if let Some(source) = &node.pattern {
        for text in pattern::strings(&source.source, facets.min_length, facets.max_length, None) {
            let what = format!(
                "{place} matches the pattern as {}",
                shown(&Value::from(text.as_str()))
            );
            out.push((
                format!("pattern {}", site.id),
                site.replaced(ValidKind::Boundary, "pattern", what, Value::from(text)),
            ));
        }
    }
    for (text, form) in node.format_name.iter().flat_map(|format| formats::valid(format)) {
        let what = format!("{place} {form}");
        out.push((
            format!("format {}", site.id),
            site.replaced(ValidKind::Boundary, "format", what, Value::from(*text)),
        ));
    }
}

/// A sample of a format with a certain length, where the format can be stretched.
fn stretched(format: &str, length: u64) -> Option<String> {
    let stem = match format {
        "uri" | "iri" | "uri-reference" | "iri-reference" => "http://example.com/",
        _ => return None,
    };
    let more = length.checked_sub(stem.len() as u64)?;
    Some(format!("{stem}{}", scalars::text_of_length(more)))
}

fn bounds<'a>(site: &Site<'a>, out: &mut Candidates<'a>) {
    let node = &site.schema.model[site.id];
    let place = named(site.place);
    let facets = facets(site);
    let fraction =
        |limit: &Number, step: f64| Number::from_f64(numbers::float(limit) + step).map(Value::Number);
    let ends = [
        ("minimum", &node.minimum, scalars::least_integer(&facets), 0.0),
        ("maximum", &node.maximum, scalars::greatest_integer(&facets), 0.0),
        (
            "exclusiveMinimum",
            &node.exclusive_minimum,
            scalars::least_integer(&facets),
            0.001,
        ),
        (
            "exclusiveMaximum",
            &node.exclusive_maximum,
            scalars::greatest_integer(&facets),
            -0.001,
        ),
    ];
    for (keyword, limit, whole, step) in ends {
        let Some(limit) = limit else { continue };
        let own = (step == 0.0).then(|| Value::Number(limit.clone()));
        let plain = whole.and_then(numbers::integer).into_iter().chain(own);
        let plain = plain.map(|value| (ValidKind::Boundary, value));
        // A limit with a fraction of zero is a whole number by JSON Schema, and none for many readers.
        let kind = if step == 0.0 {
            ValidKind::Notation
        } else {
            ValidKind::Boundary
        };
        for (kind, value) in plain.chain(fraction(limit, step).map(|value| (kind, value))) {
            let what = format!("{keyword} of {place}: {value}");
            out.push((
                format!("{keyword} {}", site.id),
                site.replaced(kind, keyword, what, value),
            ));
        }
    }
    if let Some(step) = &node.multiple_of {
        let what = format!("{place} is a multiple of {step}");
        out.push((
            format!("multipleOf {}", site.id),
            site.replaced(
                ValidKind::Boundary,
                "multipleOf",
                what,
                Value::Number(step.clone()),
            ),
        ));
    }
}

fn lengths<'a>(site: &Site<'a>, out: &mut Candidates<'a>) {
    let node = &site.schema.model[site.id];
    let place = named(site.place);
    let least = node.min_items.filter(|min| *min > 0);
    for (keyword, length) in [("minItems", least), ("maxItems", node.max_items)] {
        let Some(length) = length
            .and_then(|length| usize::try_from(length).ok())
            .filter(|length| *length <= 10_000)
        else {
            continue;
        };
        let what = format!("{keyword} of {place}: {length} items");
        out.push((
            format!("{keyword} {}", site.id),
            of_length(site, ValidKind::Boundary, keyword, length, what),
        ));
    }
    if node.min_items.is_none_or(|min| min == 0) {
        let candidate = site.replaced(
            ValidKind::Boundary,
            "",
            format!("{place} empty"),
            Value::Array(Vec::new()),
        );
        out.push((format!("empty {}", site.id), candidate));
    }
    if node.unique || node.contains.is_some() {
        let keyword = if node.unique { "uniqueItems" } else { "contains" };
        out.push((
            format!("{keyword} {}", site.id),
            of_length(
                site,
                ValidKind::Boundary,
                keyword,
                2,
                format!("{place} with two items that differ"),
            ),
        ));
    }
}

/// The array here with a certain length: its own items repeated, or built anew where they must differ.
fn of_length<'a>(
    site: &Site<'a>,
    kind: ValidKind,
    keyword: &str,
    length: usize,
    what: String,
) -> Candidate<'a> {
    let items: Vec<Value> = site.value().as_array().cloned().unwrap_or_default();
    let unique = facets(site).unique;
    if length <= items.len() || (!unique && !items.is_empty()) {
        let items = items.iter().cycle().take(length).cloned().collect();
        let mut candidate = site.replaced(kind, keyword, what, Value::Array(items));
        if let Make::Replace(_, _, plan) = &mut candidate.make {
            *plan = None;
        }
        return candidate;
    }
    let plan = crate::generate::Plan {
        count: Some((site.place.to_owned(), length)),
        ..site.plan()
    };
    let rule = format!("{}/{keyword}", site.schema.model[site.id].pointer);
    Candidate {
        kind,
        what,
        rule,
        place: site.place.to_owned(),
        make: Make::Build(Box::new(plan)),
    }
}
