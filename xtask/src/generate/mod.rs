//! `cargo xtask generate`: the crates in `generated/`, or a crate of a user's own.

mod committed;
mod inherit;
mod printed;
mod standalone;
mod tree;

use std::path::PathBuf;

use anyhow::{bail, ensure};
use clap::ValueEnum;

use crate::stages::Selection;
use crate::workspace::Workspace;

/// Generates the crates in generated/ from ETSI's documents, or a crate of your own
///
/// Without options the crates of the given documents are brought up to date; only files that differ are touched.
/// With --out one document becomes a crate that compiles by itself.
/// Exit status: 0 where all went well, 1 for faults in a document, or files that --check finds out of date.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Write nothing: list each file that is stale, missing or orphaned, and fail if there is one
    #[arg(long, conflicts_with_all = ["out", "input", "no_repair"])]
    check: bool,
    /// Write nothing: print the document as its authors wrote it, as OpenAPI 3.1 in JSON
    #[arg(long, conflicts_with = "out")]
    no_repair: bool,
    /// What doc comments tell: facts and references, or the document's own prose too (with --out only)
    #[arg(long, value_enum, default_value_t = Docs::Facts)]
    docs: Docs,
    /// Write a crate that compiles by itself into this directory
    #[arg(long, value_name = "DIR", required_if_eq("docs", "full"))]
    out: Option<PathBuf>,
    /// The crate's name [default: the document's]
    #[arg(long, value_name = "CRATE", requires = "out")]
    name: Option<String>,
    /// Use the runtime crate at this path instead of a copy
    #[arg(long, value_name = "PATH", requires = "out")]
    runtime: Option<PathBuf>,
}

/// What doc comments tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Docs {
    /// Document, version, clause and pointer.
    Facts,
    /// The document's own descriptions, too.
    Full,
}

/// Runs the verb.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<()> {
    let selection = &arguments.selection;
    if arguments.no_repair {
        return print_unrepaired(workspace, selection);
    }
    if let Some(out) = &arguments.out {
        let request = standalone::Request {
            out,
            name: arguments.name.as_deref(),
            runtime: arguments.runtime.as_deref(),
            prose: arguments.docs == Docs::Full,
        };
        return standalone::write(workspace, selection, &request);
    }
    ensure!(
        selection.input.is_none(),
        "--input needs --out: the directory to write the crate into"
    );
    committed::run(workspace, &selection.ids, arguments.check)
}

fn print_unrepaired(workspace: &Workspace, selection: &Selection) -> anyhow::Result<()> {
    let subjects = selection.subjects(workspace)?;
    let [subject] = subjects.as_slice() else {
        bail!("--no-repair prints one document: name it");
    };
    let prepared = subject.prepare(false)?;
    println!("{:#}", prepared.document.root.to_json());
    Ok(())
}
