//! Doing what the fixtures file says: a command, or a request to somebody else than the target.

use std::process::Stdio;
use std::time::Duration;

use mecforge_transport::{Client, Request, Settings, TargetUrl};

use super::fixtures::Action;

/// How long an action may take.
const PATIENCE: Duration = Duration::from_secs(60);

impl Action {
    /// Does it.
    ///
    /// # Errors
    /// Why it did not succeed.
    pub async fn perform(&self) -> Result<(), String> {
        match tokio::time::timeout(PATIENCE, self.unbounded()).await {
            Ok(done) => done,
            Err(_) => Err(format!("it takes longer than {} s", PATIENCE.as_secs())),
        }
    }

    async fn unbounded(&self) -> Result<(), String> {
        match self {
            Action::Command(command) => {
                let mut shell = tokio::process::Command::new("sh");
                shell
                    .arg("-c")
                    .arg(command)
                    .stdin(Stdio::null())
                    .kill_on_drop(true);
                let output = shell.output().await.map_err(|error| error.to_string())?;
                let text = String::from_utf8_lossy(&output.stderr);
                match output.status.success() {
                    true => Ok(()),
                    false => Err(format!(
                        "the command ends with {}: {}",
                        output.status,
                        text.trim()
                    )),
                }
            }
            Action::Request { method, url, body } => {
                let (origin, path) = url
                    .match_indices('/')
                    .nth(2)
                    .map_or((url.as_str(), "/"), |(at, _)| url.split_at(at));
                let target = TargetUrl::parse(origin).map_err(|error| error.to_string())?;
                let client = Client::new(Settings::new(target)).map_err(|error| error.to_string())?;
                let mut request = Request::new(method.as_str(), path);
                if let Some(body) = body {
                    request
                        .headers
                        .push(("Content-Type".to_owned(), "application/json".to_owned()));
                    request.body = Some(body.to_string().into());
                }
                match client.send(&request).await.outcome {
                    Ok(response) if (200..300).contains(&response.status) => Ok(()),
                    Ok(response) => Err(format!("{method} {url} is answered {}", response.status)),
                    Err(fault) => Err(fault.to_string()),
                }
            }
        }
    }
}
