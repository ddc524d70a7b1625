//! `pull` of ETSI's own documents over HTTPS, from a mirror on this machine.

use std::path::{Path, PathBuf};

use crate::checkout::{Checkout, Mirror, collect};
use crate::forge::Forge;

/// The directories that may have the documents, as `documents::locate` searches them.
fn mirror() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let candidates = match std::env::var_os("MECFORGE_ETSI_MIRROR") {
        Some(directory) => vec![PathBuf::from(directory)],
        None => vec![
            root.join("etsi-specs/documents"),
            root.join("../shared/etsi-forge"),
        ],
    };
    let sample = "mec/gs012-rnis-api/v1.1.1/RniAPI.yaml";
    let found = candidates
        .iter()
        .find(|directory| directory.join(sample).is_file());
    found
        .unwrap_or_else(|| panic!("run `cargo xtask pull --all` first: {sample} is not in {candidates:?}"))
        .clone()
}

#[test]
fn pulls_every_release_that_the_manifest_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../etsi-specs");
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let checkout = Checkout::with(&read("manifest.toml"), &read("lock.toml"));
    let mut files = Mirror::new();
    let directory = mirror();
    collect(&directory, &directory, &mut files);
    let forge = Forge::holding(files.clone());

    assert!(
        checkout
            .pull(&forge, &[])
            .succeeded()
            .starts_with("17 files in etsi-specs/documents")
    );
    checkout.pull(&forge, &["--all"]).succeeded();
    let pulled = checkout.documents();
    let locked = read("lock.toml")
        .lines()
        .filter(|line| line.starts_with('"'))
        .count();
    assert_eq!(pulled.len(), locked);
    assert!(pulled.iter().all(|(path, text)| files.get(path) == Some(text)));
}
