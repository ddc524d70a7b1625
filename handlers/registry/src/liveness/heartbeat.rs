//! The liveness resource of a service: reading it, and taking heartbeats.

use mec011_service_management::{ServiceLivenessInfo, ServiceState};
use mecforge_runtime::server::Problem;
use mecforge_runtime::{EntityTag, Preconditions};
use mecforge_store::{CommitError, Expected, Transaction};

use crate::availability::Refused;
use crate::event::Event;
use crate::registry::{ATTEMPTS, Registry};
use crate::service::Service;

impl Service {
    /// The liveness resource (MEC 011 clause 8.1.2.4).
    fn liveness(&self) -> Result<(EntityTag, ServiceLivenessInfo), Problem> {
        let interval = self.content.interval().ok_or_else(no_heartbeats)?;
        let info = ServiceLivenessInfo::new(
            self.content.info.state,
            self.pulse.time_stamp(),
            interval.as_secs(),
        );
        let tag = EntityTag::strong(format!("{}-{}", self.modified, self.pulse.nanoseconds()));
        Ok((tag, info))
    }
}

/// Why there is no liveness resource.
fn no_heartbeats() -> Problem {
    Problem::not_found("this platform asks for no heartbeats of this service: its _links have no liveness")
        .with_parameter("serviceId")
}

impl Registry {
    /// Reads the liveness resource.
    pub(crate) fn liveness(
        &self,
        app_instance_id: &str,
        service_id: &str,
    ) -> Result<(EntityTag, ServiceLivenessInfo), Problem> {
        self.find(app_instance_id, service_id)?.liveness()
    }

    /// Takes a heartbeat (clause 8.2.10.3.3) and tells what the liveness is then.
    ///
    /// A service that its application has made inactive stays so until the application says otherwise with a PUT.
    pub(crate) async fn heartbeat(
        &self,
        app_instance_id: &str,
        service_id: &str,
        preconditions: &Preconditions,
    ) -> Result<(EntityTag, ServiceLivenessInfo), Problem> {
        let service = self.find(app_instance_id, service_id)?;
        let (tag, _) = service.liveness()?;
        preconditions.check(Some(&tag))?;
        service.pulse.beat(&self.clock);
        self.counters.heartbeats.inc();
        // Looked at again behind the sign of life: whoever is suspending the service now looks for it afterwards.
        if self.find(app_instance_id, service_id)?.content.info.state == ServiceState::Suspended {
            self.resume(service_id).await?;
        }
        self.liveness(app_instance_id, service_id)
    }

    /// Makes a suspended service active again. One that is gone, or in another state by now, stays as it is.
    pub(crate) async fn resume(&self, service_id: &str) -> Result<(), Problem> {
        let _turn = self.turn(service_id).await;
        for _ in 0..ATTEMPTS {
            let suspended = self
                .index
                .get(service_id)
                .filter(|service| service.content.info.state == ServiceState::Suspended);
            let Some(service) = suspended else {
                return Ok(());
            };
            let content = service.content.in_state(ServiceState::Active);
            let event = Event {
                id: service_id,
                before: Some(&service.content),
                after: Some(&content),
            };
            let key = service.key();
            let transaction = Transaction::new()
                .expect(&*key, Expected::Revision(service.modified))
                .put(key, content.write().map_err(Problem::internal)?);
            match self.publish(&[event], &transaction).await {
                Ok(_) => {
                    self.counters.resumed.inc();
                    return Ok(());
                }
                Err(Refused::Commit(CommitError::Conflict { .. })) => {}
                Err(refused) => return Err(refused.into()),
            }
        }
        Err(Problem::service_unavailable(
            "the service changes too often at the moment; try again",
        ))
    }
}
