//! The report of a run as data: what the suite fills in, what every form of the report is made from.
//!
//! The JSON form is these types as serde writes them; `schema/report.schema.json` describes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of the JSON form. The first number changes when a reader of the old form would misread the new one.
pub const FORMAT: &str = "1.0";

/// Everything that one run found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`] of the writer.
    pub format: String,
    /// Name and version of the suite.
    pub tool: Tool,
    /// When, how and against what it ran.
    pub run: Run,
    /// The result in a few numbers.
    pub summary: Summary,
    /// The checks of the suite, those that did not run included.
    pub checks: Vec<CheckResult>,
    /// What does not conform, severest first.
    pub findings: Vec<Finding>,
    /// Findings that were seen once and did not repeat: reported apart, not counted as failures.
    pub flaky: Vec<Finding>,
    /// Findings that `--expect` lists as known: reported apart, not counted as failures.
    pub expected: Vec<ExpectedFinding>,
    /// Entries of `--expect` that no finding matched in this run, though their cases ran.
    pub no_longer_failing: Vec<Expectation>,
    /// A verdict for each requirement: a check at an operation, or at the whole API.
    pub requirements: Vec<Requirement>,
    /// A verdict for each of ETSI's test purposes that was asked for with `--tp`.
    pub test_purposes: Vec<TestPurpose>,
    /// What was reached, what was not, and why.
    pub coverage: Coverage,
    /// Where the standard contradicts itself or its document, as far as the run met it.
    pub contradictions: Vec<Contradiction>,
}

/// The program that wrote a report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// `mec-conformance`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// When, how and against what a run was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Start, RFC 3339, UTC.
    pub started_at: String,
    /// Duration in milliseconds.
    pub duration_ms: u64,
    /// The seed: the same seed and target give the same requests.
    pub seed: u64,
    /// The address that was tested, without user information.
    pub target: String,
    /// What the target says of itself in `Server`, where it does.
    pub server: Option<String>,
    /// The profiles that were tested, for example `mec011-v3.1.1`.
    pub profiles: Vec<String>,
    /// The APIs of these profiles, with the base path at which each was tested.
    pub apis: Vec<ApiUnderTest>,
    /// The command that repeats the run; secrets are replaced by `***`.
    pub command: Vec<String>,
    /// How it ended.
    pub end: End,
    /// HTTP requests that were sent, set-up and clean-up included.
    pub requests: u64,
    /// Cases that were judged.
    pub cases: u64,
    /// What could not be removed at the target afterwards: one sentence for each thing.
    pub left_behind: Vec<String>,
}

/// One API of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApiUnderTest {
    /// Id of the document, for example `mec011-service-management`.
    pub id: String,
    /// Title of the document.
    pub title: String,
    /// Version of the document.
    pub version: String,
    /// Path below which the API was tested.
    pub base_path: String,
    /// Number of operations.
    pub operations: u64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Everything that was planned ran.
    #[default]
    Completed,
    /// The time of `--time` was over.
    TimeOver,
    /// Somebody interrupted it.
    Interrupted,
    /// The target went away or could not be tested.
    Untestable,
}

/// The result of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Result {
    /// Nothing that the checks look for was found.
    Conforms,
    /// At least one finding of severity `error`.
    Fails,
    /// Too little could be tested to say either.
    #[default]
    Inconclusive,
}

/// A run in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The result.
    pub result: Result,
    /// One sentence that says why.
    pub sentence: String,
    /// Findings by severity: `error`, `warning`.
    pub findings: BTreeMap<String, u64>,
    /// Requirements by verdict: `pass`, `fail`, `inconclusive`, `not-applicable`, `waived`.
    pub requirements: BTreeMap<String, u64>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Breaks a requirement (shall, MUST): the run fails.
    Error,
    /// Breaks a recommendation (should, SHOULD), or is dangerous though no rule forbids it: reported, and the run
    /// does not fail.
    Warning,
}

/// The verdict for one requirement or test purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Tested, and holds.
    Pass,
    /// Tested, and does not hold.
    Fail,
    /// Could not be tested; the reason is given.
    #[default]
    Inconclusive,
    /// Does not apply to this target; the reason is given.
    NotApplicable,
    /// Does not hold, and is known (`--expect`).
    Waived,
}

/// A source that a requirement rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// For example `ETSI GS MEC 011 V3.1.1`, `RFC 9110`, `OpenAPI document`.
    pub document: String,
    /// Clause, section or JSON pointer.
    pub place: String,
    /// Address where it can be read, if there is one.
    pub url: Option<String>,
}

/// One check and how it went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's id, for example `response-schema`.
    pub id: String,
    /// The group: `responses`, `input`, `http`, `state`, `concurrency`, `notifications`, `time`, `security`,
    /// `effects`, `test-purposes`.
    pub group: String,
    /// What it demands, in one line.
    pub title: String,
    /// How bad a breach is.
    pub severity: Severity,
    /// What it rests on.
    pub references: Vec<Reference>,
    /// How often it was judged.
    pub judged: u64,
    /// How many findings it has.
    pub findings: u64,
    /// Why it was not judged, where it was not.
    pub reason: Option<String>,
}

/// Something that does not conform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Short and stable: the same fault at the same place has the same id in every run, for example `F-3f2a9c1b`.
    pub id: String,
    /// The case that found it; with the seed it repeats the requests.
    pub case: String,
    /// The check's id.
    pub check: String,
    /// How bad it is.
    pub severity: Severity,
    /// The API's id.
    pub api: String,
    /// The operation, for example `GET /services/{serviceId}`; none where the finding is about the whole API.
    pub operation: Option<String>,
    /// What is wrong, in one line.
    pub title: String,
    /// What was expected, and why.
    pub expected: String,
    /// What came.
    pub actual: String,
    /// What the requirement rests on.
    pub references: Vec<Reference>,
    /// Where the document had to be mended, and how that bears on this finding.
    pub errata: Vec<String>,
    /// How often the same fault was seen.
    pub occurrences: u64,
    /// Milliseconds since the start of the run when it was first seen.
    pub first_seen_ms: u64,
    /// Whether the request was made as small as it goes.
    pub minimised: bool,
    /// A `curl` command, or several lines of them, that shows the fault. Secrets are variables of the shell.
    pub curl: String,
    /// A Rust test on the generated client that shows the fault.
    pub rust_test: String,
    /// The exchanges that show it, in order; the last one is the one that was judged.
    pub evidence: Vec<Exchange>,
}

/// A finding that was expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExpectedFinding {
    /// The finding.
    pub finding: Finding,
    /// The entry that expected it.
    pub expectation: Expectation,
}

/// An entry of `--expect`: a known failure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// A finding's id.
    pub id: Option<String>,
    /// A check's id.
    pub check: Option<String>,
    /// An API's id.
    pub api: Option<String>,
    /// An operation, `METHOD /path`.
    pub operation: Option<String>,
    /// Why it is known.
    pub reason: String,
    /// The last day on which it counts, `YYYY-MM-DD`.
    pub until: Option<String>,
}

/// One request and what came of it. Secrets are masked before they get here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// What it is for: `set-up`, `control`, `judged`, `clean-up`, `notification` (then the target sent the request).
    pub role: String,
    /// Start, RFC 3339 with milliseconds, UTC.
    pub started_at: String,
    /// Milliseconds until the answer was complete.
    pub elapsed_ms: f64,
    /// The request.
    pub request: Message,
    /// The answer; none where the connection failed.
    pub response: Option<Answer>,
    /// What failed below HTTP.
    pub fault: Option<String>,
}

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The method.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// `HTTP/1.1` or `HTTP/2`.
    pub version: String,
    /// Header fields in order.
    pub headers: Vec<(String, String)>,
    /// The body as text (bytes that are no UTF-8 are replaced); none where there is none.
    pub body: Option<String>,
    /// Length of the body in bytes, also where `body` is cut.
    pub body_length: u64,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `HTTP/1.1` or `HTTP/2`.
    pub version: String,
    /// Header fields in order.
    pub headers: Vec<(String, String)>,
    /// The body as text (bytes that are no UTF-8 are replaced).
    pub body: String,
    /// Length of the body in bytes, also where `body` is cut.
    pub body_length: u64,
}

/// A requirement and its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    /// The check's id.
    pub check: String,
    /// The API's id.
    pub api: String,
    /// The operation; none where it is about the whole API.
    pub operation: Option<String>,
    /// The optional feature that it belongs to, where the implementation conformance statement names it.
    pub feature: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why; always there but for `pass`.
    pub reason: Option<String>,
    /// Cases that were judged.
    pub cases: u64,
    /// Ids of the findings.
    pub findings: Vec<String>,
}

/// One of ETSI's test purposes and its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestPurpose {
    /// ETSI's identifier, for example `TP_MEC_MEC011_SRV_APPSAQ_001_OK`.
    pub id: String,
    /// The standard and its version that the purpose was written for.
    pub standard: String,
    /// The clause that it names.
    pub clause: String,
    /// What is asked, in our own words.
    pub title: String,
    /// The request, mapped to the release under test.
    pub request: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Why; always there but for `pass`.
    pub reason: Option<String>,
    /// The checks of ours that ask the same.
    pub checks: Vec<String>,
    /// Where the standard contradicts itself or its document, and what is accepted therefore.
    pub contradiction: Option<String>,
    /// The exchanges, in order, of a purpose that fails.
    pub evidence: Vec<Exchange>,
    /// Commands that show it.
    pub curl: String,
}

/// A contradiction in the standard that the run met.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contradiction {
    /// Short name, for example `is-local-false`.
    pub id: String,
    /// What contradicts what.
    pub description: String,
    /// What the target does, where the run could tell.
    pub observed: Option<String>,
}

/// What a run reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Each operation with its statuses and parameters.
    pub operations: Vec<OperationCoverage>,
    /// Each schema with its properties and constraints.
    pub schemas: Vec<SchemaCoverage>,
    /// Each transition of the state models: `model`, `from`, `action`, `to`, times.
    pub transitions: Vec<Transition>,
}

/// What was reached of one operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OperationCoverage {
    /// The API's id.
    pub api: String,
    /// `METHOD /path`.
    pub operation: String,
    /// Requests that were sent to it.
    pub requests: u64,
    /// Each declared status (and each other one that came): how often it came.
    pub statuses: Vec<StatusCoverage>,
    /// Each declared parameter.
    pub parameters: Vec<ParameterCoverage>,
}

/// How often a status came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StatusCoverage {
    /// The status, `2XX` or `default`.
    pub status: String,
    /// Whether the document declares it.
    pub declared: bool,
    /// How often it came.
    pub count: u64,
    /// Why it never came, where it is known.
    pub reason: Option<String>,
}

/// How a parameter was used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ParameterCoverage {
    /// `query`, `path`, `header` or `cookie`.
    pub location: String,
    /// Its name.
    pub name: String,
    /// Requests with a valid value.
    pub valid: u64,
    /// Requests with an invalid value.
    pub invalid: u64,
    /// Requests without it.
    pub absent: u64,
}

/// What was reached of one schema of a request body or a response.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SchemaCoverage {
    /// The API's id.
    pub api: String,
    /// JSON pointer of the schema in the API's document.
    pub pointer: String,
    /// Each constraint.
    pub constraints: Vec<ConstraintCoverage>,
    /// Each property and how often it was sent and received.
    pub properties: Vec<PropertyCoverage>,
}

/// How a constraint was used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConstraintCoverage {
    /// JSON pointer of the keyword in the API's document.
    pub pointer: String,
    /// Requests that satisfied it.
    pub satisfied: u64,
    /// Requests that violated it, and nothing else.
    pub violated: u64,
    /// Why one of these is 0, where it is known.
    pub reason: Option<String>,
}

/// How a property was used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PropertyCoverage {
    /// Its name.
    pub name: String,
    /// Requests that had it.
    pub sent: u64,
    /// Answers and notifications that had it.
    pub received: u64,
}

/// A transition of a state model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// The model, for example `services`.
    pub model: String,
    /// State before.
    pub from: String,
    /// What was done.
    pub action: String,
    /// State after.
    pub to: String,
    /// How often.
    pub count: u64,
}
