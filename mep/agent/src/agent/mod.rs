//! The agent's loop: bring the platform to what the configuration says, keep it there, undo it at the end.
//!
//! One task does everything, one thing after the other, so that nothing is registered twice. A check lists what
//! the platform has and changes what differs; it is repeated now and then, at once after a lost connection, and
//! whenever a heartbeat finds that the platform does not know its service.

mod check;
mod heartbeat;
mod removal;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use mec011_service_management::{ServiceInfo, ServiceInfoRequest};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::backoff::Backoff;
use crate::config::Configuration;
use crate::platform::{Platform, Trouble};
use crate::state::State;
use crate::status::{ServiceStatus, Status};

/// What an agent may be told while it runs.
#[derive(Clone, Debug)]
pub enum Command {
    /// Go on with another configuration.
    Reload(Box<Configuration>),
    /// Remove what is to be removed, and end.
    Stop,
}

/// An agent; [`Agent::run`] makes it work.
pub struct Agent {
    configuration: Configuration,
    platform: Platform,
    /// The application instance, once the platform knows it.
    app_instance_id: Option<String>,
    /// One for each service of the configuration.
    services: Vec<Held>,
    /// Services that the agent has registered, those included that the configuration no longer has.
    own_services: HashSet<String>,
    /// Subscriptions that the agent has made, likewise.
    own_subscriptions: HashSet<String>,
    /// Whether the platform had everything at the last check.
    complete: bool,
    confirmed_ready: bool,
    /// Whether the registration has been compared with the configuration.
    registration_checked: bool,
    saved: State,
    status: watch::Sender<Status>,
    clients: watch::Sender<Platform>,
    /// What was last said about a subject, so that the log does not repeat itself at every attempt.
    said: HashMap<String, String>,
}

/// A service of the configuration, and what the platform has for it.
#[derive(Default)]
struct Held {
    registered: Option<Registered>,
    error: Option<String>,
}

struct Registered {
    /// What was sent; `None` for a service that was found.
    sent: Option<ServiceInfoRequest>,
    /// What the platform last said.
    there: ServiceInfo,
    /// When the next heartbeat is due; `None` where none is wanted.
    heartbeat: Option<Instant>,
    interval: Duration,
}

impl Agent {
    /// An agent for a configuration. Nothing is sent yet.
    ///
    /// # Errors
    /// An address of the platform that is none.
    pub fn new(configuration: Configuration) -> Result<Self> {
        let platform = Platform::new(&configuration.platform)?;
        let saved = State::read(configuration.state_file.as_deref(), &configuration.platform.url);
        let agent = Self {
            app_instance_id: None,
            services: configuration.services.iter().map(|_| Held::default()).collect(),
            own_services: saved.services.iter().cloned().collect(),
            own_subscriptions: saved.subscriptions.iter().cloned().collect(),
            complete: false,
            confirmed_ready: false,
            registration_checked: false,
            saved,
            status: watch::Sender::new(Status::default()),
            clients: watch::Sender::new(platform.clone()),
            said: HashMap::new(),
            configuration,
            platform,
        };
        agent.tell(None, false);
        Ok(agent)
    }

    /// How it goes, as it changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// The platform's clients, which change with the configuration.
    #[must_use]
    pub fn clients(&self) -> watch::Receiver<Platform> {
        self.clients.subscribe()
    }

    /// Works until it is told to stop, or nobody is left who could tell it.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut backoff = Backoff::default();
        let mut next_check = Instant::now();
        loop {
            let due = self
                .next_heartbeat()
                .map_or(next_check, |beat| beat.min(next_check));
            let command = tokio::select! {
                biased;
                command = commands.recv() => Some(command),
                () = sleep_until(due) => None,
            };
            let command = match command {
                Some(command) => command,
                None => tokio::select! {
                    biased;
                    command = commands.recv() => command,
                    wait = self.work(next_check, &mut backoff) => {
                        next_check = wait.map_or(next_check, |wait| Instant::now() + wait);
                        continue;
                    }
                },
            };
            match command {
                Some(Command::Reload(configuration)) => {
                    self.reload(*configuration);
                    backoff.reset();
                    next_check = Instant::now();
                }
                Some(Command::Stop) | None => break,
            }
        }
        self.end().await;
    }

    /// Does what is due. Returns how long to wait before the next check, if that has changed.
    async fn work(&mut self, next_check: Instant, backoff: &mut Backoff) -> Option<Duration> {
        let checks = Instant::now() >= next_check;
        let outcome = match checks {
            true => self.check().await,
            false => self.heartbeats().await,
        };
        if checks {
            self.complete = matches!(outcome, Ok(true));
        }
        match outcome {
            Ok(true) if checks => {
                backoff.reset();
                self.tell(None, true);
                Some(self.configuration.check_interval)
            }
            Ok(true) => {
                self.tell(None, true);
                None
            }
            Ok(false) => {
                self.tell(None, true);
                Some(backoff.next(self.configuration.longest_delay))
            }
            Err(trouble) => {
                self.say("platform", Some(trouble.message()));
                // A platform that comes back may have forgotten it.
                self.confirmed_ready = false;
                self.tell(Some(trouble.message().to_owned()), !trouble.is_away());
                Some(backoff.next(self.longest_wait()))
            }
        }
    }

    /// How long the agent may wait before it tries to reach the platform again: not so long that a heartbeat is
    /// late because of it.
    fn longest_wait(&self) -> Duration {
        let intervals = self.services.iter().filter_map(|held| held.registered.as_ref());
        let intervals = intervals.filter(|registered| registered.heartbeat.is_some());
        intervals
            .map(|registered| registered.interval / 4)
            .fold(self.configuration.longest_delay, Duration::min)
    }

    fn reload(&mut self, configuration: Configuration) {
        if configuration.listen != self.configuration.listen {
            tracing::warn!("the address to listen on changes when the agent is started again");
        }
        let moved = configuration.platform != self.configuration.platform
            || configuration.application.app_instance_id != self.configuration.application.app_instance_id;
        if moved {
            match Platform::new(&configuration.platform) {
                Ok(platform) => {
                    self.clients.send_replace(platform.clone());
                    self.platform = platform;
                }
                Err(error) => {
                    tracing::error!(%error, "the new configuration is not used");
                    return;
                }
            }
            tracing::warn!(
                "the platform or the application instance has changed: what is registered there stays there"
            );
            self.app_instance_id = None;
            self.own_services.clear();
            self.own_subscriptions.clear();
            self.services.clear();
            self.saved = State::read(configuration.state_file.as_deref(), &configuration.platform.url);
        }
        let mut before: Vec<_> = std::mem::take(&mut self.services)
            .into_iter()
            .zip(&self.configuration.services)
            .collect();
        let mut keep = |wanted: &ServiceInfoRequest,
                        same: fn(&ServiceInfoRequest, &ServiceInfoRequest) -> bool| {
            let found = before.iter().position(|(_, old)| same(old, wanted))?;
            Some(before.swap_remove(found).0)
        };
        // Those that have not changed find their own before those that have.
        let mut kept: Vec<Option<Held>> = configuration
            .services
            .iter()
            .map(|wanted| keep(wanted, |old, new| old == new))
            .collect();
        for (held, wanted) in kept.iter_mut().zip(&configuration.services) {
            if held.is_none() {
                *held = keep(wanted, |old, new| old.ser_name == new.ser_name);
            }
        }
        self.services = kept.into_iter().map(Option::unwrap_or_default).collect();
        self.complete = false;
        self.confirmed_ready = false;
        self.registration_checked = false;
        self.configuration = configuration;
        self.said.clear();
        self.tell(None, false);
        tracing::info!("the configuration has been read again");
    }

    async fn end(&mut self) {
        if !self.configuration.remove_on_stop {
            tracing::info!("stopping; what is registered stays registered");
            return;
        }
        let limit = self.configuration.stop_timeout;
        match timeout(limit, self.remove_all()).await {
            Ok(()) => {
                if let Some(path) = &self.configuration.state_file {
                    State::remove(path);
                }
                tracing::info!("stopping; everything that was registered is removed");
            }
            Err(_) => tracing::error!(
                seconds = limit.as_secs_f64(),
                "stopping, although the platform could not be reached to remove everything"
            ),
        }
    }

    /// Keeps what the platform has assigned.
    fn save(&mut self) {
        let mut services: Vec<_> = self.own_services.iter().cloned().collect();
        let mut subscriptions: Vec<_> = self.own_subscriptions.iter().cloned().collect();
        services.sort_unstable();
        subscriptions.sort_unstable();
        let state = State {
            url: self.configuration.platform.url.clone(),
            app_instance_id: self.app_instance_id.clone(),
            services,
            subscriptions,
        };
        if state != self.saved {
            self.saved = state;
            if let Some(path) = &self.configuration.state_file {
                self.saved.write(Path::new(path));
            }
        }
    }

    /// Logs what has changed about a subject; `None` for nothing to complain about.
    fn say(&mut self, subject: &str, trouble: Option<&str>) {
        match trouble {
            None => {
                if self.said.remove(subject).is_some() {
                    tracing::info!(subject, "works again");
                }
            }
            Some(trouble) if self.said.get(subject).is_some_and(|said| said == trouble) => {
                tracing::debug!(subject, trouble, "still not");
            }
            Some(trouble) => {
                tracing::warn!(subject, trouble, "does not work and is tried again");
                self.said.insert(subject.to_owned(), trouble.to_owned());
            }
        }
    }

    /// Publishes how it goes.
    fn tell(&self, error: Option<String>, connected: bool) {
        let services = self.services.iter().zip(&self.configuration.services);
        let services: Vec<_> = services
            .map(|(held, wanted)| service_status(held, wanted))
            .collect();
        let registered =
            |service: &ServiceStatus| service.error.is_none() && service.ser_instance_id.is_some();
        let ready = connected && self.complete && error.is_none() && services.iter().all(registered);
        self.status.send_replace(Status {
            ready,
            connected,
            app_instance_id: self.app_instance_id.clone(),
            error,
            services,
        });
    }
}

fn service_status(held: &Held, wanted: &ServiceInfoRequest) -> ServiceStatus {
    let there = held.registered.as_ref().map(|registered| &registered.there);
    ServiceStatus {
        ser_name: wanted.ser_name.clone(),
        ser_instance_id: there.map(|there| there.ser_instance_id.clone()),
        state: there.map(|there| there.state.to_string()),
        liveness_interval: held
            .registered
            .as_ref()
            .filter(|registered| registered.heartbeat.is_some())
            .map(|registered| registered.interval.as_secs()),
        error: held.error.clone(),
    }
}

/// A result that is fine where the platform does not know the thing: it is to be gone.
fn gone(result: Result<(), Trouble>) -> Result<(), Trouble> {
    match result {
        Err(Trouble::Unknown(_)) => Ok(()),
        other => other,
    }
}
