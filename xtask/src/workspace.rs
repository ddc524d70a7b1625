//! Where the project's files lie.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The manifest's place below the workspace's root.
pub(crate) const MANIFEST: &str = "etsi-specs/manifest.toml";
/// The lock's place below the workspace's root.
pub(crate) const LOCK: &str = "etsi-specs/lock.toml";
/// The place of pulled documents below the workspace's root.
pub(crate) const DOCUMENTS: &str = "etsi-specs/documents";

/// A checkout of the project.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The checkout at `root`, else the one that cargo runs in, else the one around the current directory.
    pub(crate) fn find(root: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(root) = root {
            return Ok(Self {
                root: root.to_owned(),
            });
        }
        let start = match std::env::var_os("CARGO_MANIFEST_DIR") {
            Some(directory) => PathBuf::from(directory),
            None => std::env::current_dir().context("cannot tell the current directory")?,
        };
        match start
            .ancestors()
            .find(|directory| directory.join(MANIFEST).is_file())
        {
            Some(root) => Ok(Self {
                root: root.to_owned(),
            }),
            None => bail!(
                "{} is not inside a checkout of mecforge: no directory above it has {MANIFEST}",
                start.display()
            ),
        }
    }

    /// The root directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A place below the root directory.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The same, relative to the current directory where it lies below that: as a person would write it.
    pub(crate) fn near(&self, path: &str) -> PathBuf {
        let place = self.path(path);
        let here = std::env::current_dir().unwrap_or_default();
        place.strip_prefix(here).map(Path::to_owned).unwrap_or(place)
    }

    /// Reads a text file of the project.
    pub(crate) fn read(&self, path: &str) -> anyhow::Result<String> {
        std::fs::read_to_string(self.path(path)).with_context(|| format!("cannot read {path}"))
    }
}
