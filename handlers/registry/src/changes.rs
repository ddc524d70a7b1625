//! Registering, replacing and removing services: one transaction each, with its notifications, acknowledged when it
//! is durable.

use std::sync::Arc;

use mec011_service_management::{
    DeleteApplicationService, ReplaceApplicationService, ServiceInfo, ServiceInfoRequest, ServiceState,
};
use mecforge_contracts::{Presence, access, keys, outcome};
use mecforge_runtime::server::{Caller, Problem};
use mecforge_runtime::{EntityTag, Preconditions};
use mecforge_store::{CommitError, Expected, Revision, Transaction};
use uuid::Uuid;

use crate::availability::Refused;
use crate::event::Event;
use crate::registry::{ATTEMPTS, Registry};
use crate::service::{Content, Service};

impl Registry {
    /// Registers a service (MEC 011 clause 8.2.6.3.4); returns it as answers show it, and its entity tag.
    pub(crate) async fn create(
        &self,
        presence: Presence,
        app_instance_id: &str,
        info: ServiceInfoRequest,
        caller: &Caller,
    ) -> Result<(ServiceInfo, EntityTag), Problem> {
        let content = self.take(info)?;
        // Who is limited takes turns, so that those who come together do not all find room for one more.
        let _turn = match self.options.services_per_application {
            Some(most) => {
                let turn = self.turn(app_instance_id).await;
                if self.index.count_of(app_instance_id) >= most {
                    return Err(Problem::forbidden(
                        "this application instance offers as many services as it may",
                    ));
                }
                Some(turn)
            }
            None => None,
        };
        let id = Uuid::new_v4().to_string();
        let key = keys::service(app_instance_id, &id);
        let value = content.write().map_err(Problem::internal)?;
        let transaction = Transaction::new().expect(&*key, Expected::Absent).put(key, value);
        let transaction = presence.guard(transaction, app_instance_id);
        let event = Event {
            id: &id,
            before: None,
            after: Some(&content),
        };
        let revision = match self.publish(&[event], &transaction).await {
            Ok(revision) => revision,
            Err(Refused::Commit(CommitError::Conflict { key, .. }))
                if key.starts_with(keys::APPLICATIONS) || key.starts_with(keys::CONFIGURATIONS) =>
            {
                return Err(access::unknown(app_instance_id));
            }
            Err(refused) => return Err(refused.into()),
        };
        if let Some(service) = self.index.get(&id) {
            service.pulse.beat(&self.clock);
        }
        let body = content.shown(caller, app_instance_id, &id);
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
            service_info,
        } = request;
        let found = self.find(&app_instance_id, &service_id)?;
        preconditions.check(Some(&found.entity_tag()))?;
        let content = self.take(service_info)?;
        if content.info.state == ServiceState::Active {
            // Who says that the service is active is heard of, and must not be suspended for its silence meanwhile.
            found.pulse.beat(&self.clock);
        }
        let revision = self
            .change(&app_instance_id, &service_id, &preconditions, Some(&content))
            .await?;
        let body = content.shown(caller, &app_instance_id, &service_id);
        Ok((body, outcome::entity_tag(revision)))
    }

    /// Removes a service (clause 8.2.7.3.5).
    pub(crate) async fn delete(&self, request: &DeleteApplicationService) -> Result<(), Problem> {
        let DeleteApplicationService {
            app_instance_id,
            service_id,
            preconditions,
        } = request;
        self.change(app_instance_id, service_id, preconditions, None)
            .await
            .map(|_| ())
    }

    /// Commits what becomes of a service; `None` removes it.
    ///
    /// The transaction always names the revision that the notifications were made from. Who gave no condition does not
    /// see that: the change is made anew from what the service has become.
    async fn change(
        &self,
        app_instance_id: &str,
        service_id: &str,
        preconditions: &Preconditions,
        content: Option<&Content>,
    ) -> Result<Revision, Problem> {
        let value = content
            .map(Content::write)
            .transpose()
            .map_err(Problem::internal)?;
        let _turn = self.turn(service_id).await;
        for _ in 0..ATTEMPTS {
            let found = self.find(app_instance_id, service_id)?;
            preconditions.check(Some(&found.entity_tag()))?;
            let transaction = changing(&found, value.as_ref());
            let event = Event {
                id: service_id,
                before: Some(&found.content),
                after: content,
            };
            match self.publish(&[event], &transaction).await {
                Ok(revision) => return Ok(revision),
                Err(Refused::Commit(CommitError::Conflict { .. })) => {}
                Err(refused) => return Err(refused.into()),
            }
        }
        Err(Problem::service_unavailable(
            "the service changes too often at the moment; try again",
        ))
    }

    /// What is kept of what an application says: with the transport that it means, and the interval that is granted.
    fn take(&self, mut info: ServiceInfoRequest) -> Result<Content, Problem> {
        let transport = match (info.transport_id.take(), info.transport_info.take()) {
            (Some(id), _) => self.transports.get(&id).cloned().ok_or_else(|| {
                Problem::bad_request(
                    "/transportId names no transport that this platform offers; see /transports",
                )
                .with_pointer("/transportId")
                .with_rule("offeredTransport")
            })?,
            (None, Some(transport)) => transport,
            // The type has refused this already.
            (None, None) => {
                return Err(Problem::bad_request("transportId or transportInfo is missing").with_pointer(""));
            }
        };
        info.liveness_interval = self.options.liveness.grant(info.liveness_interval);
        Ok(Content { info, transport })
    }
}

/// The transaction that sets a service to a value, or removes it, if it still is as it was found.
fn changing(found: &Arc<Service>, value: Option<&Vec<u8>>) -> Transaction {
    let key = found.key();
    let transaction = Transaction::new().expect(&*key, Expected::Revision(found.modified));
    match value {
        Some(value) => transaction.put(key, value.clone()),
        None => transaction.delete(key),
    }
}
