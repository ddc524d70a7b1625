//! The command line: what there is, how it is run, and the exit codes.

mod connection;
mod documents;
mod effects;
mod lists;
mod mock;
mod progress;
mod receiver;
mod replay;
mod run;
mod signals;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit codes: 0 conforms, 1 fails, 2 wrong usage, 3 the target can't be reached or tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing was found (or, for `compare`, nothing got worse).
    Conforms,
    /// Something was found.
    Fails,
    /// The command line, or a file that it names, is wrong.
    Usage,
    /// The target can't be reached, or too little could be tested to say anything.
    Untestable,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Conforms => 0,
            Exit::Fails => 1,
            Exit::Usage => 2,
            Exit::Untestable => 3,
        })
    }
}

/// Tests any MEC platform against ETSI's documents.
#[derive(Debug, Parser)]
#[command(
    name = "mec-conformance",
    version,
    about,
    after_help = "Exit codes: 0 conforms, 1 fails, 2 wrong usage, 3 the target can't be reached or tested."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the profiles: which standards, releases and APIs can be tested
    Profiles,
    /// List the checks
    Checks,
    /// Print an implementation conformance statement to fill in: every optional feature of the APIs
    Statement {
        /// What it is about, as `profiles` lists it; or the id of one API; several are allowed
        #[arg(
            long,
            value_name = "ID",
            value_delimiter = ',',
            required_unless_present = "document"
        )]
        profile: Vec<String>,
        /// Any OpenAPI document
        #[arg(long, value_name = "FILE")]
        document: Vec<PathBuf>,
    },
    /// Explain a check: what it demands, why, how it is tested, and what is not held against a platform
    Explain {
        /// The check's id, as `checks` lists it
        check: String,
    },
    /// Test a platform
    Run(Box<run::RunArguments>),
    /// Repeat the case of one finding of a report
    Replay(Box<replay::ReplayArguments>),
    /// Say what got better and what got worse between two runs; exit code 1 if something got worse
    Compare {
        /// report.json of the earlier run
        before: PathBuf,
        /// report.json of the later run
        after: PathBuf,
    },
    /// Serve documents from memory: the reference that the suite finds nothing wrong with, and a sandbox for applications
    Mock(Box<mock::MockArguments>),
    /// Print a badge (SVG) for a report
    Badge {
        /// report.json of a run
        report: PathBuf,
    },
}

/// Runs what the command line says.
pub fn main(arguments: Arguments) -> ExitCode {
    let done = match arguments.command {
        Command::Profiles => lists::profiles(),
        Command::Checks => lists::checks(),
        Command::Statement { profile, document } => run::statement(&profile, &document),
        Command::Explain { check } => lists::explain(&check),
        Command::Run(arguments) => run::run(*arguments),
        Command::Replay(arguments) => replay::replay(*arguments),
        Command::Mock(arguments) => mock::mock(*arguments),
        Command::Compare { before, after } => compare(&before, &after),
        Command::Badge { report } => read(&report).and_then(|report| {
            print(&mecforge_report::badge(&report))?;
            Ok(Exit::Conforms)
        }),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "mec-conformance: {error:#}");
            Exit::Usage.into()
        }
    }
}

/// A runtime with a thread for each of so many things that may be busy with computing, and some for the network: a small
/// machine has few threads otherwise, and who computes for seconds would let answers that are there run out of time.
fn runtime(busy: usize) -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(busy.clamp(1, 28) + 4)
        .enable_all()
        .build()
}

fn read(path: &std::path::Path) -> anyhow::Result<mecforge_report::Report> {
    Ok(mecforge_report::read_file(path)?)
}

fn compare(before: &std::path::Path, after: &std::path::Path) -> anyhow::Result<Exit> {
    let comparison = mecforge_report::compare(&read(before)?, &read(after)?);
    print(&comparison.text())?;
    Ok(match comparison.is_worse() {
        true => Exit::Fails,
        false => Exit::Conforms,
    })
}

/// Writes a result to stdout; a reader that closes it early is no fault.
fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.write_all(b"\n"))
    {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
