//! A fresh platform with application instances, transports and rules.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::Client;

/// The platform's configuration: two application instances, two transports, no data plane.
const CONFIGURATION: &str = r#"[notifications]
attempts = 4

[[applications]]
app_instance_id = "mutant-1"
app_name = "mutant one"

[[applications]]
app_instance_id = "mutant-2"
app_name = "mutant two"

[[transports]]
id = "transportId"
name = "REST"
type = "REST_HTTP"
protocol = "HTTP"
version = "1.1"
endpoint = { uris = ["http://127.0.0.1:8080"] }
security = {}

[[transports]]
id = "queue"
name = "queue"
type = "MB_TOPIC_BASED"
protocol = "AMQP"
version = "1.0"
endpoint = { fqdn = ["queue.mec.internal"] }
security = {}

[dataplane]
backend = "disabled"
"#;

/// The application instances that a [`Platform`] has from the start.
pub const INSTANCES: [&str; 2] = ["mutant-1", "mutant-2"];

/// A platform that could not be started or set up.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// A file of it could not be written.
    #[error("cannot write the platform's configuration")]
    Directory(#[source] std::io::Error),
    /// The program could not be started.
    #[error("cannot start {program}")]
    Program {
        /// The program.
        program: PathBuf,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
    /// It ended, or did not say where it listens.
    #[error("the platform did not say within 20 s where it listens")]
    Silent,
    /// It refused its configuration through Mm5.
    #[error("the platform did not take the configuration of {instance}: {answer}")]
    Configuration {
        /// The application instance.
        instance: &'static str,
        /// What it answered.
        answer: String,
    },
}

/// A running platform on a data directory of its own; both are gone when it is dropped.
#[derive(Debug)]
pub struct Platform {
    child: Child,
    address: SocketAddr,
    directory: TempDir,
}

impl Platform {
    /// Starts the program (our `mep`) on free ports of this machine, and gives both application instances rules.
    ///
    /// # Errors
    /// [`PlatformError`] if it does not start, or refuses the rules.
    pub async fn start(program: &Path) -> Result<Self, PlatformError> {
        let directory = TempDir::with_prefix("mecforge-mutants-").map_err(PlatformError::Directory)?;
        let file = directory.path().join("mep.toml");
        std::fs::write(&file, CONFIGURATION).map_err(PlatformError::Directory)?;
        let mut command = Command::new(program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MEP_")) {
            command.env_remove(name);
        }
        let mut child = command
            .args([
                "--listen",
                "127.0.0.1:0",
                "--dns-listen",
                "127.0.0.1:0",
                "--config",
            ])
            .arg(&file)
            .arg("--data-dir")
            .arg(directory.path().join("data"))
            .env("MEP_LOG_ACCESS", "false")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|cause| PlatformError::Program {
                program: program.to_owned(),
                cause,
            })?;
        let address = listening(&mut child).await.ok_or(PlatformError::Silent)?;
        let platform = Self {
            child,
            address,
            directory,
        };
        for instance in INSTANCES {
            platform.configure(instance).await?;
        }
        Ok(platform)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A directory for whatever goes with it.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Ends it.
    pub async fn stop(mut self) {
        // It is gone in any case when this is dropped.
        let _ = self.child.kill().await;
    }

    /// What the suite is told of it: its fixtures file.
    #[must_use]
    pub fn fixtures(&self) -> String {
        let [first, second] = INSTANCES;
        let end = format!("http://{}/mm5/v1/applications/{first}/terminate", self.address);
        format!(
            "app_instance_ids = [\"{first}\", \"{second}\"]\n\n\
             [resources]\n\
             \"/applications/{{appInstanceId}}/dns_rules/{{dnsRuleId}}\" = [{{ appInstanceId = \"{first}\", dnsRuleId = \"rule-1\" }}]\n\
             \"/applications/{{appInstanceId}}/traffic_rules/{{trafficRuleId}}\" = [{{ appInstanceId = \"{first}\", trafficRuleId = \"rule-1\" }}]\n\n\
             [announce_termination.request]\nmethod = \"POST\"\nurl = \"{end}\"\n\
             body = {{ operationAction = \"TERMINATING\", maxGracefulTimeout = 60 }}\n"
        )
    }

    /// Gives an instance its rules back, and waits until they are there.
    pub(crate) async fn configure(&self, instance: &'static str) -> Result<(), PlatformError> {
        let client = Client {
            address: self.address,
            patience: Duration::from_secs(10),
        };
        let failed = |answer: Option<Value>| PlatformError::Configuration {
            instance,
            answer: answer.map_or_else(|| "nothing".to_owned(), |body| body.to_string()),
        };
        let path = format!("/mm5/v1/applications/{instance}/configuration");
        let answer = client.json("PUT", &path, Some(&rules(instance))).await;
        let task = answer
            .filter(|answer| answer.status() == 202)
            .and_then(|answer| answer.json());
        let id = task
            .as_ref()
            .and_then(|task| task["taskId"].as_str())
            .ok_or_else(|| failed(task.clone()))?;
        let task = format!("/mm5/v1/tasks/{id}");
        for _ in 0..400 {
            let state = client
                .json("GET", &task, None)
                .await
                .and_then(|answer| answer.json());
            match state.as_ref().and_then(|state| state["state"].as_str()) {
                Some("PENDING" | "PROCESSING") => tokio::time::sleep(Duration::from_millis(10)).await,
                Some("SUCCEEDED") => return Ok(()),
                _ => return Err(failed(state)),
            }
        }
        Err(failed(None))
    }
}

/// Reads where the platform listens, and keeps reading, so that it never waits for a reader.
async fn listening(child: &mut Child) -> Option<SocketAddr> {
    let mut lines = BufReader::new(child.stdout.take()?).lines();
    let found = tokio::time::timeout(Duration::from_secs(20), async {
        let mut address = None;
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some((_, rest)) = line.split_once("listens on http://") {
                address = rest.split([',', ' ']).next().and_then(|text| text.parse().ok());
            }
            // The line comes last.
            if line.starts_with("Try: ") {
                return address;
            }
        }
        None
    });
    let address = found.await.ok()??;
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Some(address)
}

/// DNS and traffic rules of an instance, with the ends of ranges in them.
fn rules(instance: &str) -> Value {
    let dns = |id: &str, kind: &str, address: &str, ttl: u64| {
        json!({
            "dnsRuleId": id, "domainName": format!("{id}.{instance}.mec.internal"), "ipAddressType": kind,
            "ipAddress": address, "ttl": ttl, "state": "INACTIVE",
        })
    };
    let traffic = |id: &str, priority: u64| {
        json!({
            "trafficRuleId": id, "filterType": "FLOW", "priority": priority,
            "trafficFilter": [{"srcAddress": ["192.0.2.1"]}], "action": "DROP", "state": "INACTIVE",
        })
    };
    json!({
        "appName": instance.replace('-', " "),
        "dnsRules": [dns("rule-1", "IP_V4", "192.0.2.7", 60), dns("rule-2", "IP_V6", "2001:db8::7", 4_294_967_295)],
        "trafficRules": [traffic("rule-1", 1), traffic("rule-2", 255), traffic("rule-3", 0)],
    })
}
