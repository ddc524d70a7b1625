//! The badge: the result in one line, as an image for a README or a status page.

use crate::model::{Report, Result};
use crate::visible::one_line;
use crate::wording::{count_of, number, shorten};
use crate::xml::Element;

/// Units of 1/10 pixel at a font size of 11 pixels.
const PADDING: u32 = 60;
const HEIGHT: u32 = 200;
const MOST_LABEL: usize = 48;

/// Draws a badge as SVG: `MEC 011 v3.1.1 | conforms`, `… | 3 failures` or `… | inconclusive`.
#[must_use]
pub fn badge(report: &Report) -> String {
    let label = shorten(&one_line(&label(&report.run.profiles)), MOST_LABEL);
    let (message, colour) = message(report);
    let (left, right) = (width(&label) + 2 * PADDING, width(&message) + 2 * PADDING);
    let title = format!("{label}: {message}");
    let root = Element::new("svg")
        .attribute("xmlns", "http://www.w3.org/2000/svg")
        .attribute("width", pixels(left + right))
        .attribute("height", pixels(HEIGHT))
        .attribute("viewBox", format!("0 0 {} {HEIGHT}", left + right))
        .attribute("role", "img")
        .attribute("aria-label", &title)
        .child(Element::new("title").text(&title))
        .child(
            Element::new("clipPath")
                .attribute("id", "r")
                .child(rectangle(0, left + right, "#000").attribute("rx", "30")),
        )
        .child(
            Element::new("g")
                .attribute("clip-path", "url(#r)")
                .child(rectangle(0, left, "#3d444d"))
                .child(rectangle(left, right, colour)),
        )
        .child(
            Element::new("g")
                .attribute("fill", "#fff")
                .attribute("font-family", "Verdana,DejaVu Sans,Geneva,sans-serif")
                .attribute("font-size", "110")
                .child(words(PADDING, &label))
                .child(words(left + PADDING, &message)),
        );
    root.finish()
}

/// The profiles as people write them: `mec011-v3.1.1` is `MEC 011 v3.1.1`.
fn label(profiles: &[String]) -> String {
    let name = |profile: &String| {
        let parts = profile.strip_prefix("mec").and_then(|rest| rest.split_once('-'));
        match parts {
            Some((part, release)) if part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("MEC {part} {}", release.replace('-', " "))
            }
            _ => profile.clone(),
        }
    };
    match profiles {
        [] => "conformance".to_owned(),
        [one] => name(one),
        [one, other] => format!("{}, {}", name(one), name(other)),
        [one, rest @ ..] => format!("{} and {} more", name(one), rest.len()),
    }
}

/// The words on the right, and a background on which white words have a contrast of at least 4.5.
fn message(report: &Report) -> (String, &'static str) {
    match report.summary.result {
        Result::Conforms => ("conforms".to_owned(), "#1a7f37"),
        Result::Inconclusive => ("inconclusive".to_owned(), "#6e5494"),
        Result::Fails => match count_of(&report.summary.findings, "error") {
            0 => ("fails".to_owned(), "#b3261e"),
            1 => ("1 failure".to_owned(), "#b3261e"),
            count => (format!("{} failures", number(count)), "#b3261e"),
        },
    }
}

fn rectangle(x: u32, width: u32, fill: &str) -> Element {
    Element::new("rect")
        .attribute("x", x.to_string())
        .attribute("width", width.to_string())
        .attribute("height", HEIGHT.to_string())
        .attribute("fill", fill)
}

/// A text whose length is set: it fits its box in whatever font is there.
fn words(x: u32, text: &str) -> Element {
    Element::new("text")
        .attribute("x", x.to_string())
        .attribute("y", "140")
        .attribute("textLength", width(text).to_string())
        .attribute("lengthAdjust", "spacingAndGlyphs")
        .text(text)
}

/// Width of a text in Verdana at 11 pixels, in tenths of a pixel, by classes of letters.
fn width(text: &str) -> u32 {
    text.chars()
        .map(|character| match character {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 34,
            'f' | 't' | 'r' | ' ' | '-' | '(' | ')' | '/' | 'I' | 'J' => 45,
            'm' | 'w' | 'M' | 'W' | '@' | '%' => 100,
            'A'..='Z' => 76,
            character if character.is_ascii() => 66,
            _ => 110,
        })
        .sum()
}

fn pixels(tenths: u32) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn names_profiles_as_people_do() {
        let cases: [(&[&str], &str); 5] = [
            (&[], "conformance"),
            (&["mec011-v3.1.1"], "MEC 011 v3.1.1"),
            (&["mec010-app-grant"], "MEC 010 app grant"),
            (&["mec011-v3.1.1", "my.yaml"], "MEC 011 v3.1.1, my.yaml"),
            (&["mec011-v3.1.1", "a", "b"], "MEC 011 v3.1.1 and 2 more"),
        ];
        for (profiles, expected) in cases {
            let profiles: Vec<String> = profiles.iter().map(|&profile| profile.to_owned()).collect();
            assert_eq!(label(&profiles), expected);
        }
    }
}
