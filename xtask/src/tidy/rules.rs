//! The rules, each a function from a file to its faults.

use std::path::Path;

use super::TextFile;
use crate::workspace::Workspace;

/// From here on a hand-written file is a house with too few rooms.
const MAX_LINES: usize = 500;

/// Directories of the machines that we develop on; written in two parts, so that this file does not hold them.
const MACHINE_PATHS: [&str; 4] = [
    concat!("/wo", "rk/"),
    concat!("/far", "m/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
];

/// Marks of unfinished work in Rust sources.
const UNFINISHED: [(&str, &str); 3] = [
    (
        concat!("#[igno", "re"),
        "a test that never runs proves nothing: mend it or remove it",
    ),
    (concat!("FIX", "ME"), "mend it, or open an issue and name it"),
    (concat!("XX", "X"), "mend it, or open an issue and name it"),
];

/// Every fault of a file, as lines `path: fault` or `path:line: fault`.
pub(super) fn check(workspace: &Workspace, file: &TextFile) -> Vec<String> {
    let mut faults = Vec::new();
    machine_paths(file, &mut faults);
    etsi_document(file, &mut faults);
    match file.path.rsplit('.').next() {
        Some("rs") => rust_source(file, &mut faults),
        Some("md") => links(workspace, file, &mut faults),
        Some("toml") if file.path.ends_with("/Cargo.toml") => manifest(file, &mut faults),
        _ => {}
    }
    faults
}

fn is_generated(file: &TextFile) -> bool {
    file.path.starts_with("generated/")
}

/// Golden outputs and inputs of tests: data that happens to be source text.
fn is_fixture(file: &TextFile) -> bool {
    ["/fixtures/", "/golden/", "/expected/"]
        .iter()
        .any(|directory| file.path.contains(directory))
}

fn rust_source(file: &TextFile, faults: &mut Vec<String>) {
    if is_fixture(file) {
        return;
    }
    if !file.text.starts_with("//") {
        faults.push(format!(
            "{}: open the file with //! and what its job is",
            file.path
        ));
    } else if !is_generated(file) && !file.text.starts_with("//! ") {
        faults.push(format!(
            "{}: open the file with //!, not with another comment",
            file.path
        ));
    }
    let lines = file.text.lines().count();
    if lines > MAX_LINES && !is_generated(file) {
        faults.push(format!(
            "{}: {lines} lines, more than {MAX_LINES}: split it by concern",
            file.path
        ));
    }
    for (number, line) in file.text.lines().enumerate() {
        for (mark, advice) in UNFINISHED {
            if line.contains(mark) {
                faults.push(format!("{}:{}: {mark}: {advice}", file.path, number + 1));
            }
        }
        if line.contains(concat!("TO", "DO")) && !line.contains('#') {
            faults.push(format!(
                "{}:{}: name the issue (#N) that this waits for",
                file.path,
                number + 1
            ));
        }
    }
}

fn machine_paths(file: &TextFile, faults: &mut Vec<String>) {
    if file.path.ends_with(".lock") {
        return;
    }
    for (number, line) in file.text.lines().enumerate() {
        if let Some(path) = MACHINE_PATHS.iter().find(|path| names_a_place(line, path)) {
            faults.push(format!(
                "{}:{}: {path} is a path of one machine",
                file.path,
                number + 1
            ));
        }
    }
}

/// True where `path` begins a word of `line` and goes on with a lower-case letter.
fn names_a_place(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + path.len()..].chars().next();
        !before.is_some_and(|before| before.is_alphanumeric() || matches!(before, '.' | '}' | '_' | '-'))
            && after.is_some_and(|after| after.is_ascii_lowercase())
    })
}

/// ETSI's documents are pulled, never committed.
fn etsi_document(file: &TextFile, faults: &mut Vec<String>) {
    let is_yaml = file.path.ends_with(".yaml") || file.path.ends_with(".yml");
    let is_openapi = file
        .text
        .lines()
        .any(|line| line.starts_with("openapi: ") || line.starts_with("swagger: "));
    if is_yaml && is_openapi && file.text.contains("ETSI GS") {
        faults.push(format!(
            "{}: ETSI's documents are pulled, never committed",
            file.path
        ));
    }
}

/// Every crate is held to the workspace's lints and has the workspace's edition, and a licence.
fn manifest(file: &TextFile, faults: &mut Vec<String>) {
    if is_fixture(file) {
        return;
    }
    let wanted = [
        "[lints]\nworkspace = true",
        "edition.workspace = true",
        "rust-version.workspace = true",
    ];
    for line in wanted.iter().filter(|line| !file.text.contains(**line)) {
        faults.push(format!("{}: add {}", file.path, line.replace('\n', " ")));
    }
    if !file.text.lines().any(|line| line.starts_with("license")) {
        faults.push(format!("{}: add license.workspace = true", file.path));
    }
}

/// Relative links of a Markdown text lead to files.
fn links(workspace: &Workspace, file: &TextFile, faults: &mut Vec<String>) {
    let directory = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    for (number, line) in file.text.lines().enumerate() {
        for (start, _) in line.match_indices("](") {
            let target = line[start + 2..]
                .split([')', '#', ' '])
                .next()
                .unwrap_or_default();
            let external = target.contains("://") || target.starts_with("mailto:");
            if !target.is_empty() && !external && !workspace.root().join(directory).join(target).exists() {
                faults.push(format!(
                    "{}:{}: the link to {target} leads nowhere",
                    file.path,
                    number + 1
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use std::path::Path;

    use super::{TextFile, Workspace, check};

    #[track_caller]
    fn faults(path: &str, text: &str) -> Vec<String> {
        let workspace = Workspace::find(Some(Path::new("/nonexistent"))).unwrap();
        check(
            &workspace,
            &TextFile {
                path: path.to_owned(),
                text: text.to_owned(),
            },
        )
    }

    #[test]
    fn passes_what_keeps_the_rules() {
        assert_eq!(faults("a/src/lib.rs", "//! A job.\n"), [""; 0]);
        assert_eq!(
            faults(
                "generated/a/src/lib.rs",
                &format!("// Generated.\n{}", "\n".repeat(900))
            ),
            [""; 0]
        );
        assert_eq!(
            faults(
                "a.md",
                "[site](https://example.com) `/usr/bin` https://x.org/work/x\n"
            ),
            [""; 0]
        );
        let manifest = "[package]\nlicense.workspace = true\nedition.workspace = true\nrust-version.workspace = true\n[lints]\nworkspace = true";
        assert_eq!(faults("a/Cargo.toml", manifest), [""; 0]);
    }

    #[test]
    fn finds_what_breaks_them() {
        for (path, text, words) in [
            ("a.rs", "use x;\n", "open the file with //!"),
            ("a.rs", "// A job.\n", "not with another comment"),
            ("a.rs", &format!("//! A job.\n{}", "\n".repeat(500)), "501 lines"),
            ("a.rs", concat!("//! A job.\n#[igno", "re]\n"), "a.rs:2: "),
            (
                "a.rs",
                concat!("//! A job.\n// TO", "DO: later\n"),
                "name the issue",
            ),
            ("a.sh", concat!("cd /wo", "rk/main\n"), "a path of one machine"),
            (
                "a.yaml",
                "openapi: 3.1.0\ninfo: {title: ETSI GS MEC 011}\n",
                "never committed",
            ),
            (
                "a/Cargo.toml",
                "[package]\nlicense.workspace = true\nedition.workspace = true\nrust-version.workspace = true\n",
                "add [lints]",
            ),
            ("a.md", "[x](nowhere.md)\n", "leads nowhere"),
        ] {
            let found = faults(path, text);
            assert!(found.len() == 1 && found[0].contains(words), "{words}: {found:?}");
        }
    }
}
