//! ETSI's test purposes: servers without understanding fail every one, and what can't be asked is said.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::reference::Reference;
use crate::server::{serve, suite};

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// Runs the purposes of a profile against a server; gives the verdict and the reason of each.
fn verdicts(profile: &str, target: &str, more: &[&str]) -> (i32, BTreeMap<String, (String, String)>, Value) {
    let reports = tempfile::tempdir().unwrap();
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
        // An echo answers what was sent last, whoever sent it: one at a time, so that it is the same each time.
        let more = ["--tp", "--jobs", "1"];
        let (code, verdicts, report) = verdicts("mec011-v3.1.1", &format!("http://{address}"), &more);
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

#[test]
fn application_instances_are_the_operators_to_give_where_nobody_can_register_one() {
    let address = &format!("http://{}", constant(|| StatusCode::NOT_FOUND.into_response()));
    let id = "TP_MEC_MEC011_SRV_TRAF_001_OK";
    let verdict = |more: &[&str]| {
        let more: Vec<_> = ["--tp", id].iter().chain(more).copied().collect();
        verdicts("mec011-v2.1.1", address, &more).1[id].clone()
    };
    let (without, reason) = verdict(&[]);
    assert_eq!(without, "inconclusive", "{reason}");
    assert!(reason.contains("--app-instance-id"), "{reason}");
    assert_eq!(verdict(&["--app-instance-id", "one,two"]).0, "fail");
}

#[test]
fn what_the_release_does_not_have_is_not_applicable() {
    let address = &format!("http://{}", constant(|| StatusCode::NOT_FOUND.into_response()));
    let id = "TP_MEC_MEC011_SRV_MSL_001_OK";
    let (code, purposes, report) = verdicts("mec011-v2.1.1", address, &["--tp", id]);
    assert_eq!((code, purposes.len()), (3, 1), "nothing could be tested");
    let (verdict, reason) = &purposes[id];
    assert_eq!(verdict, "not-applicable");
    assert!(
        reason.contains("is not in") && reason.contains("2.1.1"),
        "{reason}"
    );
    assert_eq!(report["test_purposes"][0]["standard"], "ETSI GS MEC 011 V2.2.1");

    let gone = "TC_MEC_MEC013_SRV_UELOCLOOK_002_OK";
    let (_, purposes, _) = verdicts("mec013-v3.1.1", address, &["--tp", gone]);
    assert!(purposes[gone].1.starts_with("removed: "), "{:?}", purposes[gone]);
}

#[test]
fn a_failed_purpose_can_be_replayed_and_expected() {
    let target = format!("http://{}", constant(|| StatusCode::NOT_FOUND.into_response()));
    let directory = tempfile::tempdir().unwrap();
    let reports = directory.path().to_str().unwrap();
    let id = "TP_MEC_MEC011_SRV_TIME_002_OK";
    let run = [
        "run",
        "--target",
        &target,
        "--profile",
        "mec011-v3.1.1",
        "--seed",
        "7",
        "--tp",
        id,
    ];
    let only = ["--only", "check=etsi-test-purpose", "--report-dir", reports];
    assert_eq!(suite(&[&run[..], &only].concat()).status.code(), Some(1));
    let path = directory.path().join("report.json");
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let finding = report["findings"][0]["id"].as_str().unwrap();
    let replayed = suite(&["replay", &format!("{}#{finding}", path.display())]);
    assert_eq!(replayed.status.code(), Some(1));

    let known = directory.path().join("known.toml");
    std::fs::write(
        &known,
        format!("[[expect]]\nid = \"{finding}\"\nreason = \"has no clock\"\n"),
    )
    .unwrap();
    suite(&[&run[..], &only, &["--expect", known.to_str().unwrap()]].concat());
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(report["test_purposes"][0]["verdict"], "waived");
    assert_eq!(report["findings"], serde_json::json!([]));
}

#[test]
fn an_unknown_purpose_is_wrong_usage() {
    let arguments = [
        "run",
        "--target",
        "http://127.0.0.1:1",
        "--profile",
        "mec011-v3.1.1",
        "--tp",
        "TP_1",
    ];
    let output = suite(&arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no test purpose \"TP_1\""));
}

#[test]
fn the_reference_server_fails_no_purpose() {
    // Nobody announces an end there; the entity tag of a query's answer need not be that of the whole.
    let may_be_open = [
        "TP_MEC_MEC011_SRV_CONFTASK_001_OK",
        "TC_MEC_MEC014_SRV_UETAG_002_PF",
    ];
    let standards = [
        "mec010-v3",
        "mec011",
        "mec012",
        "mec013",
        "mec014",
        "mec015",
        "mec016",
        "mec021",
        "mec028",
        "mec029",
        "mec030",
    ];
    let listed = String::from_utf8(suite(&["profiles"]).stdout).unwrap();
    let mut judged = 0;
    for profile in listed.lines().filter_map(|line| line.split_whitespace().next()) {
        if !standards.iter().any(|standard| profile.starts_with(standard)) {
            continue;
        }
        let instances = ["--app-instance-id", "one,two"];
        let reference = Reference::start(&[&["--profile", profile][..], &instances].concat());
        let (_, verdicts, _) = verdicts(profile, &reference.url, &[&["--tp"][..], &instances].concat());
        assert!(!verdicts.is_empty(), "{profile}");
        for (id, (verdict, reason)) in verdicts {
            let open = verdict == "inconclusive" && may_be_open.contains(&id.as_str());
            let gone =
                verdict == "not-applicable" && (reason.contains("removed") || reason.contains("is not in"));
            assert!(
                verdict == "pass" || open || gone,
                "{profile}: {id}: {verdict} {reason}"
            );
            judged += 1;
        }
    }
    // All, and those of MEC 011 in two releases.
    assert_eq!(judged, 315 + 55);
}
