//! The registry's possessions, and what all its operations use.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use mec011_service_management::ServiceState;
use mecforge_contracts::outbox::CallbackPolicy;
use mecforge_contracts::{Applications, Presence, access, keys};
use mecforge_runtime::server::{Caller, Problem};
use mecforge_store::{Revision, Store, Transaction};
use mecforge_subscriptions::{Limits, Subscriptions};
use tokio::sync::{Mutex, MutexGuard};

use crate::availability::{Availability, Refused};
use crate::event::Event;
use crate::index::Index;
use crate::liveness::{Clock, Counters};
use crate::options::Options;
use crate::service::Service;
use crate::transports::Transports;

/// How often a change is tried that other changes get in the way of.
pub(crate) const ATTEMPTS: usize = 16;
/// Changes of one service take turns; services share that many queues for it.
const QUEUES: usize = 256;

/// Service management on a store.
pub struct Registry {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) applications: Arc<dyn Applications>,
    pub(crate) index: Arc<Index>,
    pub(crate) transports: Transports,
    pub(crate) options: Options,
    pub(crate) availability: Availability,
    pub(crate) clock: Clock,
    pub(crate) counters: Counters,
    hasher: RandomState,
    queues: Vec<Mutex<()>>,
}

impl Registry {
    /// A registry of the services and subscriptions in `store`.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        applications: Arc<dyn Applications>,
        transports: Transports,
        policy: Arc<dyn CallbackPolicy>,
        options: Options,
    ) -> Self {
        let index = Arc::new(Index::default());
        store.attach(keys::SERVICES, index.clone());
        let clock = Clock::new();
        for service in index.all() {
            service.pulse.begin(&clock);
        }
        let limits = Limits {
            per_application: options.subscriptions_per_application,
        };
        Self {
            availability: Availability::new(store.clone(), policy, limits),
            store,
            applications,
            index,
            transports,
            options,
            clock,
            counters: Counters::default(),
            hasher: RandomState::new(),
            queues: std::iter::repeat_with(Mutex::default).take(QUEUES).collect(),
        }
    }

    /// How many services there are, all of them or those in a state.
    #[must_use]
    pub fn count(&self, state: Option<ServiceState>) -> usize {
        self.index.count(state)
    }

    /// The subscriptions to the availability of services.
    #[must_use]
    pub fn subscriptions(&self) -> &Arc<Subscriptions> {
        &self.availability.subscriptions
    }

    /// Registers what is counted: heartbeats, and services suspended and resumed.
    pub fn register_metrics(&self, metrics: &mut prometheus_client::registry::Registry) {
        self.counters.register(metrics);
    }

    /// The service of an application instance.
    pub(crate) fn find(&self, app_instance_id: &str, service_id: &str) -> Result<Arc<Service>, Problem> {
        let service = self
            .index
            .get(service_id)
            .filter(|service| *service.application == *app_instance_id);
        service.ok_or_else(|| unknown_service(service_id))
    }

    pub(crate) fn existing(&self, caller: &Caller, app_instance_id: &str) -> Result<Presence, Problem> {
        access::existing(&*self.applications, caller, app_instance_id)
    }

    /// Waits for one's turn to change a service.
    pub(crate) async fn turn(&self, service_id: &str) -> MutexGuard<'_, ()> {
        let queue = self.hasher.hash_one(service_id) % QUEUES as u64;
        self.queues[usize::try_from(queue).unwrap_or_default()]
            .lock()
            .await
    }

    /// Commits a change of services together with the notifications that it causes.
    pub(crate) async fn publish(
        &self,
        events: &[Event<'_>],
        transaction: &Transaction,
    ) -> Result<Revision, Refused> {
        self.availability.publish(&*self.store, events, transaction).await
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Registry")
            .field("services", &self.count(None))
            .field("options", &self.options)
            .field("availability", &self.availability)
            .finish_non_exhaustive()
    }
}

/// The refusal of a service that is not there.
pub(crate) fn unknown_service(service_id: &str) -> Problem {
    let shown: String = service_id.chars().take(access::LONGEST_IDENTIFIER).collect();
    Problem::not_found(format!("there is no service {shown:?} here")).with_parameter("serviceId")
}
