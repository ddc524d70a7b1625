//! What a check is: an id, what it demands, how bad a breach is, and what it rests on.

use mecforge_report::{Reference, Severity};

/// The groups of checks, in the order in which they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Every answer is judged by these.
    Responses,
    /// Valid requests are accepted, invalid ones refused.
    Input,
    /// HTTP's own rules.
    Http,
    /// Reads equal a model after any sequence of changes; filters.
    State,
    /// Parallel requests.
    Concurrency,
    /// What the platform sends to callback addresses.
    Notifications,
    /// Heartbeats, expiry, clocks.
    Time,
    /// What an attacker would try.
    Security,
    /// What rules do outside of HTTP.
    Effects,
    /// ETSI's test purposes.
    TestPurposes,
}

impl Group {
    /// Its name in reports and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Group::Responses => "responses",
            Group::Input => "input",
            Group::Http => "http",
            Group::State => "state",
            Group::Concurrency => "concurrency",
            Group::Notifications => "notifications",
            Group::Time => "time",
            Group::Security => "security",
            Group::Effects => "effects",
            Group::TestPurposes => "test-purposes",
        }
    }
}

/// What a check rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The OpenAPI document of the API; the place is told with each finding.
    Document,
    /// An RFC: number and section.
    Rfc(u32, &'static str),
    /// A standard of ETSI: its name, for example `ETSI GS MEC 009 V3.3.1`, and clause.
    Etsi(&'static str, &'static str),
    /// Good practice that no standard demands, in a few words.
    Practice(&'static str),
}

impl Source {
    /// As reports carry it.
    pub fn reference(self) -> Reference {
        let (document, place, url) = match self {
            Source::Document => ("OpenAPI document".to_owned(), String::new(), None),
            Source::Rfc(number, section) => {
                let url = format!("https://www.rfc-editor.org/rfc/rfc{number}#section-{section}");
                (format!("RFC {number}"), section.to_owned(), Some(url))
            }
            Source::Etsi(document, clause) => (document.to_owned(), clause.to_owned(), None),
            Source::Practice(what) => ("Good practice".to_owned(), what.to_owned(), None),
        };
        Reference { document, place, url }
    }
}

/// One check.
#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    /// Its id: lower case, words joined by hyphens; stable, as `--only`, `--expect` and reports name it.
    pub id: &'static str,
    /// Its group.
    pub group: Group,
    /// What it demands, in one line, as a sentence about the target without a final full stop.
    pub title: &'static str,
    /// How bad a breach is.
    pub severity: Severity,
    /// How it is tested, why it matters, what a correct platform does and what is not held against it.
    pub explanation: &'static str,
    /// What it rests on.
    pub sources: &'static [Source],
}

impl Check {
    /// What it rests on, as reports carry it.
    pub fn references(&self) -> Vec<Reference> {
        self.sources.iter().map(|source| source.reference()).collect()
    }
}
