//! `replay`: the case of one finding with the seed of its report.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use mecforge_report::{End, Finding, Report, TextOptions, Verdict};

use super::connection::{ConnectionArguments, masked_command};
use super::documents::apis;
use super::effects::EffectArguments;
use super::progress::observed;
use super::receiver::ReceiverArguments;
use super::run::{JOBS, RunArguments, suite};
use super::{Exit, print};
use crate::engine::{self, Engine};
use crate::profile;
use crate::suite::Fixtures;

/// What `replay` is told.
#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// The finding: path of report.json, `#`, and the finding's id
    #[arg(value_name = "REPORT#ID")]
    finding: String,
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(flatten)]
    receiver: ReceiverArguments,
    #[command(flatten)]
    effects: EffectArguments,
    /// Another target than the report's
    #[arg(long, value_name = "URL")]
    target: Option<String>,
    /// Application instances that exist at the target [default: the report's]
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    app_instance_id: Vec<String>,
}

/// The value of an option in the command of a report.
fn option<'report>(report: &'report Report, name: &str) -> Option<&'report str> {
    let words = &report.run.command;
    words.iter().enumerate().find_map(|(at, word)| {
        let rest = word.strip_prefix(name)?;
        match rest.strip_prefix('=') {
            Some(value) => Some(value),
            None if rest.is_empty() => words.get(at + 1).map(String::as_str),
            None => None,
        }
    })
}

fn has(report: &Report, word: &str) -> bool {
    report.run.command.iter().any(|other| other == word)
}

/// Where the effects of rules can be seen: as it is given, or as the report says. A command is never taken from a report,
/// which anybody may have written.
fn effects(given: &EffectArguments, report: &Report, case: &str) -> anyhow::Result<EffectArguments> {
    let mut effects = given.clone();
    if effects.dns.is_none()
        && let Some(text) = option(report, "--dns")
    {
        let address = super::effects::server(text);
        effects.dns = Some(address.map_err(|error| anyhow::anyhow!("the report's --dns {text:?}: {error}"))?);
    }
    let needs = |check: &str| case.split('|').next() == Some(check);
    if needs("dns-rules-resolve") && effects.dns.is_none() {
        bail!("this finding is about what a name server answers; give it with --dns ADDR");
    }
    if needs("traffic-rules-work") && effects.probe.is_none() {
        let known =
            option(report, "--probe").map_or_else(String::new, |probe| format!("; the report has {probe:?}"));
        bail!(
            "this finding is about what a command sees, and no command of a report is run; give it with --probe COMMAND{known}"
        );
    }
    Ok(effects)
}

/// What `run` would be told for the one case of a report.
fn arguments(replay: ReplayArguments, report: &Report, case: &str) -> anyhow::Result<RunArguments> {
    let (profile, document): (Vec<_>, Vec<_>) = report
        .run
        .profiles
        .iter()
        .cloned()
        .partition(|name| profile::find(name).is_ok());
    let known = option(report, "--app-instance-id").filter(|_| replay.app_instance_id.is_empty());
    let known = known
        .into_iter()
        .flat_map(|list| list.split(','))
        .map(str::to_owned);
    let effects = effects(&replay.effects, report, case)?;
    let base_paths = report
        .run
        .apis
        .iter()
        .map(|api| (api.id.clone(), api.base_path.clone()));
    Ok(RunArguments {
        target: replay.target.unwrap_or_else(|| report.run.target.clone()),
        profile,
        document: document.into_iter().map(PathBuf::from).collect(),
        repair: has(report, "--repair"),
        seed: Some(report.run.seed),
        smuggling: has(report, "--smuggling"),
        jobs: 1,
        tp: Some(Vec::new()),
        app_instance_id: replay.app_instance_id.into_iter().chain(known).collect(),
        base_path: base_paths.collect(),
        effects,
        connection: replay.connection,
        receiver: replay.receiver,
        ..RunArguments::default()
    })
}

/// `replay`.
pub(super) fn replay(replay: ReplayArguments) -> anyhow::Result<Exit> {
    let (path, id) = replay
        .finding
        .rsplit_once('#')
        .context("name the finding as REPORT#ID, for example report.json#F-3f2a9c1b")?;
    let (path, id) = (path.to_owned(), id.to_owned());
    let report = super::read(Path::new(&path))?;
    let all = report
        .findings
        .iter()
        .chain(&report.flaky)
        .chain(report.expected.iter().map(|expected| &expected.finding));
    let mut same = all.filter(|finding| finding.id == id);
    let finding = same
        .next()
        .with_context(|| format!("{path}: it has no finding {id}"))?;
    let mut arguments = arguments(replay, &report, &finding.case)?;
    let mut replayed = run(&arguments, &report, Some(&finding.case))?;
    if let Some(operation) = finding.operation.as_ref()
        && exit(&replayed, finding) != Exit::Fails
        && replayed.run.end != End::Untestable
    {
        // What is in a list may have been made by other cases.
        print(&format!(
            "The case of {id} does not show it when it is alone; everything at {operation} is tried.\n"
        ))?;
        let (api, place) = (finding.api.clone(), operation.clone());
        arguments.only = vec![("api".to_owned(), api), ("op".to_owned(), place)];
        arguments.jobs = JOBS;
        replayed = run(&arguments, &report, None)?;
    }
    print(&mecforge_report::text(&replayed, &TextOptions::default()))?;
    Ok(exit(&replayed, finding))
}

/// One case of a report, or all that the arguments select.
fn run(arguments: &RunArguments, report: &Report, case: Option<&str>) -> anyhow::Result<Report> {
    let apis = apis(&arguments.profile, &arguments.document, arguments.repair)?;
    let runtime = super::runtime(arguments.jobs)?;
    runtime.block_on(async {
        let suite = suite(arguments, apis, report.run.seed, Fixtures::default())?;
        arguments.receiver.listen(&suite).await?;
        let engine = Engine::new(suite);
        let failure = observed(&engine, case).await.err();
        Ok(engine::report(
            &engine,
            report.run.profiles.clone(),
            masked_command(),
            &[],
            failure.as_deref(),
        ))
    })
}

/// A finding that is not seen again is gone only where its check, or that of its case, could be judged.
fn exit(replayed: &Report, finding: &Finding) -> Exit {
    let of_case = finding.case.split('|').next().unwrap_or_default();
    let mut of_check = replayed
        .requirements
        .iter()
        .filter(|one| one.check == of_case || one.check == finding.check);
    let judged = of_check.any(|one| matches!(one.verdict, Verdict::Pass | Verdict::Fail));
    match replayed.findings.iter().any(|other| other.id == finding.id) {
        true => Exit::Fails,
        false if replayed.run.end == End::Untestable || !judged => Exit::Untestable,
        false => Exit::Conforms,
    }
}
