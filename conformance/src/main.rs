//! The `mec-conformance` binary: reads the command line and ends with the exit code that it stands for.

use clap::Parser;

/// A dozen threads allocate and free much; the system's allocator keeps a heap for each, and needs three times as much for
/// it (docs/benchmarks.md). `.cargo/config.toml` says how this one is built.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    mecforge_conformance::command::main(mecforge_conformance::command::Arguments::parse())
}
