//! The generated server trait, implemented: each operation in its own words, the work in the other modules.

use std::sync::Arc;

use mec011_service_management::server::ServiceManagement;
use mec011_service_management::{
    CreateApplicationService, CreateApplicationServiceResponse, CreateApplicationSubscription,
    CreateApplicationSubscriptionResponse, DeleteApplicationService, DeleteApplicationServiceResponse,
    DeleteApplicationSubscription, DeleteApplicationSubscriptionResponse, GetApplicationService,
    GetApplicationServiceLiveness, GetApplicationServiceLivenessResponse, GetApplicationServiceResponse,
    GetApplicationSubscription, GetApplicationSubscriptionResponse, GetService, GetServiceResponse, LinkType,
    ListApplicationServices, ListApplicationServicesResponse, ListApplicationSubscriptions,
    ListApplicationSubscriptionsResponse, ListServices, ListServicesResponse, ListTransports,
    ListTransportsResponse, ReplaceApplicationService, ReplaceApplicationServiceResponse, ServiceState,
    SubscriptionLinkList, SubscriptionLinkListLinks, UpdateApplicationServiceLiveness,
    UpdateApplicationServiceLivenessResponse,
};
use mecforge_contracts::{Applications, Presence, access, keys};
use mecforge_runtime::Location;
use mecforge_runtime::server::{Caller, Problem};
use mecforge_store::{Store, Transaction};

use crate::filter::Filter;
use crate::index::Index;
use crate::service::Service;
use crate::transports::Transports;

/// What one application may use at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The most services that one application instance may offer; `None` for no limit.
    pub services_per_application: Option<usize>,
}

/// Service management on a store.
pub struct Registry {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) applications: Arc<dyn Applications>,
    pub(crate) index: Arc<Index>,
    pub(crate) transports: Transports,
    pub(crate) limits: Limits,
}

impl Registry {
    /// A registry of the services in `store`.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        applications: Arc<dyn Applications>,
        transports: Transports,
        limits: Limits,
    ) -> Self {
        let index = Arc::new(Index::default());
        store.attach(keys::SERVICES, index.clone());
        Self {
            store,
            applications,
            index,
            transports,
            limits,
        }
    }

    /// Removes the services of application instances that no longer exist: those that the configuration declared
    /// when the services were registered, and does not declare any more. To be called before requests are taken.
    ///
    /// # Errors
    /// What the store says.
    pub async fn remove_orphans(&self) -> Result<usize, mecforge_store::CommitError> {
        let mut removed = 0;
        for application in self.index.applications() {
            if self.applications.presence(&application) == Presence::Absent {
                removed += self.index.count_of(&application);
                tracing::warn!(%application, "removing the services of an application instance that no longer exists");
                self.store
                    .commit(Transaction::new().delete_prefix(keys::services_of(&application)))
                    .await?;
            }
        }
        Ok(removed)
    }

    /// How many services there are, all of them or those in a state.
    #[must_use]
    pub fn count(&self, state: Option<ServiceState>) -> usize {
        self.index.count(state)
    }

    /// The service of an application instance.
    pub(crate) fn find(&self, app_instance_id: &str, service_id: &str) -> Result<Arc<Service>, Problem> {
        let service = self
            .index
            .get(service_id)
            .filter(|service| *service.application == *app_instance_id);
        service.ok_or_else(|| unknown_service(service_id))
    }

    fn existing(&self, caller: &Caller, app_instance_id: &str) -> Result<Presence, Problem> {
        access::existing(&*self.applications, caller, app_instance_id)
    }
}

fn unknown_service(service_id: &str) -> Problem {
    let shown: String = service_id.chars().take(access::LONGEST_IDENTIFIER).collect();
    Problem::not_found(format!("there is no service {shown:?} here")).with_parameter("serviceId")
}

fn unknown_subscription(subscription_id: &str) -> Problem {
    let shown: String = subscription_id.chars().take(access::LONGEST_IDENTIFIER).collect();
    Problem::not_found(format!("there is no subscription {shown:?}")).with_parameter("subscriptionId")
}

/// Why there is no liveness resource (MEC 011 clause 8.1.2.2: a platform need not ask for heartbeats).
fn no_heartbeats() -> Problem {
    Problem::not_found("this platform asks for no heartbeats of this service: its _links have no liveness")
}

impl ServiceManagement for Registry {
    async fn list_services(
        &self,
        request: ListServices,
        caller: &Caller,
    ) -> Result<ListServicesResponse, Problem> {
        let filter = Filter::try_from(request.query)?;
        let body = self
            .index
            .find(None, &filter)
            .iter()
            .map(|service| service.shown_to(caller))
            .collect();
        Ok(ListServicesResponse::Ok { etag: None, body })
    }

    async fn get_service(&self, request: GetService, caller: &Caller) -> Result<GetServiceResponse, Problem> {
        let service = self
            .index
            .get(&request.service_id)
            .ok_or_else(|| unknown_service(&request.service_id))?;
        Ok(GetServiceResponse::Ok {
            etag: Some(service.entity_tag()),
            body: service.shown_to(caller),
        })
    }

    async fn list_transports(
        &self,
        _: ListTransports,
        _: &Caller,
    ) -> Result<ListTransportsResponse, Problem> {
        Ok(ListTransportsResponse::Ok {
            etag: None,
            body: self.transports.all().to_vec(),
        })
    }

    async fn list_application_services(
        &self,
        request: ListApplicationServices,
        caller: &Caller,
    ) -> Result<ListApplicationServicesResponse, Problem> {
        let filter = Filter::try_from(request.query)?;
        self.existing(caller, &request.app_instance_id)?;
        let services = self.index.find(Some(&request.app_instance_id), &filter);
        let body = services.iter().map(|service| service.shown_to(caller)).collect();
        Ok(ListApplicationServicesResponse::Ok { etag: None, body })
    }

    async fn create_application_service(
        &self,
        request: CreateApplicationService,
        caller: &Caller,
    ) -> Result<CreateApplicationServiceResponse, Problem> {
        let presence = self.existing(caller, &request.app_instance_id)?;
        let (body, etag) = self
            .create(presence, &request.app_instance_id, request.service_info, caller)
            .await?;
        let location = Location::new(&body.links.self_.href);
        Ok(CreateApplicationServiceResponse::Created {
            location,
            etag: Some(etag),
            body,
        })
    }

    async fn get_application_service(
        &self,
        request: GetApplicationService,
        caller: &Caller,
    ) -> Result<GetApplicationServiceResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        let service = self.find(&request.app_instance_id, &request.service_id)?;
        Ok(GetApplicationServiceResponse::Ok {
            etag: Some(service.entity_tag()),
            body: service.shown_to(caller),
        })
    }

    async fn replace_application_service(
        &self,
        request: ReplaceApplicationService,
        caller: &Caller,
    ) -> Result<ReplaceApplicationServiceResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        let (body, etag) = self.replace(request, caller).await?;
        Ok(ReplaceApplicationServiceResponse::Ok {
            etag: Some(etag),
            body,
        })
    }

    async fn delete_application_service(
        &self,
        request: DeleteApplicationService,
        caller: &Caller,
    ) -> Result<DeleteApplicationServiceResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        self.delete(&request).await?;
        Ok(DeleteApplicationServiceResponse::NoContent)
    }

    async fn list_application_subscriptions(
        &self,
        request: ListApplicationSubscriptions,
        caller: &Caller,
    ) -> Result<ListApplicationSubscriptionsResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        let own = caller.url(&ListApplicationSubscriptions::path(&request.app_instance_id));
        let links = SubscriptionLinkListLinks::new(LinkType::new(own));
        Ok(ListApplicationSubscriptionsResponse::Ok {
            etag: None,
            body: SubscriptionLinkList::new(links),
        })
    }

    async fn create_application_subscription(
        &self,
        request: CreateApplicationSubscription,
        caller: &Caller,
    ) -> Result<CreateApplicationSubscriptionResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        Err(Problem::not_implemented(
            "this platform does not offer subscriptions to service availability yet",
        ))
    }

    async fn get_application_subscription(
        &self,
        request: GetApplicationSubscription,
        caller: &Caller,
    ) -> Result<GetApplicationSubscriptionResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        Err(unknown_subscription(&request.subscription_id))
    }

    async fn delete_application_subscription(
        &self,
        request: DeleteApplicationSubscription,
        caller: &Caller,
    ) -> Result<DeleteApplicationSubscriptionResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        Err(unknown_subscription(&request.subscription_id))
    }

    async fn get_application_service_liveness(
        &self,
        request: GetApplicationServiceLiveness,
        caller: &Caller,
    ) -> Result<GetApplicationServiceLivenessResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        self.find(&request.app_instance_id, &request.service_id)?;
        Err(no_heartbeats())
    }

    async fn update_application_service_liveness(
        &self,
        request: UpdateApplicationServiceLiveness,
        caller: &Caller,
    ) -> Result<UpdateApplicationServiceLivenessResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        self.find(&request.app_instance_id, &request.service_id)?;
        Err(no_heartbeats())
    }
}
