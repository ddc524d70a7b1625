//! Runs `nft`, `ip` and `bridge`, in the network namespace that is asked for.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::options::Options;

/// Why a command did not do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommandError {
    /// The program is not there, or may not be run.
    #[error("cannot run {program}: {reason}")]
    Start {
        /// The program.
        program: String,
        /// What the operating system says.
        reason: String,
    },
    /// It took too long and was ended; what it has done is unknown.
    #[error("{program} did not end within {seconds} s")]
    TimedOut {
        /// The program.
        program: String,
        /// How long it had, in seconds.
        seconds: u64,
    },
    /// It says no.
    #[error("{program}: {message}")]
    Refused {
        /// The program.
        program: String,
        /// What it says, shortened.
        message: String,
    },
    /// It answers what cannot be understood.
    #[error("{program} answers no JSON")]
    NoJson {
        /// The program.
        program: String,
    },
}

/// The programs, as options name them.
#[derive(Clone, Debug)]
pub(crate) struct Commands {
    options: Arc<Options>,
}

impl Commands {
    pub(crate) fn new(options: Arc<Options>) -> Self {
        Self { options }
    }

    /// Carries out commands of nftables, all or none of them.
    pub(crate) async fn nft(&self, commands: &[Value]) -> Result<(), CommandError> {
        let input = serde_json::json!({ "nftables": commands }).to_string();
        self.run(&self.options.nft, &["-j", "-f", "-"], Some(input))
            .await
            .map(drop)
    }

    /// The objects of a table; `None` if there is no such table.
    pub(crate) async fn table(&self, family: &str) -> Result<Option<Vec<Value>>, CommandError> {
        let arguments = ["-j", "list", "table", family, &self.options.table];
        let program = &self.options.nft;
        match self.run(program, &arguments, None).await {
            Ok(text) => match json(program, &text)?.get_mut("nftables").map(Value::take) {
                Some(Value::Array(objects)) => Ok(Some(objects)),
                _ => Err(CommandError::NoJson {
                    program: program.display().to_string(),
                }),
            },
            Err(CommandError::Refused { message, .. }) if message.contains("No such file or directory") => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Carries out a command of `ip`.
    pub(crate) async fn ip(&self, arguments: &[&str]) -> Result<(), CommandError> {
        self.run(&self.options.ip, arguments, None).await.map(drop)
    }

    /// What `ip` shows, as JSON objects.
    pub(crate) async fn ip_shows(&self, arguments: &[&str]) -> Result<Vec<Value>, CommandError> {
        let arguments = [&["-j"], arguments].concat();
        let text = self.run(&self.options.ip, &arguments, None).await?;
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        match json(&self.options.ip, &text)? {
            Value::Array(list) => Ok(list),
            _ => Ok(Vec::new()),
        }
    }

    /// Carries out a command of `bridge`.
    pub(crate) async fn bridge(&self, arguments: &[&str]) -> Result<(), CommandError> {
        self.run(&self.options.bridge, arguments, None).await.map(drop)
    }

    /// The value of a kernel parameter, as text.
    pub(crate) async fn parameter(&self, path: &str) -> Option<String> {
        let text = self.run(Path::new("cat"), &[path], None).await.ok()?;
        Some(text.trim().to_owned())
    }

    async fn run(
        &self,
        program: &Path,
        arguments: &[&str],
        input: Option<String>,
    ) -> Result<String, CommandError> {
        let name = || program.display().to_string();
        let mut command = match &self.options.network_namespace {
            None => Command::new(program),
            Some(namespace) => {
                let mut command = Command::new(&self.options.ip);
                command.args(["netns", "exec", namespace]).arg(program);
                command
            }
        };
        command
            .args(arguments)
            .stdin(if input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env("LC_ALL", "C")
            .kill_on_drop(true);
        let start = |error: std::io::Error| CommandError::Start {
            program: name(),
            reason: error.to_string(),
        };
        let work = async {
            let mut child = command.spawn().map_err(start)?;
            // A program that does not read all of its input says why on its standard error, or by its status.
            let written = async {
                if let (Some(mut pipe), Some(input)) = (child.stdin.take(), &input) {
                    let _ = pipe.write_all(input.as_bytes()).await;
                }
            };
            written.await;
            child.wait_with_output().await.map_err(start)
        };
        let limit = self.options.command_timeout;
        let Ok(output) = tokio::time::timeout(limit, work).await else {
            return Err(CommandError::TimedOut {
                program: name(),
                seconds: limit.as_secs(),
            });
        };
        let output = output?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let message = String::from_utf8_lossy(&output.stderr);
        Err(CommandError::Refused {
            program: name(),
            message: shortened(&message),
        })
    }
}

fn json(program: &Path, text: &str) -> Result<Value, CommandError> {
    serde_json::from_str(text).map_err(|_| CommandError::NoJson {
        program: program.display().to_string(),
    })
}

/// The first lines of what a program says, as one line.
fn shortened(message: &str) -> String {
    let lines: Vec<&str> = message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(3)
        .collect();
    let joined = lines.join("; ");
    match joined.char_indices().nth(400) {
        Some((end, _)) => format!("{} …", joined.get(..end).unwrap_or_default()),
        None if joined.is_empty() => "it failed without a word".to_owned(),
        None => joined,
    }
}
