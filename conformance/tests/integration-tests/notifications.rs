//! Notifications and time: the reference server conforms; each fault in front of it is found by the check that is
//! there for it.

use std::net::SocketAddr;

use serde_json::Value;

use crate::courier::{Wrong, platform, reference};
use crate::server::suite;

/// Runs some checks; gives exit code, text and the report.
fn judged(wrong: Wrong, checks: &[&str], more: &[&str]) -> (i32, String, Value) {
    // One API of the two is planned in half of the time.
    let clock = ["current", "timing-"];
    let api = match checks {
        [one] if clock.iter().any(|start| one.starts_with(start)) => "mec011-app-support",
        all if all == ALL => "mec011-v3.1.1",
        _ => "mec011-service-management",
    };
    let mut more = more.to_vec();
    if !more.contains(&"--patience") && wrong != Wrong::Nothing {
        more.extend(["--patience", "3s"]);
    }
    run(platform(wrong), api, checks, &more)
}

/// Right servers have the time that a busy machine needs.
pub(crate) fn run(
    address: SocketAddr,
    profile: &str,
    checks: &[&str],
    more: &[&str],
) -> (i32, String, Value) {
    let reports = tempfile::tempdir().unwrap();
    let address = format!("http://{address}");
    let mut arguments = vec!["run", "--target", &address, "--profile", profile, "--seed", "7"];
    arguments.extend(["--report-dir", reports.path().to_str().unwrap()]);
    if !more.contains(&"--patience") {
        arguments.extend(["--patience", "15s"]);
    }
    let selection: Vec<_> = checks.iter().map(|check| format!("check={check}")).collect();
    for entry in &selection {
        arguments.extend(["--only", entry]);
    }
    arguments.extend(more);
    let output = suite(&arguments);
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let report = std::fs::read_to_string(reports.path().join("report.json")).unwrap();
    (
        output.status.code().unwrap(),
        text,
        serde_json::from_str(&report).unwrap(),
    )
}

const ALL: &[&str] = &[
    "notification-delivered",
    "notification-schema",
    "notification-content",
    "notification-once",
    "notification-order",
    "notification-filter",
    "notification-of-no-change",
    "notification-of-same",
    "notification-address",
    "notification-receivers-apart",
    "notification-retried",
    "notification-not-redirected",
    "notification-after-unsubscribing",
    "liveness-agrees",
    "heartbeat-counts",
    "liveness-goes-with-service",
    "silent-service-suspended",
    "heartbeats-keep-active",
    "current-time",
    "current-time-near",
    "timing-capabilities",
];

#[test]
fn right_servers_notify_and_keep_time() {
    std::thread::scope(|scope| {
        for right in [Wrong::Nothing, Wrong::Coalesces] {
            scope.spawn(move || passes(right));
        }
    });
}

fn passes(right: Wrong) {
    let (code, text, report) = judged(right, ALL, &["--patience", "15s"]);
    assert_eq!(code, 0, "{right:?}: {text}");
    assert_eq!(
        report["findings"].as_array().unwrap().len(),
        0,
        "{right:?}: {text}"
    );
    assert_eq!(report["flaky"].as_array().unwrap().len(), 0, "{right:?}: {text}");
    for check in ALL {
        let verdicts = verdicts(&report, check);
        let mut verdicts = verdicts.iter();
        assert!(
            verdicts.any(|one| one == "pass"),
            "{right:?}: {check} was not judged: {text}"
        );
    }
}

#[test]
fn each_fault_is_found_by_its_check() {
    let faults = [
        (Wrong::Silent, "notification-delivered"),
        (Wrong::Twice, "notification-once"),
        (Wrong::CoalescesTwice, "notification-once"),
        (Wrong::State, "notification-content"),
        (Wrong::AsText, "notification-schema"),
        (Wrong::Unlinked, "notification-schema"),
        (Wrong::Reordered, "notification-order"),
        (Wrong::QueryCut, "notification-address"),
        (Wrong::OneByOne, "notification-receivers-apart"),
        (Wrong::Unfiltered, "notification-filter"),
        (Wrong::StaysSubscribed, "notification-after-unsubscribing"),
        (Wrong::NeverSuspended, "silent-service-suspended"),
        (Wrong::AlwaysSuspended, "silent-service-suspended"),
        (Wrong::ForgetsHeartbeats, "heartbeat-counts"),
        (Wrong::ForgetsHeartbeats, "heartbeats-keep-active"),
        (Wrong::HeartbeatsAhead, "heartbeat-counts"),
        (Wrong::LivenessStays, "liveness-goes-with-service"),
        (Wrong::NotifiesHeartbeats, "notification-of-no-change"),
        (Wrong::CategoriesByName, "notification-filter"),
        (Wrong::OtherInterval, "liveness-agrees"),
        (Wrong::FrozenClock, "current-time"),
        (Wrong::ClockAhead, "current-time"),
        (Wrong::NoCapabilities, "timing-capabilities"),
    ];
    let find = |(wrong, check): (Wrong, &'static str)| {
        // What a notification looks like is judged while others are expected.
        let mut checks = vec![check];
        if check.starts_with("notification-") {
            checks.push("notification-delivered");
        }
        let (code, text, report) = judged(wrong, &checks, &[]);
        assert_eq!(code, 1, "{wrong:?}: {text}");
        let found = report["findings"].as_array().unwrap();
        let finding = found.iter().find(|finding| finding["check"] == check);
        assert!(finding.is_some(), "{wrong:?} is not found by {check}: {text}");
    };
    // They wait more than they work.
    std::thread::scope(|scope| {
        for several in faults.chunks(5) {
            scope.spawn(move || several.iter().copied().for_each(find));
        }
    });
}

#[test]
fn faults_that_show_among_many_notifications_are_found() {
    let delivered = "notification-delivered";
    let many = "of many changes in a row";
    let faults = [
        (Wrong::FiveOnly, delivered, many),
        (Wrong::LosesFiftieth, delivered, many),
        (Wrong::TwentiethTwice, "notification-once", "comes again"),
        (Wrong::TakesAlong, delivered, "after another subscription"),
        (Wrong::InactiveUntold, delivered, "that is INACTIVE"),
    ];
    let find = |(wrong, check, title): (Wrong, &str, &str)| {
        let checks = ["notification-delivered", "notification-once"];
        // With both APIs, an application instance is registered for the case.
        let more = ["--patience", "3s"];
        let (code, text, report) = run(platform(wrong), "mec011-v3.1.1", &checks, &more);
        assert_eq!(code, 1, "{wrong:?}: {text}");
        let mut found = report["findings"].as_array().unwrap().iter();
        let is_it = |finding: &&Value| {
            finding["check"] == check && finding["title"].as_str().unwrap().contains(title)
        };
        assert!(found.any(|finding| is_it(&finding)), "{wrong:?}: {text}");
    };
    std::thread::scope(|scope| {
        for fault in faults {
            scope.spawn(move || find(fault));
        }
    });
}

#[test]
fn a_replacement_by_the_same_that_is_notified_is_a_warning() {
    let (_, text, report) = judged(Wrong::NotifiesSame, &["notification-of-same"], &[]);
    let found = report["findings"].as_array().unwrap();
    let finding = found
        .iter()
        .find(|finding| finding["check"] == "notification-of-same");
    assert_eq!(finding.unwrap()["severity"], "warning", "{text}");
}

#[test]
fn of_several_values_of_a_criterion_each_counts() {
    let checks = ["notification-filter", "notification-delivered"];
    let (_, text, report) = judged(Wrong::FirstValueOnly, &checks, &[]);
    let found = report["findings"].as_array().unwrap();
    for criterion in ["serNames", "serInstanceIds", "serCategories"] {
        let mut titles = found.iter().map(|finding| finding["title"].as_str().unwrap());
        assert!(
            titles.any(|title| title.ends_with(criterion)),
            "{criterion}: {text}"
        );
    }
}

#[test]
fn what_was_delivered_is_evidence() {
    let (_, text, report) = judged(
        Wrong::State,
        &["notification-delivered", "notification-content"],
        &[],
    );
    let finding = &report["findings"][0];
    let evidence = finding["evidence"].as_array().unwrap();
    let mut letters = evidence
        .iter()
        .filter(|exchange| exchange["role"] == "notification");
    assert!(
        letters.any(|letter| letter["request"]["method"] == "POST"),
        "{text}"
    );
    assert!(
        !finding["curl"].as_str().unwrap().contains("serviceReferences"),
        "{text}"
    );
}

#[test]
fn too_short_a_clock_is_inconclusive() {
    let (_, text, report) = judged(Wrong::Nothing, &["silent-service-suspended"], &["--clock", "2s"]);
    let requirements = report["requirements"].as_array().unwrap();
    let silent = requirements
        .iter()
        .find(|requirement| requirement["check"] == "silent-service-suspended")
        .unwrap();
    assert_eq!(silent["verdict"], "inconclusive", "{text}");
    assert!(silent["reason"].as_str().unwrap().contains("--clock"), "{silent}");
}

#[test]
fn a_wrong_address_of_the_receiver_is_wrong_usage() {
    for arguments in [
        ["--callback-listen", "192.0.2.1:1"],
        ["--callback-url", "ftp://suite"],
    ] {
        let mut words = vec![
            "run",
            "--target",
            "http://127.0.0.1:9",
            "--profile",
            "mec011-v3.1.1",
        ];
        words.extend(arguments);
        let output = suite(&words);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(arguments[0]));
    }
}

/// The verdicts of a check.
pub(crate) fn verdicts(report: &Value, check: &str) -> Vec<String> {
    let requirements = report["requirements"].as_array().unwrap();
    let of_check = requirements
        .iter()
        .filter(|requirement| requirement["check"] == check);
    of_check
        .map(|requirement| match requirement["reason"].as_str() {
            Some(reason) => format!("{}: {reason}", requirement["verdict"]),
            None => requirement["verdict"].as_str().unwrap().to_owned(),
        })
        .collect()
}

#[test]
fn subscriptions_of_other_standards() {
    let profiles = [
        "mec012-v2.2.1",
        "mec013-v3.1.1",
        "mec021-v2.2.1",
        "mec028-v2.3.1",
        "mec029-v2.2.1",
        "mec030-v3.1.1",
    ];
    let checks = [
        "notification-test",
        "subscription-expires",
        "notification-websocket",
        "notification-before-expiry",
        "subscription-changed",
        "subscription-one-way",
    ];
    std::thread::scope(|scope| {
        for profile in profiles {
            scope.spawn(move || {
                let (code, text, report) = run(reference(profile, true), profile, &checks, &[]);
                assert_eq!(code, 0, "{profile}: {text}");
                assert_eq!(
                    report["findings"].as_array().unwrap().len(),
                    0,
                    "{profile}: {text}"
                );
                let tests = verdicts(&report, "notification-test");
                for check in [
                    "notification-test",
                    "notification-websocket",
                    "subscription-one-way",
                    "subscription-changed",
                    "notification-follows-change",
                ] {
                    let passed = verdicts(&report, check);
                    assert!(
                        passed.len() == tests.len() && passed.iter().all(|verdict| verdict == "pass"),
                        "{profile}: {check}: {passed:?} {text}"
                    );
                }
                // Three documents have deadlines, and a type for the notification before them.
                let before = verdicts(&report, "notification-before-expiry");
                let announced = ["mec012", "mec021", "mec029"];
                let announced = announced.iter().any(|name| profile.starts_with(name));
                assert_eq!(!before.is_empty(), announced, "{profile}: {text}");
                // MEC 028 has the deadline in answers alone.
                let expired = verdicts(&report, "subscription-expires");
                assert!(
                    expired
                        .iter()
                        .chain(&before)
                        // Many platforms at once on few cores are late now and then.
                        .all(|verdict| ["pass", "less busy", "did not repeat"]
                            .iter()
                            .any(|words| verdict.contains(words))),
                    "{profile}: {expired:?} {text}"
                );
                assert!(!tests.is_empty() && (profile.starts_with("mec028") || !expired.is_empty()));
            });
        }
    });
    let (code, text, report) = run(
        reference("mec012-v2.2.1", false),
        "mec012-v2.2.1",
        &["notification-test"],
        &["--patience", "2s"],
    );
    assert_eq!(code, 1, "{text}");
    assert_eq!(report["findings"][0]["check"], "notification-test", "{text}");
}

#[test]
fn a_platform_that_does_something_to_itself_is_found() {
    let check = "callbacks-change-nothing-at-the-platform";
    let own = |wrong| {
        // With both APIs, an application instance is registered for the case.
        let more = ["--patience", "6s"];
        run(platform(wrong), "mec011-v3.1.1", &[check], &more)
    };
    for wrong in [Wrong::Nothing, Wrong::RefusesItself] {
        let (code, text, report) = own(wrong);
        assert_eq!(code, 0, "{wrong:?}: {text}");
        let all = report["requirements"].as_array().unwrap().iter();
        let verdicts = all.filter(|one| one["check"] == check && one["api"] == "mec011-service-management");
        let verdicts: Vec<_> = verdicts.map(|one| one["verdict"].as_str().unwrap()).collect();
        assert_eq!(verdicts, ["pass"], "{wrong:?}: {text}");
        assert_eq!(report["flaky"].as_array().unwrap().len(), 0, "{wrong:?}: {text}");
    }
    let (code, text, report) = own(Wrong::TakesAnything);
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["check"] == check), "{text}");
    assert_eq!(code, 1, "{text}");
}
