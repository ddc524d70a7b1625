//! The end of application instances: their services and subscriptions go with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use mecforge_contracts::rules::Later;
use mecforge_contracts::{Belongings, Presence, keys};
use mecforge_store::{CommitError, Expected, Transaction};

use crate::availability::Refused;
use crate::event::Event;
use crate::registry::{ATTEMPTS, Registry};
use crate::service::Service;

impl Registry {
    /// Removes the services and subscriptions of application instances that no longer exist: those that the
    /// configuration declared when they came, and does not declare any more. Subscriptions of others are told. To be
    /// called before requests are taken. Returns how many services have gone.
    ///
    /// # Errors
    /// What the store says.
    pub async fn remove_orphans(&self) -> Result<usize, CommitError> {
        let mut owners: BTreeSet<Arc<str>> = self.index.applications().into_iter().collect();
        owners.extend(self.subscriptions().applications());
        let mut removed = 0;
        for application in owners {
            if self.applications.presence(&application) == Presence::Absent {
                let services = self.index.count_of(&application);
                tracing::warn!(%application, services, "removing what an application instance has left that no longer exists");
                self.remove_orphan(&application).await?;
                removed += services;
            }
        }
        Ok(removed)
    }

    async fn remove_orphan(&self, application: &str) -> Result<(), CommitError> {
        while let Some(part) = self.remove_part(application) {
            part.await?;
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            let transaction = self.remove_all(application, Transaction::new());
            match self.store.commit(transaction).await {
                Err(CommitError::Conflict { .. }) if attempt < ATTEMPTS => {}
                committed => return committed.map(|_| ()),
            }
        }
    }

    /// Removes services that still are as they were found, and tells of it.
    async fn remove_services(&self, services: &[Arc<Service>]) -> Result<(), CommitError> {
        let mut transaction = Transaction::new();
        for service in services {
            let key = service.key();
            transaction = transaction
                .expect(&*key, Expected::Revision(service.modified))
                .delete(key);
        }
        let committed = match self.publish(&removals(services), &transaction).await {
            Err(Refused::Notification(problem)) => {
                tracing::error!(%problem, "the removal of services cannot be announced");
                self.store.commit(transaction).await
            }
            Err(Refused::Commit(error)) => Err(error),
            Ok(revision) => Ok(revision),
        };
        match committed {
            Ok(_) | Err(CommitError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What happens to services that go.
fn removals(services: &[Arc<Service>]) -> Vec<Event<'_>> {
    let removals = services.iter().map(|service| Event {
        id: &service.id,
        before: Some(&service.content),
        after: None,
    });
    removals.collect()
}

impl Belongings for Registry {
    fn remove_all(&self, app_instance_id: &str, mut transaction: Transaction) -> Transaction {
        let prefix = keys::services_of(app_instance_id);
        let existing = self.store.range(&prefix, None, usize::MAX);
        transaction = transaction.expect_none_newer(prefix, existing.revision);
        let mut services = Vec::with_capacity(existing.entries.len());
        for (key, entry) in existing.entries {
            services.extend(Service::read(&key, &entry).map(Arc::new));
            transaction = transaction
                .expect(key.clone(), Expected::Revision(entry.modified))
                .delete(key);
        }
        let events = removals(&services);
        let told = match events.is_empty() {
            true => Ok(transaction.clone()),
            false => self
                .availability
                .announce(&events, Some(app_instance_id), transaction.clone()),
        };
        let transaction = told.unwrap_or_else(|problem| {
            // An application instance that cannot be removed would be worse than a notification that is missing.
            tracing::error!(%problem, app_instance_id, "the removal of services cannot be announced");
            transaction
        });
        self.subscriptions().remove_all(app_instance_id, transaction)
    }

    fn remove_part(&self, app_instance_id: &str) -> Option<Later<'_, Result<(), CommitError>>> {
        let mut services = self.index.of(app_instance_id);
        let fitting = self.availability.fitting(&removals(&services));
        if services.len() <= fitting {
            return None;
        }
        services.truncate(fitting);
        Some(Box::pin(async move { self.remove_services(&services).await }))
    }
}
