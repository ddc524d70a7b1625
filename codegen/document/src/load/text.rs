//! What happens to a text before it is parsed: marks and blanks that mean nothing go, positions stay.

use std::borrow::Cow;

/// The text without a byte order mark, with `\n` at the ends of lines, and with blank lines truly blank.
///
/// ETSI's documents have tabs on blank lines, which YAML parsers take for indentation.
/// Line numbers stay as they are, and so do the columns of everything that is not blank.
pub(super) fn prepare(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let has_blank_tabs = || text.lines().any(is_blank_with_tab);
    let needs_work = text.contains('\r') || (text.contains('\t') && has_blank_tabs());
    if !needs_work {
        return Cow::Borrowed(text);
    }
    let mut prepared = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (content, end) = match line.strip_suffix('\n') {
            Some(content) => (content.strip_suffix('\r').unwrap_or(content), "\n"),
            None => (line, ""),
        };
        if !is_blank_with_tab(content) {
            prepared.push_str(content);
        }
        prepared.push_str(end);
    }
    Cow::Owned(prepared)
}

fn is_blank_with_tab(line: &str) -> bool {
    line.contains('\t') && line.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::prepare;

    #[test]
    fn line_ends_and_the_mark_are_normalised() {
        assert_eq!(prepare("\u{feff}a: 1\r\nb: 2\r\n"), "a: 1\nb: 2\n");
        assert_eq!(prepare("a: 1\n"), "a: 1\n");
    }

    #[test]
    fn tabs_go_from_blank_lines_only() {
        assert_eq!(prepare("a:\n \t \n\tb: 1\t\n\t"), "a:\n\n\tb: 1\t\n");
    }
}
