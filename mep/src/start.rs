//! From arguments to a running platform, and to its orderly end.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Arguments, Settings};
use crate::platform::Platform;
use crate::{server, telemetry};

/// Runs a platform until it is told to stop. Exit code 0 after an orderly end, 1 if it could not start or go on.
pub fn run(arguments: &Arguments) -> ExitCode {
    match try_run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may not be set up yet, and this is for whoever typed the command.
            let _ = writeln!(std::io::stderr(), "mep: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn try_run(arguments: &Arguments) -> Result<()> {
    let variables: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let settings = Settings::load(arguments, &variables)?;
    let address = settings.address()?;
    telemetry::logging::start(&settings.log)?;
    telemetry::panics::watch();
    // Connections and deliveries take a descriptor each; shells give 1,024, the system allows more to who asks.
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => tracing::debug!(limit, "file descriptors"),
        Err(error) => tracing::warn!(%error, "cannot raise the limit of file descriptors"),
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start threads")?;
    runtime.block_on(serve(settings, address))
}

async fn serve(settings: Settings, address: SocketAddr) -> Result<()> {
    // Before anything is opened, so that a signal that comes early is not lost.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: stop what listens there, or give another address with --listen")
    })?;
    let address = listener
        .local_addr()
        .context("cannot tell the address that was bound")?;
    let limits = settings.limits;
    let platform = Arc::new(Platform::open(&settings, address).await?);
    let banner = banner(&settings, address, &platform.name_server());
    let stop = server::Stop::new();
    let server = tokio::spawn(server::serve(listener, platform.clone(), limits, stop.clone()));
    // Standard output may be closed; the platform runs all the same.
    let _ = std::io::stdout().lock().write_all(banner.as_bytes());
    tracing::info!(%address, "the platform is ready");
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: finishing requests, taking no new ones"),
        _ = interrupt.recv() => tracing::info!("SIGINT: finishing requests, taking no new ones"),
    }
    platform.drain();
    stop.stop();
    tokio::select! {
        ended = server => ended.context("the server has failed")?,
        _ = terminate.recv() => tracing::warn!("SIGTERM again: stopping at once"),
        _ = interrupt.recv() => tracing::warn!("SIGINT again: stopping at once"),
    }
    tracing::info!("stopped");
    Ok(())
}

/// What the person who started the platform needs to know.
fn banner(settings: &Settings, address: SocketAddr, name_server: &[SocketAddr]) -> String {
    let url = format!("http://{address}");
    let data = std::path::absolute(&settings.data_dir).unwrap_or_else(|_| settings.data_dir.clone());
    let names = match name_server {
        [] => "off".to_owned(),
        addresses => addresses
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    };
    format!(
        "mep {version} listens on {url}, which is open to this machine only\n\
         Data: {data}\n\
         Name server: {names}\n\
         Console: {url}/console/\n\
         Explorer: {url}/explorer/\n\
         Try: curl -i {url}/mec_service_mgmt/v1/services\n",
        version = env!("CARGO_PKG_VERSION"),
        data = data.display(),
    )
}
