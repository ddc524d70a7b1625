//! `cargo xtask mutants`: what the conformance suite finds of the faults that are known, written to docs/mutants.md.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use crate::workspace::Workspace;

/// Where the result of a whole campaign goes, below the workspace's root.
const REPORT: &str = "docs/mutants.md";

/// Lets the conformance suite run against each fault of conformance/mutants, and counts what it finds
///
/// Builds the platform, the suite and the proxy for release. A whole campaign writes docs/mutants.md; one with --only
/// or --sample prints its result. Fails if the suite blames the platform without a fault, if a fault survives that
/// conformance/mutants/src/survivors.rs does not name, or if one that it names is found.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Only the fault with this id, or those of class=NAME; may be repeated
    #[arg(long, value_name = "WHICH")]
    only: Vec<String>,
    /// Only so many faults, spread evenly over the catalogue
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// How long the suite may take for one fault
    #[arg(long, value_name = "SECONDS", default_value = "60s")]
    time: String,
    /// The seed of the suite and of faults that happen sometimes
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Faults that are tried at the same time
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: usize,
    /// Where the result goes: Markdown, or JSON if the name ends so [default: docs/mutants.md for a whole campaign]
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<()> {
    let programs = build(workspace)?;
    let mut campaign = Command::new(programs.join("mutants"));
    campaign
        .args(["run", "--expect-survivors", "--mep"])
        .arg(programs.join("mep"))
        .arg("--suite")
        .arg(programs.join("mec-conformance"))
        .args(["--time", &arguments.time])
        .args(["--seed", &arguments.seed.to_string()])
        .args(["--jobs", &arguments.jobs.to_string()]);
    for only in &arguments.only {
        campaign.args(["--only", only]);
    }
    if let Some(sample) = arguments.sample {
        campaign.args(["--sample", &sample.to_string()]);
    }
    let whole = arguments.only.is_empty() && arguments.sample.is_none();
    let report = arguments.report.clone();
    if let Some(report) = report.or_else(|| whole.then(|| workspace.path(REPORT))) {
        campaign.arg("--report").arg(report);
    }
    run_to_end(&mut campaign)
}

/// Builds platform, suite and proxy for release; the directory that has them.
fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace.root());
    run_to_end(programs(&mut cargo))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.path("target"), PathBuf::from);
    Ok(workspace.root().join(target).join("release"))
}

/// Lets cargo build platform, suite and proxy for release.
pub(crate) fn programs(cargo: &mut Command) -> &mut Command {
    cargo.args(["build", "--release"]);
    for (package, program) in [
        ("mep", "mep"),
        ("mecforge-conformance", "mec-conformance"),
        ("mecforge-mutants", "mutants"),
        ("mecforge-mutants", "mutant-proxy"),
    ] {
        cargo.args(["--package", package, "--bin", program]);
    }
    cargo
}

/// Runs a command whose output is the caller's; an error where it fails.
fn run_to_end(command: &mut Command) -> anyhow::Result<()> {
    let told = format!("{command:?}").replace('"', "");
    eprintln!("$ {told}");
    let status = command.status().with_context(|| format!("cannot run {told}"))?;
    anyhow::ensure!(status.success(), "{told} failed ({status})");
    Ok(())
}
