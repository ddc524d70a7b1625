//! The project's errands: `cargo xtask VERB`.
//!
//! The only place that touches the network and the toolchain.
//! Results go to standard output, progress and diagnostics to standard error; exit status 1 means a fault that
//! the lines on standard error tell, 2 a command line that is not understood.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line speaks to its caller"
)]

mod bench;
mod documents;
mod files;
mod generate;
mod lint;
mod lock;
mod manifest;
mod mutants;
mod problems;
mod pull;
mod stages;
mod test;
mod threads;
mod tidy;
mod workspace;
mod yaml;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::problems::Problems;
use crate::workspace::Workspace;

/// The project's errands
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct CommandLine {
    /// The checkout to work in [default: the one around the current directory]
    #[arg(long, global = true, value_name = "DIR", display_order = 100)]
    root: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Pull(pull::Arguments),
    Generate(generate::Arguments),
    Lint(lint::Arguments),
    Test(test::Arguments),
    Bench(bench::Arguments),
    Mutants(mutants::Arguments),
    Tidy(tidy::Arguments),
}

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    match run(&command_line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            match error.downcast_ref::<Problems>() {
                Some(problems) => problems.iter().for_each(|problem| eprintln!("error: {problem}")),
                None => eprintln!("error: {error:#}"),
            }
            ExitCode::FAILURE
        }
    }
}

fn run(command_line: &CommandLine) -> anyhow::Result<()> {
    let workspace = Workspace::find(command_line.root.as_deref())?;
    match &command_line.verb {
        Verb::Pull(arguments) => pull::run(&workspace, arguments),
        Verb::Generate(arguments) => generate::run(&workspace, arguments),
        Verb::Lint(arguments) => lint::run(&workspace, arguments),
        Verb::Test(arguments) => test::run(&workspace, arguments),
        Verb::Bench(arguments) => bench::run(&workspace, arguments),
        Verb::Mutants(arguments) => mutants::run(&workspace, arguments),
        Verb::Tidy(arguments) => tidy::run(&workspace, arguments),
    }
}
