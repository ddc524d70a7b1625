//! A comparison as text for a terminal, as Markdown for a merge request, and as HTML.

use maud::{Markup, html as template};

use super::{Change, Comparison, Direction, FindingChange, Side};
use crate::html::{page, severity_mark, table, verdict_mark};
use crate::model::Verdict;
use crate::visible::one_line;
use crate::wording::{length, moment, number, plural, shorten};

/// Entries of one list that are shown.
const MOST: usize = 200;
/// Bytes of one entry that are shown.
const MOST_BYTES: usize = 400;

impl Comparison {
    /// The change in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let worse = |changes: &[Change]| {
            changes
                .iter()
                .filter(|change| change.direction == Direction::Worse)
                .count() as u64
        };
        let verdict = match (self.is_worse(), self.is_better()) {
            (true, true) => "Worse in part, better in part",
            (true, false) => "Worse",
            (false, true) => "Better",
            (false, false) => "No change",
        };
        format!(
            "{verdict}: {}, {} fixed, {} still there, {}, {}",
            plural(length(&self.new), "new finding"),
            number(length(&self.fixed)),
            number(length(&self.still_there)),
            plural(worse(&self.requirements), "worse requirement"),
            plural(worse(&self.test_purposes), "worse test purpose"),
        )
    }

    /// Writes the comparison for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.sentence());
        for (name, side) in [("before", &self.before), ("after", &self.after)] {
            text.push_str(&format!("{name:<7} {}\n", side_words(side)));
        }
        for note in &self.notes {
            text.push_str(&format!("note    {}\n", one_line(note)));
        }
        for (heading, lines) in self.lists() {
            text.push_str(&format!("\n{heading}: {}\n", lines.len()));
            for line in lines.iter().take(MOST) {
                text.push_str(&format!("  {line}\n"));
            }
            if lines.len() > MOST {
                text.push_str(&format!("  and {} more\n", lines.len() - MOST));
            }
        }
        text
    }

    /// Writes the comparison as Markdown, for a merge request.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("## Conformance: {}\n\n", markdown_escape(&self.sentence()));
        text.push_str(
            "| | started | target | profiles | seed | cases | result |\n|---|---|---|---|---|---|---|\n",
        );
        for (name, side) in [("before", &self.before), ("after", &self.after)] {
            let cells = [
                moment(&side.started_at),
                side.target.clone(),
                side.profiles.join(", "),
                side.seed.to_string(),
                number(side.cases),
                format!("{}: {}", side.result.as_str(), side.sentence),
            ];
            let cells = cells.map(|cell| markdown_escape(&one_line(&cell))).join(" | ");
            text.push_str(&format!("| {name} | {cells} |\n"));
        }
        if !self.notes.is_empty() {
            text.push_str("\nThe runs differ:\n\n");
            for note in &self.notes {
                text.push_str(&format!("- {}\n", markdown_escape(&one_line(note))));
            }
        }
        for (heading, lines) in self.lists() {
            text.push_str(&format!("\n### {heading}: {}\n\n", lines.len()));
            for line in lines.iter().take(MOST) {
                text.push_str(&format!("- {}\n", markdown_escape(line)));
            }
            if lines.len() > MOST {
                text.push_str(&format!("- and {} more\n", lines.len() - MOST));
            }
        }
        text
    }

    /// Writes the comparison as one HTML file without external resources.
    #[must_use]
    pub fn html(&self) -> String {
        let kind = match (self.is_worse(), self.is_better()) {
            (true, _) => "fail",
            (false, true) => "pass",
            (false, false) => "not-applicable",
        };
        let body = template! {
            header.top data-result=(kind) {
                p.overline { "MEC conformance · comparison of two runs" }
                h1 { (self.sentence()) }
                dl.facts {
                    div { dt { "Before" } dd { (side_words(&self.before)) } }
                    div { dt { "After" } dd { (side_words(&self.after)) } }
                }
            }
            main {
                @if !self.notes.is_empty() {
                    section aria-labelledby="notes" {
                        h2 id="notes" { "The runs differ" }
                        p.quiet { "What changed below may come from these differences and not from the target." }
                        ul { @for note in &self.notes { li { (note) } } }
                    }
                }
                (findings_section("new", "New findings", &self.new))
                (changes_section("requirements", "Requirements whose verdict changed", &self.requirements))
                (changes_section("purposes", "Test purposes whose verdict changed", &self.test_purposes))
                (findings_section("fixed", "Fixed", &self.fixed))
                (findings_section("still", "Still there", &self.still_there))
                (findings_section("untested", "Not tested again", &self.not_tested_again))
                @if !self.statuses_lost.is_empty() {
                    section aria-labelledby="lost" {
                        h2 id="lost" { "Statuses that are no longer reached" }
                        ul { @for status in self.statuses_lost.iter().take(MOST) { li { code { (status) } } } }
                        (more(self.statuses_lost.len()))
                    }
                }
            }
        };
        page("Comparison of two conformance runs", body)
    }

    /// Every list that has entries, with its entries on one line each; what is worse comes first.
    fn lists(&self) -> Vec<(&'static str, Vec<String>)> {
        let findings = |list: &[FindingChange]| list.iter().map(finding_line).collect::<Vec<_>>();
        let changed = |list: &[Change]| list.iter().map(change_line).collect::<Vec<_>>();
        let lists = vec![
            ("New findings", findings(&self.new)),
            ("Requirements whose verdict changed", changed(&self.requirements)),
            (
                "Test purposes whose verdict changed",
                changed(&self.test_purposes),
            ),
            ("Fixed", findings(&self.fixed)),
            ("Still there", findings(&self.still_there)),
            ("Not tested again", findings(&self.not_tested_again)),
            (
                "Statuses that are no longer reached",
                self.statuses_lost.iter().map(|status| one_line(status)).collect(),
            ),
        ];
        lists.into_iter().filter(|(_, lines)| !lines.is_empty()).collect()
    }
}

fn side_words(side: &Side) -> String {
    one_line(&format!(
        "{}, {} at {}, seed {}: {}, {}",
        moment(&side.started_at),
        side.profiles.join(", "),
        side.target,
        side.seed,
        side.result.as_str(),
        plural(side.cases, "case")
    ))
}

fn finding_line(change: &FindingChange) -> String {
    let remark = change
        .remark
        .as_ref()
        .map(|remark| format!(" [{remark}]"))
        .unwrap_or_default();
    let place = change.operation.as_deref().unwrap_or("whole API");
    let line = format!(
        "{} {} {} ({} at {place}){remark}",
        change.severity.as_str(),
        change.id,
        change.title,
        change.check
    );
    shorten(&one_line(&line), MOST_BYTES)
}

fn change_line(change: &Change) -> String {
    let reason = change
        .reason
        .as_ref()
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default();
    let direction = match change.direction {
        Direction::Worse => "worse",
        Direction::Better => "better",
        Direction::Neither => "changed",
    };
    let (before, after) = (verdict_words(change.before), verdict_words(change.after));
    let line = format!(
        "{direction}: {} ({}) {before} → {after}{reason}",
        change.what, change.place
    );
    shorten(&one_line(&line), MOST_BYTES)
}

fn verdict_words(verdict: Option<Verdict>) -> &'static str {
    verdict.map_or("no verdict", Verdict::words)
}

/// Escapes what Markdown and the HTML in it would take for markup, and what would address somebody.
fn markdown_escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '@' => escaped.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' | '~' | '$' => {
                escaped.extend(['\\', character])
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

fn more(total: usize) -> Markup {
    template! { @if total > MOST { p.quiet { "and " (number((total - MOST) as u64)) " more" } } }
}

fn findings_section(id: &str, heading: &str, list: &[FindingChange]) -> Markup {
    template! {
        @if !list.is_empty() {
            section aria-labelledby=(id) {
                h2 id=(id) { (heading) span.count { (number(length(list))) } }
                (table(&["Finding", "What", "Where", "Check"], list.iter().take(MOST).map(|change| vec![
                    template! { (severity_mark(change.severity)) " " code { (change.id) } },
                    template! { (shorten(&change.title, MOST_BYTES)) @if let Some(remark) = &change.remark { " " em { "(" (remark) ")" } } },
                    template! { code { (change.operation.as_deref().unwrap_or("whole API")) } br; span.quiet { (change.api) } },
                    template! { code { (change.check) } },
                ])))
                (more(list.len()))
            }
        }
    }
}

fn changes_section(id: &str, heading: &str, list: &[Change]) -> Markup {
    let mark = |verdict: Option<Verdict>| {
        template! {
            @match verdict { Some(verdict) => (verdict_mark(verdict)), None => span.quiet { "no verdict" } }
        }
    };
    template! {
        @if !list.is_empty() {
            section aria-labelledby=(id) {
                h2 id=(id) { (heading) span.count { (number(length(list))) } }
                (table(&["What", "Where", "Before", "After", "Reason"], list.iter().take(MOST).map(|change| vec![
                    template! { code { (change.what) } },
                    template! { (change.place) },
                    mark(change.before),
                    mark(change.after),
                    template! { (shorten(change.reason.as_deref().unwrap_or_default(), MOST_BYTES)) },
                ])))
                (more(list.len()))
            }
        }
    }
}
