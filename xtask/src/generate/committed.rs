//! The crates in `generated/`, one per document.

use anyhow::Context;
use mecforge_codegen::coverage::{self, Row};
use mecforge_codegen::emit::Packaging;

use super::printed::{self, Printed};
use super::tree::{Fault, Tree};
use crate::lock::Lock;
use crate::manifest::{Manifest, Release};
use crate::problems::Problems;
use crate::stages::{self, Subject};
use crate::threads;
use crate::workspace::Workspace;

/// Where the crates lie, below the workspace's root.
const GENERATED: &str = "generated";
/// What lies beside the crates and is written by hand.
const BY_HAND: [&str; 1] = ["rustfmt.toml"];
/// The account of all documents, below `generated/`.
const COVERAGE: &str = "COVERAGE.md";

/// Brings the crates of the named documents up to date, or lists what is not.
///
/// Without names these are the newest release of each document and the earlier ones that have a crate already;
/// whatever else lies in `generated/` is then an orphan.
pub(super) fn run(workspace: &Workspace, names: &[String], check: bool) -> anyhow::Result<()> {
    let manifest = Manifest::load(workspace)?;
    let present = present(workspace)?;
    let wanted = match names {
        [] => {
            let mut releases = manifest.newest();
            releases.extend(
                manifest
                    .all()
                    .into_iter()
                    .filter(|it| !it.newest && present.contains(&it.name())),
            );
            releases
        }
        names => manifest.select(names)?,
    };
    let wanted = stages::subjects(workspace, &wanted)?;
    let lock = Lock::load(workspace)?;
    wanted
        .iter()
        .filter_map(|subject| subject.warning(&lock))
        .for_each(|it| eprintln!("warning: {it}"));

    let (mut tree, rows) = tree(&wanted)?;
    if names.is_empty() {
        present.into_iter().for_each(|name| tree.own(name));
    }
    match coverage(workspace, &manifest, rows) {
        Ok(page) => tree.insert(COVERAGE.to_owned(), page),
        // The crates that were asked for need not wait for documents that were not.
        Err(problems) => eprintln!("warning: {GENERATED}/{COVERAGE} stays as it is: {problems}"),
    }
    let root = workspace.path(GENERATED);
    if check {
        return report(tree.compare(&root)?);
    }
    let changed = tree.write(&root)?;
    for (path, fault) in &changed {
        let done = match fault {
            Fault::Stale => "changed",
            Fault::Missing => "added",
            Fault::Orphaned => "removed",
        };
        println!("{done} {GENERATED}/{path}");
    }
    Ok(())
}

/// The crates' files, and what each has of its document; the error has the faults of all documents.
fn tree(subjects: &[Subject]) -> Result<(Tree, Vec<Row>), Problems> {
    let mut tree = Tree::default();
    let mut rows = Vec::new();
    let mut problems = Problems::default();
    for (subject, printed) in subjects.iter().zip(threads::map(subjects, print)) {
        match printed {
            Ok(Printed { files, coverage, .. }) => {
                tree.own(subject.name.clone());
                for file in files {
                    tree.insert(format!("{}/{}", subject.name, file.path), file.contents);
                }
                rows.push(coverage);
            }
            Err(faults) => faults.iter().for_each(|fault| problems.push(fault)),
        }
    }
    problems.or((tree, rows))
}

fn print(subject: &Subject) -> Result<Printed, Problems> {
    let name = subject.release.as_ref().map(package_name).unwrap_or_default();
    printed::print(subject, &name, &Packaging::Workspace, false)
}

/// The account of every document's newest release: of those in `rows`, and of the others, which are generated for it.
fn coverage(workspace: &Workspace, manifest: &Manifest, mut rows: Vec<Row>) -> Result<String, Problems> {
    let newest = manifest.newest();
    rows.retain(|row| newest.iter().any(|release| release.name() == row.id));
    let others: Vec<_> = newest
        .into_iter()
        .filter(|release| rows.iter().all(|row| row.id != release.name()))
        .collect();
    for printed in threads::map(&stages::subjects(workspace, &others)?, print) {
        rows.push(printed?.coverage);
    }
    rows.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(coverage::markdown(&rows))
}

/// What lies in `generated/`, but for what is written by hand.
fn present(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let root = workspace.path(GENERATED);
    if !root.exists() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&root).with_context(|| format!("cannot read {GENERATED}"))? {
        let name = entry
            .with_context(|| format!("cannot read {GENERATED}"))?
            .file_name();
        let name = name.to_string_lossy().into_owned();
        if !name.starts_with('.') && !BY_HAND.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// A release's package name: its own name, in the letters that cargo takes.
fn package_name(release: &Release) -> String {
    release.name().replace(['@', '.'], "-").to_lowercase()
}

/// Lists the faults; an error where there is one.
fn report(faults: Vec<(String, Fault)>) -> anyhow::Result<()> {
    let mut problems = Problems::default();
    let ids: Vec<_> = faults
        .iter()
        .filter_map(|(path, _)| path.split_once('/'))
        .map(|(id, _)| id)
        .collect();
    let alone = ids
        .first()
        .filter(|first| ids.len() == faults.len() && ids.iter().all(|id| id == *first));
    let command = match alone {
        Some(id) => format!("cargo xtask generate {id}"),
        None => "cargo xtask generate".to_owned(),
    };
    for (path, fault) in &faults {
        problems.push(format!("{GENERATED}/{path} is {fault}"));
    }
    if !faults.is_empty() {
        problems.push(format!(
            "{} files are out of date; `{command}` mends them",
            faults.len()
        ));
    }
    Ok(problems.or(())?)
}
