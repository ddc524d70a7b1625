//! `run` and `replay`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use mecforge_api::Api;
use mecforge_report::{Expectation, Report, Result as Verdict, TextOptions};
use serde::Deserialize;

use super::connection::{ConnectionArguments, masked_command};
use super::documents::apis;
use super::effects::EffectArguments;
use super::progress::observed;
use super::receiver::ReceiverArguments;
use super::{Exit, print};
use crate::engine::{self, Engine};
use crate::profile::Knowledge;
use crate::statement::{self, Statement};
use crate::suite::{ApiState, Fixtures, Options, Suite};

/// Cases that run beside each other where nobody says how many.
pub(super) const JOBS: usize = 16;

/// What `run` is told.
#[derive(Debug, Default, Args)]
pub(super) struct RunArguments {
    /// The platform's address, for example https://mep.example:8443; a path is put before every base path
    #[arg(long, value_name = "URL")]
    pub(super) target: String,
    /// What to test, as `profiles` lists it; or the id of one API; several are allowed
    #[arg(
        long,
        value_name = "ID",
        value_delimiter = ',',
        required_unless_present = "document"
    )]
    pub(super) profile: Vec<String>,
    /// Any OpenAPI document to test against, as it is written (Swagger 2.0, OpenAPI 3.0, 3.1; YAML or JSON)
    #[arg(long, value_name = "FILE")]
    pub(super) document: Vec<PathBuf>,
    /// With --document: mend the certain defects of ETSI's documents first
    #[arg(long, requires = "document")]
    pub(super) repair: bool,
    /// The seed: the same seed and target give the same requests [default: from the clock, and printed]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Requests that are judged at most; then random ones fill up what the planned ones leave
    #[arg(long, value_name = "N")]
    pub(super) cases: Option<u64>,
    /// Time that the run may take, for example 60s, 5m, 1h; then random requests fill up what the planned ones leave
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(super) time: Option<Duration>,
    /// Cases that run beside each other
    #[arg(long, value_name = "N", default_value_t = JOBS)]
    pub(super) jobs: usize,
    /// Only these: api=ID, check=ID or op="METHOD /path"; several are allowed
    #[arg(long, value_name = "WHAT", value_parser = selection)]
    pub(super) only: Vec<(String, String)>,
    /// All but these: api=ID, check=ID or op="METHOD /path"; several are allowed
    #[arg(long, value_name = "WHAT", value_parser = selection)]
    pub(super) skip: Vec<(String, String)>,
    /// Where the reports go: report.json, report.html, report.junit.xml, report.sarif, evidence.har, badge.svg
    #[arg(long, value_name = "DIR")]
    pub(super) report_dir: Option<PathBuf>,
    /// Application instances that exist at the target; the second serves to see whether applications are kept apart
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(super) app_instance_id: Vec<String>,
    /// ETSI's test purposes too, with a verdict for each: all of the APIs under test, or those of these identifiers
    #[arg(long, value_name = "ID", num_args = 0.., value_delimiter = ',', value_parser = purpose)]
    pub(super) tp: Option<Vec<String>>,
    /// Send safe methods alone: for a live system
    #[arg(long)]
    pub(super) read_only: bool,
    /// Another base path for an API: api=prefix
    #[arg(long, value_name = "API=PREFIX", value_parser = pair)]
    pub(super) base_path: Vec<(String, String)>,
    /// What exists at the target (TOML): application instances, identities, resources
    #[arg(long, value_name = "FILE")]
    pub(super) fixtures: Option<PathBuf>,
    /// Known failures (TOML): reported apart, exit code 0
    #[arg(long, value_name = "FILE")]
    pub(super) expect: Option<PathBuf>,
    /// Send requests of uncertain end too (request smuggling): not through a proxy that others use
    #[arg(long)]
    pub(super) smuggling: bool,
    /// What the vendor says that the platform offers (TOML), as `statement` prints it to be filled in
    #[arg(long, value_name = "FILE")]
    pub(super) statement: Option<PathBuf>,
    /// End at the first finding of severity error
    #[arg(long)]
    pub(super) stop_at_first_error: bool,
    #[command(flatten)]
    pub(super) effects: EffectArguments,
    #[command(flatten)]
    pub(super) receiver: ReceiverArguments,
    #[command(flatten)]
    pub(super) connection: ConnectionArguments,
}

pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it has the form NAME=VALUE")?;
    Ok((name.to_owned(), value.trim_matches('"').to_owned()))
}

fn selection(text: &str) -> Result<(String, String), String> {
    let (kind, value) = pair(text)?;
    match kind.as_str() {
        "check" if crate::checks::find(&value).is_none() => Err(format!(
            "there is no check \"{value}\"; `mec-conformance checks` lists them"
        )),
        "api" | "check" | "op" => Ok((kind, value)),
        other => Err(format!("\"{other}\" is none of api, check, op")),
    }
}

fn purpose(id: &str) -> Result<String, String> {
    match crate::purposes::find(id) {
        Some(purpose) => Ok(purpose.id.clone()),
        None => Err(format!(
            "there is no test purpose \"{id}\"; without identifiers --tp runs all of the APIs under test"
        )),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectFile {
    #[serde(default)]
    expect: Vec<Expectation>,
}

fn expectations(path: Option<&Path>) -> anyhow::Result<Vec<Expectation>> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{name} can't be read; check the path of --expect"))?;
    let file: ExpectFile = toml::from_str(&text).map_err(|error| {
        let before = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text[..before].matches('\n').count() + 1;
        anyhow::anyhow!("{name}: line {line}: {}", error.message())
    })?;
    for (at, entry) in file.expect.iter().enumerate() {
        if entry.id.is_none() && entry.check.is_none() {
            bail!(
                "{}: entry {} names neither id nor check, and would expect everything",
                path.display(),
                at + 1
            );
        }
        if let Some(check) = entry
            .check
            .as_deref()
            .filter(|check| crate::checks::find(check).is_none())
        {
            bail!(
                "{}: entry {}: there is no check \"{check}\"; `mec-conformance checks` lists them",
                path.display(),
                at + 1
            );
        }
    }
    Ok(file.expect)
}

/// Scheme, host and port of an address, and its path without a final slash.
fn split(target: &str) -> anyhow::Result<(String, String)> {
    let uri: http::Uri = target
        .parse()
        .with_context(|| format!("--target {target:?} is no address; it has the form http://host:port"))?;
    let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        bail!("--target {target:?} has no scheme and host; it has the form http://host:port");
    };
    let host = authority.as_str().rsplit('@').next().unwrap_or_default();
    Ok((
        format!("{scheme}://{host}"),
        uri.path().trim_end_matches('/').to_owned(),
    ))
}

/// Refuses base paths of APIs that are not there.
pub(super) fn check_base_paths<'id>(
    base_paths: &[(String, String)],
    ids: impl Iterator<Item = &'id str>,
) -> anyhow::Result<()> {
    let ids: Vec<_> = ids.collect();
    match base_paths.iter().find(|(id, _)| !ids.contains(&id.as_str())) {
        Some((unknown, _)) => bail!(
            "--base-path names the API \"{unknown}\", which is not under test; it is one of {}",
            ids.join(", ")
        ),
        None => Ok(()),
    }
}

/// The suite of a run.
pub(super) fn suite(
    arguments: &RunArguments,
    apis: Vec<(Api, Knowledge)>,
    seed: u64,
    fixtures: Fixtures,
) -> anyhow::Result<Arc<Suite>> {
    let (origin, prefix) = split(&arguments.target)?;
    check_base_paths(&arguments.base_path, apis.iter().map(|(api, _)| api.id.as_str()))?;
    let base_paths: BTreeMap<_, _> = arguments.base_path.iter().cloned().collect();
    let statement = arguments
        .statement
        .as_deref()
        .map(|path| Statement::read(path, apis.iter().map(|(api, _)| api)))
        .transpose()?;
    let states = apis
        .into_iter()
        .map(|(api, knowledge)| {
            let base = base_paths
                .get(&api.id)
                .cloned()
                .unwrap_or_else(|| api.base_path.clone());
            let base = format!("{prefix}/{}", base.trim_start_matches('/'));
            ApiState::new(api, Some(&base), knowledge)
        })
        .collect();
    let clients = arguments.connection.clients(&origin, &fixtures)?;
    let options = Options {
        seed,
        cases: arguments.cases,
        time: arguments.time,
        jobs: arguments.jobs.clamp(1, 256),
        read_only: arguments.read_only,
        only: arguments.only.clone(),
        skip: arguments.skip.clone(),
        base_paths,
        app_instance_ids: arguments.app_instance_id.clone(),
        smuggling: arguments.smuggling,
        stop_at_first_error: arguments.stop_at_first_error,
        dns: arguments.effects.dns,
        probe: arguments.effects.probe.clone(),
        test_purposes: arguments.tp.clone(),
        statement,
        ..arguments.receiver.options()
    };
    Ok(Arc::new(Suite::new(states, options, fixtures, &origin, clients)))
}

/// `run`.
pub(super) fn run(arguments: RunArguments) -> anyhow::Result<Exit> {
    let apis = apis(&arguments.profile, &arguments.document, arguments.repair)?;
    let fixtures = arguments
        .fixtures
        .as_deref()
        .map(Fixtures::read)
        .transpose()?
        .unwrap_or_default();
    let expectations = expectations(arguments.expect.as_deref())?;
    let clock = || {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(1, |since| since.as_secs())
    };
    let seed = arguments.seed.unwrap_or_else(clock);
    if let Some(directory) = &arguments.report_dir {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("--report-dir {}", directory.display()))?;
    }
    let mut names = arguments.profile.clone();
    names.extend(arguments.document.iter().map(|path| path.display().to_string()));
    let runtime = super::runtime(arguments.jobs)?;
    let report = runtime.block_on(async {
        let suite = suite(&arguments, apis, seed, fixtures)?;
        arguments.receiver.listen(&suite).await?;
        let engine = Engine::new(suite);
        let failure = observed(&engine, None).await.err();
        anyhow::Ok(engine::report(
            &engine,
            names,
            masked_command(),
            &expectations,
            failure.as_deref(),
        ))
    })?;
    let written = arguments
        .report_dir
        .as_deref()
        .map(|directory| write(&report, directory))
        .transpose()?;
    let options = TextOptions {
        reports: written.unwrap_or_default(),
        ..TextOptions::default()
    };
    print(&mecforge_report::text(&report, &options))?;
    Ok(exit(&report))
}

/// `statement`.
pub(super) fn statement(profiles: &[String], documents: &[PathBuf]) -> anyhow::Result<Exit> {
    let apis = apis(profiles, documents, false)?;
    print(statement::template(apis.iter().map(|(api, _)| api)).trim_end())?;
    Ok(Exit::Conforms)
}

fn exit(report: &Report) -> Exit {
    match report.summary.result {
        Verdict::Conforms => Exit::Conforms,
        Verdict::Fails => Exit::Fails,
        Verdict::Inconclusive => Exit::Untestable,
    }
}

/// Writes all forms of a report.
fn write(report: &Report, directory: &Path) -> anyhow::Result<Vec<String>> {
    let files = [
        ("report.json", mecforge_report::json(report)),
        ("report.html", mecforge_report::html(report)),
        ("report.junit.xml", mecforge_report::junit(report)),
        ("report.sarif", mecforge_report::sarif(report)),
        ("evidence.har", mecforge_report::har(report)),
        ("badge.svg", mecforge_report::badge(report)),
    ];
    let mut written = Vec::new();
    for (name, text) in files {
        let path = directory.join(name);
        std::fs::write(&path, text).with_context(|| format!("{}", path.display()))?;
        written.push(path.display().to_string());
    }
    Ok(written)
}
