//! HTTP's own rules: a right server conforms, and each fault is found by the check that is there for it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use serde_json::Value;

use crate::server::suite;
use crate::tagged::{DOCUMENT, Fault, notes};

/// Tests the notes at an address; gives exit code, text and the checks with findings.
fn test(address: SocketAddr, more: &[&str]) -> (i32, String, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let document = directory.path().join("notes.json");
    std::fs::write(&document, DOCUMENT).unwrap();
    let reports = directory.path().join("reports");
    let target = format!("http://{address}");
    let mut arguments = vec!["run", "--target", &target, "--seed", "7"];
    arguments.extend(["--document", document.to_str().unwrap()]);
    arguments.extend(["--report-dir", reports.to_str().unwrap()]);
    arguments.extend(more);
    let output = suite(&arguments);
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let report = std::fs::read_to_string(reports.join("report.json")).unwrap_or_default();
    let report: Value = serde_json::from_str(&report).unwrap_or_default();
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let checks = findings
        .iter()
        .map(|finding| finding["check"].as_str().unwrap().to_owned());
    let flaky = report["flaky"].as_array().cloned().unwrap_or_default();
    assert!(flaky.is_empty(), "{text}");
    (output.status.code().unwrap(), text, checks.collect())
}

#[test]
fn a_server_that_obeys_http_conforms() {
    let (code, text, checks) = test(notes(Fault::None), &[]);
    assert_eq!(code, 0, "{text}");
    assert!(checks.is_empty(), "{text}");
}

#[test]
fn each_fault_against_http_is_found_by_its_check() {
    let faults = [
        (Fault::UnknownPutAccepted, "unknown-resource"),
        (Fault::PageForUnknownPaths, "unknown-path"),
        (Fault::UnknownMethodIsGet, "method-refused-with-405"),
        (Fault::AllowIncomplete, "allow-agrees"),
        (Fault::AllowTooMuch, "allow-agrees"),
        (Fault::HeadOtherLength, "head-like-get"),
        (Fault::CharsetRefused, "media-type-names"),
        (Fault::WildcardRefused, "accepts-wildcards"),
        (Fault::OverrideObeyed, "safe-methods-remove-nothing"),
        (Fault::PutAppends, "one-request-one-effect"),
        (Fault::SecondPutConflicts, "put-is-idempotent"),
        (Fault::NoneMatchIgnored, "conditional-reading"),
        (Fault::AlwaysNotModified, "conditional-reading"),
        (Fault::WeakComparison, "conditional-changes"),
        (Fault::RefusedButChanged, "conditional-changes"),
        (Fault::DeleteIgnoresMatch, "conditional-changes"),
        (Fault::EncodedIsOther, "percent-encoding"),
        (Fault::DecodedTwice, "decodes-once"),
        (Fault::QueryNotDecoded, "query-encoding"),
        (Fault::LargeIsServerError, "no-server-error"),
        (Fault::TwoHosts, "demands-host"),
        (Fault::NoDate, "date"),
        (Fault::TagWithoutQuotes, "field-syntax"),
        (Fault::Latin1, "field-syntax"),
        (Fault::MatchIgnoredOnGet, "conditional-reading"),
        (Fault::OlderIsNotModified, "modified-since"),
        (Fault::UnmodifiedIgnored, "unmodified-since"),
        (Fault::DateBesideTag, "conditions-in-order"),
        (Fault::NoneMatchFirst, "conditions-in-order"),
        (Fault::PlusIsBlank, "query-plus-and-blank"),
        (Fault::RepeatedFindsAll, "repeated-parameters"),
        (Fault::FirstOfSeveral, "repeated-parameters"),
        (Fault::RepeatedFindsBoth, "repeated-parameters-select-one"),
        (Fault::EmptyFindsSome, "empty-parameters"),
        (Fault::SlashIsList, "trailing-slash"),
        (Fault::SlashRemoves, "refusal-changes-nothing"),
        (Fault::EncodedSlashSplits, "encoded-slash"),
    ];
    let warnings = [
        "date",
        "trailing-slash",
        "encoded-slash",
        "repeated-parameters-select-one",
        "method-refused-with-405",
        "safe-methods-remove-nothing",
    ];
    for (fault, check) in faults {
        let only = format!("check={check}");
        let driver = match check {
            "no-server-error" => "check=withstands-size",
            "field-syntax" => "check=conditional-reading",
            "repeated-parameters-select-one" => "check=repeated-parameters",
            "refusal-changes-nothing" => "check=trailing-slash",
            "method-refused-with-405" => "check=method-not-allowed",
            _ => &only,
        };
        let (code, text, checks) = test(notes(fault), &["--only", driver, "--only", &only]);
        assert!(checks.iter().any(|found| found == check), "{fault:?}: {text}");
        assert_eq!(code, i32::from(!warnings.contains(&check)), "{fault:?}: {text}");
        let (code, text, checks) = test(notes(Fault::None), &["--only", driver, "--only", &only]);
        // A run in which nothing succeeds, as 404 is all that is asked for, does not conform.
        assert!(matches!(code, 0 | 3), "without {fault:?}: {text}");
        assert!(checks.is_empty(), "without {fault:?}: {text}");
    }
}

/// A server that reads a head, whatever is in it, and answers with an empty list, also to HEAD.
fn sloppy() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                let mut chunk = [0; 4096];
                while let Ok(read) = stream.read(&mut chunk)
                    && read > 0
                {
                    bytes.extend_from_slice(&chunk[..read]);
                    if bytes.windows(4).any(|end| end == b"\r\n\r\n") {
                        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n[]\r\n0\r\n\r\n";
                        let _ = stream.write_all(answer.as_bytes());
                        return;
                    }
                }
            });
        }
    });
    address
}

#[test]
fn a_server_that_reads_no_heads_is_found_by_every_check_of_messages() {
    for check in [
        "demands-host",
        "refuses-broken-framing",
        "nothing-after-the-head",
        "answers-http-1-0",
        "unknown-path",
        "method-not-allowed",
    ] {
        let (_, text, checks) = test(sloppy(), &["--only", &format!("check={check}")]);
        assert!(checks.iter().any(|found| found == check), "{check}: {text}");
        if check == "demands-host" {
            assert!(text.contains("| nc -w 5 127.0.0.1"), "{text}");
        }
    }
}
