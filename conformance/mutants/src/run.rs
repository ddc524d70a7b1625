//! Running a suite against each fault, and counting what it finds.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::fault::Fault;
use crate::platform::{INSTANCES, Platform, PlatformError};
use crate::proxy::{Proxy, StartError};

/// How a suite is called.
#[derive(Clone, Debug)]
pub enum Suite {
    /// `mec-conformance`, whose report says more than its exit code.
    Conformance(PathBuf),
    /// A command for the shell; `{target}` is the address of the proxy, `{directory}` a directory for its files. An exit
    /// code other than 0 counts as a find.
    Command(String),
}

/// What a run is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The platform's program.
    pub platform: PathBuf,
    /// The suite.
    pub suite: Suite,
    /// How long the suite may run against one fault; it is stopped half a minute later.
    pub time: Duration,
    /// The seed of the suite and of faults that happen sometimes.
    pub seed: u64,
    /// Whether the suite goes on after what it finds; a command is told so by `ALL=1` in its environment.
    pub goes_on: bool,
}

/// A run that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The platform did not start.
    #[error(transparent)]
    Platform(#[from] PlatformError),
    /// The proxy did not start.
    #[error(transparent)]
    Proxy(#[from] StartError),
    /// A file could not be written, or the proxy's address not be had.
    #[error("cannot prepare the run")]
    Prepare(#[source] std::io::Error),
    /// The suite could not be started.
    #[error("cannot start the suite")]
    Suite(#[source] std::io::Error),
}

/// What a suite found of one fault.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The fault's id, or `none`.
    pub fault: &'static str,
    /// The name of its class.
    pub class: &'static str,
    /// Whether the suite noticed.
    pub killed: bool,
    /// The checks that noticed, as far as the suite says.
    pub checks: Vec<String>,
    /// Milliseconds from the suite's start to the first find: of its report, or else until it ended.
    pub first_ms: Option<u64>,
    /// Requests that it sent, as far as it says.
    pub requests: Option<u64>,
    /// Cases that it judged, as far as it says.
    pub cases: Option<u64>,
    /// The most memory that it had at a time, in KiB, where the system tells.
    pub memory_kib: Option<u64>,
    /// How long it ran, in milliseconds.
    pub elapsed_ms: u64,
    /// Its exit code; none where it was stopped.
    pub exit: Option<i32>,
    /// The checks that noticed something, but only warned of it.
    pub warnings: Vec<String>,
    /// The checks that noticed something that did not repeat.
    pub flaky: Vec<String>,
    /// The end of what it wrote on standard error.
    pub said: String,
}

/// What is needed of the suite's `report.json`.
#[derive(Debug, Default, Deserialize)]
struct Report {
    #[serde(default)]
    findings: Vec<Finding>,
    #[serde(default)]
    flaky: Vec<Finding>,
    #[serde(default)]
    run: Run,
}

#[derive(Debug, Default, Deserialize)]
struct Run {
    #[serde(default)]
    requests: Option<u64>,
    #[serde(default)]
    cases: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Finding {
    check: String,
    severity: String,
    #[serde(default)]
    first_seen_ms: Option<u64>,
}

/// Lets the suite run once against a fresh platform behind a proxy with one fault.
///
/// # Errors
/// [`RunError`] if platform, proxy or suite do not start.
pub async fn run(settings: &Settings, fault: Fault) -> Result<Outcome, RunError> {
    let platform = Platform::start(&settings.platform).await?;
    let (id, class) = (fault.id, fault.class.name());
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let proxy = Proxy::bind(any, platform.address(), fault, settings.seed).await?;
    let address = proxy.address().map_err(RunError::Prepare)?;
    let serving = tokio::spawn(proxy.serve());
    let report = platform.directory().join("report");
    let started = Instant::now();
    let mut memory_kib = None;
    let exit = suite(settings, address, &platform, &report, &mut memory_kib).await;
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    serving.abort();
    let read: Report = std::fs::read(report.join("report.json"))
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    let said = last_words(&platform.directory().join("standard-error"));
    platform.stop().await;
    let mut outcome = judge(settings, (id, class), exit?, elapsed_ms, &read);
    outcome.said = said;
    outcome.memory_kib = memory_kib;
    Ok(outcome)
}

/// The end of a file, for people.
fn last_words(file: &Path) -> String {
    let text = std::fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let start = text.char_indices().rev().nth(399).map_or(0, |(start, _)| start);
    text[start..].trim().to_owned()
}

/// The checks of findings, each once.
fn checks<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<String> {
    let mut checks: Vec<String> = findings.map(|each| each.check.clone()).collect();
    checks.sort();
    checks.dedup();
    checks
}

fn judge(
    settings: &Settings,
    named: (&'static str, &'static str),
    exit: Option<i32>,
    elapsed_ms: u64,
    report: &Report,
) -> Outcome {
    let errors: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|each| each.severity == "error")
        .collect();
    let killed = match settings.suite {
        Suite::Conformance(_) => exit == Some(1) && !errors.is_empty(),
        Suite::Command(_) => exit.is_some_and(|code| code != 0),
    };
    let first = errors.iter().filter_map(|each| each.first_seen_ms).min();
    Outcome {
        fault: named.0,
        class: named.1,
        killed,
        checks: checks(errors.iter().copied()),
        first_ms: killed.then(|| first.unwrap_or(elapsed_ms)),
        requests: report.run.requests,
        cases: report.run.cases,
        memory_kib: None,
        elapsed_ms,
        exit,
        warnings: checks(report.findings.iter().filter(|each| each.severity != "error")),
        flaky: checks(report.flaky.iter()),
        said: String::new(),
    }
}

/// Runs the suite; its exit code, or none if it had to be stopped.
async fn suite(
    settings: &Settings,
    target: SocketAddr,
    platform: &Platform,
    report: &Path,
    memory_kib: &mut Option<u64>,
) -> Result<Option<i32>, RunError> {
    let mut command = match &settings.suite {
        Suite::Conformance(program) => {
            let receives = offers(program, "--callback-listen").await?;
            conformance(program, settings, target, platform, report, receives)?
        }
        Suite::Command(line) => {
            let line = line
                .replace("{target}", &format!("http://{target}"))
                .replace("{directory}", &platform.directory().display().to_string());
            let mut shell = Command::new("sh");
            shell.args(["-c", &line]);
            if settings.goes_on {
                shell.env("ALL", "1");
            }
            shell
        }
    };
    let errors =
        std::fs::File::create(platform.directory().join("standard-error")).map_err(RunError::Prepare)?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .kill_on_drop(true)
        .spawn()
        .map_err(RunError::Suite)?;
    let limit = tokio::time::sleep(settings.time + Duration::from_secs(30));
    tokio::pin!(limit);
    let mut looks = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            status = child.wait() => return Ok(status.map_err(RunError::Suite)?.code()),
            _ = looks.tick() => *memory_kib = child.id().and_then(most_memory).max(*memory_kib),
            () = &mut limit => {
                // It is gone in any case when it is dropped.
                let _ = child.kill().await;
                return Ok(None);
            }
        }
    }
}

/// The most memory that a process has had, in KiB, where the system tells.
fn most_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Whether a release of the suite has an option.
async fn offers(program: &Path, option: &str) -> Result<bool, RunError> {
    let help = Command::new(program).args(["run", "--help"]).output().await;
    let help = help.map_err(RunError::Suite)?;
    Ok(String::from_utf8_lossy(&help.stdout).contains(option))
}

fn conformance(
    program: &Path,
    settings: &Settings,
    target: SocketAddr,
    platform: &Platform,
    report: &Path,
    receives: bool,
) -> Result<Command, RunError> {
    let fixtures = platform.directory().join("fixtures.toml");
    std::fs::write(&fixtures, platform.fixtures()).map_err(RunError::Prepare)?;
    let mut command = Command::new(program);
    command
        .args(["run", "--profile", "mec011-v3.1.1", "--target"])
        .arg(format!("http://{target}"))
        .args([
            "--time",
            &format!("{}s", settings.time.as_secs()),
            "--seed",
            &settings.seed.to_string(),
        ])
        .args(["--app-instance-id", &INSTANCES.join(",")])
        .arg("--fixtures")
        .arg(&fixtures)
        .arg("--report-dir")
        .arg(report);
    if !settings.goes_on {
        command.arg("--stop-at-first-error");
    }
    if receives {
        command.args(["--callback-listen", "127.0.0.1:0"]);
    }
    Ok(command)
}

#[cfg(test)]
impl Outcome {
    /// An outcome for tests.
    pub(crate) fn example(fault: &'static str, killed: bool) -> Self {
        let (class, _) = fault.split_once('/').unwrap_or((fault, ""));
        Self {
            fault,
            class,
            killed,
            checks: vec!["schema".to_owned()],
            first_ms: killed.then_some(12),
            requests: Some(34),
            cases: None,
            memory_kib: None,
            elapsed_ms: 56,
            exit: Some(i32::from(killed)),
            warnings: Vec::new(),
            flaky: Vec::new(),
            said: String::new(),
        }
    }
}
