//! The program as a process: environment, exit codes, a reader that has seen enough.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::command::{register, service};
use crate::platform::{APP, TestPlatform};

fn program(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mepctl"));
    command.env_clear().env("MEP_URL", url).args(arguments);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_may_come_from_the_environment() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    register(&url, APP, &service("s", "1")).await;
    let list = move || program(&url, &["services", "list"]).output().unwrap();
    let output = tokio::task::spawn_blocking(list).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).lines().count(),
        2,
        "{output:?}"
    );
}

#[test]
fn failures_are_told_apart_by_the_exit_code() {
    for (url, arguments, code) in [
        ("http://127.0.0.1:9", &["services", "list"][..], 1),
        ("nowhere", &["services", "list"], 2),
        ("http://127.0.0.1:9", &["services", "lsit"], 2),
        ("http://127.0.0.1:9", &["--version"], 0),
    ] {
        let output = program(url, arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        assert_eq!(output.stderr.is_empty(), code == 0, "{output:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_seen_enough_ends_it_without_complaint() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    register(&url, APP, &service("first", "1")).await;
    let mut child = program(&url, &["services", "watch", "--interval", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let line = move || BufReader::new(stdout).lines().next().unwrap().unwrap();
    let line = tokio::task::spawn_blocking(line).await.unwrap();
    assert!(line.starts_with("PRESENT") && line.contains("first"), "{line}");
    // The pipe is closed now, which the program learns with the next change.
    register(&url, APP, &service("second", "1")).await;
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap())
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}
