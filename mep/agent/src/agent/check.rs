//! Bringing the platform to what the configuration says.

use mec011_service_management::{
    ListApplicationServicesQuery, SerAvailabilityNotificationSubscription, ServiceInfo, ServiceInfoRequest,
    ServiceState,
};
use tokio::time::Instant;

use super::heartbeat::granted;
use super::{Agent, Registered, gone};
use crate::matching::{contains, is_as_wanted, pair};
use crate::platform::Trouble;

impl Agent {
    /// Compares the platform with the configuration and changes what differs. Returns whether all of it worked.
    pub(super) async fn check(&mut self) -> Result<bool, Trouble> {
        let app = self.application().await?;
        self.app_instance_id = Some(app.clone());
        self.save();
        let there = self.listed(&app).await?;
        self.say("platform", None);
        let complete = self.check_services(&app, &there).await?;
        let complete = self.check_subscriptions(&app).await? && complete;
        if complete {
            self.confirm_ready(&app).await?;
        }
        Ok(complete)
    }

    /// The services that the application instance has.
    pub(super) async fn listed(&self, app: &str) -> Result<Vec<ServiceInfo>, Trouble> {
        let query = ListApplicationServicesQuery::default();
        Ok(self
            .platform
            .services
            .list_application_services(app, &query)
            .await?
            .body)
    }

    /// The application instance; registers it where the configuration says so and it is not.
    async fn application(&mut self) -> Result<String, Trouble> {
        let known = self.app_instance_id.clone();
        let known = known
            .or_else(|| self.configuration.application.app_instance_id.clone())
            .or_else(|| self.saved.app_instance_id.clone());
        let Some(mut info) = self.configuration.application.registration.clone() else {
            return known.ok_or_else(|| Trouble::Refused("the application instance is not named".to_owned()));
        };
        info.app_instance_id.clone_from(&known);
        let support = &self.platform.support;
        if let Some(id) = &known {
            match support.get_registration(id).await.map_err(Trouble::from) {
                Ok(found) => {
                    if !self.registration_checked && !contains(&found.body, &info) {
                        support.replace_registration(id, &info).await?;
                        tracing::info!(application = %id, "the registration of the application instance is renewed");
                    }
                    self.registration_checked = true;
                    return Ok(id.clone());
                }
                Err(Trouble::Unknown(_)) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        let created = support.create_registration(&info).await?;
        let assigned = created
            .body
            .app_instance_id
            .or(known)
            .or_else(|| created.location.last_segment());
        let id = assigned
            .ok_or_else(|| Trouble::Refused("the platform names no application instance".to_owned()))?;
        self.registration_checked = true;
        self.confirmed_ready = false;
        tracing::info!(application = %id, "the application instance is registered");
        Ok(id)
    }

    async fn check_services(&mut self, app: &str, there: &[ServiceInfo]) -> Result<bool, Trouble> {
        let wanted = self.configuration.services.clone();
        let held: Vec<_> = self.services.iter().map(|held| held.id().cloned()).collect();
        let pairs = pair(&wanted, &held, there, &self.own_services);
        self.remove_former(app, there, &pairs).await?;
        let mut complete = true;
        for (index, (wanted, found)) in wanted.iter().zip(&pairs).enumerate() {
            let found = found.map(|other| &there[other]);
            let subject = format!("service {}", wanted.ser_name);
            match self.check_service(app, index, wanted, found).await {
                Ok(()) => self.say(&subject, None),
                Err(trouble) if trouble.is_away() => return Err(trouble),
                Err(trouble) => {
                    complete = false;
                    self.services[index].registered = None;
                    self.services[index].error = Some(trouble.message().to_owned());
                    self.say(&subject, Some(trouble.message()));
                }
            }
            self.save();
        }
        Ok(complete)
    }

    /// Removes the services that the agent once registered and the configuration no longer has.
    async fn remove_former(
        &mut self,
        app: &str,
        there: &[ServiceInfo],
        pairs: &[Option<usize>],
    ) -> Result<(), Trouble> {
        let claimed = |id: &str| {
            pairs
                .iter()
                .flatten()
                .any(|index| there[*index].ser_instance_id == id)
        };
        let former: Vec<_> = self
            .own_services
            .iter()
            .filter(|id| !claimed(id))
            .cloned()
            .collect();
        for id in former {
            if there.iter().any(|service| service.ser_instance_id == id) {
                let request = self.platform.services.delete_application_service(app, &id);
                gone(request.await.map(drop).map_err(Trouble::from))?;
                tracing::info!(service = %id, "a service that the configuration no longer has is removed");
            }
            self.own_services.remove(&id);
        }
        Ok(())
    }

    async fn check_service(
        &mut self,
        app: &str,
        index: usize,
        wanted: &ServiceInfoRequest,
        found: Option<&ServiceInfo>,
    ) -> Result<(), Trouble> {
        let client = self.platform.services.clone();
        let name = &wanted.ser_name;
        let Some(found) = found else {
            let there = client.create_application_service(app, wanted).await?.body;
            tracing::info!(service = %name, id = %there.ser_instance_id, "registered");
            return self.hold(app, index, Some(wanted), there).await;
        };
        let id = &found.ser_instance_id;
        let before = self.services[index].registered.as_ref();
        let sent = before.and_then(|registered| registered.sent.clone());
        let changed = sent.as_ref().is_some_and(|sent| sent != wanted);
        // What a platform makes of a request may differ from it for good: only what has changed since is a reason.
        let differs = match before.filter(|registered| registered.sent.is_some()) {
            Some(registered) => {
                !same_but_state(&registered.there, found) || !is_as_wanted_state(wanted, found)
            }
            None => !is_as_wanted(wanted, found),
        };
        if changed || differs {
            let there = client.replace_application_service(app, id, wanted).await?.body;
            tracing::info!(service = %name, %id, "brought up to date");
            return self.hold(app, index, Some(wanted), there).await;
        }
        if before.is_none_or(|registered| registered.there.ser_instance_id != *id) {
            tracing::info!(service = %name, %id, "found again");
        }
        self.hold(app, index, sent.as_ref(), found.clone()).await
    }

    /// Remembers what the platform has for a service, and when it wants a heartbeat.
    async fn hold(
        &mut self,
        app: &str,
        index: usize,
        sent: Option<&ServiceInfoRequest>,
        there: ServiceInfo,
    ) -> Result<(), Trouble> {
        self.own_services.insert(there.ser_instance_id.clone());
        let interval = match (&there.links.liveness, there.liveness_interval) {
            (None, _) => None,
            (Some(_), Some(seconds)) => Some(seconds),
            (Some(_), None) => {
                let id = &there.ser_instance_id;
                let request = self.platform.services.get_application_service_liveness(app, id);
                Some(request.await?.body.interval)
            }
        };
        let interval = interval.map(granted);
        let held = &mut self.services[index];
        let before = held
            .registered
            .as_ref()
            .filter(|before| before.there.ser_instance_id == there.ser_instance_id);
        let now = Instant::now();
        let heartbeat = interval.map(|interval| {
            let half = now + interval / 2;
            match before.and_then(|before| before.heartbeat) {
                _ if there.state == ServiceState::Suspended => now,
                Some(due) => due.min(half),
                // One that was just registered counts from now; of one that was found nobody knows how late it is.
                None if sent.is_some() => half,
                None => now,
            }
        });
        held.error = None;
        held.registered = Some(Registered {
            sent: sent.cloned(),
            there,
            heartbeat,
            interval: interval.unwrap_or_default(),
        });
        Ok(())
    }

    async fn check_subscriptions(&mut self, app: &str) -> Result<bool, Trouble> {
        if self.configuration.subscriptions.is_empty() && self.own_subscriptions.is_empty() {
            return Ok(true);
        }
        let mut there = self.subscribed(app).await?;
        let wanted = self.configuration.subscriptions.clone();
        let mut complete = true;
        let mut claimed = Vec::new();
        for (index, wanted) in wanted.iter().enumerate() {
            let subject = format!("subscription {index}");
            if let Some(found) = there.iter().position(|(_, there)| contains(there, wanted)) {
                claimed.push(there.swap_remove(found).0);
                continue;
            }
            let request = self
                .platform
                .services
                .create_application_subscription(app, wanted);
            match request.await.map_err(Trouble::from) {
                Ok(created) => {
                    claimed.extend(created.location.last_segment());
                    tracing::info!(callback = %wanted.callback_reference, "subscribed");
                    self.say(&subject, None);
                }
                Err(trouble) if trouble.is_away() => return Err(trouble),
                Err(trouble) => {
                    complete = false;
                    self.say(&subject, Some(trouble.message()));
                }
            }
        }
        for (id, _) in there.iter().filter(|(id, _)| self.own_subscriptions.contains(id)) {
            let request = self.platform.services.delete_application_subscription(app, id);
            gone(request.await.map(drop).map_err(Trouble::from))?;
            tracing::info!(subscription = %id, "a subscription that the configuration no longer has is removed");
        }
        self.own_subscriptions = claimed.into_iter().collect();
        self.save();
        Ok(complete)
    }

    /// The subscriptions that the application instance has, with their identifiers.
    async fn subscribed(
        &self,
        app: &str,
    ) -> Result<Vec<(String, SerAvailabilityNotificationSubscription)>, Trouble> {
        let client = &self.platform.services;
        let list = client
            .list_application_subscriptions(app)
            .await?
            .body
            .links
            .subscriptions;
        let mut subscriptions = Vec::new();
        for link in list.unwrap_or_default() {
            let Some(id) = mecforge_runtime::Location::new(&link.href).last_segment() else {
                continue;
            };
            match client
                .get_application_subscription(app, &id)
                .await
                .map_err(Trouble::from)
            {
                Ok(subscription) => subscriptions.push((id, subscription.body)),
                Err(Trouble::Unknown(_)) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(subscriptions)
    }

    /// Tells the platform that the application is ready, once for each registration. A platform that does not
    /// want to know is not asked again: nothing depends on it.
    async fn confirm_ready(&mut self, app: &str) -> Result<(), Trouble> {
        if self.confirmed_ready || !self.configuration.application.confirm_ready {
            return Ok(());
        }
        let ready = mec011_app_support::AppReadyConfirmation::new();
        match self
            .platform
            .support
            .confirm_ready_application(app, &ready)
            .await
            .map_err(Trouble::from)
        {
            Err(trouble) if trouble.is_away() => return Err(trouble),
            Err(trouble) => tracing::info!(
                reason = trouble.message(),
                "the platform takes no confirmation of readiness"
            ),
            Ok(_) => tracing::info!("the platform knows that the application is ready"),
        }
        self.confirmed_ready = true;
        Ok(())
    }
}

/// Whether nobody has changed a service since the platform last spoke of it; its state may be another.
fn same_but_state(before: &ServiceInfo, now: &ServiceInfo) -> bool {
    let mut before = before.clone();
    before.state = now.state;
    before == *now
}

fn is_as_wanted_state(wanted: &ServiceInfoRequest, there: &ServiceInfo) -> bool {
    wanted.state == there.state
        || (there.state == ServiceState::Suspended
            && there.links.liveness.is_some()
            && wanted.state == ServiceState::Active)
}
