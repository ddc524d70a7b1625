//! Makes characters visible that a reader can't see, or that change how others are shown.
//!
//! A report quotes what a hostile server sent: escape sequences that command a terminal, right-to-left overrides that
//! make `evil` read as `live`, zero-width characters that make two names look the same. XML 1.0 forbids some of them
//! altogether. Escaping of markup is not done here.

use std::borrow::Cow;

/// Replaces each character that can't be seen, or that reorders its neighbours, by its number: `⟨U+001B⟩`, `⟨U+202E⟩`. Tabs
/// and line feeds stay. (Unicode has pictures of the control characters, but many fonts lack them.)
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        push_visible(&mut shown, character);
    }
    Cow::Owned(shown)
}

/// The same on one line: every run of blanks, tabs and line ends becomes one blank.
#[must_use]
pub(crate) fn one_line(text: &str) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    visible(&joined).into_owned()
}

fn push_visible(shown: &mut String, character: char) {
    if !is_hidden(character) {
        shown.push(character);
        return;
    }
    shown.push_str(&format!("⟨U+{:04X}⟩", u32::from(character)));
}

/// Whether a character is shown as nothing, or changes how its neighbours are shown.
fn is_hidden(character: char) -> bool {
    match u32::from(character) {
        // The two control characters that texts are made of.
        0x09 | 0x0A => false,
        // C0 with the carriage return, DELETE and C1.
        0..=0x1F | 0x7F..=0x9F => true,
        // Soft hyphen, grapheme joiner, Arabic letter mark, fillers, Mongolian vowel separator.
        0xAD | 0x34F | 0x61C | 0x115F | 0x1160 | 0x180E | 0x3164 | 0xFFA0 => true,
        // Zero-width characters, marks, separators, embeddings, overrides, isolates, invisible operators.
        0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF => true,
        // Interlinear annotations, tags.
        0xFFF9..=0xFFFB | 0xE_0000..=0xE_007F => true,
        // Characters that are none.
        number => number & 0xFFFE == 0xFFFE || (0xFDD0..=0xFDEF).contains(&number),
    }
}

#[cfg(test)]
mod tests {
    use super::{one_line, visible};

    #[test]
    fn shows_what_hides() {
        let cases = [
            (
                "plain, ünïcode, 日本\tand\nlines",
                "plain, ünïcode, 日本\tand\nlines",
            ),
            ("\u{1b}[31mred\r\n", "⟨U+001B⟩[31mred⟨U+000D⟩\n"),
            ("a\0b\u{7f}c\u{85}", "a⟨U+0000⟩b⟨U+007F⟩c⟨U+0085⟩"),
            ("safe\u{202e}txt.exe", "safe⟨U+202E⟩txt.exe"),
            ("na\u{200b}me\u{feff}", "na⟨U+200B⟩me⟨U+FEFF⟩"),
            ("\u{ffff}\u{1fffe}", "⟨U+FFFF⟩⟨U+1FFFE⟩"),
        ];
        for (given, expected) in cases {
            assert_eq!(visible(given), expected);
        }
    }

    #[test]
    fn keeps_one_line_on_one_line() {
        assert_eq!(one_line(" two\r\n\tlines\u{2028}here "), "two lines here");
    }
}
