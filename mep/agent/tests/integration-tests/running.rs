//! An agent at work, and what a test wants to know of it and of its platform.

use std::time::Duration;

use mec011_service_management::{Client, ListApplicationServicesQuery, ServiceInfo};
use mep_agent::config::Format;
use mep_agent::{Agent, Command, Configuration, Environment, Status};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// How long anything may take before a test has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A service as files have it, with an interval for heartbeats.
pub(crate) fn service(name: &str, version: &str, interval: Option<u64>) -> String {
    let interval = interval.map_or_else(String::new, |seconds| format!("livenessInterval: {seconds}"));
    format!(
        "
  - serName: {name}
    version: {version}
    transportInfo:
      id: rest
      name: REST
      type: REST_HTTP
      protocol: HTTP
      version: '2.0'
      endpoint:
        uris: ['http://{name}.example:30005']
    {interval}
"
    )
}

/// A configuration from YAML, with short waits.
pub(crate) fn configuration(url: &str, yaml: &str) -> Configuration {
    let mut environment = Environment::default();
    environment.set("MEP_URL", url);
    let mut configuration = Configuration::from_text(yaml, Format::Yaml, &environment).unwrap();
    configuration.check_interval = Duration::from_millis(300);
    configuration.longest_delay = Duration::from_millis(300);
    configuration.stop_timeout = Duration::from_secs(5);
    configuration
}

/// An agent that works in the background.
pub(crate) struct Running {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) status: watch::Receiver<Status>,
    pub(crate) clients: watch::Receiver<mep_agent::platform::Platform>,
    work: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(configuration: Configuration) -> Self {
        let agent = Agent::new(configuration).unwrap();
        let (commands, received) = mpsc::channel(4);
        Self {
            status: agent.status(),
            clients: agent.clients(),
            work: tokio::spawn(agent.run(received)),
            commands,
        }
    }

    /// Waits until the agent says this of itself.
    #[track_caller]
    pub(crate) fn until(
        &mut self,
        what: &'static str,
        mut holds: impl FnMut(&Status) -> bool,
    ) -> impl Future<Output = Status> {
        let mut status = self.status.clone();
        async move {
            match timeout(PATIENCE, status.wait_for(|status| holds(status))).await {
                Ok(found) => found.unwrap().clone(),
                Err(_) => panic!("never {what}: {:?}", *self.status.borrow()),
            }
        }
    }

    pub(crate) async fn until_ready(&mut self) -> Status {
        self.until("ready", |status| status.ready).await
    }

    pub(crate) async fn reload(&self, configuration: Configuration) {
        let command = Command::Reload(Box::new(configuration));
        self.commands.send(command).await.unwrap();
    }

    /// Ends the agent as it wants to end.
    pub(crate) async fn stop(self) {
        self.commands.send(Command::Stop).await.unwrap();
        timeout(PATIENCE, self.work).await.unwrap().unwrap();
    }

    /// Ends the agent as a crash does.
    pub(crate) async fn kill(self) {
        self.work.abort();
        let _ = self.work.await;
    }
}

/// The services of an application instance, as its platform has them.
pub(crate) async fn services(url: &str, app: &str) -> Vec<ServiceInfo> {
    let client = Client::new(url).unwrap();
    let query = ListApplicationServicesQuery::default();
    client.list_application_services(app, &query).await.unwrap().body
}

/// Waits until something holds of the services.
pub(crate) async fn until_services(
    url: &str,
    app: &str,
    what: &str,
    holds: impl Fn(&[ServiceInfo]) -> bool,
) -> Vec<ServiceInfo> {
    let begun = tokio::time::Instant::now();
    loop {
        let services = services(url, app).await;
        if holds(&services) {
            return services;
        }
        assert!(begun.elapsed() < PATIENCE, "never {what}: {services:?}");
        sleep(Duration::from_millis(50)).await;
    }
}
