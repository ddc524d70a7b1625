//! The `mutants` program: lets a suite run against each fault and counts what it finds.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use mecforge_mutants::{
    Class, Comparison, Fault, Outcome, Pair, Platform, Score, Settings, Stage, Suite, catalogue, run,
    unexpected,
};

/// Faults to be found by a conformance suite of MEC 011.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Prints the catalogue.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Proves for each fault that it shows; exits with 1 if one does not.
    Demonstrate {
        /// The platform's program.
        #[arg(long)]
        mep: PathBuf,
        /// Only faults whose id begins so.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// Lets a suite run against faults; exits with 1 if the correct platform is blamed.
    Run(Box<RunArguments>),
    /// Lets mec-conformance and another suite run against the same faults, and against a platform some way off.
    Compare(Box<CompareArguments>),
}

#[derive(Args)]
struct RunArguments {
    /// The platform's program.
    #[arg(long)]
    mep: PathBuf,
    /// The program of mec-conformance.
    #[arg(
        long,
        conflicts_with = "suite_command",
        required_unless_present = "suite_command"
    )]
    suite: Option<PathBuf>,
    /// Another suite: a command for the shell with {target} and {directory}; an exit code other than 0 is a find.
    #[arg(long)]
    suite_command: Option<String>,
    /// Only the fault with this id, or those of `class=NAME`; may be repeated.
    #[arg(long)]
    only: Vec<String>,
    /// Only so many faults, spread evenly over the catalogue.
    #[arg(long)]
    sample: Option<usize>,
    /// Seconds for one run of the suite, for example 60s.
    #[arg(long, default_value = "60s")]
    time: String,
    /// The seed of suite and proxy.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs at the same time.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Writes the result to this file: Markdown, or JSON if its name ends so.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Fails if a fault survives that is not on the list of survivors, or one that is on it is found.
    #[arg(long)]
    expect_survivors: bool,
}

#[derive(Args)]
struct CompareArguments {
    /// The platform's program.
    #[arg(long)]
    mep: PathBuf,
    /// The program of mec-conformance.
    #[arg(long)]
    suite: PathBuf,
    /// The other suite: a command for the shell with {target} and {directory}; an exit code other than 0 is a find.
    #[arg(long)]
    other: String,
    /// Only the fault with this id, or those of `class=NAME`; may be repeated.
    #[arg(long)]
    only: Vec<String>,
    /// How many faults, spread evenly over the catalogue or those of --only.
    #[arg(long, default_value_t = 30)]
    sample: usize,
    /// Seconds for one run of a suite, for example 60s.
    #[arg(long, default_value = "60s")]
    time: String,
    /// The seed of suite and proxy.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Milliseconds that each request takes more where cases a second are counted.
    #[arg(long, default_value_t = 1)]
    delay: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let result = match Arguments::parse().verb {
        Verb::List { json } => list(json).map(|()| ExitCode::SUCCESS),
        Verb::Demonstrate { mep, only } => demonstrate(&mep, &only).await,
        Verb::Run(arguments) => run_all(*arguments).await,
        Verb::Compare(arguments) => compare(*arguments).await.map(|()| ExitCode::SUCCESS),
    };
    match result {
        // Whoever read the output has seen enough.
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        result => result,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    kind == Some(std::io::ErrorKind::BrokenPipe)
}

fn list(json: bool) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    let faults = catalogue();
    if json {
        let entry = |fault: &Fault| {
            serde_json::json!({
                "id": fault.id, "class": fault.class.name(), "what": fault.what, "clause": fault.clause,
                "operations": fault.operations, "permitted": fault.permitted,
            })
        };
        let all: Vec<_> = faults.iter().map(entry).collect();
        writeln!(output, "{}", serde_json::to_string_pretty(&all)?)?;
        return Ok(());
    }
    for class in Class::ALL {
        let of_class: Vec<_> = faults.iter().filter(|fault| fault.class == class).collect();
        writeln!(output, "{class} ({})", of_class.len())?;
        for fault in of_class {
            let mark = if fault.permitted.is_some() {
                "(permitted) "
            } else {
                ""
            };
            writeln!(output, "  {:55} {mark}{}", fault.id, fault.what)?;
        }
    }
    let permitted = faults.iter().filter(|fault| fault.permitted.is_some()).count();
    let counted = faults.len() - permitted;
    let classes = Class::ALL.len();
    writeln!(
        output,
        "{counted} faults in {classes} classes, and {permitted} with which a platform is within its rights"
    )?;
    Ok(())
}

async fn demonstrate(mep: &std::path::Path, only: &str) -> anyhow::Result<ExitCode> {
    let mut stage = Stage::new(Platform::start(mep).await?);
    let mut output = std::io::stdout();
    let mut invisible = 0;
    for fault in catalogue().iter().filter(|fault| fault.id.starts_with(only)) {
        match stage
            .show(fault.id)
            .await
            .with_context(|| format!("the demonstration of {}", fault.id))?
        {
            Some(shown) => {
                let difference: String = shown.difference.chars().take(600).collect();
                writeln!(output, "{}\t{}\t{difference}", fault.id, shown.tour)?;
            }
            None => {
                invisible += 1;
                writeln!(output, "{}\tINVISIBLE", fault.id)?;
            }
        }
    }
    Ok(ExitCode::from(u8::from(invisible > 0)))
}

/// The faults that are named, or all.
fn chosen(named: &[String]) -> anyhow::Result<Vec<Fault>> {
    let mut all = catalogue();
    for only in named {
        let class = only.strip_prefix("class=");
        if !all
            .iter()
            .any(|fault| fault.id == only || class == Some(fault.class.name()))
        {
            bail!("--only {only}: there is no such fault or class; `mutants list` prints all");
        }
    }
    let is = |fault: &Fault, only: &String| {
        only == fault.id || only.strip_prefix("class=") == Some(fault.class.name())
    };
    all.retain(|fault| named.is_empty() || named.iter().any(|only| is(fault, only)));
    Ok(all)
}

/// So many of them, spread evenly.
fn spread(faults: &[Fault], sample: usize) -> Vec<&'static str> {
    let sample = sample.min(faults.len());
    (0..sample)
        .map(|number| faults[number * faults.len() / sample].id)
        .collect()
}

/// A time such as 60s.
fn duration(text: &str) -> anyhow::Result<Duration> {
    let seconds = text
        .trim_end_matches('s')
        .parse()
        .context("--time is a number of seconds, such as 60s")?;
    Ok(Duration::from_secs(seconds))
}

async fn compare(arguments: CompareArguments) -> anyhow::Result<()> {
    let time = duration(&arguments.time)?;
    let mut faults = chosen(&arguments.only)?;
    faults.retain(|fault| fault.permitted.is_none() || !arguments.only.is_empty());
    let settings = |suite| Settings {
        platform: arguments.mep.clone(),
        suite,
        time,
        seed: arguments.seed,
        goes_on: false,
    };
    let mut comparison = Comparison::new(
        settings(Suite::Conformance(arguments.suite.clone())),
        settings(Suite::Command(arguments.other.clone())),
    );
    let mut output = std::io::stdout();
    let speed = comparison.speed(Duration::from_millis(arguments.delay)).await?;
    writeln!(output, "{speed}")?;
    for id in spread(&faults, arguments.sample) {
        let Pair { ours, theirs } = comparison.run(id).await?;
        let said = |outcome: &Outcome| format!("{} after {} ms", outcome.killed, outcome.elapsed_ms);
        writeln!(std::io::stderr(), "{id}: {}, {}", said(&ours), said(&theirs))?;
    }
    writeln!(output, "{}", comparison.markdown())?;
    Ok(())
}

async fn run_all(arguments: RunArguments) -> anyhow::Result<ExitCode> {
    let time = duration(&arguments.time)?;
    let suite = match (&arguments.suite, &arguments.suite_command) {
        (Some(program), _) => Suite::Conformance(program.clone()),
        (None, Some(command)) => Suite::Command(command.clone()),
        (None, None) => bail!("--suite or --suite-command is missing"),
    };
    let faults = chosen(&arguments.only)?;
    let ids = spread(&faults, arguments.sample.unwrap_or(faults.len()));
    let settings = Arc::new(Settings {
        platform: arguments.mep.clone(),
        suite,
        time,
        seed: arguments.seed,
        goes_on: false,
    });
    let mut errors = std::io::stderr();
    let control = run(&settings, Fault::none()).await.context("the control")?;
    if control.exit != Some(0) || control.killed {
        writeln!(
            errors,
            "the suite blames the correct platform, so nothing is scored: {control:?}"
        )?;
        return Ok(ExitCode::FAILURE);
    }
    let outcomes = run_each(&settings, ids, arguments.jobs.max(1)).await?;
    let score = Score::of(outcomes);
    writeln!(std::io::stdout(), "{}", score.markdown())?;
    if let Some(file) = &arguments.report {
        let json = file.extension().is_some_and(|extension| extension == "json");
        let text = match json {
            true => serde_json::to_string_pretty(&score)?,
            false => format!(
                "# Faults that the conformance suite finds\n\nWritten by `cargo xtask mutants`, not by hand: \
                 each fault of [`conformance/mutants`](../conformance/mutants) for at most {}, with the seed {}.\n{}\n\n{}",
                arguments.time,
                arguments.seed,
                score.summary(),
                score.markdown()
            ),
        };
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let surprises = match arguments.expect_survivors {
        true => unexpected(&score),
        false => Vec::new(),
    };
    for surprise in &surprises {
        writeln!(errors, "{surprise}")?;
    }
    Ok(ExitCode::from(u8::from(!surprises.is_empty())))
}

/// An outcome in one line; of a survivor, what may tell why.
fn line(outcome: &Outcome) -> String {
    let number = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), |value| value.to_string());
    match outcome.killed {
        true => format!(
            "{} killed in {} ms by {}",
            outcome.fault,
            number(outcome.first_ms),
            outcome.checks.join(", ")
        ),
        false => format!(
            "{} SURVIVED {} requests, exit code {}, warnings [{}], flaky [{}] {}",
            outcome.fault,
            number(outcome.requests),
            outcome
                .exit
                .map_or_else(|| "none".to_owned(), |code| code.to_string()),
            outcome.warnings.join(", "),
            outcome.flaky.join(", "),
            outcome.said
        ),
    }
}

/// Runs faults, several at a time; the outcomes are in the catalogue's order.
async fn run_each(
    settings: &Arc<Settings>,
    ids: Vec<&'static str>,
    jobs: usize,
) -> anyhow::Result<Vec<Outcome>> {
    let count = ids.len();
    let mut waiting = ids.into_iter().enumerate();
    let mut running = tokio::task::JoinSet::new();
    let mut outcomes: Vec<(usize, Outcome)> = Vec::new();
    loop {
        while running.len() < jobs
            && let Some((number, id)) = waiting.next()
        {
            let settings = settings.clone();
            running.spawn(async move {
                let fault = mecforge_mutants::find(id).with_context(|| format!("there is no fault {id}"))?;
                let outcome = run(&settings, fault)
                    .await
                    .with_context(|| format!("the run against {id}"))?;
                anyhow::Ok((number, outcome))
            });
        }
        let Some(ended) = running.join_next().await else {
            break;
        };
        let (number, outcome) = ended??;
        writeln!(
            std::io::stderr(),
            "{}/{count} {}",
            outcomes.len() + 1,
            line(&outcome)
        )?;
        outcomes.push((number, outcome));
    }
    outcomes.sort_by_key(|(number, _)| *number);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}
