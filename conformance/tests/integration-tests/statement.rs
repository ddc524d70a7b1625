//! The vendor's statement: what it denies is not tested, what it claims has to be there.

use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};

use crate::server::{Fault, directory, serve, suite, test, things};

/// The statement of the small document, with one feature denied.
fn statement(denied: Option<&str>) -> (tempfile::TempDir, String) {
    let (directory, document) = directory();
    let output = suite(&["statement", "--document", document.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    let mut text = String::from_utf8(output.stdout).unwrap();
    if let Some(denied) = denied {
        let claim = format!("id = \"things {denied}\"\nsupported = true");
        assert!(text.contains(&claim), "{text}");
        let denial = format!("id = \"things {denied}\"\nsupported = false\nreason = \"nobody asked for it\"");
        text = text.replace(&claim, &denial);
    }
    let file = directory.path().join("statement.toml");
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap().to_owned();
    (directory, path)
}

fn requirements<'report>(report: &'report Value, verdict: &str) -> Vec<&'report Value> {
    let all = report["requirements"].as_array().unwrap();
    all.iter()
        .filter(|requirement| requirement["verdict"] == verdict)
        .collect()
}

#[test]
fn a_right_server_has_what_its_vendor_claims() {
    let (_directory, path) = statement(None);
    let address = format!("http://{}", things(Fault::None));
    let (code, text, report) = test(
        &address,
        &["--statement", &path, "--only", "check=statement-claimed"],
    );
    assert_eq!(code, 0, "{text}");
    let claimed = requirements(&report, "pass");
    let claimed = claimed
        .iter()
        .filter(|requirement| requirement["check"] == "statement-claimed");
    assert!(claimed.count() >= 4, "{text}");
    let features = report["requirements"].as_array().unwrap();
    assert!(
        features
            .iter()
            .any(|requirement| requirement["feature"] == "things POST /things")
    );
}

#[test]
fn what_is_denied_is_not_tested_and_its_presence_is_told() {
    let (_directory, path) = statement(Some("DELETE /things/{thingId}"));
    let address = format!("http://{}", things(Fault::Resurrects));
    let only = [
        "--only",
        "check=delete-removes",
        "--only",
        "check=statement-denied",
    ];
    let (code, text, report) = test(&address, &[&only[..], &["--statement", &path]].concat());
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("the statement denies DELETE /things/{thingId}, and it is answered 204"),
        "{text}"
    );
    let reasons: Vec<_> = requirements(&report, "not-applicable")
        .iter()
        .map(|requirement| requirement["reason"].as_str().unwrap())
        .collect();
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("nobody asked for it")),
        "{reasons:?}"
    );
    // Without the statement the same server fails.
    assert_eq!(test(&address, &only).0, 1);
}

#[test]
fn what_is_claimed_and_missing_fails() {
    let (_directory, path) = statement(None);
    let router = Router::new().route("/v1/things", get(|| async { axum::Json(json!([])) }));
    let address = format!("http://{}", serve(router));
    let more = ["--statement", &path, "--only", "check=statement-claimed"];
    let (code, text, report) = test(&address, &more);
    assert_eq!(code, 1, "{text}");
    let titles = report["findings"].to_string();
    assert!(
        titles.contains("the statement claims POST /things, and it is answered 405"),
        "{text}"
    );
}

#[test]
fn an_unknown_feature_is_named_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("statement.toml");
    std::fs::write(
        &file,
        "\n[[feature]]\nid = \"things teleport\"\nsupported = true\n",
    )
    .unwrap();
    let (code, text, _) = test("http://127.0.0.1:1", &["--statement", file.to_str().unwrap()]);
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("line 3: no API under test has the feature \"things teleport\""),
        "{text}"
    );
}
