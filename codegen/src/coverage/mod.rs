//! Coverage: what ETSI's documents declare, what our crates have of it, and what was repaired or widened and why.
//!
//! [`Row::new`] compares a document as it was loaded with what became of it; [`markdown`] prints
//! `generated/COVERAGE.md`. The comparison reads the two documents' trees, not the model, so that a thing that the
//! model loses shows as a difference.

mod facts;
mod ledger;
mod page;
mod surface;

use std::collections::BTreeMap;

use mecforge_document::{Document, Finding};

use crate::model::Api;

pub use facts::{Fact, Kind};
pub use ledger::{Difference, Tally};
pub use page::markdown;
pub use surface::Surface;

/// One document's coverage.
#[derive(Clone, Debug)]
pub struct Row {
    /// The document's id.
    pub id: String,
    /// `info.title` and `info.version` of the document.
    pub title: String,
    /// What became of the facts of each kind, constraints by keyword, responses by status.
    pub tallies: BTreeMap<(Kind, String), Tally>,
    /// Each fact that was changed or removed.
    pub differences: Vec<Difference>,
    /// What the crate has.
    pub surface: Surface,
    /// The findings of all stages.
    pub findings: Vec<Finding>,
}

impl Row {
    /// Compares a document as it was loaded (OpenAPI 3) with the settled one and with the model that was made of it.
    pub fn new(id: &str, raw: &Document, findings: &[Finding], settled: &Document, api: &Api) -> Self {
        let (tallies, differences) =
            ledger::compare(&facts::inventory(raw), &facts::inventory(settled), findings);
        Self {
            id: id.to_owned(),
            title: format!("{} {}", api.title, api.version),
            tallies,
            differences,
            surface: Surface::of(api),
            findings: findings.to_vec(),
        }
    }

    /// What was lost without a finding that tells of it; empty unless a stage has a fault.
    pub fn silent_losses(&self) -> impl Iterator<Item = &Difference> {
        self.differences
            .iter()
            .filter(|difference| difference.class.is_none())
    }

    /// The sums of the tallies of one kind.
    pub fn total(&self, kind: Kind) -> Tally {
        let mut sum = Tally::default();
        for tally in self
            .tallies
            .iter()
            .filter(|((of, _), _)| *of == kind)
            .map(|(_, tally)| tally)
        {
            sum.declared += tally.declared;
            sum.removed += tally.removed;
            sum.changed += tally.changed;
            sum.added += tally.added;
            sum.repaired += tally.repaired;
        }
        sum
    }
}
