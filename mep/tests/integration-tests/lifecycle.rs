//! Start, signals, and one platform per data directory.

use std::time::{Duration, Instant};

use crate::process::{Mep, command, refused};

#[test]
fn the_banner_tells_where_the_platform_is_and_its_curl_line_works() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::start(directory.path());
    assert!(mep.banner.contains("open to this machine only"), "{}", mep.banner);
    assert!(
        mep.banner.contains(&directory.path().display().to_string()),
        "{}",
        mep.banner
    );
    let line = mep
        .banner
        .lines()
        .find_map(|line| line.strip_prefix("Try: "))
        .unwrap();
    let mut words = line.split(' ');
    let output = std::process::Command::new(words.next().unwrap())
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .starts_with("HTTP/1.1 200 OK")
    );
}

#[test]
fn a_second_platform_on_the_same_data_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::start(directory.path());
    let text = refused(&mut command(directory.path()));
    let expected = format!(
        "mep: cannot open the store: the data directory {} is in use by another process (process",
        directory.path().display()
    );
    assert!(text.starts_with(&expected), "{text}");
    assert_eq!(mep.get("/healthz").status, 200);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::start(directory.path());
    let other = tempfile::tempdir().unwrap();
    let mut command = crate::process::bare_command();
    command
        .args(["--listen", &mep.address.to_string(), "--data-dir"])
        .arg(other.path());
    let text = refused(&mut command);
    assert!(
        text.contains(&format!("cannot listen on {}", mep.address)),
        "{text}"
    );
}

#[test]
fn sigterm_and_sigint_end_the_platform_in_good_order() {
    for name in ["TERM", "INT"] {
        let directory = tempfile::tempdir().unwrap();
        let mut mep = Mep::start(directory.path());
        // An idle connection must not keep the platform alive.
        let mut idle = mep.connect();
        assert_eq!(idle.request("GET", "/healthz", &[], b"").unwrap().status, 200);
        let begun = Instant::now();
        mep.signal(name);
        assert!(mep.wait().success());
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "{name} took {:?}",
            begun.elapsed()
        );
    }
}

#[test]
fn a_request_that_has_begun_is_answered_before_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let mut mep = Mep::start(directory.path());
    let mut connection = mep.connect();
    connection.send(b"POST /mec_app_support/v1/registrations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    mep.signal("TERM");
    std::thread::sleep(Duration::from_millis(100));
    connection.send(b"}").unwrap();
    assert_eq!(connection.answer(false).unwrap().status, 400);
    assert!(mep.wait().success());
}

#[test]
fn patience_with_requests_at_the_end_is_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let mut mep = Mep::configured(directory.path(), "[limits]\nshutdown_seconds = 1\n");
    let mut connection = mep.connect();
    connection.send(b"POST /mec_app_support/v1/registrations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let begun = Instant::now();
    mep.signal("TERM");
    assert!(mep.wait().success());
    let elapsed = begun.elapsed();
    assert!(
        (Duration::from_millis(900)..Duration::from_secs(5)).contains(&elapsed),
        "{elapsed:?}"
    );
}

#[test]
fn a_network_namespace_that_does_not_exist_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let text = refused(command(directory.path()).envs([
        ("MEP_DATAPLANE_BACKEND", "nftables"),
        ("MEP_DATAPLANE_NETWORK_NAMESPACE", "nowhere"),
    ]));
    assert!(
        text.contains("there is no network namespace \"nowhere\""),
        "{text}"
    );
}
