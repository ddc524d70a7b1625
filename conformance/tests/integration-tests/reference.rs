//! The reference server (`mec-conformance mock`): the suite finds nothing wrong with it, whatever document it serves.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use serde_json::Value;

use crate::server::{DOCUMENT, suite};

/// A running reference server.
pub(crate) struct Reference {
    child: Child,
    pub(crate) url: String,
}

impl Reference {
    pub(crate) fn start(arguments: &[&str]) -> Reference {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mec-conformance"))
            .args(["mock", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line.split(' ').next().unwrap().trim().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{arguments:?}: {line:?}");
        Reference { child, url }
    }

    /// Ends it as a service manager does; its exit code.
    fn end(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tests a target; exit code, what was printed, and the report.
fn run(url: &str, arguments: &[&str]) -> (i32, String, Value) {
    let reports = tempfile::tempdir().unwrap();
    let mut all = vec!["run", "--target", url, "--report-dir"];
    all.push(reports.path().to_str().unwrap());
    all.extend(arguments);
    let output = suite(&all);
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let report = std::fs::read_to_string(reports.path().join("report.json")).unwrap();
    (
        output.status.code().unwrap(),
        text,
        serde_json::from_str(&report).unwrap(),
    )
}

/// Asserts that a document is served and conforms to itself, warnings and flaky findings included. On a machine that is
/// busy an answer may be late once; then the whole run is made a second time, and must have nothing flaky.
pub(crate) fn conforms(what: &[&str], seed: &str) {
    let flaky = tested(what, seed);
    if !flaky.is_empty() {
        let again = tested(what, seed);
        assert!(again.is_empty(), "{what:?}: {flaky:?}, then {again:?}");
    }
}

/// Asserts that a document is served and that nothing is found; the titles of what was flaky, but for notifications that
/// came late once.
fn tested(what: &[&str], seed: &str) -> Vec<String> {
    let reference = Reference::start(what);
    let mut arguments = what.to_vec();
    // The machine may be busy, and what is tested is no slower for it.
    arguments.extend(["--seed", seed, "--cases", "250", "--jobs", "4", "--timeout", "60"]);
    let (code, text, report) = run(&reference.url, &arguments);
    assert_eq!(code, 0, "{what:?}: {text}");
    assert_eq!(report["summary"]["result"], "conforms", "{what:?}: {text}");
    assert_eq!(
        report["findings"].as_array().unwrap().len(),
        0,
        "{what:?}: {text}"
    );
    let titles = report["flaky"].as_array().unwrap().iter();
    let titles = titles.map(|finding| finding["title"].as_str().unwrap().to_owned());
    let flaky = titles.filter(|title| !title.contains("notification")).collect();
    assert!(
        report["run"]["cases"].as_u64().unwrap() >= 180,
        "{what:?}: {text}"
    );
    assert_eq!(reference.end(), Some(0), "{what:?}");
    flaky
}

#[test]
fn every_profile_conforms_to_itself() {
    let listed = String::from_utf8(suite(&["profiles"]).stdout).unwrap();
    let profiles: Vec<_> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(profiles.len() >= 14, "{listed}");
    let queue = Mutex::new(profiles.iter());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some(profile) = next else { break };
                    let mut what = vec!["--profile", profile];
                    // Nobody can register in V2.1.1.
                    if profile.starts_with("mec011-v2") {
                        what.extend(["--app-instance-id", "one,two"]);
                    }
                    conforms(&what, "3");
                }
            });
        }
    });
}

#[test]
fn a_document_of_ones_own_conforms_to_itself() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("things.json");
    std::fs::write(&path, DOCUMENT).unwrap();
    conforms(&["--document", path.to_str().unwrap()], "5");
}

#[test]
fn another_base_path_is_served_and_asked() {
    let base = [
        "--profile",
        "mec014-v3.1.1",
        "--base-path",
        "mec014-ue-identity=/gateway/ui",
    ];
    conforms(&base, "7");
}

#[test]
fn what_cant_be_served_is_one_sentence_and_exit_2() {
    let both = [
        "mock",
        "--listen",
        "127.0.0.1:0",
        "--profile",
        "mec011-v2.1.1,mec011-v3.1.1",
    ];
    let taken = Reference::start(&["--profile", "mec014-v3.1.1"]);
    let address = taken.url.trim_start_matches("http://").to_owned();
    let busy = ["mock", "--profile", "mec014-v3.1.1", "--listen", &address];
    let nobody = ["mock", "--profile", "mec014-v3.1.1", "--base-path", "x=/y"];
    for (arguments, wanted) in [
        (&both[..], "serve one of them"),
        (&busy[..], "choose another"),
        (&nobody[..], "it is one of mec014"),
    ] {
        let output = suite(arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(wanted), "{arguments:?}: {text}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert_eq!(text.trim().lines().count(), 1, "{text}");
    }
}
