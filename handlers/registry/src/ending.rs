//! The end of application instances: their services and subscriptions go with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use mecforge_contracts::{Belongings, Presence, keys};
use mecforge_store::{CommitError, Expected, Transaction};

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
}

impl Belongings for Registry {
    fn remove_all(&self, app_instance_id: &str, mut transaction: Transaction) -> Transaction {
        let prefix = keys::services_of(app_instance_id);
        let existing = self.store.range(&prefix, None, usize::MAX);
        transaction = transaction.expect_none_newer(prefix, existing.revision);
        let mut services = Vec::with_capacity(existing.entries.len());
        for (key, entry) in existing.entries {
            services.extend(Service::read(&key, &entry));
            transaction = transaction
                .expect(key.clone(), Expected::Revision(entry.modified))
                .delete(key);
        }
        let events: Vec<Event<'_>> = services
            .iter()
            .map(|service| Event {
                id: &service.id,
                before: Some(&service.content),
                after: None,
            })
            .collect();
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
}
