//! Registering, replacing and removing services: one transaction each, acknowledged when it is durable.

use mec011_service_management::{
    DeleteApplicationService, ReplaceApplicationService, ServiceInfo, ServiceInfoRequest, TransportInfo,
};
use mecforge_contracts::{Presence, access, keys, outcome};
use mecforge_runtime::EntityTag;
use mecforge_runtime::server::{Caller, Problem};
use mecforge_store::{CommitError, Expected, Transaction};
use uuid::Uuid;

use crate::registry::Registry;
use crate::service::{Service, location, shown};

impl Registry {
    /// Registers a service (MEC 011 clause 8.2.6.3.4); returns it as answers show it, and its entity tag.
    pub(crate) async fn create(
        &self,
        presence: Presence,
        app_instance_id: &str,
        mut info: ServiceInfoRequest,
        caller: &Caller,
    ) -> Result<(ServiceInfo, EntityTag), Problem> {
        if self
            .limits
            .services_per_application
            .is_some_and(|most| self.index.count_of(app_instance_id) >= most)
        {
            return Err(Problem::forbidden(
                "this application instance offers as many services as it may",
            ));
        }
        let transport = self.take_transport(&mut info)?;
        let id = Uuid::new_v4().to_string();
        let key = keys::service(app_instance_id, &id);
        let value = Service::write(&info, &transport).map_err(Problem::internal)?;
        let transaction = Transaction::new().expect(&*key, Expected::Absent).put(key, value);
        let revision = match self
            .store
            .commit(presence.guard(transaction, app_instance_id))
            .await
        {
            Ok(revision) => revision,
            Err(CommitError::Conflict { .. }) => return Err(access::unknown(app_instance_id)),
            Err(error) => return Err(outcome::problem(error)),
        };
        let body = shown(&info, &transport, &id, location(caller, app_instance_id, &id));
        Ok((body, outcome::entity_tag(revision)))
    }

    /// Replaces everything that the application says about a service (clause 8.2.7.3.2).
    pub(crate) async fn replace(
        &self,
        request: ReplaceApplicationService,
        caller: &Caller,
    ) -> Result<(ServiceInfo, EntityTag), Problem> {
        let ReplaceApplicationService {
            app_instance_id,
            service_id,
            preconditions,
            service_info: mut info,
        } = request;
        let found = self.find(&app_instance_id, &service_id)?;
        preconditions.check(Some(&found.entity_tag()))?;
        let transport = self.take_transport(&mut info)?;
        let key = keys::service(&app_instance_id, &service_id);
        let expected = outcome::expected(&preconditions, found.modified);
        let value = Service::write(&info, &transport).map_err(Problem::internal)?;
        let transaction = Transaction::new().expect(&*key, expected).put(key, value);
        let committed = self.store.commit(transaction).await;
        let revision = committed.map_err(|error| self.lost(error, &app_instance_id, &service_id))?;
        let body = shown(
            &info,
            &transport,
            &service_id,
            location(caller, &app_instance_id, &service_id),
        );
        Ok((body, outcome::entity_tag(revision)))
    }

    /// Removes a service (clause 8.2.7.3.5).
    pub(crate) async fn delete(&self, request: &DeleteApplicationService) -> Result<(), Problem> {
        let DeleteApplicationService {
            app_instance_id,
            service_id,
            preconditions,
        } = request;
        let found = self.find(app_instance_id, service_id)?;
        preconditions.check(Some(&found.entity_tag()))?;
        let key = keys::service(app_instance_id, service_id);
        let expected = outcome::expected(preconditions, found.modified);
        let committed = self
            .store
            .commit(Transaction::new().expect(&*key, expected).delete(key))
            .await;
        committed
            .map(|_| ())
            .map_err(|error| self.lost(error, app_instance_id, service_id))
    }

    /// What to say when another request was quicker: the service is gone, or no longer what the condition named.
    fn lost(&self, error: CommitError, app_instance_id: &str, service_id: &str) -> Problem {
        match error {
            CommitError::Conflict { .. } => match self.find(app_instance_id, service_id) {
                Ok(_) => Problem::precondition_failed(
                    "the service was changed by another request at the same time",
                )
                .with_parameter("If-Match"),
                Err(gone) => gone,
            },
            error => outcome::problem(error),
        }
    }

    /// The transport that a service uses: the offered one that the application named, or its own. Afterwards `info`
    /// names neither.
    fn take_transport(&self, info: &mut ServiceInfoRequest) -> Result<TransportInfo, Problem> {
        match (info.transport_id.take(), info.transport_info.take()) {
            (Some(id), _) => self.transports.get(&id).cloned().ok_or_else(|| {
                Problem::bad_request(
                    "/transportId names no transport that this platform offers; see /transports",
                )
                .with_pointer("/transportId")
                .with_rule("offeredTransport")
            }),
            (None, Some(transport)) => Ok(transport),
            // The type has refused this already.
            (None, None) => {
                Err(Problem::bad_request("transportId or transportInfo is missing").with_pointer(""))
            }
        }
    }
}
