//! Writing several files so that either all of them change or none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Files that are written beside their targets and take their places all together.
#[derive(Debug, Default)]
pub(crate) struct Staged {
    files: Vec<StagedFile>,
}

#[derive(Debug)]
struct StagedFile {
    temporary: PathBuf,
    target: PathBuf,
}

impl Staged {
    /// Writes `bytes` beside `target`, unless `target` holds them already; true where it will change.
    pub(crate) fn stage(&mut self, target: &Path, bytes: &[u8]) -> anyhow::Result<bool> {
        if fs::read(target).is_ok_and(|present| present == bytes) {
            return Ok(false);
        }
        let name = target
            .file_name()
            .with_context(|| format!("{} names no file", target.display()))?;
        let temporary =
            target.with_file_name(format!(".{}.{}.new", name.to_string_lossy(), std::process::id()));
        self.files.push(StagedFile {
            temporary: temporary.clone(),
            target: target.to_owned(),
        });
        write(&temporary, bytes).with_context(|| format!("cannot write {}", temporary.display()))?;
        Ok(true)
    }

    /// Puts every staged file into its place.
    pub(crate) fn commit(mut self) -> anyhow::Result<()> {
        for file in std::mem::take(&mut self.files) {
            fs::rename(&file.temporary, &file.target)
                .with_context(|| format!("cannot replace {}", file.target.display()))?;
        }
        Ok(())
    }
}

/// What was staged and not committed leaves no trace.
impl Drop for Staged {
    fn drop(&mut self) {
        for file in &self.files {
            // The file may be missing because writing it is what failed.
            let _ = fs::remove_file(&file.temporary);
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    // Not synced to the disk: whatever a power failure takes can be pulled or generated again.
    fs::write(path, bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use std::fs;

    use super::Staged;

    #[test]
    fn changes_nothing_before_commit_and_leaves_no_temporaries() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("deep/file");
        let mut staged = Staged::default();
        assert!(staged.stage(&target, b"one").unwrap());
        assert!(!target.exists());
        drop(staged);
        assert_eq!(fs::read_dir(directory.path().join("deep")).unwrap().count(), 0);

        let mut staged = Staged::default();
        staged.stage(&target, b"one").unwrap();
        staged.commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"one");
        assert!(!Staged::default().stage(&target, b"one").unwrap());
        assert_eq!(fs::read_dir(directory.path().join("deep")).unwrap().count(), 1);
    }
}
