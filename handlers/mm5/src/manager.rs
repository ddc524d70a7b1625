//! The manager's side of a platform: what it is made of, and the configurations that it keeps.

use std::fmt;
use std::sync::Arc;

use mecforge_contracts::outbox::CallbackPolicy;
use mecforge_contracts::rules::{DnsRules, TrafficRules};
use mecforge_contracts::{Applications, keys, lifecycle::Lifecycle};
use mecforge_runtime::EntityTag;
use mecforge_runtime::server::{Caller, Principal, Problem};
use mecforge_store::{CommitError, Entry, Revision, Store, Transaction};
use tokio::sync::{Mutex, Notify};

use crate::configuration::Configuration;
use crate::index::{NameIndex, TaskIndex};
use crate::options::Options;
use crate::task::Record;

/// How often a transaction is tried anew when others change the same things at the same time.
pub(crate) const TRIES: usize = 16;

/// Mm5: configurations of application instances, tasks, capabilities, and events for managers.
pub struct Mm5 {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) applications: Arc<dyn Applications>,
    pub(crate) dns: Arc<dyn DnsRules>,
    pub(crate) traffic: Arc<dyn TrafficRules>,
    pub(crate) lifecycle: Arc<dyn Lifecycle>,
    pub(crate) policy: Arc<dyn CallbackPolicy>,
    pub(crate) options: Options,
    pub(crate) tasks: Arc<TaskIndex>,
    pub(crate) names: Arc<NameIndex>,
    /// Rings when a task was accepted.
    pub(crate) bell: Notify,
    /// Held while a configuration is committed: names are unique across applications, so changes made at the same
    /// time would only make each other start again, with the kernel's rules in between.
    pub(crate) committing: Mutex<()>,
}

/// A configuration as it is kept now, its rules included.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) configuration: Configuration,
    /// The revision that last changed what the manager said.
    pub(crate) modified: Revision,
    /// The revision that last changed anything of it: applications may activate and deactivate their rules.
    pub(crate) touched: Revision,
}

impl Kept {
    pub(crate) fn entity_tag(&self) -> EntityTag {
        mecforge_contracts::outcome::entity_tag(self.touched)
    }
}

impl Mm5 {
    /// Mm5 on a store. Nothing runs in the background before [`Mm5::start`].
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        applications: Arc<dyn Applications>,
        dns: Arc<dyn DnsRules>,
        traffic: Arc<dyn TrafficRules>,
        lifecycle: Arc<dyn Lifecycle>,
        policy: Arc<dyn CallbackPolicy>,
        options: Options,
    ) -> Arc<Self> {
        let tasks = Arc::new(TaskIndex::default());
        store.attach(keys::TASKS, tasks.clone());
        let names = Arc::new(NameIndex::default());
        store.attach(keys::CONFIGURATIONS, names.clone());
        Arc::new(Self {
            store,
            applications,
            dns,
            traffic,
            lifecycle,
            policy,
            options,
            tasks,
            names,
            bell: Notify::new(),
            committing: Mutex::new(()),
        })
    }

    /// The configuration of an application instance, as it is now.
    ///
    /// # Errors
    /// `500` for an entry that is no configuration.
    pub(crate) fn kept(&self, app_instance_id: &str) -> Result<Option<Kept>, Problem> {
        let Some(entry) = self.store.get(&keys::configuration(app_instance_id)) else {
            return Ok(None);
        };
        let mut configuration = read_configuration(&entry)?;
        let dns = self.dns.list(app_instance_id);
        let traffic = self.traffic.list(app_instance_id);
        let revisions = dns
            .iter()
            .map(|kept| kept.modified)
            .chain(traffic.iter().map(|kept| kept.modified));
        let touched = revisions.fold(entry.modified, Ord::max);
        configuration.dns_rules = dns.into_iter().map(|kept| kept.rule).collect();
        configuration.traffic_rules = traffic.into_iter().map(|kept| kept.rule).collect();
        Ok(Some(Kept {
            configuration: configuration.sorted(),
            modified: entry.modified,
            touched,
        }))
    }

    /// A task.
    ///
    /// # Errors
    /// `404` for one that does not exist (any more), `500` for an entry that is no task.
    pub(crate) fn record(&self, task_id: &str) -> Result<(Record, Revision), Problem> {
        let Some(entry) = self.store.get(&keys::task(task_id)) else {
            return Err(Problem::not_found(
                "there is no such task, or it finished so long ago that it was forgotten",
            )
            .with_parameter("taskId"));
        };
        let record = serde_json::from_slice(&entry.value).map_err(Problem::internal)?;
        Ok((record, entry.modified))
    }

    /// Adds a task to a transaction.
    pub(crate) fn put_record(
        &self,
        record: &Record,
        transaction: Transaction,
    ) -> Result<Transaction, Problem> {
        let value = serde_json::to_vec(record).map_err(Problem::internal)?;
        Ok(transaction.put(keys::task(&record.task.task_id), value))
    }

    /// Adds to a transaction that a task is finished, and forgets the oldest tasks beyond those that are kept.
    pub(crate) fn put_finished(
        &self,
        record: &Record,
        transaction: Transaction,
    ) -> Result<Transaction, Problem> {
        let running = crate::keys::running(&record.task.app_instance_id);
        let mut transaction = self.put_record(record, transaction)?.delete(running);
        for key in self.tasks.beyond(self.options.finished_tasks.saturating_sub(1)) {
            let forgotten = self
                .store
                .get(&key)
                .and_then(|entry| serde_json::from_slice::<Record>(&entry.value).ok());
            if let Some(Record {
                task,
                idempotency_key: Some(idempotency_key),
                ..
            }) = forgotten
            {
                transaction =
                    transaction.delete(crate::keys::idempotency(&task.app_instance_id, &idempotency_key));
            }
            transaction = transaction.delete(key);
        }
        Ok(transaction)
    }

    /// Commits, and turns refusals into problems.
    pub(crate) async fn commit(&self, transaction: Transaction) -> Result<Revision, Problem> {
        self.store
            .commit(transaction)
            .await
            .map_err(mecforge_contracts::outcome::problem)
    }
}

impl fmt::Debug for Mm5 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Mm5")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// The configuration in an entry of the store, without its rules.
pub(crate) fn read_configuration(entry: &Entry) -> Result<Configuration, Problem> {
    mecforge_runtime::from_slice(&entry.value).map_err(Problem::internal)
}

/// Refuses applications: Mm5 is for managers.
pub(crate) fn manager(caller: &Caller) -> Result<(), Problem> {
    match caller.principal() {
        Principal::Application(own) => Err(Problem::forbidden(format!(
            "application instance {own} may not manage the platform"
        ))),
        _ => Ok(()),
    }
}

/// Whether a refusal is worth a new attempt with what is there now.
pub(crate) fn is_conflict(error: &CommitError) -> bool {
    matches!(error, CommitError::Conflict { .. })
}
