//! The generated server trait, implemented as far as it goes: registrations here, the rest refused with `501`.

use std::sync::Arc;

use mec011_app_support::server;
use mec011_app_support::{
    ConfirmReadyApplication, ConfirmReadyApplicationResponse, ConfirmTerminationApplication,
    ConfirmTerminationApplicationResponse, CreateApplicationSubscription,
    CreateApplicationSubscriptionResponse, CreateRegistration, CreateRegistrationResponse,
    DeleteApplicationSubscription, DeleteApplicationSubscriptionResponse, DeleteRegistration,
    DeleteRegistrationResponse, GetApplicationDnsRule, GetApplicationDnsRuleResponse,
    GetApplicationSubscription, GetApplicationSubscriptionResponse, GetApplicationTrafficRule,
    GetApplicationTrafficRuleResponse, GetRegistration, GetRegistrationResponse, GetTimingCurrentTime,
    GetTimingCurrentTimeResponse, GetTimingTimingCaps, GetTimingTimingCapsResponse, LinkType,
    ListApplicationDnsRules, ListApplicationDnsRulesResponse, ListApplicationSubscriptions,
    ListApplicationSubscriptionsResponse, ListApplicationTrafficRules, ListApplicationTrafficRulesResponse,
    ReplaceApplicationDnsRule, ReplaceApplicationDnsRuleResponse, ReplaceApplicationTrafficRule,
    ReplaceApplicationTrafficRuleResponse, ReplaceRegistration, ReplaceRegistrationResponse,
    SubscriptionLinkList, SubscriptionLinkListLinks,
};
use mecforge_contracts::{Applications, Presence, access};
use mecforge_runtime::server::{Caller, Problem};
use mecforge_store::Store;

/// Application support on a store.
pub struct AppSupport {
    pub(crate) store: Arc<dyn Store>,
    applications: Arc<dyn Applications>,
}

impl AppSupport {
    /// Application support for the instances that `applications` knows; registrations go to `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, applications: Arc<dyn Applications>) -> Self {
        Self { store, applications }
    }

    fn existing(&self, caller: &Caller, app_instance_id: &str) -> Result<Presence, Problem> {
        access::existing(&*self.applications, caller, app_instance_id)
    }
}

fn not_yet(what: &str) -> Problem {
    Problem::not_implemented(format!("this platform does not offer {what} yet"))
}

impl server::AppSupport for AppSupport {
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
        Err(not_yet("subscriptions to termination notifications"))
    }

    async fn get_application_subscription(
        &self,
        request: GetApplicationSubscription,
        caller: &Caller,
    ) -> Result<GetApplicationSubscriptionResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        Err(Problem::not_found("there is no such subscription").with_parameter("subscriptionId"))
    }

    async fn delete_application_subscription(
        &self,
        request: DeleteApplicationSubscription,
        caller: &Caller,
    ) -> Result<DeleteApplicationSubscriptionResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        Err(Problem::not_found("there is no such subscription").with_parameter("subscriptionId"))
    }

    async fn get_timing_timing_caps(
        &self,
        _: GetTimingTimingCaps,
        _: &Caller,
    ) -> Result<GetTimingTimingCapsResponse, Problem> {
        Err(not_yet("time of day and timing capabilities"))
    }

    async fn get_timing_current_time(
        &self,
        _: GetTimingCurrentTime,
        _: &Caller,
    ) -> Result<GetTimingCurrentTimeResponse, Problem> {
        Err(not_yet("time of day and timing capabilities"))
    }

    async fn list_application_traffic_rules(
        &self,
        request: ListApplicationTrafficRules,
        caller: &Caller,
    ) -> Result<ListApplicationTrafficRulesResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        Err(not_yet("traffic rules"))
    }

    async fn get_application_traffic_rule(
        &self,
        request: GetApplicationTrafficRule,
        caller: &Caller,
    ) -> Result<GetApplicationTrafficRuleResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        Err(not_yet("traffic rules"))
    }

    async fn replace_application_traffic_rule(
        &self,
        request: ReplaceApplicationTrafficRule,
        caller: &Caller,
    ) -> Result<ReplaceApplicationTrafficRuleResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        Err(not_yet("traffic rules"))
    }

    async fn list_application_dns_rules(
        &self,
        request: ListApplicationDnsRules,
        caller: &Caller,
    ) -> Result<ListApplicationDnsRulesResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        Err(not_yet("DNS rules"))
    }

    async fn get_application_dns_rule(
        &self,
        request: GetApplicationDnsRule,
        caller: &Caller,
    ) -> Result<GetApplicationDnsRuleResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        Err(not_yet("DNS rules"))
    }

    async fn replace_application_dns_rule(
        &self,
        request: ReplaceApplicationDnsRule,
        caller: &Caller,
    ) -> Result<ReplaceApplicationDnsRuleResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        Err(not_yet("DNS rules"))
    }

    async fn confirm_termination_application(
        &self,
        request: ConfirmTerminationApplication,
        caller: &Caller,
    ) -> Result<ConfirmTerminationApplicationResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        Err(not_yet("confirmations of readiness and termination"))
    }

    async fn confirm_ready_application(
        &self,
        request: ConfirmReadyApplication,
        caller: &Caller,
    ) -> Result<ConfirmReadyApplicationResponse, Problem> {
        self.existing(caller, &request.app_instance_id)?;
        Err(not_yet("confirmations of readiness and termination"))
    }

    async fn create_registration(
        &self,
        request: CreateRegistration,
        caller: &Caller,
    ) -> Result<CreateRegistrationResponse, Problem> {
        let (location, etag, body) = self.register(request.app_info, caller).await?;
        Ok(CreateRegistrationResponse::Created {
            location,
            etag: Some(etag),
            body,
        })
    }

    async fn get_registration(
        &self,
        request: GetRegistration,
        caller: &Caller,
    ) -> Result<GetRegistrationResponse, Problem> {
        let (body, etag) = self.registration(&request.app_instance_id, caller)?;
        Ok(GetRegistrationResponse::Ok {
            etag: Some(etag),
            body,
        })
    }

    async fn replace_registration(
        &self,
        request: ReplaceRegistration,
        caller: &Caller,
    ) -> Result<ReplaceRegistrationResponse, Problem> {
        let etag = self.reregister(request, caller).await?;
        Ok(ReplaceRegistrationResponse::NoContent { etag: Some(etag) })
    }

    async fn delete_registration(
        &self,
        request: DeleteRegistration,
        caller: &Caller,
    ) -> Result<DeleteRegistrationResponse, Problem> {
        self.deregister(request, caller).await?;
        Ok(DeleteRegistrationResponse::NoContent)
    }
}
