//! The beginning of the page (verdict, facts, contents, summary) and its end (contradictions, leftovers).

use std::collections::BTreeMap;

use maud::{Markup, html as template};

use super::parts::{code_block, severity_mark, table, verdict_mark};
use crate::model::{Report, Result, Severity, Verdict};
use crate::wording::{count_of, duration, length, moment, number, plural, sentence, shell};

pub(super) fn header(report: &Report) -> Markup {
    let run = &report.run;
    let kind = match report.summary.result {
        Result::Conforms => "pass",
        Result::Fails => "fail",
        Result::Inconclusive => "inconclusive",
    };
    template! {
        header.top data-result=(kind) {
            p.overline { "MEC conformance report" }
            p.result { (report.summary.result.heading()) }
            h1 { (sentence(&report.summary)) }
            @if let Some(remark) = run.end.remark() { p.remark { (remark) "." } }
            dl.facts {
                div { dt { "Target" } dd { code { (run.target) } @if let Some(server) = &run.server { br; span.quiet { (server) } } } }
                div { dt { "Profile" } dd { (run.profiles.join(", ")) } }
                div { dt { "Date" } dd { (moment(&run.started_at)) } }
                div { dt { "Duration" } dd { (duration(run.duration_ms)) } }
                div { dt { "Seed" } dd { code { (run.seed) } } }
                div { dt { "Volume" } dd { (plural(run.cases, "case")) ", " (plural(run.requests, "request")) } }
            }
            (code_block("Command that repeats the run", &shell(&run.command)))
        }
    }
}

pub(super) fn contents(report: &Report) -> Markup {
    let coverage = &report.coverage;
    let entries = [
        ("summary", "Summary", 1),
        ("findings", "Findings", report.findings.len().max(1)),
        ("flaky", "Flaky", report.flaky.len()),
        (
            "expected",
            "Expected",
            report.expected.len() + report.no_longer_failing.len(),
        ),
        ("purposes", "Test purposes", report.test_purposes.len()),
        (
            "requirements",
            "Requirements",
            report.requirements.len() + report.checks.len(),
        ),
        (
            "coverage",
            "Coverage",
            coverage.operations.len() + coverage.schemas.len() + coverage.transitions.len(),
        ),
        ("contradictions", "Contradictions", report.contradictions.len()),
        ("left", "Left behind", report.run.left_behind.len()),
    ];
    template! {
        nav aria-label="Contents" {
            ul { @for (id, name, size) in entries { @if size > 0 { li { a href=(format!("#{id}")) { (name) } } } } }
            p.filter hidden { label for="filter" { "Filter " } input #filter type="search" placeholder="check, operation, words"; }
        }
    }
}

pub(super) fn summary(report: &Report) -> Markup {
    let findings = &report.summary.findings;
    let mut purposes = BTreeMap::new();
    for purpose in &report.test_purposes {
        *purposes.entry(purpose.verdict.as_str().to_owned()).or_insert(0) += 1;
    }
    template! {
        section aria-labelledby="summary" {
            h2 id="summary" { "Summary" }
            ul.figures {
                (figure(count_of(findings, "error"), "errors", "fail"))
                (figure(count_of(findings, "warning"), "warnings", "warning"))
                (figure(length(&report.flaky), "flaky", "inconclusive"))
                (figure(length(&report.expected), "expected", "waived"))
            }
            (verdict_table(&[("Requirements", &report.summary.requirements), ("Test purposes", &purposes)]))
            (api_table(report))
        }
    }
}

fn figure(count: u64, name: &str, kind: &str) -> Markup {
    let kind = if count == 0 { "none" } else { kind };
    template! { li data-verdict=(kind) { strong { (number(count)) } " " span { (name) } } }
}

fn verdict_table(rows: &[(&str, &BTreeMap<String, u64>)]) -> Markup {
    let order = [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Inconclusive,
        Verdict::NotApplicable,
        Verdict::Waived,
    ];
    let rows = rows
        .iter()
        .filter(|(_, counts)| counts.values().any(|count| *count > 0));
    template! {
        table.stacked.numbers {
            caption { "Verdicts" }
            thead { tr { th scope="col" { "" } @for verdict in order { th scope="col" { (verdict_mark(verdict)) } } } }
            tbody {
                @for (name, counts) in rows {
                    tr {
                        th scope="row" { (name) (bar(counts)) }
                        @for verdict in order {
                            td data-label=(verdict.words()) { div { (number(count_of(counts, verdict.as_str()))) } }
                        }
                    }
                }
            }
        }
    }
}

/// The shares of the verdicts as a bar; the figures beside it say the same.
fn bar(counts: &BTreeMap<String, u64>) -> Markup {
    let total: u64 = counts.values().sum::<u64>().max(1);
    let mut left = 0;
    let mut parts = Vec::new();
    for verdict in [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Inconclusive,
        Verdict::Waived,
        Verdict::NotApplicable,
    ] {
        let count = count_of(counts, verdict.as_str());
        let width = count.saturating_mul(1000) / total;
        // What is there is to be seen, however small its share.
        let width = if count > 0 { width.max(6) } else { 0 };
        parts.push((verdict, left, width));
        left += width;
    }
    template! {
        svg.bar viewBox=(format!("0 0 {} 10", left.max(1))) preserveAspectRatio="none" aria-hidden="true" {
            @for (verdict, x, width) in parts {
                rect data-verdict=(verdict.as_str()) x=(x) y="0" width=(width) height="10" {}
            }
        }
    }
}

fn api_table(report: &Report) -> Markup {
    let findings = |api: &str, severity: Severity| {
        report
            .findings
            .iter()
            .filter(|finding| finding.api == api && finding.severity == severity)
            .count() as u64
    };
    let verdicts = |api: &str, verdict: Verdict| {
        let of_api = report.requirements.iter().filter(|entry| entry.api == api);
        of_api.filter(|entry| entry.verdict == verdict).count() as u64
    };
    let headings = [
        "API",
        "Base path",
        "Operations",
        "Errors",
        "Warnings",
        "Pass",
        "Fail",
        "Inconclusive",
    ];
    let rows = report.run.apis.iter().map(|api| {
        vec![
            template! { (api.title) " " (api.version) br; code.quiet { (api.id) } },
            template! { code { (api.base_path) } },
            template! { (number(api.operations)) },
            template! { (number(findings(&api.id, Severity::Error))) },
            template! { (number(findings(&api.id, Severity::Warning))) },
            template! { (number(verdicts(&api.id, Verdict::Pass))) },
            template! { (number(verdicts(&api.id, Verdict::Fail))) },
            template! { (number(verdicts(&api.id, Verdict::Inconclusive))) },
        ]
    });
    template! { @if !report.run.apis.is_empty() { h3 { "By API" } (table(&headings, rows)) } }
}

pub(super) fn contradictions(report: &Report) -> Markup {
    template! {
        @if !report.contradictions.is_empty() {
            section aria-labelledby="contradictions" {
                h2 id="contradictions" { "Contradictions of the standard" span.count { (report.contradictions.len()) } }
                p.quiet { "Where the standard contradicts itself or its document, every reading is accepted." }
                (table(&["Contradiction", "What contradicts what", "What the target does"], report.contradictions.iter().map(|entry| vec![
                    template! { code { (entry.id) } },
                    template! { (entry.description) },
                    template! { @match &entry.observed { Some(observed) => (observed), None => span.quiet { "could not be told" } } },
                ])))
            }
        }
    }
}

pub(super) fn left_behind(report: &Report) -> Markup {
    const MOST: usize = 200;
    let left = &report.run.left_behind;
    template! {
        @if !left.is_empty() {
            section aria-labelledby="left" {
                h2 id="left" { "Left behind at the target" span.count { (left.len()) } }
                p.quiet { "The run made these and could not remove them; remove them by hand." }
                ul { @for thing in left.iter().take(MOST) { li { (thing) } } }
                (super::parts::more(left.len(), MOST))
            }
        }
    }
}

pub(super) fn footer(report: &Report) -> Markup {
    let flaky = severity_mark(Severity::Error);
    template! {
        footer {
            p {
                (report.tool.name) " " (report.tool.version) ", report format " (report.format) ". "
                "Only findings of severity " (flaky) " make a run fail. "
                "Beside this file: " code { "report.json" } ", " code { "report.junit.xml" } ", " code { "report.sarif" } " and " code { "evidence.har" } "."
            }
        }
    }
}
