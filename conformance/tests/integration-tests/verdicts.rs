//! Right servers conform; each fault is found by the check that is there for it; constant servers never conform.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::Value;

use crate::server::{Fault, serve, suite, test, things};

fn checks(report: &Value) -> Vec<String> {
    let mut checks: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["check"].as_str().unwrap().to_owned())
        .collect();
    checks.dedup();
    checks
}

#[test]
fn a_right_server_conforms() {
    let (code, text, report) = test(&format!("http://{}", things(Fault::None)), &[]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(report["summary"]["result"], "conforms");
    assert_eq!(report["flaky"].as_array().unwrap().len(), 0, "{text}");
    assert!(report["run"]["cases"].as_u64().unwrap() > 100, "{text}");
}

#[test]
fn each_fault_is_found_by_its_check() {
    let faults = [
        (Fault::OneLetterMore, "refuses-invalid"),
        (Fault::DropsNote, "keeps-what-is-sent"),
        (Fault::Resurrects, "delete-removes"),
        (Fault::DislikesEmoji, "no-server-error"),
        (Fault::ShortList, "list-agrees"),
        (Fault::WrongLocation, "location"),
    ];
    for (fault, check) in faults {
        let (code, text, report) = test(&format!("http://{}", things(fault)), &[]);
        assert_eq!(code, 1, "{check}: {text}");
        assert!(
            checks(&report).iter().any(|found| found == check),
            "{check}: {text}"
        );
        assert!(text.contains("curl "), "{text}");
    }
}

#[test]
fn a_server_that_fails_now_and_then_fails() {
    let address = format!("http://{}", things(Fault::FailsNowAndThen));
    let (code, text, report) = test(&address, &["--jobs", "1"]);
    assert_eq!(code, 1, "{text}");
    let findings = report["findings"].as_array().unwrap();
    let title = |finding: &Value| finding["title"].as_str().unwrap().ends_with("now and then");
    assert!(findings.iter().any(title), "{text}");
}

#[test]
fn a_finding_is_minimal_and_repeats() {
    let address = format!("http://{}", things(Fault::OneLetterMore));
    let (_, text, report) = test(&address, &["--only", "check=refuses-invalid"]);
    let finding = &report["findings"][0];
    assert_eq!(finding["minimised"], true, "{text}");
    let evidence = finding["evidence"].as_array().unwrap();
    let body: Value =
        serde_json::from_str(evidence.last().unwrap()["request"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    assert_eq!(body["name"].as_str().unwrap().chars().count(), 21);
}

/// The member that makes a valid body be refused stays in it, though a smaller body is refused for another reason.
#[test]
fn a_smaller_request_shows_the_same_fault() {
    let address = format!("http://{}", things(Fault::RefusesZero));
    let (_, text, report) = test(&address, &["--only", "check=accepts-valid"]);
    let findings = report["findings"].as_array().unwrap();
    let of_size = |finding: &&Value| finding["title"].as_str().unwrap().contains("size");
    let of_size: Vec<_> = findings.iter().filter(of_size).collect();
    assert!(!of_size.is_empty(), "{text}");
    let body = |exchange: &Value| -> Value {
        serde_json::from_str(exchange["request"]["body"].as_str().unwrap()).unwrap()
    };
    for finding in of_size {
        let body = body(finding["evidence"].as_array().unwrap().last().unwrap());
        assert_eq!(body["size"], 0, "{finding}");
        assert!(
            finding["curl"].as_str().unwrap().contains("\"size\":0"),
            "{finding}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_requests() {
    let sent = || {
        let (_, _, report) = test(
            &format!("http://{}", things(Fault::OneLetterMore)),
            &["--jobs", "1"],
        );
        let finding = &report["findings"][0];
        (
            report["run"]["requests"].clone(),
            finding["id"].clone(),
            finding["curl"]
                .as_str()
                .unwrap()
                .split("http://")
                .next()
                .unwrap()
                .to_owned(),
        )
    };
    assert_eq!(sent(), sent());
}

#[test]
fn constant_servers_never_conform() {
    let answers: [fn() -> axum::response::Response; 5] = [
        || (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "0")]).into_response(),
        || StatusCode::NOT_FOUND.into_response(),
        || StatusCode::BAD_REQUEST.into_response(),
        || StatusCode::NO_CONTENT.into_response(),
        || (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], "{}").into_response(),
    ];
    for (at, answer) in answers.into_iter().enumerate() {
        let address = serve(Router::new().fallback(move || async move { answer() }));
        let (code, text, report) = test(&format!("http://{address}"), &[]);
        assert!(matches!(code, 1 | 3), "{at}: {code} {text}");
        assert_ne!(report["summary"]["result"], "conforms", "{at}: {text}");
    }
}

#[test]
fn expectations_are_reported_apart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("known.toml");
    let text = "[[expect]]\ncheck = \"refuses-invalid\"\nreason = \"is being mended\"\n\n[[expect]]\ncheck = \"location\"\nreason = \"was mended\"\n";
    std::fs::write(&file, text).unwrap();
    let (code, text, report) = test(
        &format!("http://{}", things(Fault::OneLetterMore)),
        &["--expect", file.to_str().unwrap()],
    );
    assert_eq!(code, 0, "{text}");
    assert_eq!(report["expected"][0]["expectation"]["reason"], "is being mended");
    assert_eq!(report["no_longer_failing"][0]["check"], "location");
}

#[test]
fn a_finding_can_be_replayed() {
    replayed(Fault::Resurrects, |_| true);
}

#[test]
fn what_a_list_shows_of_others_can_be_repeated() {
    let of_list =
        |finding: &Value| finding["operation"] == "GET /things" && finding["check"] == "response-schema";
    let found = replayed(Fault::NamelessList, of_list);
    // Whoever repeats it makes what is listed.
    let sent: Vec<_> = found["evidence"].as_array().unwrap().iter().collect();
    let methods: Vec<_> = sent.iter().map(|sent| &sent["request"]["method"]).collect();
    assert_eq!(methods, ["POST", "GET"], "{found}");
    let made = sent[0]["response"]["headers"].to_string();
    let id = made
        .split("/v1/things/")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap();
    assert!(
        sent[1]["response"]["body"].as_str().unwrap().contains(id),
        "{found}"
    );
    assert_eq!(found["curl"].as_str().unwrap().matches("/v1/things").count(), 2);
}

/// The first finding of a kind, which is found again at the target, and not where that is mended.
fn replayed(fault: Fault, kind: impl Fn(&Value) -> bool) -> Value {
    let (directory, document) = crate::server::directory();
    let address = format!("http://{}", things(fault));
    let reports = directory.path().join("reports");
    let output = suite(&[
        "run",
        "--target",
        &address,
        "--document",
        document.to_str().unwrap(),
        "--seed",
        "7",
        "--report-dir",
        reports.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let path = reports.join("report.json");
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let mut findings = report["findings"].as_array().unwrap().iter();
    let found = findings
        .find(|finding| kind(finding))
        .expect("the fault is found");
    let finding = format!("{}#{}", path.display(), found["id"].as_str().unwrap());
    assert_eq!(suite(&["replay", &finding]).status.code(), Some(1), "{found}");
    let mended = format!("http://{}", things(Fault::None));
    let again = suite(&["replay", &finding, "--target", &mended]);
    let said = String::from_utf8_lossy(&again.stdout);
    assert_eq!(again.status.code(), Some(0), "{found}: {said}");
    found.clone()
}
