//! Generated files against those that are there: which are stale, missing or orphaned, and their replacement.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::files::Staged;

/// What should be below a directory.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The bytes of each file by its path, separated by `/`.
    files: BTreeMap<String, Vec<u8>>,
    /// The directories, and single files, in which nothing else may lie.
    owned: BTreeSet<String>,
}

/// What is wrong with a file that is there, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// It differs from what would be generated.
    Stale,
    /// It would be generated, and is not there.
    Missing,
    /// It is there, and nothing generates it.
    Orphaned,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Stale => "stale",
            Self::Missing => "missing",
            Self::Orphaned => "orphaned",
        })
    }
}

impl Tree {
    /// Adds a file.
    pub(crate) fn insert(&mut self, path: String, bytes: impl Into<Vec<u8>>) {
        self.files.insert(path, bytes.into());
    }

    /// Declares that below the directory `path` nothing lies but the tree's files.
    pub(crate) fn own(&mut self, path: impl Into<String>) {
        self.owned.insert(path.into());
    }

    /// Every fault of what lies below `root`, by path.
    pub(crate) fn compare(&self, root: &Path) -> anyhow::Result<Vec<(String, Fault)>> {
        let mut faults = BTreeMap::new();
        for (path, bytes) in &self.files {
            match fs::read(root.join(path)) {
                Ok(present) if present == *bytes => {}
                Ok(_) => drop(faults.insert(path.clone(), Fault::Stale)),
                Err(_) => drop(faults.insert(path.clone(), Fault::Missing)),
            }
        }
        for path in self.present(root)? {
            if !self.files.contains_key(&path) {
                faults.insert(path, Fault::Orphaned);
            }
        }
        Ok(faults.into_iter().collect())
    }

    /// Makes what lies below `root` the tree, touching only what differs; the faults that are mended now.
    pub(crate) fn write(&self, root: &Path) -> anyhow::Result<Vec<(String, Fault)>> {
        let faults = self.compare(root)?;
        let mut staged = Staged::default();
        for (path, bytes) in &self.files {
            staged.stage(&root.join(path), bytes)?;
        }
        staged.commit()?;
        for (path, _) in faults.iter().filter(|(_, fault)| *fault == Fault::Orphaned) {
            remove(root, path)?;
        }
        Ok(faults)
    }

    /// The files that lie in owned directories.
    fn present(&self, root: &Path) -> anyhow::Result<Vec<String>> {
        let mut paths = Vec::new();
        for owned in &self.owned {
            walk(root, owned, &mut paths)?;
        }
        Ok(paths)
    }
}

fn walk(root: &Path, path: &str, paths: &mut Vec<String>) -> anyhow::Result<()> {
    let place = root.join(path);
    if !place.is_dir() {
        if place.exists() {
            paths.push(path.to_owned());
        }
        return Ok(());
    }
    for entry in fs::read_dir(&place).with_context(|| format!("cannot read {}", place.display()))? {
        let name = entry
            .with_context(|| format!("cannot read {}", place.display()))?
            .file_name();
        let name = name.to_string_lossy();
        // Editors' and other tools' hidden files are no part of a crate.
        if !name.starts_with('.') && name != "target" {
            walk(root, &format!("{path}/{name}"), paths)?;
        }
    }
    Ok(())
}

/// Removes a file, and the directories that it leaves empty.
fn remove(root: &Path, path: &str) -> anyhow::Result<()> {
    fs::remove_file(root.join(path)).with_context(|| format!("cannot remove {path}"))?;
    let mut directory = Path::new(path).parent();
    while let Some(parent) = directory.filter(|parent| !parent.as_os_str().is_empty()) {
        // Fails where something is left in it, which is where to stop.
        if fs::remove_dir(root.join(parent)).is_err() {
            break;
        }
        directory = parent.parent();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use std::fs;

    use super::{Fault, Tree};

    #[test]
    fn finds_and_mends_every_fault() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for (path, text) in [
            ("a/same", "1"),
            ("a/stale", "old"),
            ("a/gone/orphan", "x"),
            ("other/kept", "y"),
        ] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        }
        let mut tree = Tree::default();
        tree.own("a");
        tree.insert("a/same".to_owned(), "1");
        tree.insert("a/stale".to_owned(), "new");
        tree.insert("a/new/missing".to_owned(), "2");
        let faults = vec![
            ("a/gone/orphan".to_owned(), Fault::Orphaned),
            ("a/new/missing".to_owned(), Fault::Missing),
            ("a/stale".to_owned(), Fault::Stale),
        ];
        assert_eq!(tree.compare(root).unwrap(), faults);
        assert_eq!(tree.write(root).unwrap(), faults);
        assert_eq!(tree.compare(root).unwrap(), []);
        assert_eq!(fs::read_to_string(root.join("a/stale")).unwrap(), "new");
        assert!(!root.join("a/gone").exists());
        assert!(root.join("other/kept").exists());
    }
}
