//! The end of application instances (MEC 011 clauses 5.2.3 and 7.1.4.2): announced, then brought about once, by whoever
//! comes first: the application's confirmation or the timer.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mec011_app_support::{
    AppTerminationNotification, AppTerminationNotificationLinks, AppTerminationNotificationOperationAction,
    ConfirmTerminationApplication, GetApplicationSubscription, LinkType,
};
use mecforge_contracts::lifecycle::{EndAction, Life, Lifecycle, PendingEnd};
use mecforge_contracts::rules::Later;
use mecforge_contracts::time::unix_milliseconds;
use mecforge_contracts::{Presence, access, outcome};
use mecforge_runtime::server::Problem;
use mecforge_store::{CommitError, Transaction};
use mecforge_subscriptions::Subscription;
use prometheus_client::metrics::counter::Counter;

use crate::core::{ATTEMPTS, Core, Step};
use crate::lives::Found;
use crate::support::AppSupport;

/// What brings an end about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Nobody had to be told.
    AtOnce,
    /// The application has confirmed.
    Confirmation,
    /// The application has not confirmed in time.
    Timeout,
}

/// What came of an attempt to bring an end about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The end has come, by this attempt or another one.
    Ended,
    /// Another attempt is under way.
    Busy,
}

/// Ends since the platform started, and whose end is being brought about.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) at_once: Counter,
    pub(crate) confirmed: Counter,
    pub(crate) timed_out: Counter,
    under_way: Mutex<HashSet<String>>,
}

/// Marks the end of an application instance as under way.
struct UnderWay<'a> {
    counters: &'a Counters,
    app_instance_id: &'a str,
}

impl<'a> UnderWay<'a> {
    fn begin(counters: &'a Counters, app_instance_id: &'a str) -> Option<Self> {
        let mut under_way = counters.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        // Not `then_some`: a value that is made in vain would take the mark of another attempt away when it is dropped.
        under_way.insert(app_instance_id.to_owned()).then(|| Self {
            counters,
            app_instance_id,
        })
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let under_way = &self.counters.under_way;
        under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(self.app_instance_id);
    }
}

impl Core {
    /// Announces an end, or brings it about where nobody has to be told.
    async fn end(
        self: &Arc<Self>,
        app_instance_id: &str,
        action: EndAction,
        grace: Duration,
    ) -> Result<(), Problem> {
        for attempt in 0..ATTEMPTS {
            let presence = self.presence(app_instance_id);
            if presence == Presence::Absent {
                return Err(access::unknown(app_instance_id));
            }
            let found = Found::at(&*self.parts.store, app_instance_id);
            if found.life.pending.is_some() {
                return Ok(());
            }
            // Subscribing may get in the way a few times, not for ever.
            let subscriptions = &self.parts.subscriptions;
            let hold = if attempt > 3 {
                Some(subscriptions.hold().await)
            } else {
                None
            };
            let mark = subscriptions.mark();
            let subscribed = subscriptions.list(app_instance_id);
            if subscribed.is_empty() || grace.is_zero() {
                drop(hold);
                return self.end_now(app_instance_id, action, None, Cause::AtOnce).await;
            }
            let grace = whole_seconds(grace);
            let life = Life {
                pending: Some(PendingEnd {
                    action,
                    deadline: unix_milliseconds().saturating_add(grace.saturating_mul(1000)),
                }),
                ..found.life
            };
            let transaction = presence.guard(Transaction::new(), app_instance_id);
            let mut transaction = mark.guard(found.put(transaction, &life)?);
            for subscription in &subscribed {
                let notification = notification(subscription, action, grace);
                transaction = subscription.outgoing(&notification)?.post(transaction)?;
            }
            match self.parts.store.commit(transaction).await {
                Ok(_) => {
                    tracing::info!(
                        application = app_instance_id,
                        ?action,
                        grace,
                        "an end was announced"
                    );
                    return Ok(());
                }
                Err(CommitError::Conflict { .. }) => tokio::task::yield_now().await,
                Err(error) => return Err(outcome::problem(error)),
            }
        }
        Err(Problem::service_unavailable(
            "the subscriptions of this application instance change too quickly; try again",
        ))
    }

    /// Brings a pending end about, unless that is under way or has happened.
    pub(crate) async fn bring_about(
        self: &Arc<Self>,
        app_instance_id: &str,
        pending: PendingEnd,
        cause: Cause,
    ) -> Result<Outcome, Problem> {
        let Some(_under_way) = UnderWay::begin(&self.counters, app_instance_id) else {
            return Ok(Outcome::Busy);
        };
        self.end_now(app_instance_id, pending.action, Some(pending), cause)
            .await?;
        Ok(Outcome::Ended)
    }

    /// Ends an application instance if what is announced is still `announced`.
    async fn end_now(
        self: &Arc<Self>,
        app_instance_id: &str,
        action: EndAction,
        announced: Option<PendingEnd>,
        cause: Cause,
    ) -> Result<(), Problem> {
        let app = app_instance_id.to_owned();
        let plan = move |core: &Self| {
            let found = Found::at(&*core.parts.store, &app);
            if found.life.pending != announced {
                return Ok(Step::Done(false));
            }
            match (core.presence(&app), action) {
                (Presence::Absent, _) if announced.is_none() => Err(access::unknown(&app)),
                (Presence::Absent, _) | (_, EndAction::Terminating) => core.plan_removal(&app, || true),
                (presence, EndAction::Stopping) => core.plan_stop(&app, presence, || true),
            }
        };
        if self.change(app_instance_id, plan).await? {
            let counter = match cause {
                Cause::AtOnce => &self.counters.at_once,
                Cause::Confirmation => &self.counters.confirmed,
                Cause::Timeout => &self.counters.timed_out,
            };
            counter.inc();
            tracing::info!(
                application = app_instance_id,
                ?action,
                ?cause,
                "an application instance has ended"
            );
        }
        Ok(())
    }

    async fn remove(self: &Arc<Self>, app_instance_id: &str) -> Result<(), Problem> {
        let app = app_instance_id.to_owned();
        self.change(app_instance_id, move |core| match core.presence(&app) {
            Presence::Absent => Err(access::unknown(&app)),
            _ => core.plan_removal(&app, || ()),
        })
        .await
    }
}

/// A grace period in seconds, begun ones counted: the standard has whole seconds and no zero.
fn whole_seconds(grace: Duration) -> u64 {
    let begun = u64::from(grace.subsec_nanos() > 0);
    grace
        .as_secs()
        .saturating_add(begun)
        .clamp(1, u64::from(u32::MAX))
}

fn notification(subscription: &Subscription, action: EndAction, grace: u64) -> AppTerminationNotification {
    let action = match action {
        EndAction::Stopping => AppTerminationNotificationOperationAction::Stopping,
        EndAction::Terminating => AppTerminationNotificationOperationAction::Terminating,
    };
    let app = &subscription.app_instance_id;
    let own = subscription.url(&GetApplicationSubscription::path(app, &subscription.id));
    let confirm = subscription.url(&ConfirmTerminationApplication::path(app));
    let links = AppTerminationNotificationLinks::new(LinkType::new(own));
    let links = links.confirm_termination(LinkType::new(confirm));
    AppTerminationNotification::new(action, grace, links)
}

impl Lifecycle for AppSupport {
    fn life(&self, app_instance_id: &str) -> Life {
        Found::at(&*self.core.parts.store, app_instance_id).life
    }

    fn end(
        &self,
        app_instance_id: &str,
        action: EndAction,
        grace: Duration,
    ) -> Later<'_, Result<(), Problem>> {
        let app_instance_id = app_instance_id.to_owned();
        Box::pin(async move { self.core.end(&app_instance_id, action, grace).await })
    }

    fn remove(&self, app_instance_id: &str) -> Later<'_, Result<(), Problem>> {
        let app_instance_id = app_instance_id.to_owned();
        Box::pin(async move { self.core.remove(&app_instance_id).await })
    }
}
