//! How numbers, verdicts and severities are worded, the same in every form of the report; and how long texts are cut.

use std::collections::BTreeMap;

use crate::model::{End, Result, Severity, Summary, Verdict};

impl Verdict {
    /// All verdicts, worst first.
    pub const ALL: [Verdict; 5] = [
        Verdict::Fail,
        Verdict::Inconclusive,
        Verdict::Waived,
        Verdict::NotApplicable,
        Verdict::Pass,
    ];

    /// The name of the JSON form: `pass`, `fail`, `inconclusive`, `not-applicable`, `waived`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Inconclusive => "inconclusive",
            Verdict::NotApplicable => "not-applicable",
            Verdict::Waived => "waived",
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Verdict::NotApplicable => "not applicable",
            other => other.as_str(),
        }
    }
}

impl Severity {
    /// The name of the JSON form: `error`, `warning`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

impl Result {
    /// The name of the JSON form: `conforms`, `fails`, `inconclusive`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Result::Conforms => "conforms",
            Result::Fails => "fails",
            Result::Inconclusive => "inconclusive",
        }
    }

    pub(crate) fn heading(self) -> &'static str {
        match self {
            Result::Conforms => "Conforms",
            Result::Fails => "Fails",
            Result::Inconclusive => "Inconclusive",
        }
    }
}

impl End {
    /// Why a run did not do all that was planned, where it did not.
    pub(crate) fn remark(self) -> Option<&'static str> {
        match self {
            End::Completed => None,
            End::TimeOver => Some("The time that --time allows was over before everything planned had run"),
            End::Interrupted => Some("The run was interrupted before everything planned had run"),
            End::Untestable => Some("The target went away or could not be tested"),
        }
    }
}

/// The sentence of a summary; one that fits its result where the writer gave none.
pub(crate) fn sentence(summary: &Summary) -> &str {
    if !summary.sentence.trim().is_empty() {
        return &summary.sentence;
    }
    match summary.result {
        Result::Conforms => "Nothing that the checks look for was found",
        Result::Fails => "The target breaks requirements",
        Result::Inconclusive => "Too little could be tested to say whether the target conforms",
    }
}

/// A count out of a map of counts.
pub(crate) fn count_of(counts: &BTreeMap<String, u64>, name: &str) -> u64 {
    counts.get(name).copied().unwrap_or(0)
}

/// A number with a comma between each three digits.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 case`, `2 cases`: a regular plural.
pub(crate) fn plural(value: u64, singular: &str) -> String {
    if value == 1 {
        format!("1 {singular}")
    } else {
        format!("{} {singular}s", number(value))
    }
}

/// A length as `u64`: lengths of this machine always fit.
pub(crate) fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

/// A duration for people: `420 ms`, `12.3 s`, `4 min 5 s`, `2 h 3 min`.
pub(crate) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..60 => format!("{}.{} s", seconds, milliseconds % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// Start of a run without the fraction of its second, readable: `2026-11-21 13:05:09 UTC`.
pub(crate) fn moment(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(10..11), rfc3339.get(11..19)) {
        (Some(day), Some("T"), Some(time)) if rfc3339.ends_with('Z') => format!("{day} {time} UTC"),
        _ => rfc3339.to_owned(),
    }
}

/// The beginning of a text, and how many bytes are left out of it.
pub(crate) fn cut(text: &str, most: usize) -> (&str, usize) {
    if text.len() <= most {
        return (text, 0);
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (&text[..end], text.len() - end)
}

/// A text on at most `most` bytes, ending in an ellipsis where it was cut.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    match cut(text, most) {
        (whole, 0) => whole.to_owned(),
        (start, _) => format!("{}…", start.trim_end()),
    }
}

/// The beginning of a text; where it was cut, how much more the JSON form has.
pub(crate) fn bounded(text: &str, most: usize) -> String {
    match cut(text, most) {
        (whole, 0) => whole.to_owned(),
        (start, rest) => format!("{start}… {rest} more bytes in report.json"),
    }
}

/// A command as it is typed into a shell: arguments that need it in single quotes.
pub(crate) fn shell(command: &[String]) -> String {
    command
        .iter()
        .map(|argument| quote(argument))
        .collect::<Vec<_>>()
        .join(" ")
}

fn quote(argument: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=,@%+*".contains(character);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{cut, duration, moment, number, plural, shell, shorten};

    #[test]
    fn words_numbers_for_people() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,567"],
            [0, 999, 1000, 1_234_567].map(number).as_slice()
        );
        assert_eq!([plural(1, "case"), plural(0, "case")], ["1 case", "0 cases"]);
        let worded = [420, 12_340, 245_000, 7_380_000].map(duration);
        assert_eq!(worded, ["420 ms", "12.3 s", "4 min 5 s", "2 h 3 min"]);
        assert_eq!(moment("2026-11-21T13:05:09.123Z"), "2026-11-21 13:05:09 UTC");
        assert_eq!(moment("äöüäöüäöü"), "äöüäöüäöü");
    }

    #[test]
    fn cuts_between_characters() {
        assert_eq!(cut("aé", 2), ("a", 2));
        assert_eq!(cut("aé", 3), ("aé", 0));
        assert_eq!(shorten("word after word", 5), "word…");
    }

    #[test]
    fn quotes_what_a_shell_would_change() {
        let command = ["run", "--header", "X-A: it's", ""].map(str::to_owned);
        assert_eq!(shell(&command), r"run --header 'X-A: it'\''s' ''");
    }
}
