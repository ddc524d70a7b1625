//! The `mec-conformance` binary: reads the command line and ends with the exit code that it stands for.

use clap::Parser;

/// Eight cases beside each other allocate and free much; the system's allocator keeps it in one heap for each thread, up to
/// three times of what is in use (measured: 290 MB, docs/benchmarks.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    mecforge_conformance::command::main(mecforge_conformance::command::Arguments::parse())
}
