//! `mock`: the reference server, a platform that obeys its documents and keeps everything in memory.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use mecforge_api::Api;
use tokio::net::TcpListener;

use super::signals::Signals;
use super::{Exit, documents, print, run};

/// How long requests that are being answered may take to end after the signal.
const GRACE: Duration = Duration::from_secs(2);

/// What `mock` is told.
#[derive(Debug, Args)]
pub(super) struct MockArguments {
    /// What to serve, as `profiles` lists it; or the id of one API; several are allowed
    #[arg(
        long,
        value_name = "ID",
        value_delimiter = ',',
        required_unless_present = "document"
    )]
    profile: Vec<String>,
    /// Any OpenAPI document to serve (Swagger 2.0, OpenAPI 3.0, 3.1; YAML or JSON)
    #[arg(long, value_name = "FILE")]
    document: Vec<PathBuf>,
    /// With --document: mend the certain defects of ETSI's documents first
    #[arg(long, requires = "document")]
    repair: bool,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// From what identifiers and examples are made: the same seed and requests give the same answers
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Another base path for an API: api=prefix
    #[arg(long, value_name = "API=PREFIX", value_parser = run::pair)]
    base_path: Vec<(String, String)>,
    /// Application instances that exist besides those that register themselves [default: any, if none can register]
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    app_instance_id: Vec<String>,
    /// Scheme and host that clients see, if there is a gateway before this server
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Send no notifications to the addresses that subscribers give
    #[arg(long)]
    no_callbacks: bool,
}

/// `mock`.
pub(super) fn mock(arguments: MockArguments) -> anyhow::Result<Exit> {
    let mut apis = Vec::new();
    for (api, _) in documents::apis(&arguments.profile, &arguments.document, arguments.repair)? {
        apis.push(api);
    }
    run::check_base_paths(&arguments.base_path, apis.iter().map(|api| api.id.as_str()))?;
    let apis: Vec<_> = apis
        .into_iter()
        .map(|api| Arc::new(with_base_path(api, &arguments.base_path)))
        .collect();
    let options = mecforge_mock::Options {
        seed: arguments.seed,
        callbacks: !arguments.no_callbacks,
        known_instances: known_instances(&apis, arguments.app_instance_id),
        public_url: arguments.public_url,
        ..mecforge_mock::Options::default()
    };
    let runtime = super::runtime(8)?;
    runtime.block_on(serve(arguments.listen, apis, options))?;
    Ok(Exit::Conforms)
}

/// The application instances that exist besides those that register themselves; any, where none are named and none can.
fn known_instances(apis: &[Arc<Api>], named: Vec<String>) -> Option<Vec<String>> {
    let registers = apis
        .iter()
        .any(|api| api.operation("POST", "/registrations").is_some());
    (registers || !named.is_empty()).then_some(named)
}

/// The API below the base path that the command line gives it.
fn with_base_path(mut api: Api, base_paths: &[(String, String)]) -> Api {
    if let Some((_, prefix)) = base_paths.iter().find(|(id, _)| *id == api.id) {
        let prefix = prefix.trim_matches('/');
        api.base_path = match prefix {
            "" => String::new(),
            prefix => format!("/{prefix}"),
        };
    }
    api
}

/// Serves until a signal, and a moment longer for those who wait for an answer.
async fn serve(
    address: SocketAddr,
    apis: Vec<Arc<Api>>,
    options: mecforge_mock::Options,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("--listen {address}: choose another address or port"))?;
    let mut bases: Vec<_> = apis.iter().map(|api| api.base_path.clone()).collect();
    bases.dedup();
    let url = mecforge_mock::url(listener.local_addr()?);
    let (tell, told) = tokio::sync::oneshot::channel();
    let server = mecforge_mock::serve(listener, apis, options, async {
        let _ = told.await;
    });
    tokio::pin!(server);
    // What can't be served is said before the address is.
    tokio::select! {
        biased;
        ended = &mut server => return Ok(ended?),
        () = tokio::task::yield_now() => {}
    }
    let mut signals = Signals::new()?;
    print(&format!("{url} serves {}", bases.join(", ")))?;
    tokio::select! {
        ended = &mut server => return Ok(ended?),
        () = signals.next() => {}
    }
    let _ = tell.send(());
    match tokio::time::timeout(GRACE, server).await {
        Ok(ended) => Ok(ended?),
        Err(_) => Ok(()),
    }
}
