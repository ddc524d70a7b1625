//! Holes that an attacker would like are found by the checks that are there for them; a server without them conforms.

use serde_json::Value;

use std::io::{Read, Write};

use crate::server::{Fault, suite, things};
use crate::vault::{DOCUMENT, Hole, vault};

const FIXTURES: &str = r#"
expired_token = "old-secret"
foreign_audience_token = "elsewhere-secret"

[[identity]]
app_instance_id = "one"
token = "token-of-one"

[[identity]]
app_instance_id = "two"
token = "token-of-two"
"#;

/// Checks that a server without holes passes; all are judged at it.
const PASSED: &[&str] = &[
    "anonymous-requests-are-refused",
    "forged-tokens-are-refused",
    "expired-tokens-are-refused",
    "tokens-for-others-are-refused",
    "objects-belong-to-their-application",
    "existence-is-not-betrayed",
    "children-stay-with-parents",
    "refused-creation-makes-nothing",
    "server-sets-its-own-properties",
    "identifiers-are-kept",
    "identifiers-can-not-be-guessed",
    "text-comes-back-as-it-was",
    "callbacks-are-http",
    "identifiers-are-whole",
    "paths-do-not-climb",
    "origins-are-not-all-trusted",
    "trace-echoes-no-credentials",
    "filters-are-not-code",
    "safe-methods-remove-nothing",
    "exists-everywhere-or-nowhere",
    "lists-have-each-once",
    "creation-makes-one",
    "changes-need-an-object",
    "strange-bodies-are-survived",
    "answers-steadily",
];

/// Tests the server with a hole; gives exit code, text and the report.
fn test(hole: Hole, fixtures: &str, more: &[&str]) -> (i32, String, Value) {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    // The name makes it one of ETSI's, whose applications own what is below them.
    std::fs::write(path("mec099-notes.json"), DOCUMENT).unwrap();
    std::fs::write(path("fixtures.toml"), fixtures).unwrap();
    let target = format!("http://{}", vault(hole));
    let (document, file, reports) = (path("mec099-notes.json"), path("fixtures.toml"), path("reports"));
    let mut arguments = vec!["run", "--target", &target, "--document", &document, "--seed", "7"];
    arguments.extend(["--fixtures", &file, "--report-dir", &reports]);
    arguments.extend(more);
    let output = suite(&arguments);
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let report = std::fs::read_to_string(path("reports/report.json")).unwrap_or_else(|_| "null".to_owned());
    for secret in ["token-of-one", "token-of-two", "old-secret", "elsewhere-secret"] {
        assert!(
            !report.contains(secret) && !text.contains(secret),
            "{secret} is in the report"
        );
    }
    let code = output.status.code().unwrap();
    (code, text, serde_json::from_str(&report).unwrap())
}

fn found(report: &Value) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings
        .map(|finding| (text(&finding["check"]), text(&finding["severity"])))
        .collect()
}

#[test]
fn a_server_without_holes_conforms() {
    let only = PASSED
        .iter()
        .flat_map(|check| ["--only".to_owned(), format!("check={check}")]);
    let only: Vec<_> = only.collect();
    let only: Vec<_> = only.iter().map(String::as_str).collect();
    let (code, text, report) = test(Hole::None, FIXTURES, &only);
    assert_eq!(code, 0, "{text}");
    assert_eq!(found(&report), [], "{text}");
    assert_eq!(report["flaky"].as_array().unwrap().len(), 0, "{text}");
    for check in PASSED {
        let all = report["requirements"].as_array().unwrap().iter();
        let verdicts: Vec<_> = all
            .filter(|requirement| requirement["check"] == **check)
            .map(|requirement| requirement["verdict"].as_str().unwrap())
            .collect();
        let pass = !verdicts.is_empty() && verdicts.iter().all(|verdict| *verdict == "pass");
        assert!(pass, "{check}: {verdicts:?}");
    }
}

#[test]
fn each_hole_is_found_by_its_check() {
    let holes = [
        (Hole::AnonymousCreation, "anonymous-requests-are-refused", "error"),
        (Hole::AnyToken, "forged-tokens-are-refused", "error"),
        (Hole::UnsignedToken, "forged-tokens-are-refused", "error"),
        (Hole::ExpiredToken, "expired-tokens-are-refused", "error"),
        (Hole::ForeignToken, "tokens-for-others-are-refused", "error"),
        (Hole::OthersRemove, "objects-belong-to-their-application", "error"),
        (Hole::Betrays, "existence-is-not-betrayed", "warning"),
        (Hole::AnyParent, "children-stay-with-parents", "error"),
        (Hole::KeepsRefused, "refused-creation-makes-nothing", "error"),
        (Hole::TakesIdentifier, "server-sets-its-own-properties", "error"),
        (Hole::OneIdentifier, "identifiers-are-kept", "error"),
        (Hole::Numbers, "identifiers-can-not-be-guessed", "warning"),
        (Hole::Trims, "text-comes-back-as-it-was", "error"),
        (Hole::AnyScheme, "callbacks-are-http", "error"),
        (Hole::Metadata, "callbacks-stay-away-from-metadata", "warning"),
        (Hole::Prefix, "identifiers-are-whole", "error"),
        (Hole::Climbs, "paths-do-not-climb", "error"),
        (Hole::Origins, "origins-are-not-all-trusted", "error"),
        (Hole::Trace, "trace-echoes-no-credentials", "error"),
        (Hole::Splits, "line-breaks-stay-data", "error"),
        (Hole::Page, "nothing-comes-back-as-html", "error"),
        (Hole::Injectable, "filters-are-not-code", "error"),
        (Hole::Overridden, "safe-methods-remove-nothing", "warning"),
        (Hole::Lingers, "exists-everywhere-or-nowhere", "error"),
        (Hole::ListsTwice, "lists-have-each-once", "error"),
        (Hole::MakesTwo, "creation-makes-one", "error"),
        (Hole::ReplacesNothing, "changes-need-an-object", "error"),
    ];
    for (hole, check, severity) in holes {
        let (code, text, report) = test(hole, FIXTURES, &["--only", &format!("check={check}")]);
        let all = found(&report);
        let right = all.iter().any(|(found, how)| found == check && how == severity);
        assert!(right, "{hole:?} {check}: {all:?} {text}");
        assert_eq!(code, i32::from(severity == "error"), "{hole:?} {check}: {text}");
    }
}

#[test]
fn sequences_of_two_applications_find_what_one_does_to_the_other() {
    let only = ["--only", "check=reads-equal-model"];
    let (code, text, report) = test(Hole::None, FIXTURES, &only);
    assert_eq!(code, 0, "{text}");
    assert_eq!(found(&report), [], "{text}");
    let holes = [
        (
            Hole::OthersRead,
            "an object can be read with another application's credentials",
        ),
        (
            Hole::OthersReplace,
            "what is read is not what was written last, at /name",
        ),
        (Hole::OthersRemove, "GET of an object that exists is answered 404"),
        (
            Hole::AnyParent,
            "an object can be read below another application's path",
        ),
    ];
    for (hole, title) in holes {
        let (code, text, report) = test(hole, FIXTURES, &only);
        let findings = report["findings"].as_array().unwrap();
        let own = findings.iter().find(|finding| finding["title"] == title);
        let own = own.unwrap_or_else(|| panic!("{hole:?}: {text}"));
        assert_eq!(
            (code, &own["check"]),
            (1, &Value::from("reads-equal-model")),
            "{hole:?}: {text}"
        );
        // The command tells the credentials of the two apart, where both are sent.
        let curl = own["curl"].as_str().unwrap();
        let both = curl.contains("$SECRET") && curl.contains("$SECOND_SECRET");
        assert!(both, "{hole:?}: {curl}");
    }
}

#[test]
fn bodies_that_are_deep_are_sent() {
    let only = [
        "--only",
        "check=strange-bodies-are-survived",
        "--only",
        "check=no-server-error",
    ];
    let (code, text, report) = test(Hole::Shallow, FIXTURES, &only);
    assert_eq!(code, 1, "{text}");
    assert_eq!(
        found(&report),
        [("no-server-error".to_owned(), "error".to_owned())],
        "{text}"
    );
}

#[test]
fn what_the_operator_has_to_give_is_said() {
    let one = "[[identity]]\napp_instance_id = \"one\"\ntoken = \"token-of-one\"\n";
    let (_, text, report) = test(
        Hole::None,
        one,
        &[
            "--only",
            "check=expired-tokens-are-refused",
            "--only",
            "check=objects-belong-to-their-application",
        ],
    );
    let reasons: Vec<_> = report["requirements"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|requirement| requirement["verdict"] == "inconclusive")
        .map(|requirement| requirement["reason"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        reasons.iter().any(|reason| reason.contains("expired_token")),
        "{reasons:?} {text}"
    );
    assert!(
        reasons.iter().any(|reason| reason.contains("[[identity]]")),
        "{reasons:?} {text}"
    );
}

/// A server that looks at the first Content-Length alone and answers everything with a list.
fn naive() -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let (mut text, mut chunk) = (Vec::new(), [0; 4096]);
                while let Ok(read @ 1..) = stream.read(&mut chunk) {
                    text.extend_from_slice(&chunk[..read]);
                    while let Some(end) = text.windows(4).position(|window| window == b"\r\n\r\n") {
                        let head = String::from_utf8_lossy(&text[..end]).to_lowercase();
                        let length = head.split("content-length:").nth(1);
                        let length = length.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
                        let end: usize = end + 4 + length.unwrap_or(0);
                        text.drain(..end.min(text.len()));
                        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]";
                        let _ = stream.write_all(answer.as_bytes());
                    }
                }
            });
        }
    });
    address
}

#[test]
fn framing_is_probed_on_demand() {
    let only = ["--only", "check=framing-is-unambiguous"];
    let probed = ["--smuggling", "--only", "check=framing-is-unambiguous"];
    let right = format!("http://{}", things(Fault::None));
    let (_, text, report) = crate::server::test(&right, &only);
    assert_eq!(report["requirements"][0]["verdict"], "not-applicable", "{text}");
    let (_, text, report) = crate::server::test(&right, &probed);
    assert_eq!(report["findings"], serde_json::json!([]), "{text}");
    assert_eq!(report["requirements"][0]["verdict"], "pass", "{text}");
    let (code, text, report) = crate::server::test(&format!("http://{}", naive()), &probed);
    assert_eq!(code, 1, "{text}");
    assert!(report["findings"].as_array().unwrap().len() >= 5, "{text}");
    assert!(text.contains("| nc -w 5 127.0.0.1"), "{text}");
}

#[test]
fn a_fault_that_shows_sometimes_is_no_fluke() {
    let (code, text, report) = test(Hole::Sometimes, FIXTURES, &["--only", "check=answers-steadily"]);
    assert_eq!(code, 1, "{text}");
    assert_eq!(
        found(&report),
        [("answers-steadily".to_owned(), "error".to_owned())],
        "{text}"
    );
}
