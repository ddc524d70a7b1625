//! The verdicts of ETSI's test purposes.

use std::sync::PoisonError;

use mecforge_report::{Finding, Report, Requirement, TestPurpose, Verdict};

use super::Engine;
use super::ledger::{NOT_REACHED, Tally};
use crate::checks::purposes::{PURPOSE, asked};
use crate::purposes::Purpose;
use crate::suite::Suite;

/// Adds a verdict for each purpose that was asked for, and a requirement for each instead of those by operation.
pub(super) fn fill(engine: &Engine, report: &mut Report) {
    let suite = &engine.suite;
    report
        .requirements
        .retain(|requirement| requirement.check != PURPOSE.id);
    for (purpose, how) in asked(suite) {
        let (verdict, reason, finding) = match &how {
            Err(reason) => (Verdict::NotApplicable, Some(reason.clone()), None),
            Ok(case) => match suite
                .options
                .denial(PURPOSE.id, &purpose.api, Some(&purpose.operation))
            {
                Some(reason) => (Verdict::NotApplicable, Some(reason), None),
                None => judged(engine, report, purpose, case),
            },
        };
        let cases = how.as_ref().ok().map_or(0, |case| {
            engine.with(|ledger| ledger.purposes.get(case).map_or(0, |tally| tally.cases))
        });
        let requirement =
            Requirement {
                check: PURPOSE.id.to_owned(),
                api: purpose.api.clone(),
                operation: Some(format!("{} ({})", purpose.operation, purpose.id)),
                feature: suite.options.statement.as_ref().and_then(|statement| {
                    statement.feature(PURPOSE.id, &purpose.api, Some(&purpose.operation))
                }),
                verdict,
                reason: reason.clone(),
                cases,
                findings: finding.iter().map(|finding| finding.id.clone()).collect(),
            };
        let entry = entry(suite, purpose, (verdict, reason), finding.as_ref());
        report.requirements.push(requirement);
        report.test_purposes.push(entry);
    }
}

/// The verdict of the case of a purpose.
fn judged(
    engine: &Engine,
    report: &Report,
    purpose: &Purpose,
    case: &str,
) -> (Verdict, Option<String>, Option<Finding>) {
    let of = |finding: &&Finding| finding.check == PURPOSE.id && finding.case == case;
    let why = |finding: &Finding| {
        let title = finding
            .title
            .split_once(": ")
            .map_or(finding.title.as_str(), |(_, title)| title);
        Some(format!(
            "{title}; expected {}, got {}",
            finding.expected, finding.actual
        ))
    };
    if let Some(finding) = report.findings.iter().find(of) {
        return (Verdict::Fail, why(finding), Some(finding.clone()));
    }
    let expected = report.expected.iter().find(|expected| of(&&expected.finding));
    if let Some(expected) = expected {
        let reason = format!("known, as --expect says: {}", expected.expectation.reason);
        return (Verdict::Waived, Some(reason), Some(expected.finding.clone()));
    }
    if let Some(finding) = report.flaky.iter().find(of) {
        let reason = format!("seen, and not again: {}", finding.title);
        return (Verdict::Inconclusive, Some(reason), None);
    }
    let options = &engine.suite.options;
    engine.with(|ledger| match ledger.purposes.get(case) {
        Some(Tally { cases: 1.., .. }) => (Verdict::Pass, None, None),
        Some(Tally {
            inconclusive: Some(reason),
            ..
        }) => (Verdict::Inconclusive, Some(reason.clone()), None),
        Some(Tally {
            not_applicable: Some(reason),
            ..
        }) => (Verdict::NotApplicable, Some(reason.clone()), None),
        None if options.read_only => {
            let reason = "not run: --read-only sends safe methods only, and its controls make objects";
            (Verdict::Inconclusive, Some(reason.to_owned()), None)
        }
        None if !options.selects(PURPOSE.id, &purpose.api, Some(&purpose.operation)) => {
            let reason = "not run: left out by --only or --skip";
            (Verdict::Inconclusive, Some(reason.to_owned()), None)
        }
        _ => (Verdict::Inconclusive, Some(NOT_REACHED.to_owned()), None),
    })
}

fn entry(
    suite: &Suite,
    purpose: &Purpose,
    (verdict, reason): (Verdict, Option<String>),
    finding: Option<&Finding>,
) -> TestPurpose {
    let observed = suite.observed.lock().unwrap_or_else(PoisonError::into_inner);
    let observed = observed
        .get(&purpose.id)
        .map(|seen| format!(" Observed: {seen}."));
    let contradiction = purpose
        .contradiction
        .as_ref()
        .map(|text| format!("{text}{}", observed.unwrap_or_default()));
    TestPurpose {
        id: purpose.id.clone(),
        standard: purpose.standard.clone(),
        clause: purpose.clause.clone(),
        title: match &purpose.mended {
            Some(mended) => format!("{} (mended: {mended})", purpose.title),
            None => purpose.title.clone(),
        },
        request: format!("{}; printed: {}", purpose.operation, purpose.printed),
        verdict,
        reason,
        checks: purpose.checks.clone(),
        contradiction,
        evidence: finding
            .map(|finding| finding.evidence.clone())
            .unwrap_or_default(),
        curl: finding.map(|finding| finding.curl.clone()).unwrap_or_default(),
    }
}
