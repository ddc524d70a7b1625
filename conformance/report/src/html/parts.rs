//! Small parts that every section of the page is made of.

use maud::{Markup, html as template};

use crate::model::{Exchange, Reference, Severity, Verdict};
use crate::wording::{cut, number};

/// Bytes of a quoted text (an expectation, a command) that are shown.
pub(crate) const MOST_TEXT: usize = 8 * 1024;
/// Bytes of a body that are shown.
pub(crate) const MOST_BODY: usize = 4 * 1024;
/// Header fields of a message that are shown.
const MOST_FIELDS: usize = 60;
/// Exchanges of a finding that are shown.
const MOST_EXCHANGES: usize = 30;

pub(crate) fn verdict_mark(verdict: Verdict) -> Markup {
    template! { span.mark data-verdict=(verdict.as_str()) { (verdict.words()) } }
}

pub(crate) fn severity_mark(severity: Severity) -> Markup {
    let verdict = match severity {
        Severity::Error => "fail",
        Severity::Warning => "warning",
    };
    template! { span.mark data-verdict=(verdict) { (severity.as_str()) } }
}

/// A table whose cells know their column's heading, so that a phone can show each row as a block.
pub(crate) fn table(headings: &[&str], rows: impl Iterator<Item = Vec<Markup>>) -> Markup {
    template! {
        table.stacked {
            thead { tr { @for heading in headings { th scope="col" { (heading) } } } }
            tbody {
                @for row in rows {
                    tr.filterable {
                        @for (heading, cell) in headings.iter().zip(row) {
                            td data-label=(heading) { div { (cell) } }
                        }
                    }
                }
            }
        }
    }
}

/// Says how many entries are not on the page.
pub(crate) fn more(total: usize, shown: usize) -> Markup {
    template! {
        @if total > shown {
            p.more { "and " (number((total - shown) as u64)) " more in " code { "report.json" } }
        }
    }
}

/// A quoted text with line ends kept, cut where it is long.
pub(crate) fn quoted(text: &str, most: usize, whole: u64) -> Markup {
    let (start, rest) = cut(text, most);
    let left_out = whole.max(text.len() as u64) - start.len() as u64;
    template! {
        (start)
        @if rest > 0 || left_out > 0 {
            span.cut { "… " (number(left_out)) " more bytes (report.json has " (number(text.len() as u64)) ")" }
        }
    }
}

/// Code that somebody may want to copy.
pub(crate) fn code_block(label: &str, text: &str) -> Markup {
    template! {
        div.code {
            p.label { (label) button.copy type="button" hidden { "Copy" } }
            pre tabindex="0" aria-label=(label) { code { (quoted(text, MOST_TEXT, 0)) } }
        }
    }
}

pub(crate) fn references(references: &[Reference]) -> Markup {
    template! {
        @for (index, reference) in references.iter().enumerate() {
            @if index > 0 { "; " }
            @match reference.url.as_deref().filter(|url| is_web_address(url)) {
                Some(url) => a href=(url) rel="noreferrer noopener" { (reference.describe()) },
                None => (reference.describe()),
            }
        }
    }
}

/// Only web addresses become links: a report that was read from a file could have others.
fn is_web_address(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// The exchanges of a finding or a test purpose, folded away.
pub(crate) fn evidence(exchanges: &[Exchange]) -> Markup {
    template! {
        @if !exchanges.is_empty() {
            details.evidence {
                summary { "Evidence " span.quiet { "(" (exchanges.len()) @if exchanges.len() == 1 { " exchange)" } @else { " exchanges)" } } }
                ol {
                    // The last ones matter most: the very last is the one that was judged.
                    @for exchange in exchanges.iter().skip(exchanges.len().saturating_sub(MOST_EXCHANGES)) {
                        li { (self::exchange(exchange)) }
                    }
                }
                @if exchanges.len() > MOST_EXCHANGES {
                    p.more { "and " (exchanges.len() - MOST_EXCHANGES) " before these in " code { "report.json" } }
                }
            }
        }
    }
}

fn exchange(exchange: &Exchange) -> Markup {
    let request = &exchange.request;
    let answer = exchange.response.as_ref();
    let status = answer.map_or_else(|| "no answer".to_owned(), |answer| answer.status.to_string());
    template! {
        div.exchange {
            p.label {
                strong { (exchange.role) } " "
                span.quiet { (status) " after " (format!("{:.1}", exchange.elapsed_ms)) " ms, " (exchange.started_at) }
            }
            pre tabindex="0" aria-label="Request" {
                code {
                    (request.method) " " (quoted(&request.url, MOST_TEXT, 0)) " " (request.version) "\n"
                    (fields(&request.headers))
                    @if let Some(body) = &request.body { "\n" (quoted(body, MOST_BODY, request.body_length)) }
                }
            }
            @if let Some(answer) = answer {
                pre.answer tabindex="0" aria-label="Answer" {
                    code {
                        (answer.version) " " (answer.status) "\n"
                        (fields(&answer.headers))
                        @if !answer.body.is_empty() { "\n" (quoted(&answer.body, MOST_BODY, answer.body_length)) }
                    }
                }
            }
            @if let Some(fault) = &exchange.fault { p.fault { (fault) } }
        }
    }
}

fn fields(fields: &[(String, String)]) -> Markup {
    template! {
        @for (name, value) in fields.iter().take(MOST_FIELDS) { (name) ": " (quoted(value, 1024, 0)) "\n" }
        @if fields.len() > MOST_FIELDS { "… " (fields.len() - MOST_FIELDS) " more header fields\n" }
    }
}
