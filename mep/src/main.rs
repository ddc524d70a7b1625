//! The `mep` command: reads the configuration, starts the platform, and says where it is.

use std::process::ExitCode;

use clap::Parser;
use mep::config::Arguments;

fn main() -> ExitCode {
    mep::run(&Arguments::parse())
}
