//! ETSI's test purposes: servers without understanding fail every one, and what can't be asked is said.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::server::{serve, suite};

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// Runs the purposes of a profile against a server; gives the verdict and the reason of each.
fn verdicts(
    profile: &str,
    address: SocketAddr,
    more: &[&str],
) -> (i32, BTreeMap<String, (String, String)>, Value) {
    let reports = tempfile::tempdir().unwrap();
    let target = format!("http://{address}");
    let directory = reports.path().to_str().unwrap();
    let mut arguments = vec!["run", "--target", &target, "--profile", profile, "--seed", "7"];
    arguments.extend(["--only", "check=etsi-test-purpose", "--report-dir", directory]);
    arguments.extend(more);
    let output = suite(&arguments);
    let text = std::fs::read_to_string(reports.path().join("report.json"))
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let report: Value = serde_json::from_str(&text).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let purposes = report["test_purposes"].as_array().unwrap();
    let verdicts = purposes
        .iter()
        .map(|purpose| {
            (
                text(&purpose["id"]),
                (text(&purpose["verdict"]), text(&purpose["reason"])),
            )
        })
        .collect();
    (output.status.code().unwrap(), verdicts, report)
}

/// A server that answers everything alike.
fn constant(answer: fn() -> Response) -> SocketAddr {
    serve(Router::new().fallback(move || async move { answer() }))
}

/// A server that keeps nothing but the last body: 201 with a Location for POST, the body for everything else.
/// `router` says whether it knows which paths the API has.
fn echo(router: bool) -> SocketAddr {
    let last = Arc::new(Mutex::new((0_u64, "{}".to_owned())));
    serve(
        Router::new().fallback(move |method: Method, uri: Uri, body: Bytes| {
            let last = Arc::clone(&last);
            async move {
                let path = uri.path().to_owned();
                if router && path.contains("/mec-conformance-") {
                    return StatusCode::NOT_FOUND.into_response();
                }
                let mut last = last.lock().unwrap();
                last.0 += 1;
                if !body.is_empty() {
                    last.1 = String::from_utf8_lossy(&body).into_owned();
                }
                let text = last.1.clone();
                match method {
                    Method::POST => {
                        let location = format!("{path}/{}", last.0);
                        (StatusCode::CREATED, JSON, [(header::LOCATION, location)], text).into_response()
                    }
                    Method::DELETE => StatusCode::NO_CONTENT.into_response(),
                    _ => (StatusCode::OK, JSON, text).into_response(),
                }
            }
        }),
    )
}

#[test]
fn servers_without_understanding_fail_every_purpose_of_mec_011() {
    let servers = [
        ("always 404", constant(|| StatusCode::NOT_FOUND.into_response())),
        ("always 400", constant(|| StatusCode::BAD_REQUEST.into_response())),
        ("always 204", constant(|| StatusCode::NO_CONTENT.into_response())),
        ("always 200 {}", constant(|| (JSON, "{}").into_response())),
        ("always 200 []", constant(|| (JSON, "[]").into_response())),
        ("an echo", echo(false)),
        ("an echo behind a router", echo(true)),
    ];
    let mut wrong = Vec::new();
    for (name, address) in servers {
        let (code, verdicts, report) = verdicts("mec011-v3.1.1", address, &["--tp"]);
        assert_eq!((code, verdicts.len()), (1, 55), "{name}");
        for (id, (verdict, reason)) in verdicts {
            if verdict != "fail" {
                wrong.push(format!("{name}: {id}: {verdict} {reason}"));
            }
        }
        for purpose in report["test_purposes"].as_array().unwrap() {
            if purpose["verdict"] == "fail" {
                assert!(
                    !purpose["evidence"].as_array().unwrap().is_empty(),
                    "{name}: {purpose}"
                );
                assert!(
                    purpose["curl"].as_str().unwrap().contains("curl "),
                    "{name}: {purpose}"
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
