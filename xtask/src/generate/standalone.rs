//! A crate that compiles by itself, with the runtime as a copy or at a path.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use mecforge_codegen::emit::Packaging;

use super::{inherit, printed};
use crate::files::Staged;
use crate::stages::Selection;
use crate::workspace::Workspace;

/// The runtime crate, below the workspace's root.
const RUNTIME: &str = "codegen/runtime";
/// The runtime's copy, below the crate.
const COPY: &str = "runtime";

/// What was asked for.
pub(super) struct Request<'arguments> {
    /// The crate's directory.
    pub(super) out: &'arguments Path,
    /// The crate's name.
    pub(super) name: Option<&'arguments str>,
    /// The runtime to use instead of a copy.
    pub(super) runtime: Option<&'arguments Path>,
    /// Whether doc comments have the document's prose.
    pub(super) prose: bool,
}

/// Writes the crate; all files or none.
pub(super) fn write(
    workspace: &Workspace,
    selection: &Selection,
    request: &Request<'_>,
) -> anyhow::Result<()> {
    let subjects = selection.subjects(workspace)?;
    let [subject] = subjects.as_slice() else {
        bail!("--out takes one document: name it");
    };
    let name = match request.name {
        Some(name) => name.to_owned(),
        None => default_name(&subject.located.path, &subject.name, subject.release.is_some()),
    };
    check_name(&name)?;
    ensure_ours(request.out)?;
    let runtime = match request.runtime {
        None => COPY.to_owned(),
        Some(path) => {
            let found =
                std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))?;
            ensure!(
                found.join("Cargo.toml").is_file(),
                "--runtime {} has no Cargo.toml",
                path.display()
            );
            found.display().to_string()
        }
    };
    let printed = printed::print(subject, &name, &Packaging::Standalone { runtime }, request.prose)?;

    let mut staged = Staged::default();
    for file in &printed.files {
        staged.stage(&request.out.join(&file.path), file.contents.as_bytes())?;
    }
    if request.runtime.is_none() {
        copy_runtime(workspace, &request.out.join(COPY), &mut staged)?;
    }
    staged.commit()?;
    println!(
        "{} is the crate {name}: `cargo build --manifest-path {0}/Cargo.toml --all-features`",
        request.out.display()
    );
    if printed.repairs > 0 {
        let input = if subject.release.is_some() { "" } else { "--input " };
        let places = match printed.repairs {
            1 => "1 place was".to_owned(),
            number => format!("{number} places were"),
        };
        eprintln!(
            "{places} repaired: `cargo xtask lint {input}{}` shows what",
            subject.name
        );
    }
    Ok(())
}

/// The name that is used where none is given.
fn default_name(file: &str, name: &str, is_release: bool) -> String {
    let name = if is_release {
        name
    } else {
        file.split('.').next().unwrap_or(file)
    };
    let letters = name.chars().map(|letter| match letter.to_ascii_lowercase() {
        letter if letter.is_ascii_alphanumeric() => letter,
        _ => '-',
    });
    letters.collect()
}

/// Cargo's rule for names of packages, and Rust's for names of crates.
fn check_name(name: &str) -> anyhow::Result<()> {
    let legal = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
    ensure!(
        legal,
        "{name:?} is no name for a crate: give one with --name (letters, digits and hyphens)"
    );
    Ok(())
}

/// Refuses a directory with sources that were not generated: they would be mixed with the crate's.
fn ensure_ours(out: &Path) -> anyhow::Result<()> {
    let root = out.join("src/lib.rs");
    let ours = match std::fs::read_to_string(&root) {
        Ok(text) => text
            .lines()
            .take(5)
            .any(|line| line.contains("cargo xtask generate")),
        Err(_) => !out.join("src").exists(),
    };
    ensure!(
        ours,
        "{} holds a crate that was not generated: choose another directory for --out",
        out.display()
    );
    Ok(())
}

/// Stages the runtime crate's manifest and sources, free of the workspace.
fn copy_runtime(workspace: &Workspace, target: &Path, staged: &mut Staged) -> anyhow::Result<()> {
    let manifest = workspace.read(&format!("{RUNTIME}/Cargo.toml"))?;
    let manifest = inherit::manifest(&manifest, &workspace.read("Cargo.toml")?, &[])
        .with_context(|| format!("cannot make {RUNTIME}/Cargo.toml stand by itself"))?;
    staged.stage(&target.join("Cargo.toml"), manifest.as_bytes())?;
    copy_sources(&workspace.path(RUNTIME).join("src"), &target.join("src"), staged)
}

fn copy_sources(from: &Path, to: &Path, staged: &mut Staged) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry.with_context(|| format!("cannot read {}", from.display()))?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_sources(&from, &to, staged)?;
        } else {
            let bytes = std::fs::read(&from).with_context(|| format!("cannot read {}", from.display()))?;
            staged.stage(&to, &bytes)?;
        }
    }
    Ok(())
}
