//! The SARIF 2.1.0 form, for code hosts and viewers of static analysis results.
//!
//! A result is placed at the operation in the API's document: SARIF knows lines of files, so the physical location is
//! the document, and the logical location has the JSON pointer. Findings that `--expect` lists are suppressed results,
//! flaky ones are results of kind `review`, which never fail a build.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::model::{CheckResult, End, Exchange, Finding, Report, Severity};
use crate::visible::one_line;
use crate::wording::{bounded, number, sentence, shell};

/// Results that are written; GitHub shows 5,000 of a run.
const MOST_RESULTS: usize = 5_000;
/// Bytes of a body, an address or another text that are written.
const MOST_TEXT: usize = 4 * 1024;

/// Writes a report as SARIF 2.1.0.
#[must_use]
pub fn sarif(report: &Report) -> String {
    let rules = Rules::new(report);
    let (results, left_out) = results(report, &rules);
    let artifacts: Vec<Value> = report
        .run
        .apis
        .iter()
        .map(|api| {
            json!({
                "location": { "uri": document_uri(&api.id) },
                "description": { "text": format!("{} {}", api.title, api.version) },
                "sourceLanguage": "json",
            })
        })
        .collect();
    let run = json!({
        "tool": { "driver": {
            "name": report.tool.name,
            "version": report.tool.version,
            "informationUri": "https://github.com/mecforge/mecforge",
            "rules": rules.objects,
        } },
        "automationDetails": { "id": format!("{}/", report.run.profiles.join("+")) },
        "invocations": [invocation(report, left_out)],
        "artifacts": artifacts,
        "results": results,
        "columnKind": "unicodeCodePoints",
        "properties": {
            "target": report.run.target,
            "seed": report.run.seed,
            "result": report.summary.result.as_str(),
            "sentence": sentence(&report.summary),
            "cases": report.run.cases,
            "noLongerFailing": report.no_longer_failing.iter().map(|entry| entry.describe()).collect::<Vec<_>>(),
        },
    });
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    });
    format!("{log:#}\n")
}

/// The rules of a run: the suite's checks, and any other that a finding names.
struct Rules<'a> {
    objects: Vec<Value>,
    indices: BTreeMap<&'a str, usize>,
}

impl<'a> Rules<'a> {
    fn new(report: &'a Report) -> Rules<'a> {
        let mut rules = Rules {
            objects: Vec::new(),
            indices: BTreeMap::new(),
        };
        for check in &report.checks {
            rules.add(&check.id, || rule(check));
        }
        for (finding, _) in all_findings(report) {
            rules.add(&finding.check, || json!({ "id": finding.check }));
        }
        rules
    }

    fn add(&mut self, id: &'a str, object: impl FnOnce() -> Value) {
        if !self.indices.contains_key(id) {
            self.indices.insert(id, self.objects.len());
            self.objects.push(object());
        }
    }
}

fn rule(check: &CheckResult) -> Value {
    let references: Vec<String> = check
        .references
        .iter()
        .map(|reference| reference.describe())
        .collect();
    let help = if references.is_empty() {
        check.title.clone()
    } else {
        format!("{}\n\nRests on: {}", check.title, references.join("; "))
    };
    let mut rule = json!({
        "id": check.id,
        "shortDescription": { "text": check.title },
        "fullDescription": { "text": check.title },
        "help": { "text": help },
        "defaultConfiguration": { "level": level(check.severity) },
        "properties": { "tags": ["conformance", check.group], "judged": check.judged },
    });
    let address = check
        .references
        .iter()
        .filter_map(|reference| reference.url.as_ref());
    if let Some(url) = address.into_iter().find(|url| url.starts_with("https://")) {
        rule["helpUri"] = json!(url);
    }
    rule
}

/// How a finding stands in the report.
enum Standing<'a> {
    Counts,
    Flaky,
    Known(&'a str),
}

fn all_findings(report: &Report) -> impl Iterator<Item = (&Finding, Standing<'_>)> {
    let counting = report.findings.iter().map(|finding| (finding, Standing::Counts));
    let known = report
        .expected
        .iter()
        .map(|known| (&known.finding, Standing::Known(&known.expectation.reason)));
    let flaky = report.flaky.iter().map(|finding| (finding, Standing::Flaky));
    counting.chain(known).chain(flaky)
}

fn results(report: &Report, rules: &Rules<'_>) -> (Vec<Value>, usize) {
    let apis: BTreeMap<&str, usize> = report
        .run
        .apis
        .iter()
        .enumerate()
        .map(|(index, api)| (api.id.as_str(), index))
        .collect();
    let all: Vec<_> = all_findings(report).collect();
    let left_out = all.len().saturating_sub(MOST_RESULTS);
    let written = all.into_iter().take(MOST_RESULTS);
    (
        written
            .map(|(finding, standing)| result(finding, &standing, rules, &apis))
            .collect(),
        left_out,
    )
}

fn result(
    finding: &Finding,
    standing: &Standing<'_>,
    rules: &Rules<'_>,
    apis: &BTreeMap<&str, usize>,
) -> Value {
    let mut result = json!({
        "ruleId": finding.check,
        "kind": "fail",
        "level": level(finding.severity),
        "message": { "text": message(finding) },
        "locations": [location(finding, apis)],
        "partialFingerprints": { "findingId/v1": finding.id },
        "occurrenceCount": finding.occurrences.max(1),
        "properties": {
            "case": finding.case,
            "curl": bounded(&finding.curl, MOST_TEXT),
            "minimised": finding.minimised,
            "references": finding.references.iter().map(|reference| reference.describe()).collect::<Vec<_>>(),
        },
    });
    if let Some(index) = rules.indices.get(finding.check.as_str()) {
        result["ruleIndex"] = json!(index);
    }
    match standing {
        Standing::Counts => {}
        Standing::Flaky => {
            result["kind"] = json!("review");
            result["level"] = json!("none");
        }
        Standing::Known(reason) => {
            result["suppressions"] =
                json!([{ "kind": "external", "status": "accepted", "justification": reason }]);
        }
    }
    // The last exchange is the one that was judged; a notification is a request of the target's.
    if let Some(exchange) = finding
        .evidence
        .last()
        .filter(|exchange| exchange.role != "notification")
    {
        add_exchange(&mut result, exchange);
    }
    result
}

fn level(severity: Severity) -> &'static str {
    severity.as_str()
}

fn message(finding: &Finding) -> String {
    let shown = |text: &str| one_line(&bounded(text, MOST_TEXT));
    format!(
        "{}. Expected: {}. Actual: {}",
        shown(&finding.title).trim_end_matches('.'),
        shown(&finding.expected).trim_end_matches('.'),
        shown(&finding.actual)
    )
}

fn location(finding: &Finding, apis: &BTreeMap<&str, usize>) -> Value {
    let mut artifact = json!({ "uri": document_uri(&finding.api) });
    if let Some(index) = apis.get(finding.api.as_str()) {
        artifact["index"] = json!(index);
    }
    let mut logical = vec![json!({
        "name": finding.place(),
        "fullyQualifiedName": format!("{} {}", finding.api, finding.place()),
        "kind": if finding.operation.is_some() { "function" } else { "module" },
    })];
    if let Some(pointer) = finding.operation.as_deref().and_then(operation_pointer) {
        logical.push(json!({ "fullyQualifiedName": pointer, "kind": "object" }));
    }
    json!({
        // GitHub takes no result without a line; the pointer beside it is the place that is meant.
        "physicalLocation": { "artifactLocation": artifact, "region": { "startLine": 1 } },
        "logicalLocations": logical,
    })
}

/// Path of an API's document in this repository.
fn document_uri(api: &str) -> String {
    let escaped: String = api
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'@' | b'/' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("generated/{}/openapi.json", escaped.trim_start_matches('/'))
}

/// `GET /services/{id}` as the JSON pointer of the operation in its document.
fn operation_pointer(operation: &str) -> Option<String> {
    let (method, path) = operation.split_once(' ')?;
    Some(format!(
        "/paths/{}/{}",
        path.replace('~', "~0").replace('/', "~1"),
        method.to_ascii_lowercase()
    ))
}

fn add_exchange(result: &mut Value, exchange: &Exchange) {
    let (protocol, version) = protocol(&exchange.request.version);
    let mut request = json!({
        "protocol": protocol,
        "version": version,
        "target": bounded(&exchange.request.url, MOST_TEXT),
        "method": exchange.request.method,
        "headers": headers(&exchange.request.headers),
    });
    if let Some(body) = &exchange.request.body {
        request["body"] = json!({ "text": bounded(body, MOST_TEXT) });
    }
    result["webRequest"] = request;
    result["webResponse"] = match &exchange.response {
        None => json!({ "noResponseReceived": true }),
        Some(answer) => {
            let (protocol, version) = self::protocol(&answer.version);
            json!({
                "protocol": protocol,
                "version": version,
                "statusCode": answer.status,
                "headers": headers(&answer.headers),
                "body": { "text": bounded(&answer.body, MOST_TEXT) },
            })
        }
    };
}

fn protocol(version: &str) -> (&str, &str) {
    version.split_once('/').unwrap_or((version, ""))
}

/// Header fields as an object; the values of a repeated field are joined as RFC 9110 joins them.
fn headers(fields: &[(String, String)]) -> Value {
    let mut object: Map<String, Value> = Map::new();
    let names: BTreeSet<String> = fields.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    for name in names {
        let values: Vec<&str> = fields
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(&name))
            .map(|(_, value)| value.as_str())
            .collect();
        object.insert(name, json!(bounded(&values.join(", "), MOST_TEXT)));
    }
    Value::Object(object)
}

fn invocation(report: &Report, left_out: usize) -> Value {
    let mut notifications = Vec::new();
    let mut note = |level: &str, text: String| {
        notifications.push(json!({ "level": level, "message": { "text": text } }));
    };
    if let Some(remark) = report.run.end.remark() {
        note("warning", remark.to_owned());
    }
    for left in &report.run.left_behind {
        note("note", format!("Left behind at the target: {left}"));
    }
    if left_out > 0 {
        note(
            "warning",
            format!("{} more findings are in report.json", number(left_out as u64)),
        );
    }
    let mut invocation = json!({
        "executionSuccessful": report.run.end != End::Untestable,
        "commandLine": shell(&report.run.command),
        "toolExecutionNotifications": notifications,
    });
    if !report.run.started_at.is_empty() {
        invocation["startTimeUtc"] = json!(report.run.started_at);
    }
    invocation
}
