//! Heartbeats: each service says that it is alive at half the interval that the platform has granted.

use std::time::Duration;

use mec011_service_management::{
    ServiceLivenessUpdate, ServiceState, UpdateApplicationServiceLivenessSuccess,
};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Agent, Held};
use crate::platform::Trouble;

/// The longest interval that is kept to, in seconds: a moment beyond it may be one that the clock does not have.
const LONGEST_INTERVAL: u64 = 24 * 60 * 60;

/// An interval that the platform has granted, in seconds.
pub(super) fn granted(seconds: u64) -> Duration {
    Duration::from_secs(seconds.clamp(1, LONGEST_INTERVAL))
}

impl Held {
    /// What the platform calls the service.
    pub(super) fn id(&self) -> Option<&String> {
        self.registered
            .as_ref()
            .map(|registered| &registered.there.ser_instance_id)
    }
}

impl Agent {
    /// When the next heartbeat is due.
    pub(super) fn next_heartbeat(&self) -> Option<Instant> {
        let registered = self.services.iter().filter_map(|held| held.registered.as_ref());
        registered.filter_map(|registered| registered.heartbeat).min()
    }

    /// Sends the heartbeats that are due, all at once. Returns whether the platform knows all those services.
    pub(super) async fn heartbeats(&mut self) -> Result<bool, Trouble> {
        let Some(app) = self.app_instance_id.clone() else {
            return Ok(false);
        };
        let mut tasks = JoinSet::new();
        let now = Instant::now();
        for (index, held) in self.services.iter().enumerate() {
            let Some(registered) = &held.registered else {
                continue;
            };
            if registered.heartbeat.is_some_and(|due| due <= now) {
                let (client, app) = (self.platform.services.clone(), app.clone());
                let id = registered.there.ser_instance_id.clone();
                tasks.spawn(async move {
                    let update = ServiceLivenessUpdate::new();
                    let request = client.update_application_service_liveness(&app, &id, &update);
                    (index, request.await.map_err(Trouble::from))
                });
            }
        }
        let mut outcome = Ok(true);
        while let Some(finished) = tasks.join_next().await {
            let Ok((index, answer)) = finished else {
                continue;
            };
            match self.beaten(index, now, answer) {
                Ok(known) => outcome = outcome.map(|all| all && known),
                Err(trouble) => outcome = Err(trouble),
            }
        }
        outcome
    }

    /// Takes notice of the answer to a heartbeat. Returns whether the platform knows the service.
    fn beaten(
        &mut self,
        index: usize,
        sent: Instant,
        answer: Result<UpdateApplicationServiceLivenessSuccess, Trouble>,
    ) -> Result<bool, Trouble> {
        let subject = format!("heartbeat of {}", self.configuration.services[index].ser_name);
        let held = &mut self.services[index];
        let Some(registered) = &mut held.registered else {
            return Ok(true);
        };
        match answer {
            Ok(success) => {
                if let UpdateApplicationServiceLivenessSuccess::Ok { body, .. } = success {
                    registered.interval = granted(body.interval);
                    registered.there.state = body.state;
                } else if registered.there.state == ServiceState::Suspended {
                    registered.there.state = ServiceState::Active;
                }
                registered.heartbeat = Some(sent + registered.interval / 2);
                tracing::debug!(service = %registered.there.ser_instance_id, "heartbeat");
                self.say(&subject, None);
                Ok(true)
            }
            Err(Trouble::Unknown(reason)) => {
                tracing::warn!(service = %registered.there.ser_instance_id, reason, "the platform has lost a service");
                held.registered = None;
                held.error = Some(reason);
                Ok(false)
            }
            Err(trouble) => {
                // Sent again after the next check, which the failure brings about.
                let wait = registered.interval / 4;
                registered.heartbeat = Some(sent + wait.max(Duration::from_millis(250)));
                if trouble.is_away() {
                    return Err(trouble);
                }
                self.say(&subject, Some(trouble.message()));
                Ok(true)
            }
        }
    }
}
