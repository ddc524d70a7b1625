//! The generated server trait, implemented: each operation in its own words, the work in the other modules.

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
    GetTimingCurrentTimeResponse, GetTimingTimingCaps, GetTimingTimingCapsResponse, ListApplicationDnsRules,
    ListApplicationDnsRulesResponse, ListApplicationSubscriptions, ListApplicationSubscriptionsResponse,
    ListApplicationTrafficRules, ListApplicationTrafficRulesResponse, ReplaceApplicationDnsRule,
    ReplaceApplicationDnsRuleResponse, ReplaceApplicationTrafficRule, ReplaceApplicationTrafficRuleResponse,
    ReplaceRegistration, ReplaceRegistrationResponse,
};
use mecforge_contracts::keys;
use mecforge_runtime::server::{Caller, Problem};
use mecforge_subscriptions::Running;
use prometheus_client::registry::Registry;

use crate::core::{Core, Parts};
use crate::timers::{self, Ends};

/// Application support on a store.
pub struct AppSupport {
    pub(crate) core: Arc<Core>,
}

impl AppSupport {
    /// Application support, made of its parts. Nothing happens in the background before [`AppSupport::start`].
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let ends = Arc::new(Ends::default());
        parts.store.attach(keys::LIVES, ends.clone());
        let core = Core {
            parts,
            ends,
            counters: Default::default(),
        };
        Self { core: Arc::new(core) }
    }

    /// Starts to bring about ends that were announced and are not confirmed in time, those that were announced before
    /// a restart included. Stops when the answer is dropped.
    pub fn start(&self) -> Running {
        Running::new([tokio::spawn(timers::run(self.core.clone()))])
    }

    /// Removes what belongs to application instances that no longer exist: those that the configuration declared
    /// before, and does not declare any more. To be called before requests are taken. Returns how many.
    ///
    /// # Errors
    /// What the store and the data plane say.
    pub async fn remove_orphans(&self) -> Result<usize, Problem> {
        self.core.remove_orphans().await
    }

    /// Offers the figures of this handler: ends that are pending, and those that have come.
    pub fn register_metrics(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("app_support");
        registry.register(
            "ends_pending",
            "Application instances whose end was announced and has not come",
            self.core.ends.pending.clone(),
        );
        let counters = &self.core.counters;
        for (name, help, counter) in [
            (
                "ends_at_once",
                "Application instances ended without an announcement",
                &counters.at_once,
            ),
            (
                "ends_confirmed",
                "Application instances ended on their confirmation",
                &counters.confirmed,
            ),
            (
                "ends_timed_out",
                "Application instances ended because they did not confirm in time",
                &counters.timed_out,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
    }
}

impl server::AppSupport for AppSupport {
    async fn list_application_subscriptions(
        &self,
        request: ListApplicationSubscriptions,
        caller: &Caller,
    ) -> Result<ListApplicationSubscriptionsResponse, Problem> {
        let body = self.core.list_subscriptions(&request.app_instance_id, caller)?;
        Ok(ListApplicationSubscriptionsResponse::Ok { etag: None, body })
    }

    async fn create_application_subscription(
        &self,
        request: CreateApplicationSubscription,
        caller: &Caller,
    ) -> Result<CreateApplicationSubscriptionResponse, Problem> {
        let (location, etag, body) = self.core.subscribe(request, caller).await?;
        Ok(CreateApplicationSubscriptionResponse::Created {
            location,
            etag: Some(etag),
            body,
        })
    }

    async fn get_application_subscription(
        &self,
        request: GetApplicationSubscription,
        caller: &Caller,
    ) -> Result<GetApplicationSubscriptionResponse, Problem> {
        let (etag, body) = self.core.subscription(&request, caller)?;
        Ok(GetApplicationSubscriptionResponse::Ok {
            etag: Some(etag),
            body,
        })
    }

    async fn delete_application_subscription(
        &self,
        request: DeleteApplicationSubscription,
        caller: &Caller,
    ) -> Result<DeleteApplicationSubscriptionResponse, Problem> {
        self.core.unsubscribe(request, caller).await?;
        Ok(DeleteApplicationSubscriptionResponse::NoContent)
    }

    async fn get_timing_timing_caps(
        &self,
        _: GetTimingTimingCaps,
        _: &Caller,
    ) -> Result<GetTimingTimingCapsResponse, Problem> {
        let body = self.core.timing_capabilities().await?;
        Ok(GetTimingTimingCapsResponse::Ok { etag: None, body })
    }

    async fn get_timing_current_time(
        &self,
        _: GetTimingCurrentTime,
        _: &Caller,
    ) -> Result<GetTimingCurrentTimeResponse, Problem> {
        let body = self.core.current_time();
        Ok(GetTimingCurrentTimeResponse::Ok { etag: None, body })
    }

    async fn list_application_traffic_rules(
        &self,
        request: ListApplicationTrafficRules,
        caller: &Caller,
    ) -> Result<ListApplicationTrafficRulesResponse, Problem> {
        let body = self.core.list_traffic_rules(&request.app_instance_id, caller)?;
        Ok(ListApplicationTrafficRulesResponse::Ok { etag: None, body })
    }

    async fn get_application_traffic_rule(
        &self,
        request: GetApplicationTrafficRule,
        caller: &Caller,
    ) -> Result<GetApplicationTrafficRuleResponse, Problem> {
        let (etag, body) = self.core.traffic_rule(&request, caller)?;
        Ok(GetApplicationTrafficRuleResponse::Ok {
            etag: Some(etag),
            body,
        })
    }

    async fn replace_application_traffic_rule(
        &self,
        request: ReplaceApplicationTrafficRule,
        caller: &Caller,
    ) -> Result<ReplaceApplicationTrafficRuleResponse, Problem> {
        let (etag, body) = self.core.replace_traffic_rule(request, caller).await?;
        Ok(ReplaceApplicationTrafficRuleResponse::Ok {
            etag: Some(etag),
            body,
        })
    }

    async fn list_application_dns_rules(
        &self,
        request: ListApplicationDnsRules,
        caller: &Caller,
    ) -> Result<ListApplicationDnsRulesResponse, Problem> {
        let body = self.core.list_dns_rules(&request.app_instance_id, caller)?;
        Ok(ListApplicationDnsRulesResponse::Ok { etag: None, body })
    }

    async fn get_application_dns_rule(
        &self,
        request: GetApplicationDnsRule,
        caller: &Caller,
    ) -> Result<GetApplicationDnsRuleResponse, Problem> {
        let (etag, body) = self.core.dns_rule(&request, caller)?;
        Ok(GetApplicationDnsRuleResponse::Ok {
            etag: Some(etag),
            body,
        })
    }

    async fn replace_application_dns_rule(
        &self,
        request: ReplaceApplicationDnsRule,
        caller: &Caller,
    ) -> Result<ReplaceApplicationDnsRuleResponse, Problem> {
        let (etag, body) = self.core.replace_dns_rule(request, caller).await?;
        Ok(ReplaceApplicationDnsRuleResponse::Ok {
            etag: Some(etag),
            body,
        })
    }

    async fn confirm_termination_application(
        &self,
        request: ConfirmTerminationApplication,
        caller: &Caller,
    ) -> Result<ConfirmTerminationApplicationResponse, Problem> {
        self.core.confirm_termination(request, caller).await?;
        Ok(ConfirmTerminationApplicationResponse::NoContent)
    }

    async fn confirm_ready_application(
        &self,
        request: ConfirmReadyApplication,
        caller: &Caller,
    ) -> Result<ConfirmReadyApplicationResponse, Problem> {
        self.core.confirm_ready(request, caller).await?;
        Ok(ConfirmReadyApplicationResponse::NoContent)
    }

    async fn create_registration(
        &self,
        request: CreateRegistration,
        caller: &Caller,
    ) -> Result<CreateRegistrationResponse, Problem> {
        let (location, etag, body) = self.core.register(request.app_info, caller).await?;
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
        let (body, etag) = self.core.registration(&request.app_instance_id, caller)?;
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
        let etag = self.core.reregister(request, caller).await?;
        Ok(ReplaceRegistrationResponse::NoContent { etag: Some(etag) })
    }

    async fn delete_registration(
        &self,
        request: DeleteRegistration,
        caller: &Caller,
    ) -> Result<DeleteRegistrationResponse, Problem> {
        self.core.deregister(request, caller).await?;
        Ok(DeleteRegistrationResponse::NoContent)
    }
}
