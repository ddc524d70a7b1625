//! `etsi-specs/lock.toml`: the SHA-256 of every file, `$ref`ed files included.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Context;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::workspace::{LOCK, Workspace};

const HEADER: &str = "\
# SHA-256 of every file that the manifest's documents are made of, named as the forge and the mirror lay them out.
# Written by `cargo xtask pull --accept`; do not edit.

[files]
";

/// The pinned files: path in the mirror's layout → SHA-256 in lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lock {
    files: BTreeMap<String, String>,
}

/// What the lock says of a file's bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They are the pinned ones.
    Same,
    /// They differ; the digests are those of the pinned and of the given bytes.
    Changed(String, String),
    /// The lock does not have the file.
    Unknown,
}

impl Lock {
    /// Reads the workspace's lock.
    pub(crate) fn load(workspace: &Workspace) -> anyhow::Result<Self> {
        toml::from_str(&workspace.read(LOCK)?).with_context(|| format!("{LOCK} is not a lock file"))
    }

    /// Compares the bytes of the file at `path` with what is pinned.
    pub(crate) fn verify(&self, path: &str, bytes: &[u8]) -> Verdict {
        let found = digest(bytes);
        match self.files.get(path) {
            None => Verdict::Unknown,
            Some(pinned) if *pinned == found => Verdict::Same,
            Some(pinned) => Verdict::Changed(pinned.clone(), found),
        }
    }

    /// Pins the bytes of the file at `path`.
    pub(crate) fn pin(&mut self, path: &str, bytes: &[u8]) {
        self.files.insert(path.to_owned(), digest(bytes));
    }

    /// The lock as its file has it.
    pub(crate) fn render(&self) -> String {
        let mut text = HEADER.to_owned();
        for (path, digest) in &self.files {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{} = \"{digest}\"", toml::Value::String(path.clone()));
        }
        text
    }
}

/// SHA-256 in lower-case hexadecimal digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::{Lock, Verdict, digest};

    const COMMITTED: &str = include_str!("../../etsi-specs/lock.toml");

    #[test]
    fn writes_what_it_read() {
        let lock: Lock = toml::from_str(COMMITTED).unwrap();
        assert_eq!(lock.render(), COMMITTED);
    }

    #[test]
    fn tells_same_changed_and_unknown_bytes_apart() {
        let mut lock = Lock {
            files: Default::default(),
        };
        lock.pin("a/b", b"old");
        assert_eq!(lock.verify("a/b", b"old"), Verdict::Same);
        assert_eq!(
            lock.verify("a/b", b"new"),
            Verdict::Changed(digest(b"old"), digest(b"new"))
        );
        assert_eq!(lock.verify("a/c", b"old"), Verdict::Unknown);
    }

    #[test]
    fn digests_as_sha256sum_does() {
        assert_eq!(
            digest(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
