//! The platform's program: named by `MEP_BIN`, or built once.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The path of `mep`.
pub(crate) fn mep() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| std::env::var_os("MEP_BIN").map_or_else(build, PathBuf::from))
        .clone()
}

/// Builds it where this test was built.
fn build() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let debug = test.parent().and_then(|deps| deps.parent()).unwrap();
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--package",
            "mep",
            "--bin",
            "mep",
            "--target-dir",
        ])
        .arg(debug.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(built.success(), "mep cannot be built");
    debug.join("mep")
}
