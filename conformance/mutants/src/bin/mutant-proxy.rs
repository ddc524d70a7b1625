//! The `mutant-proxy` program: one fault in front of a platform.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use mecforge_mutants::{Fault, Proxy, catalogue, find};

/// Puts one fault between a correct MEC 011 platform and its clients.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The platform: address and port, or an `http` URL of it.
    #[arg(long, required_unless_present = "list")]
    upstream: Option<String>,
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The fault's id, or `none`.
    #[arg(long, default_value = "none")]
    fault: String,
    /// Milliseconds that each request takes more; only without a fault.
    #[arg(long, conflicts_with = "fault")]
    delay: Option<u64>,
    /// Answers everything but documents with an empty object itself, after that delay.
    #[arg(long, requires = "delay")]
    trivial: bool,
    /// Decides for faults that happen sometimes when they do.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prints the catalogue and ends.
    #[arg(long)]
    list: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut output = std::io::stdout();
    if arguments.list {
        for fault in catalogue() {
            writeln!(
                output,
                "{}\t{}\t{}\t{}",
                fault.id, fault.clause, fault.operations, fault.what
            )?;
        }
        return Ok(());
    }
    let upstream = arguments.upstream.context("--upstream is missing")?;
    let authority = upstream
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    let address = tokio::net::lookup_host(&authority)
        .await
        .with_context(|| format!("--upstream {upstream} is no address and port"))?
        .next()
        .with_context(|| format!("--upstream {upstream} has no address"))?;
    let Some(fault) = find(&arguments.fault) else {
        bail!("there is no fault {:?}; --list prints all", arguments.fault);
    };
    let fault = match arguments.delay {
        Some(delay) if arguments.trivial => Fault::trivial(Duration::from_millis(delay)),
        Some(delay) => Fault::distance(Duration::from_millis(delay)),
        None => fault,
    };
    let proxy = Proxy::bind(arguments.listen, address, fault, arguments.seed).await?;
    writeln!(
        output,
        "{} listens on http://{}",
        arguments.fault,
        proxy.address()?
    )?;
    tokio::select! {
        () = proxy.serve() => {}
        ended = tokio::signal::ctrl_c() => ended?,
    }
    Ok(())
}
