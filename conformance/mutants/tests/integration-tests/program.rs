//! The platform's and the suite's programs: named by `MEP_BIN` and `MEC_CONFORMANCE_BIN`, or built once.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The path of `mep`.
pub(crate) fn mep() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| std::env::var_os("MEP_BIN").map_or_else(|| build("mep", "mep"), PathBuf::from))
        .clone()
}

/// The path of `mec-conformance`.
pub(crate) fn suite() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let built = || build("mecforge-conformance", "mec-conformance");
    BUILT
        .get_or_init(|| std::env::var_os("MEC_CONFORMANCE_BIN").map_or_else(built, PathBuf::from))
        .clone()
}

/// Builds a program of another crate where this test was built.
fn build(package: &str, program: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let debug = test.parent().and_then(|deps| deps.parent()).unwrap();
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--package",
            package,
            "--bin",
            program,
            "--target-dir",
        ])
        .arg(debug.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(built.success(), "{program} cannot be built");
    debug.join(program)
}
