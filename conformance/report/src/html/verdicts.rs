//! A verdict for each of ETSI's test purposes and for each requirement.

use std::collections::BTreeMap;

use maud::{Markup, html as template};

use super::parts::{code_block, evidence, more, references, severity_mark, table, verdict_mark};
use crate::model::{CheckResult, Report, Requirement, TestPurpose, Verdict};
use crate::wording::{length, number, plural};

/// Rows of requirements on the whole page.
const MOST_ROWS: usize = 4_000;
const MOST_PURPOSES: usize = 1_000;

pub(super) fn test_purposes(report: &Report) -> Markup {
    let purposes = &report.test_purposes;
    template! {
        @if !purposes.is_empty() {
            section aria-labelledby="purposes" {
                h2 id="purposes" { "ETSI test purposes" span.count { (number(length(purposes))) } }
                (table(&["Test purpose", "What is asked", "Verdict", "Why"], purposes.iter().take(MOST_PURPOSES).map(|purpose| vec![
                    template! { code { (purpose.id) } br; span.quiet { (purpose.standard) ", " (purpose.clause) } },
                    template! { (purpose.title) br; code { (purpose.request) } },
                    verdict_mark(purpose.verdict),
                    purpose_reason(purpose),
                ])))
                (more(purposes.len(), MOST_PURPOSES))
                @for purpose in purposes.iter().take(MOST_PURPOSES) { (purpose_evidence(purpose)) }
            }
        }
    }
}

fn purpose_reason(purpose: &TestPurpose) -> Markup {
    template! {
        (purpose.reason.as_deref().unwrap_or_default())
        @if let Some(contradiction) = &purpose.contradiction { p { strong { "Contradiction: " } (contradiction) } }
        @if !purpose.checks.is_empty() { p.quiet { "Checks: " (purpose.checks.join(", ")) } }
    }
}

/// What shows that a purpose fails, in full width below the table.
fn purpose_evidence(purpose: &TestPurpose) -> Markup {
    template! {
        @if purpose.verdict == Verdict::Fail && !(purpose.curl.is_empty() && purpose.evidence.is_empty()) {
            details.folded.filterable {
                summary { (verdict_mark(purpose.verdict)) " " code { (purpose.id) } " " (purpose.reason.as_deref().unwrap_or_default()) }
                @if !purpose.curl.is_empty() { (code_block("Shows it", &purpose.curl)) }
                (evidence(&purpose.evidence))
            }
        }
    }
}

pub(super) fn requirements(report: &Report) -> Markup {
    let mut by_check: BTreeMap<&str, Vec<&Requirement>> = BTreeMap::new();
    for requirement in &report.requirements {
        by_check.entry(&requirement.check).or_default().push(requirement);
    }
    // Groups in the order in which the checks come.
    let mut groups: Vec<(&str, Vec<&CheckResult>)> = Vec::new();
    for check in &report.checks {
        match groups.iter_mut().find(|(name, _)| *name == check.group) {
            Some((_, checks)) => checks.push(check),
            None => groups.push((&check.group, vec![check])),
        }
    }
    let named: Vec<&str> = report.checks.iter().map(|check| check.id.as_str()).collect();
    let mut rows = MOST_ROWS;
    let total = report.requirements.len();
    template! {
        @if total + report.checks.len() > 0 {
            section aria-labelledby="requirements" {
                h2 id="requirements" { "Requirements" span.count { (number(total as u64)) } }
                p.quiet { "Each check at each operation, with its verdict; everything but a pass has its reason." }
                @for (group, checks) in &groups {
                    h3.group { (group) }
                    @for check in checks {
                        (check_block(check, by_check.get(check.id.as_str()).map_or(&[], Vec::as_slice), &mut rows))
                    }
                }
                @for (check, entries) in by_check.iter().filter(|(check, _)| !named.contains(check)) {
                    details.check.filterable { summary { code { (check) } " " (tally(entries)) } (rows_of(entries, &mut rows)) }
                }
            }
        }
    }
}

fn check_block(check: &CheckResult, entries: &[&Requirement], rows: &mut usize) -> Markup {
    let failing = entries.iter().any(|entry| entry.verdict == Verdict::Fail);
    template! {
        details.check.filterable open[failing] {
            summary { span.name { code { (check.id) } " " (check.title) } " " (tally(entries)) }
            p.quiet {
                (severity_mark(check.severity)) " " (plural(check.judged, "case")) " judged"
                @if !check.references.is_empty() { ". Rests on " (references(&check.references)) }
            }
            @if let Some(reason) = &check.reason { p { "Not judged: " (reason) } }
            @if !entries.is_empty() { (rows_of(entries, rows)) }
        }
    }
}

/// How many of which verdict.
fn tally(entries: &[&Requirement]) -> Markup {
    let count = |verdict| entries.iter().filter(|entry| entry.verdict == verdict).count();
    template! {
        span.tally {
            @if entries.is_empty() { span.mark data-verdict="none" { "not judged" } }
            @for verdict in Verdict::ALL {
                @let number = count(verdict);
                @if number > 0 { span.mark data-verdict=(verdict.as_str()) { (number) " " (verdict.words()) } " " }
            }
        }
    }
}

fn rows_of(entries: &[&Requirement], rows: &mut usize) -> Markup {
    let mut entries = entries.to_vec();
    entries.sort_by_key(|entry| Verdict::ALL.iter().position(|verdict| *verdict == entry.verdict));
    let shown = entries.len().min(*rows);
    *rows -= shown;
    template! {
        (table(&["Operation", "Verdict", "Cases", "Why"], entries.iter().take(shown).map(|entry| vec![
            template! { code { (entry.operation.as_deref().unwrap_or("whole API")) } br; span.quiet { (entry.api) } },
            verdict_mark(entry.verdict),
            template! { (number(entry.cases)) },
            why(entry),
        ])))
        (more(entries.len(), shown))
    }
}

fn why(entry: &Requirement) -> Markup {
    const MOST_LINKS: usize = 20;
    template! {
        (entry.reason.as_deref().unwrap_or_default())
        @if let Some(feature) = &entry.feature { " " span.quiet { "Feature: " (feature) } }
        @for id in entry.findings.iter().take(MOST_LINKS) { " " a.id href=(format!("#{id}")) { (id) } }
        (more(entry.findings.len(), MOST_LINKS))
    }
}
