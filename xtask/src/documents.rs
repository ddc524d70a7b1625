//! Where this machine has ETSI's documents, for the verbs that read them.

use std::path::PathBuf;

use mecforge_document::load::Source;

use crate::lock::{Lock, Verdict};
use crate::manifest::Release;
use crate::workspace::{DOCUMENTS, LOCK, Workspace};

/// The variable that names a directory of the mirror's layout, to be used instead of all others.
const MIRROR_VARIABLE: &str = "MECFORGE_ETSI_MIRROR";
/// A mirror beside the checkout, for machines without a network.
const NEIGHBOUR: &str = "../shared/etsi-forge";

/// A document on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    /// The directory that the document and what it refers to lie in.
    pub(crate) root: PathBuf,
    /// The document's path below `root`, its parts separated by `/`.
    pub(crate) path: String,
}

/// Finds each of `releases`: in `MECFORGE_ETSI_MIRROR` where that is set, else among the pulled, else in a mirror
/// beside the checkout. The error says what is missing and what to run.
pub(crate) fn locate_all(workspace: &Workspace, releases: &[Release]) -> Result<Vec<Located>, String> {
    let candidates = directories(workspace);
    let mut located = Vec::new();
    let mut missing = Vec::new();
    for release in releases {
        let path = release.mirror_path();
        match candidates.iter().find(|root| root.join(&path).is_file()) {
            Some(root) => located.push(Located {
                root: root.clone(),
                path,
            }),
            None => missing.push(release),
        }
    }
    let Some(first) = missing.first() else {
        return Ok(located);
    };
    let what = match missing.len() {
        1 => first.mirror_path(),
        count => format!("{count} documents, such as {},", first.mirror_path()),
    };
    let searched: Vec<_> = candidates.iter().map(|root| root.display().to_string()).collect();
    let names: Vec<_> = missing.iter().map(|release| release.name()).collect();
    Err(format!(
        "{what} cannot be found in {}; run `cargo xtask pull {}`, or set {MIRROR_VARIABLE} to a directory that has it",
        searched.join(" nor in "),
        names.join(" ")
    ))
}

/// True where this machine has every one of `releases`.
pub(crate) fn has_all(workspace: &Workspace, releases: &[Release]) -> bool {
    locate_all(workspace, releases).is_ok()
}

/// The directories to look in, in this order.
fn directories(workspace: &Workspace) -> Vec<PathBuf> {
    if let Some(directory) = std::env::var_os(MIRROR_VARIABLE) {
        return vec![PathBuf::from(directory)];
    }
    [DOCUMENTS, NEIGHBOUR].map(|place| workspace.near(place)).to_vec()
}

/// What to say where the document's bytes are not the pinned ones; other bytes are read all the same.
pub(crate) fn warning(located: &Located, lock: &Lock) -> Option<String> {
    let file = located.root.join(&located.path);
    match lock.verify(&located.path, &std::fs::read(&file).ok()?) {
        Verdict::Same => None,
        Verdict::Changed(..) | Verdict::Unknown => {
            Some(format!("{} is not what {LOCK} pins", file.display()))
        }
    }
}

impl Source for Located {
    fn read(&self, path: &str) -> Result<String, String> {
        let bytes = std::fs::read(self.root.join(path)).map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map_err(|error| {
            format!(
                "it is not UTF-8 text: byte {} begins no character",
                error.utf8_error().valid_up_to()
            )
        })
    }
}
