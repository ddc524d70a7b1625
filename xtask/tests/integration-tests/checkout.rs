//! A checkout in a temporary directory, and the running of verbs in it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::forge::Forge;

/// The files of a forge: path in the mirror's layout → text.
pub(crate) type Mirror = BTreeMap<String, String>;

/// A checkout with a manifest and a lock of its own.
pub(crate) struct Checkout {
    directory: TempDir,
}

/// What a verb did, as its caller sees it.
pub(crate) struct Outcome {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Two documents: `alpha` at HEAD in three files, `beta` at two tags.
const MANIFEST: &str = r#"# A comment that must survive.
[forge]
url = "https://forge.invalid/rep"

[[document]]
id = "alpha"
group = "mec"
project = "first-api"
ref = "HEAD"
date = "2020-01-01"
path = "Alpha.yaml"
title = "Alpha"
version = "1.0.0"

[[document]]
id = "beta"
group = "mec"
project = "second-api"
ref = "v2.0.0"
path = "Beta.json"
title = "Beta"
version = "2.0.0"
releases = [{ ref = "v1.0.0", path = "Beta.json", version = "1.0.0" }]
"#;

/// What the forge holds while the lock is true.
pub(crate) fn mirror() -> Mirror {
    let alpha = "openapi: 3.1.0\ninfo: {title: Alpha, version: 1.0.0}\npaths:\n  /a:\n    \
                 $ref: 'definitions/common part.yaml#/a'\n";
    let files = [
        ("mec/first-api/HEAD/Alpha.yaml", alpha),
        (
            "mec/first-api/HEAD/definitions/common part.yaml",
            "a: {$ref: '../more.yaml#/b'}\n",
        ),
        ("mec/first-api/HEAD/more.yaml", "b: {get: {}}\n"),
        (
            "mec/second-api/v2.0.0/Beta.json",
            r#"{"info": {"title": "Beta", "version": "2.0.0"}}"#,
        ),
        (
            "mec/second-api/v1.0.0/Beta.json",
            r#"{"info": {"title": "Beta", "version": "1.0.0"}}"#,
        ),
    ];
    files
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .collect()
}

impl Checkout {
    /// A checkout whose lock pins [`mirror`].
    pub(crate) fn new() -> Self {
        let mut lock = "[files]\n".to_owned();
        for (path, text) in mirror() {
            let digest = Sha256::digest(text.as_bytes());
            let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(lock, "\"{path}\" = \"{digest}\"").unwrap();
        }
        Self::with(MANIFEST, &lock)
    }

    /// A checkout with this manifest and lock.
    pub(crate) fn with(manifest: &str, lock: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let specs = directory.path().join("etsi-specs");
        std::fs::create_dir(&specs).unwrap();
        std::fs::write(specs.join("manifest.toml"), manifest).unwrap();
        std::fs::write(specs.join("lock.toml"), lock).unwrap();
        Self { directory }
    }

    /// Runs a verb.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        run_in(self.directory.path(), arguments)
    }

    /// Runs `pull` against a forge that it trusts.
    #[track_caller]
    pub(crate) fn pull(&self, forge: &Forge, arguments: &[&str]) -> Outcome {
        let ca = self.directory.path().join("ca.pem");
        std::fs::write(&ca, forge.certificate()).unwrap();
        let address = forge.address();
        let mut line = vec!["pull", "--forge", &address, "--ca", ca.to_str().unwrap()];
        line.extend(arguments);
        self.run(&line)
    }

    /// A place in the checkout.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// The text of a file in the checkout.
    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    /// Writes a file of the checkout, in directories that need not be there yet.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The pulled documents: path → text; nothing else may lie between them.
    pub(crate) fn documents(&self) -> Mirror {
        let mut files = Mirror::new();
        let root = self.path("etsi-specs/documents");
        if root.exists() {
            collect(&root, &root, &mut files);
        }
        files
    }
}

impl Outcome {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            success: output.status.success(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts success without a word on standard error; what was said on standard output.
    #[track_caller]
    pub(crate) fn succeeded(&self) -> &str {
        assert!(self.success, "{}", self.stderr);
        assert_eq!(self.stderr, "");
        &self.stdout
    }

    /// Asserts success with just this on standard error.
    #[track_caller]
    pub(crate) fn succeeded_and_told(&self, note: &str) {
        assert!(self.success, "{}", self.stderr);
        assert_eq!(self.stderr, note);
    }

    /// Asserts failure that is told in one sentence with these parts.
    #[track_caller]
    pub(crate) fn failed_with(&self, parts: &[&str]) {
        assert!(!self.success, "{}", self.stdout);
        assert_eq!(self.stdout, "");
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not in {:?}", self.stderr);
        }
    }
}

/// Runs a verb in the checkout at `root`.
#[track_caller]
pub(crate) fn run_in(root: &Path, arguments: &[&str]) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("--root")
        .arg(root)
        .args(arguments)
        .env_remove("MECFORGE_ETSI_MIRROR")
        .env("NO_PROXY", "localhost")
        .output()
        .unwrap();
    Outcome::new(output)
}

/// The files below `directory`, named relative to `root`.
pub(crate) fn collect(root: &Path, directory: &Path, files: &mut Mirror) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
}
