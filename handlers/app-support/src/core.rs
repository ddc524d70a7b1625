//! What all operations share: the parts that the platform is made of, and the way a change is committed.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use mec011_app_support::TrafficRule;
use mecforge_clock::Machine;
use mecforge_contracts::rules::{DnsRules, RuleChange, RuleError, TrafficRules};
use mecforge_contracts::{Applications, Belongings, Presence, access, outcome};
use mecforge_runtime::server::{Caller, Problem};
use mecforge_store::{CommitError, Expected, Revision, Store, Transaction};
use mecforge_subscriptions::Subscriptions;

use crate::instances::Instances;
use crate::timers::Ends;

/// How often a change is tried that changes of others get in the way of.
pub(crate) const ATTEMPTS: u32 = 32;

/// How application support behaves where the standard leaves it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long after a failure the end of an application instance is tried again.
    pub retry_end_after: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            retry_end_after: Duration::from_secs(5),
        }
    }
}

/// What application support is made of.
pub struct Parts {
    /// Where registrations and lives are kept.
    pub store: Arc<dyn Store>,
    /// Which application instances exist.
    pub instances: Arc<Instances>,
    /// Keeps traffic rules and puts them in force.
    pub traffic_rules: Arc<dyn TrafficRules>,
    /// Keeps DNS rules and answers by them.
    pub dns_rules: Arc<dyn DnsRules>,
    /// What else goes away with an application instance: its services and its subscriptions of every other kind.
    pub belongings: Vec<Arc<dyn Belongings>>,
    /// Subscriptions to termination notifications, of kind [`TERMINATION`](crate::TERMINATION).
    pub subscriptions: Arc<Subscriptions>,
    /// The machine's clock.
    pub clock: Arc<Machine>,
    /// What the standard leaves open.
    pub options: Options,
}

/// The parts, and what is derived from the store.
pub(crate) struct Core {
    pub(crate) parts: Parts,
    pub(crate) ends: Arc<Ends>,
    pub(crate) counters: crate::endings::Counters,
}

/// One attempt at a change.
pub(crate) enum Step<T> {
    /// There is nothing to change any more.
    Done(T),
    /// More is to go than one transaction takes: parts of it go first, then the change is planned again.
    InParts,
    /// This is to be committed.
    Commit {
        transaction: Transaction,
        /// The traffic rules that change together with it.
        traffic: Option<Box<RuleChange<TrafficRule>>>,
        /// What to answer, the revision given.
        answer: Box<dyn FnOnce(Revision) -> T + Send>,
    },
}

impl<T> Step<T> {
    /// The same, if a key is as it is expected to be.
    pub(crate) fn expecting(self, key: String, expected: Expected) -> Self {
        match self {
            Step::Commit {
                transaction,
                traffic,
                answer,
            } => Step::Commit {
                transaction: transaction.expect(key, expected),
                traffic,
                answer,
            },
            other => other,
        }
    }
}

impl Core {
    pub(crate) fn existing(&self, caller: &Caller, app_instance_id: &str) -> Result<Presence, Problem> {
        access::existing(&*self.parts.instances, caller, app_instance_id)
    }

    pub(crate) fn presence(&self, app_instance_id: &str) -> Presence {
        self.parts.instances.presence(app_instance_id)
    }

    /// Plans a change and commits it; plans again if something that the plan was made on has changed meanwhile.
    ///
    /// Runs to its end even if nobody waits for it any more, because a data plane must not be left between a change
    /// and its commit.
    pub(crate) async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        app_instance_id: &str,
        plan: impl Fn(&Self) -> Result<Step<T>, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let core = self.clone();
        let app_instance_id = app_instance_id.to_owned();
        detached(async move {
            for attempt in 0..ATTEMPTS {
                let (transaction, traffic, answer) = match plan(&core)? {
                    Step::Done(answer) => return Ok(answer),
                    Step::InParts => {
                        core.remove_parts(&app_instance_id)
                            .await
                            .map_err(outcome::problem)?;
                        continue;
                    }
                    Step::Commit {
                        transaction,
                        traffic,
                        answer,
                    } => (transaction, traffic, answer),
                };
                match core.commit(&app_instance_id, transaction, traffic).await {
                    Ok(revision) => return Ok(answer(revision)),
                    Err(RuleError::Refused(problem)) => return Err(problem),
                    Err(RuleError::Commit(CommitError::Conflict { key, .. })) => {
                        tracing::debug!(%app_instance_id, %key, attempt, "a change is planned again");
                        pause(attempt).await;
                    }
                    Err(RuleError::Commit(error)) => return Err(outcome::problem(error)),
                }
            }
            Err(busy(&app_instance_id))
        })
        .await
    }

    async fn commit(
        &self,
        app_instance_id: &str,
        transaction: Transaction,
        traffic: Option<Box<RuleChange<TrafficRule>>>,
    ) -> Result<Revision, RuleError> {
        match traffic {
            Some(change) => {
                let rules = &self.parts.traffic_rules;
                rules.commit(app_instance_id, *change, transaction).await
            }
            None => {
                let committed = self.parts.store.commit(transaction).await;
                committed.map_err(RuleError::Commit)
            }
        }
    }
}

/// Runs to its end whether or not the caller waits.
async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) => Err(Problem::internal(error)),
    }
}

/// Lets those finish who were quicker: at first at once, then a few milliseconds later.
async fn pause(attempt: u32) {
    if attempt < 4 {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(Duration::from_millis(u64::from(attempt))).await;
    }
}

fn busy(app_instance_id: &str) -> Problem {
    Problem::service_unavailable(format!(
        "too much changes at application instance {app_instance_id:?} at the same time; try again"
    ))
}
