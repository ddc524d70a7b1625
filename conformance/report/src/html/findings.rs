//! The findings: those that count, the flaky ones, the expected ones.

use maud::{Markup, html as template};

use super::parts::{MOST_TEXT, code_block, evidence, more, quoted, references, severity_mark};
use crate::likewise::groups;
use crate::model::{CheckResult, Finding, Report};
use crate::wording::{duration, length, number, plural, shorten};

/// Findings that are told in full.
const MOST_FINDINGS: usize = 200;
/// Flaky and expected ones that are told.
const MOST_APART: usize = 50;
/// Bytes of a title.
const MOST_TITLE: usize = 500;

pub(super) fn findings(report: &Report) -> Markup {
    let groups = groups(&report.findings);
    template! {
        section aria-labelledby="findings" {
            h2 id="findings" { "Findings" span.count { (number(length(&report.findings))) } }
            @if groups.is_empty() {
                p { "No finding. What was tested, and what was not, is listed below." }
            }
            @for group in groups.iter().take(MOST_FINDINGS) {
                article.finding.filterable id=(group.first.id) data-severity=(group.first.severity.as_str()) {
                    (head(group.first))
                    (inside(report, group.first))
                    @if !group.others.is_empty() {
                        p.label { "The same at " (number(length(&group.others))) " more" }
                        @for other in group.others.iter().take(MOST_APART) { (folded(report, other, None)) }
                        (more(group.others.len(), MOST_APART))
                    }
                }
            }
            (more(groups.len(), MOST_FINDINGS))
        }
    }
}

pub(super) fn flaky(report: &Report) -> Markup {
    template! {
        @if !report.flaky.is_empty() {
            section aria-labelledby="flaky" {
                h2 id="flaky" { "Flaky" span.count { (number(length(&report.flaky))) } }
                p.quiet { "Seen, and not seen again when the same requests were repeated. They do not count." }
                @for finding in report.flaky.iter().take(MOST_APART) { (folded(report, finding, None)) }
                (more(report.flaky.len(), MOST_APART))
            }
        }
    }
}

pub(super) fn expected(report: &Report) -> Markup {
    let (known, gone) = (&report.expected, &report.no_longer_failing);
    template! {
        @if !known.is_empty() || !gone.is_empty() {
            section aria-labelledby="expected" {
                h2 id="expected" { "Expected" span.count { (number(length(known))) } }
                @if !known.is_empty() {
                    p.quiet { "Known failures that " code { "--expect" } " lists. They do not count." }
                }
                @for entry in known.iter().take(MOST_APART) {
                    (folded(report, &entry.finding, Some(&entry.expectation.describe())))
                }
                (more(known.len(), MOST_APART))
                @if !gone.is_empty() {
                    h3 { "Expected and no longer failing" }
                    p.quiet { "Their cases ran, and nothing matched: remove them from the file of " code { "--expect" } "." }
                    ul { @for entry in gone.iter().take(MOST_APART) { li { (entry.describe()) } } }
                    (more(gone.len(), MOST_APART))
                }
            }
        }
    }
}

fn head(finding: &Finding) -> Markup {
    template! {
        header {
            p.tags { (severity_mark(finding.severity)) " " a.id href=(format!("#{}", finding.id)) { (finding.id) } }
            h3 { (shorten(&finding.title, MOST_TITLE)) }
            p.place { code { (finding.place()) } " " span.quiet { (finding.api) } }
        }
    }
}

fn folded(report: &Report, finding: &Finding, remark: Option<&str>) -> Markup {
    template! {
        details.folded.filterable {
            summary { (severity_mark(finding.severity)) " " (shorten(&finding.title, MOST_TITLE)) " " span.quiet { (finding.id) " · " (finding.place()) } }
            @if let Some(remark) = remark { p { "Expected by " (remark) } }
            // A browser opens what is folded when a link leads inside.
            div id=(finding.id) { (inside(report, finding)) }
        }
    }
}

fn inside(report: &Report, finding: &Finding) -> Markup {
    let check = report.checks.iter().find(|check| check.id == finding.check);
    template! {
        div.sides {
            div { p.label { "Expected" } p.quote { (quoted(&finding.expected, MOST_TEXT, 0)) } }
            div { p.label { "Actual" } p.quote { (quoted(&finding.actual, MOST_TEXT, 0)) } }
        }
        dl.details {
            div { dt { "Check" } dd { (check_words(finding, check)) } }
            @if !finding.references.is_empty() { div { dt { "Clause" } dd { (references(&finding.references)) } } }
            @if !finding.errata.is_empty() {
                div { dt { "Errata" } dd { @for erratum in &finding.errata { p { (erratum) } } } }
            }
            div { dt { "Seen" } dd { (seen(finding)) } }
        }
        (code_block("Shows it", &finding.curl))
        @if !finding.rust_test.is_empty() {
            details { summary { "Rust test on the generated client" } (code_block("Rust", &finding.rust_test)) }
        }
        (evidence(&finding.evidence))
    }
}

fn check_words(finding: &Finding, check: Option<&CheckResult>) -> Markup {
    template! {
        code { (finding.check) }
        @if let Some(check) = check { ": " (check.title) }
    }
}

fn seen(finding: &Finding) -> Markup {
    let minimised = if finding.minimised {
        "minimised"
    } else {
        "not minimised"
    };
    template! {
        (plural(finding.occurrences.max(1), "time")) ", first after " (duration(finding.first_seen_ms)) "; request " (minimised)
        "; again with " code { "mec-conformance replay report.json#" (finding.id) }
    }
}
