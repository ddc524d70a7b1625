//! Undoing everything when the agent stops.

use std::collections::HashSet;

use super::{Agent, gone};
use crate::backoff::Backoff;
use crate::matching::pair;
use crate::platform::Trouble;

impl Agent {
    /// Removes what the agent has registered, and tries until it has worked: the caller sets the limit.
    pub(super) async fn remove_all(&mut self) {
        let mut backoff = Backoff::default();
        loop {
            match self.remove().await {
                Ok(()) => return,
                Err(trouble) => {
                    self.say("removal", Some(trouble.message()));
                    tokio::time::sleep(backoff.next(self.configuration.longest_delay)).await;
                }
            }
        }
    }

    async fn remove(&mut self) -> Result<(), Trouble> {
        let known = self.app_instance_id.clone();
        let known = known
            .or_else(|| self.configuration.application.app_instance_id.clone())
            .or_else(|| self.saved.app_instance_id.clone());
        // Without an identifier nothing has been registered.
        let Some(app) = known else { return Ok(()) };
        for id in self.own_subscriptions.clone() {
            let request = self.platform.services.delete_application_subscription(&app, &id);
            gone(request.await.map(drop).map_err(Trouble::from))?;
            self.own_subscriptions.remove(&id);
        }
        for id in self.services_to_remove(&app).await? {
            let request = self.platform.services.delete_application_service(&app, &id);
            gone(request.await.map(drop).map_err(Trouble::from))?;
            self.own_services.remove(&id);
        }
        if self.configuration.application.registration.is_some() {
            let request = self.platform.support.delete_registration(&app);
            gone(request.await.map(drop).map_err(Trouble::from))?;
        }
        Ok(())
    }

    /// The services that are the agent's, those included whose registration was cut off by the stop.
    async fn services_to_remove(&self, app: &str) -> Result<HashSet<String>, Trouble> {
        let there = match self.listed(app).await {
            Err(Trouble::Unknown(_)) => return Ok(HashSet::new()),
            there => there?,
        };
        let held: Vec<_> = self.services.iter().map(|held| held.id().cloned()).collect();
        let pairs = pair(&self.configuration.services, &held, &there, &self.own_services);
        let paired = pairs
            .into_iter()
            .flatten()
            .map(|index| there[index].ser_instance_id.clone());
        Ok(self.own_services.iter().cloned().chain(paired).collect())
    }
}
