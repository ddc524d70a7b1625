//! Suspending services that have not been heard of: many in one transaction.

use std::sync::Arc;

use mec011_service_management::ServiceState;
use mecforge_runtime::server::Problem;
use mecforge_store::{CommitError, Expected, Transaction};

use crate::availability::Refused;
use crate::event::Event;
use crate::registry::{ATTEMPTS, Registry};
use crate::service::{Content, Service};

/// The most services that are suspended in one transaction.
pub(crate) const LARGEST_BATCH: usize = 256;

/// A service that is to be suspended, and what it was when that was decided.
struct Late {
    service: Arc<Service>,
    suspended: Content,
    beats: u64,
}

impl Registry {
    /// Suspends those of these services that still are late.
    pub(crate) async fn suspend(&self, ids: &[Arc<str>]) -> Result<(), Problem> {
        let mut conflicts = 0;
        loop {
            let mut late = self.late(ids);
            late.truncate(LARGEST_BATCH);
            if late.is_empty() {
                return Ok(());
            }
            let mut events: Vec<Event<'_>> = late.iter().map(Late::event).collect();
            events.truncate(self.availability.fitting(&events));
            let late = &late[..events.len()];
            let mut transaction = Transaction::new();
            for Late {
                service, suspended, ..
            } in late
            {
                let key = service.key();
                transaction = transaction
                    .expect(&*key, Expected::Revision(service.modified))
                    .put(key, suspended.write().map_err(Problem::internal)?);
            }
            match self.publish(&events, &transaction).await {
                Ok(_) => self.suspended(late).await?,
                // One of them has changed or gone; the next look tells which.
                Err(Refused::Commit(CommitError::Conflict { .. })) if conflicts < ATTEMPTS => conflicts += 1,
                Err(refused) => return Err(refused.into()),
            }
        }
    }

    /// Which of these services are late now.
    fn late(&self, ids: &[Arc<str>]) -> Vec<Late> {
        let now = self.clock.now();
        let late = ids.iter().filter_map(|id| {
            let service = self.index.get(id)?;
            // Counted before it is judged: a later sign of life makes a difference to the count.
            let beats = service.pulse.count();
            (self.due(&service)? <= now).then(|| Late {
                suspended: service.content.in_state(ServiceState::Suspended),
                service,
                beats,
            })
        });
        late.collect()
    }

    /// When a service is late; `None` if it is not watched.
    pub(crate) fn due(&self, service: &Service) -> Option<u64> {
        let interval = service
            .content
            .interval()
            .filter(|_| service.content.is_watched())?;
        Some(service.pulse.due(self.options.liveness.patience(interval)))
    }

    /// Takes note of services that have been suspended. Those that were heard of meanwhile are active again at once.
    async fn suspended(&self, late: &[Late]) -> Result<(), Problem> {
        self.counters.suspended.inc_by(late.len() as u64);
        for Late { service, beats, .. } in late {
            tracing::info!(
                service = &*service.id,
                application = &*service.application,
                "suspended: no heartbeat"
            );
            if service.pulse.count() != *beats {
                self.resume(&service.id).await?;
            }
        }
        Ok(())
    }
}

impl Late {
    fn event(&self) -> Event<'_> {
        Event {
            id: &self.service.id,
            before: Some(&self.service.content),
            after: Some(&self.suspended),
        }
    }
}
