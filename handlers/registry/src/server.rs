//! The generated server trait, implemented: each operation in its own words, the work in the other modules.

use mec011_service_management::server::ServiceManagement;
use mec011_service_management::{
    CreateApplicationService, CreateApplicationServiceResponse, CreateApplicationSubscription,
    CreateApplicationSubscriptionResponse, DeleteApplicationService, DeleteApplicationServiceResponse,
    DeleteApplicationSubscription, DeleteApplicationSubscriptionResponse, GetApplicationService,
    GetApplicationServiceLiveness, GetApplicationServiceLivenessResponse, GetApplicationServiceResponse,
    GetApplicationSubscription, GetApplicationSubscriptionResponse, GetService, GetServiceResponse,
    ListApplicationServices, ListApplicationServicesResponse, ListApplicationSubscriptions,
    ListApplicationSubscriptionsResponse, ListServices, ListServicesResponse, ListTransports,
    ListTransportsResponse, ReplaceApplicationService, ReplaceApplicationServiceResponse,
    UpdateApplicationServiceLiveness, UpdateApplicationServiceLivenessResponse,
};
use mecforge_runtime::Location;
use mecforge_runtime::server::{Caller, Problem};

use crate::filter::Filter;
use crate::registry::{Registry, unknown_service};

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
        Ok(ListApplicationSubscriptionsResponse::Ok {
            etag: None,
            body: self.subscription_links(&request.app_instance_id, caller),
        })
    }

    async fn create_application_subscription(
        &self,
        request: CreateApplicationSubscription,
        caller: &Caller,
    ) -> Result<CreateApplicationSubscriptionResponse, Problem> {
        let CreateApplicationSubscription {
            app_instance_id,
            ser_availability_notification_subscription: wanted,
        } = request;
        let presence = self.existing(caller, &app_instance_id)?;
        let (made, body) = self
            .subscribe(presence, &app_instance_id, &wanted, caller)
            .await?;
        let path = GetApplicationSubscription::path(&app_instance_id, &made.id);
        Ok(CreateApplicationSubscriptionResponse::Created {
            location: Location::new(caller.url(&path)),
            etag: Some(made.entity_tag()),
            body,
        })
    }

    async fn get_application_subscription(
        &self,
        request: GetApplicationSubscription,
        caller: &Caller,
    ) -> Result<GetApplicationSubscriptionResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        let (found, body) = self.subscription(&request.app_instance_id, &request.subscription_id, caller)?;
        Ok(GetApplicationSubscriptionResponse::Ok {
            etag: Some(found.entity_tag()),
            body,
        })
    }

    async fn delete_application_subscription(
        &self,
        request: DeleteApplicationSubscription,
        caller: &Caller,
    ) -> Result<DeleteApplicationSubscriptionResponse, Problem> {
        let DeleteApplicationSubscription {
            app_instance_id,
            subscription_id,
            preconditions,
        } = request;
        self.existing(caller, &app_instance_id)?;
        self.subscriptions()
            .delete(&app_instance_id, &subscription_id, &preconditions)
            .await?;
        Ok(DeleteApplicationSubscriptionResponse::NoContent)
    }

    async fn get_application_service_liveness(
        &self,
        request: GetApplicationServiceLiveness,
        caller: &Caller,
    ) -> Result<GetApplicationServiceLivenessResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        let (etag, body) = self.liveness(&request.app_instance_id, &request.service_id)?;
        Ok(GetApplicationServiceLivenessResponse::Ok {
            etag: Some(etag),
            body,
        })
    }

    async fn update_application_service_liveness(
        &self,
        request: UpdateApplicationServiceLiveness,
        caller: &Caller,
    ) -> Result<UpdateApplicationServiceLivenessResponse, Problem> {
        let UpdateApplicationServiceLiveness {
            app_instance_id,
            service_id,
            preconditions,
            service_liveness_update: _,
        } = request;
        self.existing(caller, &app_instance_id)?;
        let (etag, body) = self
            .heartbeat(&app_instance_id, &service_id, &preconditions)
            .await?;
        // 204 would do where the interval is not new, but ETSI's test purpose MSL_002_OK asks for 200.
        Ok(UpdateApplicationServiceLivenessResponse::Ok {
            etag: Some(etag),
            body,
        })
    }
}
