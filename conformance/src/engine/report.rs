//! The report of a run from what the engine knows.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use mecforge_report::{
    ApiUnderTest, CheckResult, End, Expectation, ExpectedFinding, FORMAT, Finding, Report, Result, Run,
    Summary, Tool, Verdict,
};

use serde_json::Value;

use super::ledger::NOT_REACHED;
use super::{Engine, purposes};
use crate::checks;
use crate::suite::Suite;
use crate::suite::time;

/// Makes the report. `failure` says why nothing could be tested, where nothing could.
pub fn report(
    engine: &Engine,
    profiles: Vec<String>,
    command: Vec<String>,
    expectations: &[Expectation],
    failure: Option<&str>,
) -> Report {
    let suite = &engine.suite;
    let mut report = Report {
        format: FORMAT.to_owned(),
        tool: Tool {
            name: "mec-conformance".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        coverage: suite.recorder.coverage(suite),
        contradictions: suite
            .contradictions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect(),
        ..Report::default()
    };
    let mut findings = engine.with(|ledger| {
        report.requirements = ledger.requirements(suite);
        report.flaky = ledger.flaky.values().cloned().collect();
        ledger.findings.values().cloned().collect::<Vec<_>>()
    });
    findings.sort_by(|one, other| {
        (one.severity, one.first_seen_ms, &one.id).cmp(&(other.severity, other.first_seen_ms, &other.id))
    });
    sort_out(&mut report, findings, expectations);
    purposes::fill(engine, &mut report);
    report.checks = check_results(&report);
    report.run = Run {
        started_at: time::rfc3339(engine.started),
        duration_ms: suite.elapsed_ms(),
        seed: suite.options.seed,
        target: suite.target.clone(),
        server: suite
            .server
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone(),
        profiles,
        apis: suite
            .apis
            .iter()
            .map(|state| ApiUnderTest {
                id: state.api.id.clone(),
                title: state.api.title.clone(),
                version: state.api.version.clone(),
                base_path: state.base_path.clone(),
                operations: state.api.operations.len() as u64,
            })
            .collect(),
        command,
        end: end(engine, failure),
        requests: suite.requests(),
        cases: suite.judged(),
        left_behind: suite
            .left_behind
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone(),
    };
    report.summary = summary(&report, failure);
    masked(suite, report)
}

/// Members that are names of ours and never a target's words, also if somebody's secret is called like one.
const NAMES: [&str; 14] = [
    "api",
    "case",
    "check",
    "end",
    "feature",
    "format",
    "group",
    "id",
    "operation",
    "result",
    "role",
    "severity",
    "status",
    "verdict",
];

/// The report without any secret: evidence is masked as it is taken, but checks write sentences of what came, and a
/// target may give back what it was sent.
fn masked(suite: &Suite, report: Report) -> Report {
    let clients = &suite.clients;
    let mut maskers = vec![clients.main.masker(), clients.nobody.masker()];
    maskers.extend(clients.other.as_ref().map(|client| client.masker()));
    let value = serde_json::to_value(&report).map(|mut value| {
        mask(&mut value, &|text| {
            maskers
                .iter()
                .fold(text.to_owned(), |text, masker| masker.text(&text))
        });
        value
    });
    value.and_then(serde_json::from_value).unwrap_or(report)
}

fn mask(value: &mut Value, without: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = without(text),
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, without)),
        Value::Object(members) => members
            .iter_mut()
            .filter(|(name, member)| !(NAMES.contains(&name.as_str()) && member.is_string()))
            .for_each(|(_, member)| mask(member, without)),
        _ => {}
    }
}

fn end(engine: &Engine, failure: Option<&str>) -> End {
    let options = &engine.suite.options;
    if failure.is_some()
        || engine
            .gone
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    {
        End::Untestable
    } else if engine.interrupted.load(Ordering::Relaxed) {
        End::Interrupted
    } else if options.time.is_some() && engine.missed.load(Ordering::Relaxed) {
        End::TimeOver
    } else {
        End::Completed
    }
}

/// Parts the findings that are expected from the others, and finds expectations that nothing met.
fn sort_out(report: &mut Report, findings: Vec<Finding>, expectations: &[Expectation]) {
    let today = time::today();
    let counts = |expectation: &&Expectation| {
        expectation
            .until
            .as_deref()
            .is_none_or(|until| today.as_str() <= until)
    };
    let meets = |expectation: &Expectation, finding: &Finding| {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == found)
        };
        is(&expectation.id, Some(&finding.id))
            && is(&expectation.check, Some(&finding.check))
            && is(&expectation.api, Some(&finding.api))
            && is(&expectation.operation, finding.operation.as_deref())
    };
    for finding in findings {
        match expectations
            .iter()
            .filter(counts)
            .find(|expectation| meets(expectation, &finding))
        {
            Some(expectation) => report.expected.push(ExpectedFinding {
                finding,
                expectation: expectation.clone(),
            }),
            None => report.findings.push(finding),
        }
    }
    for requirement in &mut report.requirements {
        let open = requirement
            .findings
            .iter()
            .any(|id| report.findings.iter().any(|finding| finding.id == *id));
        if requirement.verdict == Verdict::Fail && !open {
            requirement.verdict = Verdict::Waived;
            requirement.reason = Some("known, as --expect says".to_owned());
        }
    }
    let met = |expectation: &Expectation| {
        report
            .expected
            .iter()
            .any(|expected| meets(expectation, &expected.finding))
    };
    report.no_longer_failing = expectations
        .iter()
        .filter(|expectation| !met(expectation))
        .cloned()
        .collect();
}

fn check_results(report: &Report) -> Vec<CheckResult> {
    let result = |check: &&'static crate::suite::Check| {
        let of = report
            .requirements
            .iter()
            .filter(|requirement| requirement.check == check.id);
        let judged = of.clone().map(|requirement| requirement.cases).sum();
        CheckResult {
            id: check.id.to_owned(),
            group: check.group.as_str().to_owned(),
            title: check.title.to_owned(),
            severity: check.severity,
            references: check.references(),
            judged,
            findings: report
                .findings
                .iter()
                .filter(|finding| finding.check == check.id)
                .count() as u64,
            reason: (judged == 0).then(|| {
                let reason = of.filter_map(|requirement| requirement.reason.clone()).next();
                reason.unwrap_or_else(|| {
                    "no operation of these APIs asks for it, or it was not selected".to_owned()
                })
            }),
        }
    };
    checks::all().iter().map(result).collect()
}

/// The sentence of a run that found nothing; what it did not come to is no part of the claim.
fn conforming(report: &Report, passed: u64) -> String {
    let missed = report
        .requirements
        .iter()
        .filter(|requirement| requirement.reason.as_deref() == Some(NOT_REACHED))
        .count();
    let found = "Nothing was found that breaks the standard";
    match missed {
        0 => format!("{found}; {passed} requirements were tested and hold."),
        _ => format!(
            "{found} as far as it was tested: {passed} requirements hold, {missed} were not reached before the run ended."
        ),
    }
}

fn summary(report: &Report, failure: Option<&str>) -> Summary {
    let mut findings = BTreeMap::from([("error".to_owned(), 0), ("warning".to_owned(), 0)]);
    for finding in &report.findings {
        *findings.entry(finding.severity.as_str().to_owned()).or_default() += 1;
    }
    let mut requirements = BTreeMap::new();
    for requirement in &report.requirements {
        *requirements
            .entry(requirement.verdict.as_str().to_owned())
            .or_default() += 1;
    }
    let errors = findings["error"];
    let passed: u64 = requirements.get("pass").copied().unwrap_or_default();
    let breached = ["fail", "waived"]
        .into_iter()
        .any(|verdict| requirements.contains_key(verdict));
    let successes = report
        .coverage
        .operations
        .iter()
        .flat_map(|operation| &operation.statuses);
    let reached = successes
        .filter(|status| status.status.starts_with('2'))
        .map(|status| status.count)
        .sum::<u64>();
    let (result, sentence) = match failure {
        Some(reason) => (Result::Inconclusive, format!("Nothing could be tested: {reason}.")),
        None if errors > 0 && reached == 0 => (
            Result::Fails,
            format!("{errors} findings, and no request was answered with a success; is the base path right? (--base-path API=/prefix)."),
        ),
        None if errors > 0 => (Result::Fails, format!("{errors} findings break the standard.")),
        None if reached == 0 || (passed == 0 && !breached) => (
            Result::Inconclusive,
            "No request was answered with a success, so nothing could be judged; check the base path (--base-path), credentials and application instances.".to_owned(),
        ),
        None => (Result::Conforms, conforming(report, passed)),
    };
    Summary {
        result,
        sentence,
        findings,
        requirements,
    }
}
