//! Small text files below a root: read if they are there, listed in the order of their names.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The longest file that is read, in bytes. Longer ones are no configuration of a time daemon.
const LONGEST: u64 = 1024 * 1024;

/// The files of a machine.
#[derive(Debug)]
pub(crate) struct Files {
    root: PathBuf,
}

impl Files {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn below_root(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The text of a file; nothing if there is none, or none that can be read.
    pub(crate) fn read(&self, path: &str) -> Option<String> {
        match read(&self.below_root(path)) {
            Ok(text) => Some(text),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::debug!(%error, path, "a configuration of a time daemon cannot be read");
                }
                None
            }
        }
    }

    /// The files of a directory whose names end in a suffix, in the order of their names.
    pub(crate) fn list(&self, directory: &str, suffix: &str) -> Vec<String> {
        self.matching(directory, |name| name.ends_with(suffix))
    }

    /// The files that a pattern names; `*` and `?` are understood in its last part.
    pub(crate) fn glob(&self, pattern: &str) -> Vec<String> {
        let (directory, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
        if name.contains(['*', '?']) {
            self.matching(directory, |file| matches(name.as_bytes(), file.as_bytes()))
        } else {
            vec![pattern.to_owned()]
        }
    }

    fn matching(&self, directory: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.below_root(directory)) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| wanted(name))
            .collect();
        names.sort_unstable();
        names
            .iter()
            .map(|name| format!("{}/{name}", directory.trim_end_matches('/')))
            .collect()
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// Whether a name fits a pattern of `*` (any characters), `?` (one) and literal bytes.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.first(), name.first()) {
        (None, None) => true,
        (Some(b'*'), _) => matches(&pattern[1..], name) || (!name.is_empty() && matches(pattern, &name[1..])),
        (Some(b'?'), Some(_)) => matches(&pattern[1..], &name[1..]),
        (Some(expected), Some(found)) => expected == found && matches(&pattern[1..], &name[1..]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks_match_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.config", false),
            ("a?c*", "abcd", true),
            ("a?c", "ac", false),
            ("*", "", true),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
