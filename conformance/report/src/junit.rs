//! The JUnit XML form, for CI servers: a suite for each API, a case for each requirement.
//!
//! A case fails where the run does: findings of severity `warning` are in the case's output, not failures. The first
//! suite has one case for the run itself, so that a run that could not test anything is an error, not an empty success.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Finding, Report, Requirement, Result, Severity, TestPurpose, Verdict};
use crate::visible::one_line;
use crate::wording::{number, sentence, shell, shorten};
use crate::xml::Element;

/// Findings that are told in full in one case; the others are counted.
const MOST_FINDINGS: usize = 20;
/// Bytes of one text (a command, an expectation) that are shown.
const MOST_BYTES: usize = 8 * 1024;

/// Writes a report as JUnit XML as Jenkins' schema describes it, which GitLab, GitHub's actions and others read.
#[must_use]
pub fn junit(report: &Report) -> String {
    let lookup = Lookup::new(report);
    let mut suites = vec![run_suite(report)];
    suites.extend(api_suites(report, &lookup));
    if !report.test_purposes.is_empty() {
        let cases = report.test_purposes.iter().map(purpose_case).collect();
        suites.push(Suite {
            name: "ETSI test purposes".to_owned(),
            cases,
        });
    }
    let total = suites.iter().fold([0; 4], |sum, suite| add(sum, suite.counts()));
    let root = counted(
        Element::new("testsuites").attribute("name", &report.tool.name),
        total,
    )
    .attribute("time", seconds(report.run.duration_ms))
    .children(suites.into_iter().map(|suite| suite.element(report)));
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", root.finish())
}

/// What becomes of a case: CI servers know these four.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Broken,
    Skipped,
}

struct Case {
    name: String,
    class: String,
    outcome: Outcome,
    message: String,
    kind: String,
    detail: String,
    output: String,
}

impl Case {
    fn element(self) -> Element {
        let element = Element::new("testcase")
            .attribute("name", one_line(&self.name))
            .attribute("classname", one_line(&self.class));
        let message = shorten(&one_line(&self.message), 1024);
        let element = match self.outcome {
            Outcome::Passed => element,
            Outcome::Skipped => element.child(Element::new("skipped").attribute("message", message)),
            Outcome::Failed | Outcome::Broken => {
                let name = if self.outcome == Outcome::Failed {
                    "failure"
                } else {
                    "error"
                };
                let kind = one_line(&self.kind);
                let child = Element::new(name)
                    .attribute("message", message)
                    .attribute("type", kind);
                element.child(child.text(&self.detail))
            }
        };
        if self.output.is_empty() {
            return element;
        }
        element.child(Element::new("system-out").text(&self.output))
    }
}

struct Suite {
    name: String,
    cases: Vec<Case>,
}

impl Suite {
    /// Cases, failures, errors and skipped ones.
    fn counts(&self) -> [usize; 4] {
        let count = |outcome| self.cases.iter().filter(|case| case.outcome == outcome).count();
        [
            self.cases.len(),
            count(Outcome::Failed),
            count(Outcome::Broken),
            count(Outcome::Skipped),
        ]
    }

    fn element(self, report: &Report) -> Element {
        let started = report.run.started_at.get(..19).unwrap_or(&report.run.started_at);
        let counts = self.counts();
        counted(
            Element::new("testsuite").attribute("name", one_line(&self.name)),
            counts,
        )
        .attribute("timestamp", one_line(started))
        .children(self.cases.into_iter().map(Case::element))
    }
}

fn counted(element: Element, counts: [usize; 4]) -> Element {
    ["tests", "failures", "errors", "skipped"]
        .into_iter()
        .zip(counts)
        .fold(element, |element, (name, count)| {
            element.attribute(name, count.to_string())
        })
}

fn add(left: [usize; 4], right: [usize; 4]) -> [usize; 4] {
    [
        left[0] + right[0],
        left[1] + right[1],
        left[2] + right[2],
        left[3] + right[3],
    ]
}

/// Seconds with milliseconds, the form of the schema.
fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// Findings by identifier, severities by check, and which findings no requirement names.
struct Lookup<'a> {
    findings: BTreeMap<&'a str, &'a Finding>,
    severities: BTreeMap<&'a str, Severity>,
    reasons: BTreeMap<&'a str, &'a str>,
    unnamed: Vec<&'a Finding>,
    /// Flaky findings whose place no requirement has.
    unplaced: Vec<&'a Finding>,
}

impl<'a> Lookup<'a> {
    fn new(report: &'a Report) -> Lookup<'a> {
        let named: BTreeSet<&str> = report
            .requirements
            .iter()
            .flat_map(|requirement| &requirement.findings)
            .map(String::as_str)
            .collect();
        let places: BTreeSet<_> = report.requirements.iter().map(place_of_requirement).collect();
        Lookup {
            findings: report
                .findings
                .iter()
                .map(|finding| (finding.id.as_str(), finding))
                .collect(),
            severities: report
                .checks
                .iter()
                .map(|check| (check.id.as_str(), check.severity))
                .collect(),
            reasons: report
                .expected
                .iter()
                .map(|known| (known.finding.id.as_str(), known.expectation.reason.as_str()))
                .collect(),
            unnamed: report
                .findings
                .iter()
                .filter(|finding| !named.contains(finding.id.as_str()))
                .collect(),
            unplaced: report
                .flaky
                .iter()
                .filter(|flaky| !places.contains(&place_of_finding(flaky)))
                .collect(),
        }
    }
}

fn place_of_requirement(requirement: &Requirement) -> (&str, &str, Option<&str>) {
    (
        &requirement.check,
        &requirement.api,
        requirement.operation.as_deref(),
    )
}

fn place_of_finding(finding: &Finding) -> (&str, &str, Option<&str>) {
    (&finding.check, &finding.api, finding.operation.as_deref())
}

fn run_suite(report: &Report) -> Suite {
    let outcome = match report.summary.result {
        // The failures themselves are in the other suites.
        Result::Conforms | Result::Fails => Outcome::Passed,
        Result::Inconclusive => Outcome::Broken,
    };
    let mut output = format!(
        "{}\ntarget {}, seed {}, {} cases, {} requests\n{}\n",
        sentence(&report.summary),
        report.run.target,
        report.run.seed,
        number(report.run.cases),
        number(report.run.requests),
        shell(&report.run.command),
    );
    for left in &report.run.left_behind {
        output.push_str(&format!("left behind at the target: {left}\n"));
    }
    for entry in &report.no_longer_failing {
        output.push_str(&format!(
            "expected, and no longer failing: {}\n",
            entry.describe()
        ));
    }
    let case = Case {
        name: "the target can be tested".to_owned(),
        class: report.tool.name.clone(),
        outcome,
        message: sentence(&report.summary).to_owned(),
        kind: "inconclusive".to_owned(),
        detail: report.run.end.remark().unwrap_or_default().to_owned(),
        output,
    };
    Suite {
        name: "run".to_owned(),
        cases: vec![case],
    }
}

/// A suite for each API: those of the run in their order, then any other that a requirement names.
fn api_suites(report: &Report, lookup: &Lookup<'_>) -> Vec<Suite> {
    let mut order: Vec<&str> = report.run.apis.iter().map(|api| api.id.as_str()).collect();
    let mut cases: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
    for requirement in &report.requirements {
        let case = requirement_case(report, lookup, requirement);
        cases.entry(&requirement.api).or_default().push(case);
    }
    for finding in &lookup.unnamed {
        cases.entry(&finding.api).or_default().push(unnamed_case(finding));
    }
    for flaky in &lookup.unplaced {
        let case = Case {
            output: flaky_output(flaky),
            ..passed(flaky)
        };
        cases.entry(&flaky.api).or_default().push(case);
    }
    let known: BTreeSet<&str> = order.iter().copied().collect();
    order.extend(cases.keys().copied().filter(|api| !known.contains(api)));
    order
        .into_iter()
        .map(|api| Suite {
            name: api.to_owned(),
            cases: cases.remove(api).unwrap_or_default(),
        })
        .filter(|suite| !suite.cases.is_empty())
        .collect()
}

fn case_name(check: &str, operation: Option<&str>) -> String {
    format!("{check} · {}", operation.unwrap_or("whole API"))
}

fn requirement_case(report: &Report, lookup: &Lookup<'_>, requirement: &Requirement) -> Case {
    let found: Vec<&Finding> = requirement
        .findings
        .iter()
        .filter_map(|id| lookup.findings.get(id.as_str()).copied())
        .collect();
    let reason = requirement.reason.clone().unwrap_or_default();
    let severity = found
        .iter()
        .map(|finding| finding.severity)
        .min()
        .or_else(|| lookup.severities.get(requirement.check.as_str()).copied())
        .unwrap_or(Severity::Error);
    let told = told(&found);
    let mut output = String::new();
    let (outcome, message, detail) = match requirement.verdict {
        Verdict::Pass => (Outcome::Passed, String::new(), String::new()),
        Verdict::Fail if severity == Severity::Warning => {
            output = format!("warning: {reason}\n{told}");
            (Outcome::Passed, String::new(), String::new())
        }
        Verdict::Fail => {
            let title = found
                .first()
                .map_or(reason.as_str(), |finding| finding.title.as_str());
            (
                Outcome::Failed,
                title.to_owned(),
                if told.is_empty() { reason.clone() } else { told },
            )
        }
        Verdict::Waived => {
            let known = requirement
                .findings
                .iter()
                .find_map(|id| lookup.reasons.get(id.as_str()));
            let why = if reason.is_empty() {
                known.copied().unwrap_or_default()
            } else {
                &reason
            };
            (Outcome::Skipped, format!("known failure: {why}"), String::new())
        }
        Verdict::Inconclusive | Verdict::NotApplicable => (
            Outcome::Skipped,
            format!("{}: {reason}", requirement.verdict.words()),
            String::new(),
        ),
    };
    for flaky in report
        .flaky
        .iter()
        .filter(|flaky| place_of_finding(flaky) == place_of_requirement(requirement))
    {
        output.push_str(&flaky_output(flaky));
    }
    Case {
        name: case_name(&requirement.check, requirement.operation.as_deref()),
        class: requirement.api.clone(),
        outcome,
        message,
        kind: requirement.check.clone(),
        detail,
        output,
    }
}

/// A case of a finding that no requirement names: it must not be lost.
fn unnamed_case(finding: &Finding) -> Case {
    match finding.severity {
        Severity::Warning => Case {
            output: format!("warning: {}", told(&[finding])),
            ..passed(finding)
        },
        Severity::Error => Case {
            outcome: Outcome::Failed,
            message: finding.title.clone(),
            detail: told(&[finding]),
            ..passed(finding)
        },
    }
}

fn passed(finding: &Finding) -> Case {
    Case {
        name: case_name(&finding.check, finding.operation.as_deref()),
        class: finding.api.clone(),
        outcome: Outcome::Passed,
        message: String::new(),
        kind: finding.check.clone(),
        detail: String::new(),
        output: String::new(),
    }
}

fn purpose_case(purpose: &TestPurpose) -> Case {
    let reason = purpose.reason.clone().unwrap_or_default();
    let (outcome, message) = match purpose.verdict {
        Verdict::Pass => (Outcome::Passed, String::new()),
        Verdict::Fail => (Outcome::Failed, format!("{}: {reason}", purpose.title)),
        other => (Outcome::Skipped, format!("{}: {reason}", other.words())),
    };
    let detail = format!(
        "{} {}, clause {}\n{}\n\n{}\n",
        purpose.id,
        purpose.standard,
        purpose.clause,
        purpose.request,
        bounded(&purpose.curl)
    );
    let output = purpose
        .contradiction
        .as_ref()
        .map(|text| format!("contradiction: {text}\n"))
        .unwrap_or_default();
    Case {
        name: purpose.id.clone(),
        class: "ETSI test purposes".to_owned(),
        outcome,
        message,
        kind: "test-purpose".to_owned(),
        detail,
        output,
    }
}

fn told(found: &[&Finding]) -> String {
    let mut text = String::new();
    for finding in found.iter().take(MOST_FINDINGS) {
        text.push_str(&format!(
            "{} {}\nexpected: {}\nactual: {}\n",
            finding.id,
            finding.title,
            bounded(&finding.expected),
            bounded(&finding.actual)
        ));
        for reference in &finding.references {
            text.push_str(&format!("reference: {}\n", reference.describe()));
        }
        text.push_str(&format!("{}\n\n", bounded(&finding.curl)));
    }
    if found.len() > MOST_FINDINGS {
        text.push_str(&format!(
            "and {} more in report.json\n",
            found.len() - MOST_FINDINGS
        ));
    }
    text
}

fn flaky_output(flaky: &Finding) -> String {
    format!(
        "flaky, seen once and not again: {} {}\n{}\n",
        flaky.id,
        flaky.title,
        bounded(&flaky.curl)
    )
}

fn bounded(text: &str) -> String {
    crate::wording::bounded(text, MOST_BYTES)
}
