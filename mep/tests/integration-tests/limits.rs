//! What clients may not do: be slow, be large, be many.

use std::time::{Duration, Instant};

use crate::process::Mep;

#[test]
fn slow_heads_are_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::configured(directory.path(), "[limits]\nheader_seconds = 1\n");
    let mut connection = mep.connect();
    connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n").unwrap();
    let begun = Instant::now();
    // hyper hangs up, with or without saying 408.
    assert!(connection.answer(false).is_none_or(|answer| answer.status == 408));
    assert!((Duration::from_millis(500)..Duration::from_secs(5)).contains(&begun.elapsed()));
}

#[test]
fn slow_bodies_are_answered_with_408() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::configured(directory.path(), "[limits]\nrequest_seconds = 1\n");
    let mut connection = mep.connect();
    connection.send(b"POST /mec_app_support/v1/registrations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{").unwrap();
    let answer = connection.answer(false).unwrap();
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (408, Some("application/problem+json"))
    );
}

#[test]
fn large_heads_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::start(directory.path());
    let long = "x".repeat(40 * 1024);
    let answer = mep
        .connect()
        .request("GET", "/healthz", &[("X-Long", &long)], b"")
        .unwrap();
    assert_eq!(answer.status, 431);
    let answer = mep
        .connect()
        .request("GET", &format!("/{long}"), &[], b"")
        .unwrap();
    assert!(matches!(answer.status, 414 | 431), "{}", answer.status);
    assert_eq!(mep.get("/healthz").status, 200);
}

#[test]
fn more_connections_than_allowed_wait_for_their_turn() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::configured(directory.path(), "[limits]\nconnections = 2\n");
    let mut first = mep.connect();
    let mut second = mep.connect();
    assert_eq!(first.request("GET", "/healthz", &[], b"").unwrap().status, 200);
    assert_eq!(second.request("GET", "/healthz", &[], b"").unwrap().status, 200);
    let mut third = mep.connect();
    let answered = std::thread::spawn(move || third.request("GET", "/healthz", &[], b"").unwrap().status);
    std::thread::sleep(Duration::from_millis(200));
    assert!(!answered.is_finished());
    drop(first);
    assert_eq!(answered.join().unwrap(), 200);
}

#[test]
fn oversized_bodies_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::configured(directory.path(), "[limits]\nbody_bytes = 100\n");
    let json = [("Content-Type", "application/json")];
    let path = "/mec_app_support/v1/registrations";
    let answer = mep.connect().request("POST", path, &json, &[b' '; 101]).unwrap();
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (413, Some("application/problem+json"))
    );
    let answer = mep.connect().request("POST", path, &json, &[b' '; 100]).unwrap();
    assert_eq!(answer.status, 400);
}

#[test]
fn host_must_be_there_once_and_be_one() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::start(directory.path());
    let status = |head: &str| {
        let mut connection = mep.connect();
        connection.send(format!("{head}\r\n").as_bytes()).unwrap();
        connection.answer(false).unwrap().status
    };
    let target = "GET /mec_service_mgmt/v1/services";
    for hosts in [
        "",
        "Host: a\r\nHost: a\r\n",
        "Host: a b\r\n",
        "Host: evil.example/x\r\n",
        "Host: me@evil.example\r\n",
        "Host: \"\r\n",
    ] {
        assert_eq!(status(&format!("{target} HTTP/1.1\r\n{hosts}")), 400, "{hosts}");
    }
    for hosts in [
        "Host: a\r\n",
        "Host: a:80\r\n",
        "Host: [::1]:80\r\n",
        "Host: \r\n",
    ] {
        assert_eq!(status(&format!("{target} HTTP/1.1\r\n{hosts}")), 200, "{hosts}");
    }
    assert_eq!(status(&format!("{target} HTTP/1.0\r\n")), 200);
}

#[test]
fn a_page_of_another_origin_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mep = Mep::start(directory.path());
    let own = format!("http://{}", mep.address);
    // EdgeGallery's path, which takes bodies without a media type, as a page can send them without asking first.
    let path = "/mepcfg/app_lcm/v1/applications/page/appd_configuration";
    let body = br#"{"appName": "page"}"#;
    let post = |headers: &[(&str, &str)]| mep.connect().request("POST", path, headers, body).unwrap();
    for headers in [
        &[("Sec-Fetch-Site", "cross-site")][..],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Origin", "https://evil.example")],
        &[("Origin", "null")],
        &[("Origin", &own), ("Sec-Fetch-Site", "cross-site")],
    ] {
        let refused = post(headers);
        assert_eq!(
            (refused.status, refused.header("content-type")),
            (403, Some("application/problem+json"))
        );
    }
    assert_eq!(mep.get(path).status, 404);
    assert_eq!(
        post(&[("Origin", &own), ("Sec-Fetch-Site", "same-origin")]).status,
        200
    );
    let other = path.replace("page", "other");
    let body = br#"{"appName": "other"}"#;
    assert_eq!(
        mep.connect()
            .request("POST", &other, &[("Origin", &own)], body)
            .unwrap()
            .status,
        200
    );
}
