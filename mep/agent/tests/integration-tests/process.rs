//! The program: arguments, signals, exit codes.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::platform::{APP, TestPlatform};
use crate::running::{service, services, until_services};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mep-agent"));
    command.env_clear().stdin(Stdio::null());
    command
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

fn finished(mut child: Child) -> Output {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
            panic!("did not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

fn write(path: &Path, services: &[String]) {
    let text = format!(
        "application: {{appInstanceId: {APP}}}\nservices:{}",
        services.concat()
    );
    std::fs::write(path, text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_reload_and_stop() {
    let platform = TestPlatform::start().await;
    let url = platform.url();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("agent.yaml");
    write(&file, &[service("first", "1", Some(1))]);
    let child = program()
        .args([
            "--config",
            file.to_str().unwrap(),
            "--url",
            &url,
            "--listen",
            "127.0.0.1:0",
        ])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until_services(&url, APP, "registered", |services| services.len() == 1).await;

    std::fs::write(&file, "services: [").unwrap();
    signal(&child, "-HUP");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        services(&url, APP).await.len(),
        1,
        "a broken file changes nothing"
    );
    write(
        &file,
        &[service("first", "1", Some(1)), service("second", "1", None)],
    );
    signal(&child, "-HUP");
    until_services(&url, APP, "both", |services| services.len() == 2).await;

    signal(&child, "-TERM");
    let output = tokio::task::spawn_blocking(|| finished(child)).await.unwrap();
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(!log.contains('\u{1b}'), "colours without a terminal: {log}");
    assert!(log.contains("the old configuration stays"), "{log}");
    assert_eq!(services(&url, APP).await, []);
}

#[test]
fn wrong_files_and_taken_ports_end_the_program() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("agent.yaml");
    write(&file, &[service("s", "1", None)]);
    let path = file.to_str().unwrap();
    let missing = directory.path().join("missing.yaml");
    for (arguments, code, expected) in [
        (vec!["--config", path, "--check"], 0, "in order"),
        (vec!["--config", missing.to_str().unwrap()], 2, "missing.yaml"),
        (vec!["--config", path, "--listen", "x"], 2, "--listen"),
        (vec!["--unknown"], 2, "--unknown"),
        (
            vec!["--config", path, "--listen", "192.0.2.1:9"],
            1,
            "off for none",
        ),
        (vec![], 2, "name a file with --config"),
    ] {
        let output = program()
            .args(&arguments)
            .current_dir(directory.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[test]
fn help_says_what_there_is() {
    let output = program().arg("--help").output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    expectorate::assert_contents("tests/output/help.txt", &text);
}
