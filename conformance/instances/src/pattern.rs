//! Strings that match a regular expression, made by walking its syntax tree; the judge's matcher has the last word.

use regex_syntax::hir::{Class, Hir, HirKind};

/// No repetition without an upper limit goes further than its lower limit and this.
const EXTRA: u32 = 3;
/// The longest string that is made.
const LONGEST: usize = 4096;

/// Candidates for strings that match, the plainest first; empty if the pattern can't be read.
pub(crate) fn strings(
    source: &str,
    min: u64,
    max: Option<u64>,
    rng: Option<&mut fastrand::Rng>,
) -> Vec<String> {
    let Ok(hir) = regex_syntax::ParserBuilder::new()
        .build()
        .parse(&translated(source))
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if let Some(rng) = rng {
        for _ in 0..8 {
            let mut text = String::new();
            if write(&hir, &mut Taste::Random(rng), &mut text) {
                found.push(text);
            }
        }
    }
    for repeat in [0, 1, 2, 3, 8, 32] {
        let mut text = String::new();
        if write(&hir, &mut Taste::Repeat(repeat), &mut text) {
            found.push(text);
        }
    }
    // Repetitions that fill up to a length: tried where the limits ask for it.
    for wanted in [Some(min), max]
        .into_iter()
        .flatten()
        .filter(|wanted| (1..=512).contains(wanted))
    {
        for repeat in 0..=wanted {
            let mut text = String::new();
            let done = write(
                &hir,
                &mut Taste::Repeat(u32::try_from(repeat).unwrap_or(0)),
                &mut text,
            );
            if done && text.chars().count() as u64 == wanted {
                found.push(text);
                break;
            }
        }
    }
    let fits = |text: &String| {
        let length = text.chars().count() as u64;
        length >= min && max.is_none_or(|max| length <= max)
    };
    found.retain(fits);
    found
}

/// ECMA-262's escapes that this parser knows under another name.
fn translated(source: &str) -> String {
    source.replace(r"\/", "/").replace(r"\d", "[0-9]")
}

enum Taste<'a> {
    /// Repetitions go this far beyond their lower limit.
    Repeat(u32),
    Random(&'a mut fastrand::Rng),
}

fn write(hir: &Hir, taste: &mut Taste<'_>, out: &mut String) -> bool {
    if out.len() > LONGEST {
        return false;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => {
                out.push_str(text);
                true
            }
            Err(_) => false,
        },
        HirKind::Class(class) => member(class, taste).is_some_and(|letter| {
            out.push(letter);
            true
        }),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            let times = match taste {
                Taste::Repeat(extra) => repetition.min.saturating_add(*extra).min(most),
                Taste::Random(rng) => {
                    rng.u32(repetition.min..=repetition.min.saturating_add(EXTRA).min(most))
                }
            };
            (0..times).all(|_| write(&repetition.sub, taste, out))
        }
        HirKind::Capture(capture) => write(&capture.sub, taste, out),
        HirKind::Concat(parts) => parts.iter().all(|part| write(part, taste, out)),
        HirKind::Alternation(parts) => {
            let index = match taste {
                Taste::Repeat(_) => 0,
                Taste::Random(rng) => rng.usize(0..parts.len()),
            };
            write(&parts[index], taste, out)
        }
    }
}

/// A letter of a class: a plain one if there is any.
fn member(class: &Class, taste: &mut Taste<'_>) -> Option<char> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => class
            .iter()
            .map(|range| (u32::from(range.start()), u32::from(range.end())))
            .collect(),
        Class::Bytes(class) => class
            .iter()
            .map(|range| (u32::from(range.start()), u32::from(range.end())))
            .collect(),
    };
    let plain: Vec<char> = ('a'..='z')
        .chain('A'..='Z')
        .chain('0'..='9')
        .chain("-_. ".chars())
        .filter(|letter| {
            ranges
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&u32::from(*letter)))
        })
        .collect();
    match taste {
        _ if plain.is_empty() => ranges
            .iter()
            .find_map(|(first, last)| (*first..=*last).take(64).find_map(char::from_u32)),
        Taste::Repeat(_) => plain.first().copied(),
        Taste::Random(rng) => Some(plain[rng.usize(0..plain.len())]),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn what_is_made_matches() {
        for source in [
            "^[A-Z]{2}$",
            r"^ *[0-9]+\.[0-9]+\.[0-9]+ *(, *[0-9]+\.[0-9]+\.[0-9]+ *)*$",
            r"^(a|b)\d{3,}$",
            "^#/x$",
            r"^\/a\/[^\/]+$",
            "b+",
        ] {
            let judge = crate::read::judge_of("pattern", source).unwrap();
            let mut rng = fastrand::Rng::with_seed(7);
            let made = strings(source, 0, None, Some(&mut rng));
            assert!(made.iter().any(|text| judge.matches(text)), "{source}: {made:?}");
        }
    }

    #[test]
    fn fills_up_to_a_length() {
        assert!(strings("^[a-z]+$", 10, Some(10), None).contains(&"aaaaaaaaaa".to_owned()));
    }

    #[test]
    fn what_cannot_be_read_gives_nothing() {
        assert!(strings("(?=a)", 0, None, None).is_empty());
    }
}
