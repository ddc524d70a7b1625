//! Servers that are measured: `mep` and the bare hyper server, each as a process of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::measure;

/// How long a server may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that runs until it is dropped.
pub(super) struct Server {
    child: Child,
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// How long it took from its start to its first answer, in milliseconds.
    pub(super) start: f64,
}

impl Server {
    /// Starts a server and waits until `GET path` is answered with 200.
    ///
    /// `command` gets the address to listen on.
    pub(super) fn start(command: impl FnOnce(SocketAddr) -> Command, path: &str) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut command = command(address);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let told = measure::told(&command);
        let begun = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot run {told}"))?;
        let mut server = Self {
            child,
            address,
            start: 0.0,
        };
        while begun.elapsed() < PATIENCE {
            if status(address, path).is_some_and(|status| status == "200") {
                server.start = begun.elapsed().as_secs_f64() * 1e3;
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait().context("cannot wait for a child")? {
                bail!("{told} ended ({status})");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        bail!("{told} did not answer GET {path} within {PATIENCE:?}")
    }

    /// The memory that the server holds (resident), in mebibytes.
    pub(super) fn memory(&self) -> anyhow::Result<f64> {
        let file = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        Ok(kibibytes.with_context(|| format!("{file} has no VmRSS"))? / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address of this machine on which nobody listens.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen on 127.0.0.1")?;
    listener.local_addr().context("cannot tell the address")
}

/// The status code of `GET path`, where there is an answer.
fn status(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer.split(' ').nth(1)?.to_owned())
}

/// What `wrk` saw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Requests per second.
    pub(super) rate: f64,
    /// The 99th percentile of latencies, as wrk writes it, in milliseconds.
    pub(super) p99: f64,
}

/// Loads a server with 64 connections of `wrk`; an answer other than 2xx is an error.
pub(super) fn load(
    url: &str,
    script: &Path,
    seconds: u64,
    settings: &[(&str, &Path)],
) -> anyhow::Result<Load> {
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads", "1", "--connections", "64", "--latency", "--duration"])
        .arg(format!("{seconds}s"))
        .arg("--script")
        .arg(script)
        .arg(url)
        .envs(settings.iter().map(|(name, value)| (name, value)));
    let told = measure::told(&wrk);
    let output = wrk.output().with_context(|| format!("cannot run {told}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || text.contains("Non-2xx") || text.contains("Socket errors") {
        bail!("{told}: {text}{}", String::from_utf8_lossy(&output.stderr));
    }
    let after = |mark: &str| {
        text.lines()
            .find_map(|line| line.trim().strip_prefix(mark))
            .map(str::trim)
    };
    let rate = after("Requests/sec:").and_then(|rate| rate.parse().ok());
    let p99 = after("99%").and_then(milliseconds);
    match (rate, p99) {
        (Some(rate), Some(p99)) => Ok(Load { rate, p99 }),
        _ => bail!("{told} said: {text}"),
    }
}

/// A time as wrk writes it: `712.00us`, `4.05ms`, `1.20s`.
fn milliseconds(text: &str) -> Option<f64> {
    let (number, factor) = match text {
        _ if text.ends_with("us") => (text.strip_suffix("us")?, 1e-3),
        _ if text.ends_with("ms") => (text.strip_suffix("ms")?, 1.0),
        _ => (text.strip_suffix('s')?, 1e3),
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn reads_the_times_of_wrk() {
        assert_eq!(milliseconds("712.00us"), Some(0.712));
        assert_eq!(milliseconds("4.05ms"), Some(4.05));
        assert_eq!(milliseconds("1.20s"), Some(1200.0));
        assert_eq!(milliseconds("fast"), None);
    }
}
