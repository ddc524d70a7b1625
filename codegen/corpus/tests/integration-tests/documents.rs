//! ETSI's documents, found as `cargo xtask` finds them: in `MECFORGE_ETSI_MIRROR` where that is set, else among the
//! pulled ones, else in a mirror beside the checkout. Tests that need them fail without them; they never skip.

use std::path::{Path, PathBuf};

use mecforge_document::Document;

/// The checkout.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names of the manifest's documents in their newest release, with their paths in the forge's layout.
pub(crate) fn newest() -> Vec<(String, String)> {
    let place = |document: &toml::Table| {
        let text = |key: &str| document[key].as_str().unwrap();
        let path = format!(
            "{}/{}/{}/{}",
            text("group"),
            text("project"),
            text("ref"),
            text("path")
        );
        (text("id").to_owned(), path)
    };
    manifest().iter().map(place).collect()
}

/// Loads a document, `ID` or `ID@REF`, as ETSI wrote it.
pub(crate) fn load(name: &str) -> Document {
    let path = match name.split_once('@') {
        None => newest().into_iter().find(|(id, _)| id == name).unwrap().1,
        Some((id, release)) => {
            let manifest = manifest();
            let document = manifest
                .iter()
                .find(|document| document["id"].as_str() == Some(id))
                .unwrap();
            let releases = document["releases"].as_array().unwrap();
            let found = releases
                .iter()
                .find(|entry| entry["ref"].as_str() == Some(release))
                .unwrap();
            let (group, project) = (
                document["group"].as_str().unwrap(),
                document["project"].as_str().unwrap(),
            );
            format!("{group}/{project}/{release}/{}", found["path"].as_str().unwrap())
        }
    };
    let root = root(&path);
    let source = |path: &str| std::fs::read_to_string(root.join(path)).map_err(|error| error.to_string());
    mecforge_document::load::load(&source, &path).unwrap_or_else(|faults| panic!("{path}: {faults:?}"))
}

fn manifest() -> Vec<toml::Table> {
    let text = std::fs::read_to_string(workspace().join("etsi-specs/manifest.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    manifest["document"]
        .as_array()
        .unwrap()
        .iter()
        .map(|document| document.as_table().unwrap().clone())
        .collect()
}

fn root(path: &str) -> PathBuf {
    let candidates = match std::env::var_os("MECFORGE_ETSI_MIRROR") {
        Some(named) => vec![PathBuf::from(named)],
        None => ["etsi-specs/documents", "../shared/etsi-forge"]
            .map(|place| workspace().join(place))
            .to_vec(),
    };
    let found = candidates.iter().find(|directory| directory.join(path).is_file());
    found.cloned().unwrap_or_else(|| {
        panic!(
            "{path} is in none of {candidates:?}: run `cargo xtask pull`, or set MECFORGE_ETSI_MIRROR to a directory \
             in the layout of the forge"
        )
    })
}
