//! From changes of services to notifications: found, written, and committed together with the change.

use std::sync::Arc;

use mec011_service_management::{
    GetApplicationSubscription, LinkType, ServiceAvailabilityNotification,
    ServiceAvailabilityNotificationLinks,
};
use mecforge_contracts::outbox::CallbackPolicy;
use mecforge_contracts::outcome;
use mecforge_runtime::server::Problem;
use mecforge_store::{CommitError, Revision, Store, Transaction};
use mecforge_subscriptions::{Limits, Subscription, Subscriptions};

use crate::event::Event;
use crate::matching::Matching;

/// What subscriptions to the availability of services are called in the store.
pub const SUBSCRIPTION_KIND: &str = "service-availability";

/// How often a change is tried that changes of subscriptions get in the way of.
const ATTEMPTS: usize = 16;
/// After so many attempts, subscriptions are held still.
const PATIENCE: usize = 2;

/// The most references to services that the notifications of one transaction hold, if it has more than one service:
/// some megabytes, well below what the store takes.
const LARGEST_NOTICE: usize = 16 * 1024;

/// Subscriptions to the availability of services, and what they are told.
#[derive(Debug)]
pub(crate) struct Availability {
    pub(crate) subscriptions: Arc<Subscriptions>,
    matching: Arc<Matching>,
}

/// Why a change was not made.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The store says so.
    Commit(CommitError),
    /// Its notifications cannot be written: a fault of the platform.
    Notification(Problem),
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Commit(error) => outcome::problem(error),
            Refused::Notification(problem) => problem,
        }
    }
}

impl Availability {
    pub(crate) fn new(store: Arc<dyn Store>, policy: Arc<dyn CallbackPolicy>, limits: Limits) -> Self {
        let matching = Arc::new(Matching::default());
        let subscriptions =
            Subscriptions::with_index(store, SUBSCRIPTION_KIND, policy, limits, matching.clone());
        Self {
            subscriptions: Arc::new(subscriptions),
            matching,
        }
    }

    /// How many of these events, from the first on, one transaction takes with their notifications; at least one.
    pub(crate) fn fitting(&self, events: &[Event<'_>]) -> usize {
        let mut references = 0;
        let fit = events.iter().take_while(|event| {
            references += self.matching.find(std::slice::from_ref(*event)).len();
            references <= LARGEST_NOTICE
        });
        fit.count().max(1)
    }

    /// Adds to a transaction the notifications that its events cause, and that no subscription comes, changes or goes
    /// before it is committed. Subscriptions of the application instance `except` are left out: they go in the same
    /// transaction, and what they were told with them.
    pub(crate) fn announce(
        &self,
        events: &[Event<'_>],
        except: Option<&str>,
        mut transaction: Transaction,
    ) -> Result<Transaction, Problem> {
        // First, so that whatever changes from here on is noticed.
        let mark = self.subscriptions.mark();
        for (subscription, events) in self.matching.find(events).into_values() {
            if except.is_none_or(|except| *subscription.app_instance_id != *except) {
                transaction = notification(&subscription, &events)?.post(transaction)?;
            }
        }
        Ok(mark.guard(transaction))
    }

    /// Commits a transaction together with the notifications that its events cause.
    pub(crate) async fn publish(
        &self,
        store: &dyn Store,
        events: &[Event<'_>],
        transaction: &Transaction,
    ) -> Result<Revision, Refused> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let _hold = match attempt > PATIENCE {
                true => Some(self.subscriptions.hold().await),
                false => None,
            };
            let complete = self
                .announce(events, None, transaction.clone())
                .map_err(Refused::Notification)?;
            match store.commit(complete).await {
                Err(CommitError::Conflict { key, .. })
                    if attempt < ATTEMPTS && self.subscriptions.mark().is_at(&key) => {}
                committed => return committed.map_err(Refused::Commit),
            }
        }
    }
}

/// One notification that tells a subscription of events.
fn notification(
    subscription: &Subscription,
    events: &[&Event<'_>],
) -> Result<mecforge_contracts::outbox::Outgoing, Problem> {
    let references = events
        .iter()
        .filter_map(|event| event.reference(subscription))
        .collect();
    let path = GetApplicationSubscription::path(&subscription.app_instance_id, &subscription.id);
    let links = ServiceAvailabilityNotificationLinks::new(LinkType::new(subscription.url(&path)));
    subscription.outgoing(&ServiceAvailabilityNotification::new(references, links))
}
