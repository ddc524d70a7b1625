//! How long each generated crate takes to compile, all features, without its dependencies.

use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, ensure};

use super::{cargo, measure};
use crate::manifest::Manifest;
use crate::workspace::Workspace;

/// Takes the figures and prints them.
///
/// A crate's own time is that of `cargo build` when all but the crate is built, cargo's own tenth of a second
/// included.
pub(super) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let ids: Vec<_> = Manifest::load(workspace)?
        .newest()
        .iter()
        .map(|release| release.name())
        .collect();
    println!("## compile\n");
    println!("| crate | lines of Rust | debug, seconds | release, seconds |");
    println!("|---|---|---|---|");
    for profile in ["dev", "release"] {
        let mut build = cargo(workspace);
        build.args(["build", "--profile", profile, "--all-features"]);
        for id in &ids {
            build.args(["--package", id]);
        }
        measure::run_to_end(&mut build)?;
    }
    for id in &ids {
        let lines = lines(workspace, id)?;
        let debug = own_time(workspace, id, "dev")?;
        let release = own_time(workspace, id, "release")?;
        println!("| `{id}` | {lines} | {debug:.1} | {release:.1} |");
    }
    println!();
    Ok(())
}

fn own_time(workspace: &Workspace, id: &str, profile: &str) -> anyhow::Result<f64> {
    let mut clean = cargo(workspace);
    clean
        .args(["clean", "--quiet", "--profile", profile, "--package", id])
        .stderr(Stdio::null());
    ensure!(clean.status()?.success(), "{} failed", measure::told(&clean));
    let mut build = cargo(workspace);
    build.args([
        "build",
        "--quiet",
        "--all-features",
        "--profile",
        profile,
        "--package",
        id,
    ]);
    let begun = Instant::now();
    ensure!(build.status()?.success(), "{} failed", measure::told(&build));
    Ok(begun.elapsed().as_secs_f64())
}

/// The lines of a crate's sources.
fn lines(workspace: &Workspace, id: &str) -> anyhow::Result<usize> {
    let mut lines = 0;
    let mut directories = vec![workspace.path("generated").join(id).join("src")];
    while let Some(directory) = directories.pop() {
        let context = || format!("cannot read {}", directory.display());
        for entry in std::fs::read_dir(&directory).with_context(context)? {
            let path = entry.with_context(context)?.path();
            if path.is_dir() {
                directories.push(path);
            } else {
                lines += std::fs::read_to_string(&path)
                    .with_context(context)?
                    .lines()
                    .count();
            }
        }
    }
    Ok(lines)
}
