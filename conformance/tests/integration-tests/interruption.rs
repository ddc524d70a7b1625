//! Ctrl-C and SIGTERM end a run early; the report is written, and nothing is left behind at the target.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server::{Fault, directory, things};

fn interrupted_by(signal: &str) {
    let target = things(Fault::None);
    let address = format!("http://{target}");
    let (directory, document) = directory();
    let reports = directory.path().join("reports");
    let mut run = Command::new(env!("CARGO_BIN_EXE_mec-conformance"))
        .args(["run", "--target", &address, "--time", "10m"])
        .args(["--document", document.to_str().unwrap()])
        .args(["--report-dir", reports.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let list = || -> Vec<Value> {
        let mut stream = TcpStream::connect(target).unwrap();
        stream.write_all(b"GET /v1/things HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let begun = Instant::now();
    while list().is_empty() && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let id = run.id().to_string();
    assert!(
        Command::new("kill")
            .args([signal, &id])
            .status()
            .unwrap()
            .success()
    );
    let status = run.wait().unwrap();
    let report = std::fs::read(reports.join("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["run"]["end"], "interrupted");
    assert!(status.code().is_some(), "{status}");
    assert_eq!(list(), Vec::<Value>::new());
}

#[test]
fn ctrl_c() {
    interrupted_by("-INT");
}

#[test]
fn sigterm() {
    interrupted_by("-TERM");
}
