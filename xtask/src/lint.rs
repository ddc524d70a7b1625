//! `cargo xtask lint`: every defect found in the documents, with its place, class and repair.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Context;
use mecforge_document::Finding;

use crate::lock::Lock;
use crate::problems::Problems;
use crate::stages::{Selection, Subject};
use crate::threads;
use crate::workspace::Workspace;

/// Prints each defect found in ETSI's documents, one a line: FILE:LINE: #POINTER: CLASS: DEFECT; REPAIR
///
/// The defects go to standard output, ordered by document, line and pointer; a count by class goes to standard
/// error. Exit status: 0 where the documents can be repaired, however many defects they have, else 1.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
}

/// How often a class of defects was found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    found: usize,
    widened: usize,
}

/// Runs the verb.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<()> {
    let subjects = arguments.selection.subjects(workspace)?;
    if arguments.selection.input.is_none() {
        let lock = Lock::load(workspace)?;
        subjects
            .iter()
            .filter_map(|subject| subject.warning(&lock))
            .for_each(|it| eprintln!("warning: {it}"));
    }
    let mut problems = Problems::default();
    let mut counts = BTreeMap::<String, Count>::new();
    let mut output = std::io::stdout().lock();
    for outcome in threads::map(&subjects, findings) {
        match outcome {
            Ok(findings) => {
                for finding in findings {
                    writeln!(output, "{finding}").context("cannot write to standard output")?;
                    let count = counts.entry(finding.class).or_default();
                    count.found += 1;
                    count.widened += usize::from(finding.widened);
                }
            }
            Err(faults) => faults.iter().for_each(|fault| problems.push(fault)),
        }
    }
    if !counts.is_empty() {
        summarise(&counts);
    }
    Ok(problems.or(())?)
}

/// The findings of a document, with files that the caller can open, ordered by place.
fn findings(subject: &Subject) -> Result<Vec<Finding>, Problems> {
    let place = |finding: Finding| Finding {
        file: subject.place(&finding.file),
        ..finding
    };
    let mut findings: Vec<_> = subject.prepare(true)?.findings.into_iter().map(place).collect();
    findings.sort();
    Ok(findings)
}

fn summarise(counts: &BTreeMap<String, Count>) {
    let width = counts.keys().map(String::len).max().unwrap_or(0).max("all".len());
    let mut all = Count::default();
    for (class, count) in counts {
        eprintln!("{class:width$} {}", told(count));
        all.found += count.found;
        all.widened += count.widened;
    }
    eprintln!("{:width$} {}", "all", told(&all));
}

fn told(count: &Count) -> String {
    match count.widened {
        0 => format!("{:5}", count.found),
        widened => format!("{:5}, {widened} of them widened", count.found),
    }
}
