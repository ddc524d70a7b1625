//! The `mep-agent` program: arguments, log, signals.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use mep_agent::{Agent, Command, Configuration, Environment, local};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

mod arguments;

use arguments::Arguments;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_log(&arguments);
    let (configuration, path) = match configuration(&arguments) {
        Ok(read) => read,
        Err(error) => {
            tracing::error!("{error:#}");
            return ExitCode::from(2);
        }
    };
    if arguments.check {
        tracing::info!(
            services = configuration.services.len(),
            "the configuration is in order"
        );
        return ExitCode::SUCCESS;
    }
    match run(configuration, path, arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start_log(arguments: &Arguments) {
    let filter = tracing_subscriber::EnvFilter::try_new(&arguments.log);
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match arguments.log_json {
        true => log.json().init(),
        false => log.with_target(false).init(),
    }
}

fn configuration(arguments: &Arguments) -> Result<(Configuration, PathBuf)> {
    let path = match &arguments.config {
        Some(path) => path.clone(),
        None => arguments::default_file()?,
    };
    let mut environment = Environment::of_process();
    if let Some(url) = &arguments.url {
        environment.set("MEP_URL", url);
    }
    let mut configuration = Configuration::load(&path, &environment)?;
    if let Some(listen) = arguments.listen.as_deref() {
        configuration.listen = match listen {
            "off" => None,
            listen => Some(
                listen
                    .parse()
                    .context("--listen must be an IP address and a port, or off")?,
            ),
        };
    }
    Ok((configuration, path))
}

async fn run(configuration: Configuration, path: PathBuf, arguments: Arguments) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let listener = match configuration.listen {
        Some(address) => Some(TcpListener::bind(address).await.with_context(|| {
            format!(
                "cannot listen on {address}; another address can be given with --listen, and off for none"
            )
        })?),
        None => None,
    };
    tracing::info!(file = %path.display(), platform = %configuration.platform.url, "started");
    let agent = Agent::new(configuration)?;
    let (end, ended) = oneshot::channel::<()>();
    let local = listener.map(|listener| {
        let router = local::router(agent.clients(), agent.status());
        tokio::spawn(local::serve(listener, router, async {
            let _ = ended.await;
        }))
    });
    let (commands, received) = mpsc::channel(4);
    let mut work = tokio::spawn(agent.run(received));
    let mut stopping = false;
    loop {
        tokio::select! {
            finished = &mut work => {
                finished.context("the agent has failed")?;
                break;
            }
            _ = terminate.recv() => stop(&commands, &mut stopping)?,
            _ = interrupt.recv() => stop(&commands, &mut stopping)?,
            _ = hang_up.recv() => match configuration_again(&arguments) {
                Ok(configuration) => {
                    let _ = commands.send(Command::Reload(Box::new(configuration))).await;
                }
                Err(error) => tracing::error!("the old configuration stays: {error:#}"),
            },
        }
    }
    let _ = end.send(());
    if let Some(local) = local {
        local.await.context("the local endpoint has failed")??;
    }
    Ok(())
}

fn configuration_again(arguments: &Arguments) -> Result<Configuration> {
    configuration(arguments).map(|(configuration, _)| configuration)
}

/// Tells the agent to stop; who asks a second time does not want to wait.
fn stop(commands: &mpsc::Sender<Command>, stopping: &mut bool) -> Result<()> {
    if std::mem::replace(stopping, true) {
        bail!("stopped at once; services may still be registered");
    }
    let _ = commands.try_send(Command::Stop);
    Ok(())
}
