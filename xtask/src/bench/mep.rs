//! The platform: start, memory, durable registrations per second, and reads beside a bare hyper server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::measure::{self, median};
use super::platform::{self, Load, Server};
use super::{cargo, scratch, target};
use crate::workspace::Workspace;

/// How many services there are when one is read.
const SERVICES: usize = 10_000;
/// How often each load is repeated; the middle one counts.
const ROUNDS: usize = 3;
/// The application that offers all services; the configuration declares it.
const APPLICATION: &str = "bench";
/// A registration of about 400 bytes.
const BODY: &str = r#"{"serName":"weather","serCategory":{"href":"https://catalogue.example/sensing","id":"sensing","name":"Sensing","version":"1.0"},"version":"2.4.1","state":"ACTIVE","transportInfo":{"id":"rest","name":"REST","type":"REST_HTTP","protocol":"HTTP","version":"1.1","endpoint":{"uris":["https://weather.example/v2"]},"security":{}},"serializer":"JSON","scopeOfLocality":"MEC_HOST","consumedLocalOnly":false}"#;

/// The programs and files of a run.
struct Bench {
    binary: PathBuf,
    bare: PathBuf,
    directory: PathBuf,
    seconds: u64,
}

/// Takes the figures and prints them.
pub(super) fn run(workspace: &Workspace, seconds: u64) -> anyhow::Result<()> {
    ensure!(
        measure::find("wrk").is_some(),
        "wrk is missing: sudo apt-get install --yes wrk"
    );
    measure::run_to_end(cargo(workspace).args([
        "build",
        "--release",
        "--package",
        "mep",
        "--bin",
        "mep",
        "--example",
        "bare_hyper",
    ]))?;
    let release = target(workspace).join("release");
    let bench = Bench {
        binary: release.join("mep"),
        bare: release.join("examples/bare_hyper"),
        directory: scratch(workspace).join("mep"),
        seconds,
    };
    println!("## mep\n");
    println!("| what | figure |");
    println!("|---|---|");
    bench.idle()?;
    bench.post()?;
    bench.get()?;
    println!();
    Ok(())
}

impl Bench {
    /// A fresh platform; `access` says whether each request gets a line in the log.
    fn platform(&self, access: bool) -> anyhow::Result<Server> {
        let directory = &self.directory;
        if directory.exists() {
            std::fs::remove_dir_all(directory)
                .with_context(|| format!("cannot remove {}", directory.display()))?;
        }
        let configuration = format!(
            "[log]\naccess = {access}\n\n[[applications]]\napp_instance_id = \"{APPLICATION}\"\napp_name = \"bench\"\n"
        );
        self.write("mep.toml", configuration.as_bytes())?;
        self.write("body.json", BODY.as_bytes())?;
        self.write("post.lua", include_bytes!("post.lua"))?;
        self.write("get.lua", include_bytes!("get.lua"))?;
        Server::start(|address| self.command(address), "/readyz")
    }

    fn command(&self, address: SocketAddr) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .arg("--config")
            .arg(self.directory.join("mep.toml"))
            .arg("--data-dir")
            .arg(self.directory.join("data"))
            .arg("--listen")
            .arg(address.to_string())
            // What is measured is HTTP and the store; the machine's packets are left alone.
            .args(["--dns-listen", "off", "--dataplane", "disabled"]);
        // A log that nobody reads, but that is written.
        match std::fs::File::create(self.directory.join("log")) {
            Ok(file) => command.stderr(file),
            Err(_) => command.stderr(Stdio::null()),
        };
        command
    }

    fn write(&self, name: &str, contents: &[u8]) -> anyhow::Result<()> {
        let file = self.directory.join(name);
        std::fs::create_dir_all(&self.directory)
            .and_then(|()| std::fs::write(&file, contents))
            .with_context(|| format!("cannot write {}", file.display()))
    }

    /// Start and memory with an empty store.
    fn idle(&self) -> anyhow::Result<()> {
        let mut starts = Vec::new();
        let mut memory = 0.0;
        for _ in 0..ROUNDS {
            let server = self.platform(true)?;
            starts.push(server.start);
            std::thread::sleep(Duration::from_secs(2));
            memory = server.memory()?;
        }
        println!(
            "| from start to the first answer, empty store | {:.0} ms |",
            median(starts)
        );
        println!("| memory when idle, empty store | {memory:.1} MiB |");
        Ok(())
    }

    /// Durable registrations, with every 2xx synced to disk before it is sent.
    fn post(&self) -> anyhow::Result<()> {
        for access in [false, true] {
            let mut loads = Vec::new();
            for _ in 0..ROUNDS {
                let server = self.platform(access)?;
                let url = format!("http://{}{}", server.address, services());
                let body = self.directory.join("body.json");
                loads.push(platform::load(
                    &url,
                    &self.directory.join("post.lua"),
                    self.seconds,
                    &[("MECFORGE_BODY", &body)],
                )?);
            }
            print_load(
                &format!(
                    "durable POST of a service, 64 connections, access log {}",
                    on(access)
                ),
                &loads,
            );
        }
        Ok(())
    }

    /// Reads of one of many services, by turns with a server that does nothing but answer the same bytes.
    fn get(&self) -> anyhow::Result<()> {
        let mut rates = Vec::new();
        for access in [false, true] {
            let server = self.platform(access)?;
            let one = fill(&server, &self.directory.join("paths"))?;
            self.write("service.json", &one)?;
            let bare = Server::start(
                |address| {
                    let mut command = Command::new(&self.bare);
                    command
                        .arg(address.to_string())
                        .arg(self.directory.join("service.json"));
                    command
                },
                "/",
            )?;
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                ours.push(self.read(&server)?);
                theirs.push(self.read(&bare)?);
            }
            let what = format!("GET one of {SERVICES} services, access log {}", on(access));
            rates.push((
                print_load(&what, &ours),
                print_load("the same bytes from a bare hyper server", &theirs),
            ));
        }
        for ((ours, theirs), log) in rates.iter().zip([false, true]) {
            println!("| ratio, access log {} | {:.2} |", on(log), ours / theirs);
        }
        Ok(())
    }

    fn read(&self, server: &Server) -> anyhow::Result<Load> {
        platform::load(
            &format!("http://{}/", server.address),
            &self.directory.join("get.lua"),
            self.seconds,
            &[("MECFORGE_PATHS", &self.directory.join("paths"))],
        )
    }
}

fn services() -> String {
    format!("/mec_service_mgmt/v1/applications/{APPLICATION}/services")
}

fn on(access: bool) -> &'static str {
    if access { "on" } else { "off" }
}

/// Prints the middle load and returns its rate.
fn print_load(what: &str, loads: &[Load]) -> f64 {
    let rate = median(loads.iter().map(|load| load.rate).collect());
    let p99 = median(loads.iter().map(|load| load.p99).collect());
    println!("| {what} | {rate:.0}/s, p99 {p99:.1} ms |");
    rate
}

/// Registers the services, writes the paths of all of them, and returns the representation of one.
fn fill(server: &Server, paths: &Path) -> anyhow::Result<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start a runtime")?;
    let url = format!("http://{}{}", server.address, services());
    runtime.block_on(async {
        let client = reqwest::Client::new();
        let (mut lines, mut one) = (String::new(), Vec::new());
        for _ in 0..SERVICES {
            let request = client
                .post(&url)
                .header("content-type", "application/json")
                .body(BODY);
            let answer = request.send().await?.error_for_status()?;
            one = answer.bytes().await?.to_vec();
            let Some(id) = identifier(&one) else {
                bail!("POST {url} answered {}", String::from_utf8_lossy(&one));
            };
            lines.push_str(&format!("/mec_service_mgmt/v1/services/{id}\n"));
        }
        std::fs::write(paths, lines).with_context(|| format!("cannot write {}", paths.display()))?;
        Ok(one)
    })
}

/// The `serInstanceId` of a service in JSON.
fn identifier(service: &[u8]) -> Option<&str> {
    let (_, rest) = std::str::from_utf8(service)
        .ok()?
        .split_once("\"serInstanceId\":\"")?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::identifier;

    #[test]
    fn finds_the_identifier_of_a_service() {
        assert_eq!(
            identifier(br#"{"serInstanceId":"a-1","serName":"x"}"#),
            Some("a-1")
        );
        assert_eq!(identifier(b"{}"), None);
    }
}
