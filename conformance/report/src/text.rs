//! What a terminal shows at the end of a run.

use std::collections::BTreeMap;

use crate::likewise::groups;
use crate::model::{Finding, Report, Result, Severity, Verdict};
use crate::visible::{one_line, visible};
use crate::wording::{count_of, duration, length, number, plural, sentence, shorten};

/// How [`text`] writes.
#[derive(Clone, Debug)]
pub struct TextOptions {
    /// Whether to colour with ANSI escape sequences.
    pub colour: bool,
    /// Findings that are told, where those that say the same of several operations are one; the others are counted.
    pub most_findings: usize,
    /// Where the reports were written, one path each.
    pub reports: Vec<String>,
}

impl Default for TextOptions {
    fn default() -> TextOptions {
        TextOptions {
            colour: false,
            most_findings: 20,
            reports: Vec::new(),
        }
    }
}

/// Writes a report for a terminal: the verdict, the findings, then the counts and where the reports are.
///
/// Nothing that a target sent reaches the terminal as a control character.
#[must_use]
pub fn text(report: &Report, options: &TextOptions) -> String {
    let mut out = Writer {
        text: String::new(),
        colour: options.colour,
    };
    out.verdict(report);
    let groups = groups(&report.findings);
    let told = groups.len().min(options.most_findings);
    for group in &groups[..told] {
        out.finding(group.first);
        out.likewise(&group.others);
    }
    if groups.len() > told {
        let more: usize = groups[told..].iter().map(|group| 1 + group.others.len()).sum();
        out.line(&format!("and {} more in report.json", number(more as u64)));
        out.line("");
    }
    out.apart(report);
    out.counts(report);
    if !options.reports.is_empty() {
        out.line("");
        out.line("Reports:");
        for path in &options.reports {
            out.line(&format!("  {}", one_line(path)));
        }
    }
    out.text
}

/// Bytes of a line that quotes; a curl line is given whole up to [`MOST_CURL`], since half of it is useless.
const MOST_LINE: usize = 400;
const MOST_CURL: usize = 4_096;

struct Writer {
    text: String,
    colour: bool,
}

impl Writer {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn paint(&self, code: &str, words: &str) -> String {
        if self.colour {
            format!("\u{1b}[{code}m{words}\u{1b}[0m")
        } else {
            words.to_owned()
        }
    }

    fn verdict(&mut self, report: &Report) {
        let result = report.summary.result;
        let code = match result {
            Result::Conforms => "1;32",
            Result::Fails => "1;31",
            Result::Inconclusive => "1;33",
        };
        let heading = self.paint(code, result.heading());
        self.line(&format!("{heading}: {}", one_line(sentence(&report.summary))));
        let profiles = report.run.profiles.join(", ");
        self.line(&one_line(&format!(
            "{profiles} at {}, seed {}",
            report.run.target, report.run.seed
        )));
        if let Some(remark) = report.run.end.remark() {
            self.line(remark);
        }
        self.line("");
    }

    fn finding(&mut self, finding: &Finding) {
        let code = match finding.severity {
            Severity::Error => "1;31",
            Severity::Warning => "1;33",
        };
        let severity = self.paint(code, finding.severity.as_str());
        let title = self.paint("1", &one_line(&finding.title));
        self.line(&format!("{severity} {} {title}", one_line(&finding.id)));
        self.line(
            &one_line(&format!(
                "{} at {} ({})",
                finding.check,
                finding.place(),
                finding.api
            ))
            .indent(),
        );
        self.entry("expected", &finding.expected);
        self.entry("actual", &finding.actual);
        if !finding.references.is_empty() {
            let references: Vec<String> = finding
                .references
                .iter()
                .map(|reference| reference.describe())
                .collect();
            self.entry("clause", &references.join("; "));
        }
        if finding.occurrences > 1 {
            self.entry("seen", &format!("{} times", number(finding.occurrences)));
        }
        self.curl(finding);
    }

    /// Where a finding is found besides.
    fn likewise(&mut self, others: &[&Finding]) {
        const MOST: usize = 30;
        if !others.is_empty() {
            self.line(&format!("  the same at {} more:", number(length(others))));
        }
        for finding in others.iter().take(MOST) {
            let words = one_line(&format!(
                "{} at {} ({})",
                finding.id,
                finding.place(),
                finding.api
            ));
            self.line(&shorten(&words, MOST_LINE).indent().indent());
        }
        if others.len() > MOST {
            let more = number(length(&others[MOST..]));
            self.line(&format!("    and {more} more in report.json"));
        }
        self.line("");
    }

    fn entry(&mut self, name: &str, words: &str) {
        let words = shorten(&one_line(words), MOST_LINE);
        self.line(&format!("  {name:<9} {words}"));
    }

    fn curl(&mut self, finding: &Finding) {
        if finding.curl.len() > MOST_CURL {
            let bytes = number(finding.curl.len() as u64);
            self.line(&format!(
                "  curl line of {bytes} bytes: report.json, finding {}",
                one_line(&finding.id)
            ));
            return;
        }
        for line in finding.curl.lines() {
            self.line(&visible(line).indent());
        }
    }

    /// What is reported apart: flaky and expected findings, expectations without a finding, what was left behind.
    fn apart(&mut self, report: &Report) {
        self.list(
            "Flaky (seen, and not again when repeated)",
            &report.flaky,
            |finding| format!("{} {} ({})", finding.id, finding.title, finding.place()),
        );
        self.list("Expected", &report.expected, |known| {
            format!(
                "{} {} ({})",
                known.finding.id, known.finding.title, known.expectation.reason
            )
        });
        self.list(
            "Expected, and no longer failing (remove from the file of --expect)",
            &report.no_longer_failing,
            |entry| entry.describe(),
        );
        self.list("Left behind at the target", &report.run.left_behind, Clone::clone);
    }

    fn list<T>(&mut self, heading: &str, items: &[T], words: impl Fn(&T) -> String) {
        const MOST: usize = 10;
        if items.is_empty() {
            return;
        }
        let heading = self.paint("1", heading);
        self.line(&format!("{heading}: {}", number(length(items))));
        for item in items.iter().take(MOST) {
            self.line(&shorten(&one_line(&words(item)), MOST_LINE).indent());
        }
        if items.len() > MOST {
            self.line(&format!(
                "  and {} more in report.json",
                number(length(&items[MOST..]))
            ));
        }
        self.line("");
    }

    fn counts(&mut self, report: &Report) {
        let run = &report.run;
        let findings = &report.summary.findings;
        self.line(&format!(
            "{}, {}, {} flaky, {} expected",
            plural(count_of(findings, "error"), "error"),
            plural(count_of(findings, "warning"), "warning"),
            number(length(&report.flaky)),
            number(length(&report.expected)),
        ));
        let counted = |counts: &BTreeMap<String, u64>| {
            let mut words = String::new();
            for verdict in Verdict::ALL.into_iter().rev() {
                let count = number(count_of(counts, verdict.as_str()));
                let separator = if words.is_empty() { "" } else { ", " };
                words.push_str(&format!("{separator}{count} {}", verdict.words()));
            }
            words
        };
        let warned = by_warnings(report);
        let remark = match warned {
            0 => String::new(),
            _ => format!(" ({} of them by warnings alone)", number(warned)),
        };
        self.line(&format!(
            "requirements: {}{remark}",
            counted(&report.summary.requirements)
        ));
        if !report.test_purposes.is_empty() {
            let mut purposes = BTreeMap::new();
            for purpose in &report.test_purposes {
                *purposes.entry(purpose.verdict.as_str().to_owned()).or_insert(0) += 1;
            }
            self.line(&format!("test purposes: {}", counted(&purposes)));
        }
        self.line(&format!(
            "{} with {} in {}",
            plural(run.cases, "case"),
            plural(run.requests, "request"),
            duration(run.duration_ms)
        ));
    }
}

/// Requirements that fail by warnings alone, so that they do not make the run fail.
fn by_warnings(report: &Report) -> u64 {
    let is_warning = |id: &String| {
        let finding = report.findings.iter().find(|finding| finding.id == *id);
        finding.is_some_and(|finding| finding.severity == Severity::Warning)
    };
    let failed = report.requirements.iter().filter(|requirement| {
        requirement.verdict == Verdict::Fail
            && !requirement.findings.is_empty()
            && requirement.findings.iter().all(is_warning)
    });
    failed.count() as u64
}

trait Indent {
    /// The text two blanks to the right.
    fn indent(&self) -> String;
}

impl<T: AsRef<str> + ?Sized> Indent for T {
    fn indent(&self) -> String {
        format!("  {}", self.as_ref())
    }
}
