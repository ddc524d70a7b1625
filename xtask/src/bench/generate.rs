//! Time and memory of generating all crates, beside other generators on the same documents.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::measure::{self, Cost};
use super::{cargo, scratch, target};
use crate::manifest::Manifest;
use crate::stages;
use crate::workspace::Workspace;

/// How often each generator runs over all documents; the quickest run counts, which is the one least disturbed.
const RUNS: usize = 5;

/// Another generator: one process a document.
struct Other {
    program: &'static str,
    /// What it writes.
    what: &'static str,
    install: &'static str,
    arguments: fn(document: &str, out: &str) -> Vec<String>,
}

/// The generators that take most of the documents (docs/decisions/0001-types-and-clients.md has the others).
const OTHERS: [Other; 4] = [
    Other {
        program: "openapi-to-rust",
        what: "types and client",
        install: "cargo install --locked openapi-to-rust",
        arguments: |document, out| words(&["generate", document, "--output-dir", out]),
    },
    Other {
        program: "ploidy",
        what: "types and client",
        install: "cargo install --locked ploidy",
        arguments: |document, out| words(&["generate", "rust", document, "--output", out]),
    },
    Other {
        program: "openapi-generator-cli",
        what: "`rust`: types and client",
        install: "pip install openapi-generator-cli",
        arguments: |document, out| openapi_generator("rust", document, out),
    },
    Other {
        program: "openapi-generator-cli",
        what: "`rust-axum`: types and server",
        install: "pip install openapi-generator-cli",
        arguments: |document, out| openapi_generator("rust-axum", document, out),
    },
];

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn openapi_generator(generator: &str, document: &str, out: &str) -> Vec<String> {
    words(&[
        "generate",
        "--skip-validate-spec",
        "--generator-name",
        generator,
        "--input-spec",
        document,
        "--output",
        out,
    ])
}

/// Takes the figures and prints them.
pub(super) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    measure::check()?;
    let (mirror, documents) = documents(workspace)?;
    let scratch = scratch(workspace).join("generate");
    std::fs::create_dir_all(&scratch).with_context(|| format!("cannot write {}", scratch.display()))?;
    let ours = ours(workspace, &mirror, &scratch)?;
    println!("## generate\n");
    println!("| generator | writes | documents | seconds | peak MiB |");
    println!("|---|---|---|---|---|");
    let count = documents.len();
    let all = "types, server, client, callbacks, strategies, document";
    println!(
        "| `cargo xtask generate` | {all} | {count} of {count} | {:.2} | {:.0} |",
        ours.seconds, ours.peak
    );
    for other in &OTHERS {
        other.measure(&documents, &scratch)?;
    }
    println!();
    Ok(())
}

/// The newest release of each document by name, and the directory that they lie in.
fn documents(workspace: &Workspace) -> anyhow::Result<(PathBuf, Vec<(String, PathBuf)>)> {
    let subjects = stages::subjects(workspace, &Manifest::load(workspace)?.newest())?;
    let first = subjects.first().context("the manifest names no document")?;
    let root = std::path::absolute(&first.located.root).context("cannot tell the current directory")?;
    let file = |path: &str| root.join(path);
    let documents = subjects
        .iter()
        .map(|subject| (subject.name.clone(), file(&subject.located.path)))
        .collect();
    Ok((root, documents))
}

/// All crates into an empty directory: what it takes from the first byte of a document to the last one of a source.
fn ours(workspace: &Workspace, mirror: &Path, scratch: &Path) -> anyhow::Result<Cost> {
    measure::run_to_end(cargo(workspace).args(["build", "--release", "--package", "xtask"]))?;
    let root = scratch.join("workspace");
    let notes = scratch.join("time");
    std::fs::create_dir_all(&root).with_context(|| format!("cannot write {}", root.display()))?;
    for shared in ["Cargo.toml", "etsi-specs"] {
        link(&workspace.path(shared), &root.join(shared))?;
    }
    let mut command = Command::new(target(workspace).join("release/xtask"));
    command
        .arg("--root")
        .arg(&root)
        .arg("generate")
        .env("MECFORGE_ETSI_MIRROR", mirror);
    let mut best = Cost::WORST;
    for _ in 0..RUNS {
        remove(&root.join("generated"))?;
        let cost = measure::cost(&command, &notes)?;
        best = best.min(cost.with_context(|| format!("{} failed", measure::told(&command)))?);
    }
    Ok(best)
}

impl Other {
    fn measure(&self, documents: &[(String, PathBuf)], scratch: &Path) -> anyhow::Result<()> {
        let Some(program) = measure::find(self.program) else {
            eprintln!("{} is not in PATH: {}", self.program, self.install);
            return Ok(());
        };
        let (mut best, mut done) = (Cost::WORST, 0);
        let mut runs = RUNS;
        while runs > 0 {
            let total;
            (total, done) = self.once(&program, documents, scratch)?;
            best = best.min(total);
            // A second run of one that takes half a minute would say nothing new.
            runs = if total.seconds > 10.0 { 0 } else { runs - 1 };
        }
        println!(
            "| `{}` | {} | {done} of {} | {:.2} | {:.0} |",
            self.program,
            self.what,
            documents.len(),
            best.seconds,
            best.peak
        );
        Ok(())
    }

    /// All documents once: the cost, and how many were not refused.
    fn once(
        &self,
        program: &Path,
        documents: &[(String, PathBuf)],
        scratch: &Path,
    ) -> anyhow::Result<(Cost, usize)> {
        let (mut total, mut done) = (Cost::default(), 0);
        for (id, document) in documents {
            let out = scratch.join(self.program).join(id);
            remove(&out)?;
            let mut command = Command::new(program);
            command.args((self.arguments)(
                &document.to_string_lossy(),
                &out.to_string_lossy(),
            ));
            match measure::cost(&command, &scratch.join("time"))? {
                Some(cost) => {
                    total = total.then(cost);
                    done += 1;
                }
                None => eprintln!("{} refuses {id}", self.program),
            }
        }
        Ok((total, done))
    }
}

fn remove(directory: &Path) -> anyhow::Result<()> {
    if !directory.exists() {
        return Ok(());
    }
    std::fs::remove_dir_all(directory).with_context(|| format!("cannot remove {}", directory.display()))
}

/// Makes `link` a name of `file`.
fn link(file: &Path, link: &Path) -> anyhow::Result<()> {
    if link.is_symlink() {
        std::fs::remove_file(link).with_context(|| format!("cannot remove {}", link.display()))?;
    }
    let file = std::path::absolute(file).with_context(|| format!("where is {}", file.display()))?;
    std::os::unix::fs::symlink(&file, link).with_context(|| format!("cannot write {}", link.display()))
}
