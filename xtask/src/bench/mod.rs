//! `cargo xtask bench`: the figures of docs/benchmarks.md, taken again on this machine.
//!
//! Nothing here judges a figure: they depend on the machine and on what else it does, so they belong on a page, not
//! in a test.

mod compile;
mod conformance;
mod generate;
mod measure;
mod mep;
mod platform;

use std::path::PathBuf;
use std::process::Command;

use clap::ValueEnum;

use crate::workspace::Workspace;

/// Takes the figures of docs/benchmarks.md on this machine, and prints them as Markdown
///
/// Everything is built for release, below target/bench. Programs to compare with are used where PATH has them;
/// what is missing is told, with the line that installs it.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Which figures [default: all]
    #[arg(value_enum)]
    figures: Vec<Figures>,
    /// How long each load on `mep` lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u64,
}

/// The sections of docs/benchmarks.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Figures {
    /// Time and memory of generating all crates, beside other generators.
    Generate,
    /// A validated decode of a ServiceInfo, beside jsonschema.
    Decode,
    /// Compile time of each generated crate.
    Compile,
    /// Start, memory and requests per second of the platform, beside a bare hyper server.
    Mep,
    /// The conformance suite beside Schemathesis: speed, memory, faults found (takes an hour).
    Conformance,
}

/// Runs the verb.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<()> {
    let all = Figures::value_variants();
    let figures = match arguments.figures.as_slice() {
        [] => all,
        chosen => chosen,
    };
    for figure in figures {
        match figure {
            Figures::Generate => generate::run(workspace)?,
            Figures::Decode => decode(workspace)?,
            Figures::Compile => compile::run(workspace)?,
            Figures::Mep => mep::run(workspace, arguments.seconds)?,
            Figures::Conformance => conformance::run(workspace)?,
        }
    }
    Ok(())
}

/// Criterion says what it measures itself.
fn decode(workspace: &Workspace) -> anyhow::Result<()> {
    measure::run_to_end(cargo(workspace).args(["bench", "--package", "mecforge-benches"]))
}

/// Cargo in the workspace, building into target/bench, so that no figure depends on what was built before.
fn cargo(workspace: &Workspace) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(workspace.root())
        .env("CARGO_TARGET_DIR", target(workspace));
    cargo
}

/// Where benchmarks build.
fn target(workspace: &Workspace) -> PathBuf {
    scratch(workspace).join("target")
}

/// Where benchmarks write.
fn scratch(workspace: &Workspace) -> PathBuf {
    workspace.path("target/bench")
}
