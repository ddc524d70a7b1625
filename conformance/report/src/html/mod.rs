//! The report as one HTML file: no external resource, readable without script, on paper and on a phone.
//!
//! Everything quoted is escaped by `maud`; then characters that hide or reorder text are made visible in the whole
//! page at once, so that no quotation can be forgotten. A content security policy forbids everything that the page
//! does not bring itself, should an escape ever be missing.

mod coverage;
mod findings;
mod overview;
mod parts;
mod verdicts;

use maud::{DOCTYPE, Markup, PreEscaped, html as template};

use crate::model::Report;
use crate::visible::visible;

pub(crate) use parts::{severity_mark, table, verdict_mark};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// Base64 of SHA-256 of `script.js`; a test says what it has to be.
const SCRIPT_HASH: &str = "sha256-2SJYHdYc6ocQTmM1X0zu1QVBbfG63gpZLL1kdzjQC2o=";

/// Writes a report as one HTML file.
#[must_use]
pub fn html(report: &Report) -> String {
    let title = format!(
        "{}: {} at {}",
        report.summary.result.heading(),
        report.run.profiles.join(", "),
        report.run.target
    );
    let body = template! {
        a.skip href="#findings" { "Skip to the findings" }
        (overview::header(report))
        (overview::contents(report))
        main {
            (overview::summary(report))
            (findings::findings(report))
            (findings::flaky(report))
            (findings::expected(report))
            (verdicts::test_purposes(report))
            (verdicts::requirements(report))
            (coverage::coverage(report))
            (overview::contradictions(report))
            (overview::left_behind(report))
        }
        (overview::footer(report))
    };
    page(&title, body)
}

/// A whole page around a body.
pub(crate) fn page(title: &str, body: Markup) -> String {
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src '{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'"
    );
    let page = template! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (body)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    let mut text = visible(&page.into_string()).into_owned();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::{SCRIPT, SCRIPT_HASH, STYLE};

    #[test]
    fn the_policy_allows_the_script() {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let digest = Sha256::digest(SCRIPT.as_bytes());
        let mut expected = "sha256-".to_owned();
        for chunk in digest.chunks(3) {
            let bits = (0..3).fold(0u32, |bits, index| {
                bits << 8 | u32::from(*chunk.get(index).unwrap_or(&0))
            });
            for place in 0..=chunk.len() {
                expected.push(char::from(ALPHABET[(bits >> (18 - 6 * place)) as usize & 63]));
            }
        }
        expected.push('=');
        assert_eq!(SCRIPT_HASH, expected);
    }

    #[test]
    fn what_is_not_escaped_ends_nothing() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</"));
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
