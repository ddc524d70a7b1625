//! The `mec-conformance` binary: reads the command line and ends with the exit code that it stands for.

use clap::Parser;

fn main() -> std::process::ExitCode {
    mecforge_conformance::command::main(mecforge_conformance::command::Arguments::parse())
}
