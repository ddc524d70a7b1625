//! Reports to test with: a realistic one with every variant in it, and parts to build others from.

use std::collections::BTreeMap;

use mecforge_report::*;

const API: &str = "mec011-service-management";
const CREATE: &str = "POST /applications/{appInstanceId}/services";
const READ: &str = "GET /services/{serviceId}";

/// A report with an entry in every list.
pub(crate) fn report() -> Report {
    Report {
        format: FORMAT.to_owned(),
        tool: Tool {
            name: "mec-conformance".to_owned(),
            version: "0.1.0".to_owned(),
        },
        run: run(),
        summary: summary(),
        checks: checks(),
        findings: vec![lost_property(), server_error(), no_allow()],
        flaky: vec![Finding {
            id: "F-5e0c1a77".to_owned(),
            title: "One of 200 reads got 503".to_owned(),
            ..server_error()
        }],
        expected: vec![ExpectedFinding {
            finding: Finding {
                id: "F-0badcafe".to_owned(),
                title: "HEAD is refused".to_owned(),
                ..no_allow()
            },
            expectation: Expectation {
                check: Some("http-head".to_owned()),
                reason: "the vendor mends it in 2.5".to_owned(),
                until: Some("2027-01-31".to_owned()),
                ..Expectation::default()
            },
        }],
        no_longer_failing: vec![Expectation {
            id: Some("F-11112222".to_owned()),
            api: Some(API.to_owned()),
            operation: Some(READ.to_owned()),
            reason: "ticket 4711".to_owned(),
            ..Expectation::default()
        }],
        requirements: requirements(),
        test_purposes: test_purposes(),
        coverage: coverage(),
        contradictions: vec![Contradiction {
            id: "is-local-false".to_owned(),
            description: "Clause 8.2.3 can be read as remote services alone, or as remote and local ones"
                .to_owned(),
            observed: Some("lists remote services alone".to_owned()),
        }],
    }
}

fn run() -> Run {
    let command = [
        "mec-conformance",
        "run",
        "--target",
        "https://mep.example:8443",
        "--profile",
        "mec011-v3.1.1",
    ];
    let command = command
        .into_iter()
        .chain(["--seed", "42", "--header", "Authorization: ***"]);
    Run {
        started_at: "2026-11-21T13:05:09.120Z".to_owned(),
        duration_ms: 61_340,
        seed: 42,
        target: "https://mep.example:8443".to_owned(),
        server: Some("ExampleMEP/2.4".to_owned()),
        profiles: vec!["mec011-v3.1.1".to_owned()],
        apis: vec![
            ApiUnderTest {
                id: API.to_owned(),
                title: "MEC Service Management API".to_owned(),
                version: "3.1.1".to_owned(),
                base_path: "/mec_service_mgmt/v1".to_owned(),
                operations: 15,
            },
            ApiUnderTest {
                id: "mec011-app-support".to_owned(),
                title: "MEC Application Support API".to_owned(),
                version: "3.1.1".to_owned(),
                base_path: "/mec_app_support/v1".to_owned(),
                operations: 20,
            },
        ],
        command: command.map(str::to_owned).collect(),
        end: End::TimeOver,
        requests: 18_204,
        cases: 9_870,
        left_behind: vec![
            "Service 4d1f at /applications/app-1/services/4d1f: DELETE answered 500".to_owned(),
        ],
    }
}

fn summary() -> Summary {
    let counts = |pairs: &[(&str, u64)]| -> BTreeMap<String, u64> {
        pairs
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect()
    };
    Summary {
        result: Result::Fails,
        sentence: "2 requirements of MEC 011 V3.1.1 do not hold: a service loses a property, and a filter ends in 500"
            .to_owned(),
        findings: counts(&[("error", 2), ("warning", 1)]),
        requirements: counts(&[("pass", 1), ("fail", 3), ("inconclusive", 1), ("not-applicable", 1), ("waived", 1)]),
    }
}

fn checks() -> Vec<CheckResult> {
    let check =
        |id: &str, group: &str, title: &str, severity, judged, findings, reason: Option<&str>| CheckResult {
            id: id.to_owned(),
            group: group.to_owned(),
            title: title.to_owned(),
            severity,
            references: vec![rfc("section 15.5.6")],
            judged,
            findings,
            reason: reason.map(str::to_owned),
        };
    vec![
        check(
            "read-equals-write",
            "state",
            "What was stored is read back",
            Severity::Error,
            812,
            1,
            None,
        ),
        check(
            "no-server-error",
            "responses",
            "No request ends in a 5xx",
            Severity::Error,
            9_870,
            1,
            None,
        ),
        check(
            "allow-on-405",
            "http",
            "A 405 names the methods allowed",
            Severity::Warning,
            35,
            1,
            None,
        ),
        check(
            "http-head",
            "http",
            "HEAD is answered as GET without a body",
            Severity::Error,
            12,
            0,
            None,
        ),
        check(
            "dns-effect",
            "effects",
            "An active DNS rule answers queries",
            Severity::Error,
            0,
            0,
            Some("no --dns address was given"),
        ),
    ]
}

fn rfc(place: &str) -> Reference {
    Reference {
        document: "RFC 9110".to_owned(),
        place: place.to_owned(),
        url: Some("https://www.rfc-editor.org/rfc/rfc9110".to_owned()),
    }
}

/// An error with everything that a finding can have.
pub(crate) fn lost_property() -> Finding {
    Finding {
        id: "F-3f2a9c1b".to_owned(),
        case: "state/services/17".to_owned(),
        check: "read-equals-write".to_owned(),
        severity: Severity::Error,
        api: API.to_owned(),
        operation: Some(CREATE.to_owned()),
        title: "A registered service loses consumedLocalOnly".to_owned(),
        expected: "GET returns what POST stored: consumedLocalOnly is false".to_owned(),
        actual: "The property is absent, which means true".to_owned(),
        references: vec![Reference {
            document: "ETSI GS MEC 011 V3.1.1".to_owned(),
            place: "clause 8.1.2.2".to_owned(),
            url: None,
        }],
        errata: vec!["The document wraps ServiceInfo in an object; the standard has the bare type, which is used".to_owned()],
        occurrences: 214,
        first_seen_ms: 1_240,
        minimised: true,
        curl: "curl -sS -X POST \"$TARGET/mec_service_mgmt/v1/applications/$APP/services\" \\\n  -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \\\n  -d '{\"serName\":\"a\",\"version\":\"1\",\"state\":\"ACTIVE\",\"serializer\":\"JSON\",\"consumedLocalOnly\":false}'".to_owned(),
        rust_test: "#[tokio::test]\nasync fn f_3f2a9c1b() {\n    let client = Client::new(&target()).unwrap();\n    let created = client.create_application_service(&app(), &service()).await.unwrap();\n    assert_eq!(created.body.consumed_local_only, Some(false));\n}\n".to_owned(),
        evidence: vec![exchange("set-up", Some(answer(201, "{\"serInstanceId\":\"4d1f\"}"))), exchange("judged", Some(answer(200, "{\"serInstanceId\":\"4d1f\",\"serName\":\"a\"}")))],
    }
}

fn server_error() -> Finding {
    Finding {
        id: "F-77aa01fe".to_owned(),
        case: "input/query/3".to_owned(),
        check: "no-server-error".to_owned(),
        operation: Some("GET /services".to_owned()),
        title: "A filter with an empty name ends in 500".to_owned(),
        expected: "An answer below 500, such as 400 with ProblemDetails".to_owned(),
        actual: "500 with an HTML page that shows a stack trace".to_owned(),
        references: vec![rfc("section 15.6.1")],
        errata: Vec::new(),
        occurrences: 3,
        minimised: false,
        curl: "curl -sS \"$TARGET/mec_service_mgmt/v1/services?ser_name=\"".to_owned(),
        rust_test: String::new(),
        evidence: vec![
            Exchange {
                fault: Some("connection reset by the target".to_owned()),
                ..exchange("control", None)
            },
            exchange(
                "judged",
                Some(answer(500, "<html><b>java.lang.NullPointerException</b></html>")),
            ),
        ],
        ..lost_property()
    }
}

/// A warning about a whole API.
pub(crate) fn no_allow() -> Finding {
    Finding {
        id: "F-c0ffee00".to_owned(),
        check: "allow-on-405".to_owned(),
        severity: Severity::Warning,
        operation: None,
        title: "405 comes without Allow".to_owned(),
        expected: "Allow with the methods that the resource has".to_owned(),
        actual: "No Allow field".to_owned(),
        references: vec![rfc("section 15.5.6")],
        errata: Vec::new(),
        occurrences: 1,
        evidence: vec![exchange("notification", Some(answer(204, "")))],
        ..lost_property()
    }
}

/// An exchange with a body that was cut by the transport.
pub(crate) fn exchange(role: &str, response: Option<Answer>) -> Exchange {
    Exchange {
        role: role.to_owned(),
        started_at: "2026-11-21T13:05:10.360Z".to_owned(),
        elapsed_ms: 1.7,
        request: Message {
            method: "POST".to_owned(),
            url: "https://mep.example:8443/mec_service_mgmt/v1/applications/app-1/services?scope=a&x"
                .to_owned(),
            version: "HTTP/1.1".to_owned(),
            headers: vec![
                ("Authorization".to_owned(), "Bearer ***".to_owned()),
                ("Content-Type".to_owned(), "application/json".to_owned()),
            ],
            body: Some("{\"serName\":\"a\"".to_owned()),
            body_length: 4_096,
        },
        response,
        fault: None,
    }
}

pub(crate) fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        version: "HTTP/1.1".to_owned(),
        headers: vec![
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("Set-Cookie".to_owned(), "a=***".to_owned()),
            ("set-cookie".to_owned(), "b=***".to_owned()),
        ],
        body: body.to_owned(),
        body_length: body.len() as u64,
    }
}

/// A requirement with a verdict.
pub(crate) fn requirement(
    check: &str,
    operation: Option<&str>,
    verdict: Verdict,
    findings: &[&str],
) -> Requirement {
    let reason = match verdict {
        Verdict::Pass => None,
        Verdict::Fail => Some("see the finding"),
        Verdict::Inconclusive => Some("needs an ETag, and the target gives none"),
        Verdict::NotApplicable => Some("the vendor does not claim this feature"),
        Verdict::Waived => Some("the vendor mends it in 2.5"),
    };
    Requirement {
        check: check.to_owned(),
        api: API.to_owned(),
        operation: operation.map(str::to_owned),
        feature: (verdict == Verdict::NotApplicable).then(|| "conditional-requests".to_owned()),
        verdict,
        reason: reason.map(str::to_owned),
        cases: 40,
        findings: findings.iter().map(|&id| id.to_owned()).collect(),
    }
}

fn requirements() -> Vec<Requirement> {
    vec![
        requirement("read-equals-write", Some(CREATE), Verdict::Fail, &["F-3f2a9c1b"]),
        requirement("read-equals-write", Some(READ), Verdict::Inconclusive, &[]),
        requirement("no-server-error", Some(READ), Verdict::Pass, &[]),
        requirement(
            "no-server-error",
            Some("GET /services"),
            Verdict::Fail,
            &["F-77aa01fe"],
        ),
        requirement("allow-on-405", None, Verdict::Fail, &["F-c0ffee00"]),
        requirement("http-head", None, Verdict::Waived, &["F-0badcafe"]),
        requirement("dns-effect", None, Verdict::NotApplicable, &[]),
    ]
}

fn test_purposes() -> Vec<TestPurpose> {
    let purpose = |number: u32, verdict: Verdict, reason: Option<&str>| TestPurpose {
        id: format!("TP_MEC_MEC011_SRV_SRVALLOC_{number:03}_OK"),
        standard: "ETSI GS MEC 011 V2.2.1".to_owned(),
        clause: "8.2.6.3.1".to_owned(),
        title: "A service is listed after it was registered".to_owned(),
        request: "GET /mec_service_mgmt/v1/services".to_owned(),
        verdict,
        reason: reason.map(str::to_owned),
        checks: vec!["read-equals-write".to_owned()],
        contradiction: (verdict == Verdict::Fail)
            .then(|| "The purpose says 200 where its name says BR".to_owned()),
        evidence: if verdict == Verdict::Fail {
            vec![exchange("judged", Some(answer(404, "{}")))]
        } else {
            Vec::new()
        },
        curl: "curl -sS \"$TARGET/mec_service_mgmt/v1/services\"".to_owned(),
    };
    vec![
        purpose(1, Verdict::Pass, None),
        purpose(2, Verdict::Fail, Some("404 instead of 200")),
        purpose(
            3,
            Verdict::Inconclusive,
            Some("needs a second application instance"),
        ),
        purpose(4, Verdict::NotApplicable, Some("removed in V3.1.1")),
        purpose(5, Verdict::Waived, Some("known")),
    ]
}

fn coverage() -> Coverage {
    let status = |status: &str, declared, count, reason: Option<&str>| StatusCoverage {
        status: status.to_owned(),
        declared,
        count,
        reason: reason.map(str::to_owned),
    };
    let operation = |operation: &str, statuses| OperationCoverage {
        api: API.to_owned(),
        operation: operation.to_owned(),
        requests: 1_312,
        statuses,
        parameters: vec![ParameterCoverage {
            location: "path".to_owned(),
            name: "appInstanceId".to_owned(),
            valid: 1_200,
            invalid: 112,
            absent: 0,
        }],
    };
    Coverage {
        operations: vec![
            operation(
                CREATE,
                vec![
                    status("201", true, 840, None),
                    status("400", true, 360, None),
                    status("403", true, 112, None),
                    status(
                        "404",
                        true,
                        0,
                        Some("every unknown application is refused with 403"),
                    ),
                ],
            ),
            operation(
                READ,
                vec![
                    status("200", true, 700, None),
                    status("404", true, 80, None),
                    status("412", true, 0, None),
                    status("500", false, 3, None),
                ],
            ),
        ],
        schemas: vec![SchemaCoverage {
            api: API.to_owned(),
            pointer: "/components/schemas/ServiceInfo".to_owned(),
            constraints: vec![
                ConstraintCoverage {
                    pointer: "/components/schemas/ServiceInfo/required/0".to_owned(),
                    satisfied: 840,
                    violated: 31,
                    reason: None,
                },
                ConstraintCoverage {
                    pointer: "/components/schemas/ServiceInfo/properties/version/maxLength".to_owned(),
                    satisfied: 840,
                    violated: 0,
                    reason: Some("--read-only".to_owned()),
                },
            ],
            properties: vec![PropertyCoverage {
                name: "serName".to_owned(),
                sent: 871,
                received: 1_540,
            }],
        }],
        transitions: vec![Transition {
            model: "services".to_owned(),
            from: "registered".to_owned(),
            action: "DELETE".to_owned(),
            to: "gone".to_owned(),
            count: 96,
        }],
    }
}
