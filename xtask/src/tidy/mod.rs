//! `cargo xtask tidy`: the house rules that a program can check.

mod prose;
mod rules;

use std::process::Command;

use anyhow::Context;

use crate::manifest::Manifest;
use crate::problems::Problems;
use crate::stages;
use crate::threads;
use crate::workspace::Workspace;

/// Checks the house rules: openings of files, their length, manifests, links, nothing of ETSI's prose
///
/// What CONTRIBUTING.md asks for and no compiler or linter checks.
/// Exit status: 0 where all rules hold, else 1 with a line for each place.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {}

/// A text file of the repository.
#[derive(Debug)]
pub(crate) struct TextFile {
    /// The path from the root, separated by `/`.
    path: String,
    /// What it holds.
    text: String,
}

/// Runs the verb.
pub(crate) fn run(workspace: &Workspace, _: &Arguments) -> anyhow::Result<()> {
    let files = text_files(workspace)?;
    let mut problems = Problems::default();
    for faults in threads::map(&files, |file| rules::check(workspace, file)) {
        faults.into_iter().for_each(|fault| problems.push(fault));
    }
    let documents = stages::subjects(workspace, &Manifest::load(workspace)?.all())?;
    let prose = prose::Prose::of(&documents)?;
    for fault in threads::map(&files, |file| prose.find_in(file))
        .into_iter()
        .flatten()
    {
        problems.push(fault);
    }
    Ok(problems.or(())?)
}

/// The files that are committed, or would be by `git add --all`.
fn text_files(workspace: &Workspace) -> anyhow::Result<Vec<TextFile>> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "--deduplicate",
        ])
        .current_dir(workspace.root())
        .output()
        .context("cannot run git")?;
    anyhow::ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    let listing = String::from_utf8(output.stdout).context("git lists a path that is not UTF-8")?;
    let mut files = Vec::new();
    for path in listing.split_terminator('\0') {
        // What cannot be read as text, or was deleted and not yet staged, has no rules to keep.
        if let Ok(text) = std::fs::read_to_string(workspace.path(path)) {
            files.push(TextFile {
                path: path.to_owned(),
                text,
            });
        }
    }
    Ok(files)
}
