//! Rules in the store and rules in force, kept the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};

use mec011_app_support::{TrafficRule, TrafficRuleState};
use mecforge_contracts::keys;
use mecforge_contracts::rules::{
    DataPlaneCapabilities, Kept, Later, RuleChange, RuleCounters, RuleError, TrafficRules,
};
use mecforge_runtime::server::Problem;
use mecforge_store::{Revision, Store, Transaction};
use prometheus_client::registry::Registry;
use tokio::sync::{Mutex, broadcast};

use crate::backend::{Backend, BackendError, Disabled};
use crate::change::of;
use crate::drift::Running;
use crate::intent::{Intent, RuleName};
use crate::judge;
use crate::metrics::Metrics;
use crate::nftables::Nftables;
use crate::options::{Kind, Options, OptionsError};
use crate::view::{RuleView, active};

/// The traffic rules of all application instances, and their effect.
#[derive(Debug)]
pub struct DataPlane {
    inner: Arc<Inner>,
}

/// What the data plane's tasks share with it.
pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    backend: Box<dyn Backend>,
    pub(crate) options: Options,
    view: Arc<RuleView>,
    metrics: Metrics,
    /// Held while kernel and store are changed, so that they change in the same order.
    changing: Mutex<()>,
    /// Active rules that are not in force, and why.
    left_out: std::sync::Mutex<BTreeMap<RuleName, String>>,
    /// Whether the kernel may have other rules than the store says.
    unsure: AtomicBool,
    /// Tells of drift that was found and mended.
    drifts: broadcast::Sender<String>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Inner")
            .field("capabilities", &self.backend.capabilities())
            .finish_non_exhaustive()
    }
}

/// Where `ip netns` keeps network namespaces (ip-netns(8)).
const NAMESPACES: &str = "/run/netns";

impl DataPlane {
    /// Opens a back end, finds out what it can do on this machine, and puts the active rules of the store in force.
    ///
    /// A machine on which nothing can be put in force is no error: that is logged once, told by
    /// [`TrafficRules::capabilities`], and active rules are refused.
    ///
    /// # Errors
    /// An option that cannot work.
    pub async fn open(
        store: Arc<dyn Store>,
        kind: Kind,
        options: Options,
    ) -> Result<Arc<Self>, OptionsError> {
        options.check()?;
        if let (Kind::Nftables, Some(namespace)) = (kind, &options.network_namespace)
            && !Path::new(NAMESPACES).join(namespace).exists()
        {
            return Err(OptionsError::NoNamespace(namespace.clone()));
        }
        let backend: Box<dyn Backend> = match kind {
            Kind::Nftables => Box::new(Nftables::open(options.clone()).await),
            Kind::Disabled => Box::new(Disabled),
        };
        let plane = Self::with_backend(store, backend, options);
        plane.reconcile().await;
        Ok(plane)
    }

    /// A data plane on a back end. Nothing is put in force before [`DataPlane::reconcile`].
    #[must_use]
    pub fn with_backend(store: Arc<dyn Store>, backend: Box<dyn Backend>, options: Options) -> Arc<Self> {
        let view = Arc::new(RuleView::default());
        store.attach(keys::TRAFFIC_RULES, Arc::clone(&view) as _);
        let capabilities = backend.capabilities();
        if !capabilities.available {
            tracing::warn!(
                backend = capabilities.backend,
                remarks = capabilities.remarks.join("; "),
                "traffic rules cannot be put in force"
            );
        } else if !capabilities.remarks.is_empty() {
            let remarks = capabilities.remarks.join("; ");
            tracing::info!(
                backend = capabilities.backend,
                remarks,
                "the data plane has limits"
            );
        }
        Arc::new(Self {
            inner: Arc::new(Inner {
                store,
                backend,
                options,
                view,
                metrics: Metrics::default(),
                changing: Mutex::default(),
                left_out: std::sync::Mutex::default(),
                unsure: AtomicBool::new(true),
                drifts: broadcast::Sender::new(16),
            }),
        })
    }

    /// Puts the active rules of the store in force, whatever is in force now. What cannot be is logged and told by
    /// [`TrafficRules::capabilities`].
    pub async fn reconcile(&self) {
        let inner = Arc::clone(&self.inner);
        let _ = tokio::spawn(async move {
            let _changing = inner.changing.lock().await;
            inner.restore(None).await;
        })
        .await;
    }

    /// Compares the kernel with the store at [`Options::check_interval`], and mends what differs.
    pub fn start(self: &Arc<Self>) -> Running {
        Running::start(Arc::clone(&self.inner))
    }

    /// What somebody else has changed in the kernel and was put back, from now on, in words for people.
    #[must_use]
    pub fn drifts(&self) -> broadcast::Receiver<String> {
        self.inner.drifts.subscribe()
    }

    /// Shows what the data plane counts, under the prefix `dataplane`.
    pub fn register_metrics(&self, registry: &mut Registry) {
        self.inner.metrics.register(registry);
    }
}

impl Inner {
    fn available(&self) -> bool {
        self.backend.capabilities().available
    }

    /// Puts the active rules of the store in force, because of what somebody else has changed if that is said. The
    /// caller holds `changing`.
    async fn restore(&self, found: Option<String>) {
        let intents = active(&self.view.rules());
        if !self.available() {
            let reason = "no traffic rules can be put in force on this machine";
            // One line for all of them: they have one cause.
            if !intents.is_empty() {
                tracing::error!(
                    rules = intents.len(),
                    reason,
                    "active traffic rules are not in force"
                );
            }
            let left_out: BTreeMap<_, _> = intents
                .into_iter()
                .map(|intent| (intent.name, reason.to_owned()))
                .collect();
            self.left_out().clone_from(&left_out);
            self.set_left_out(left_out);
            return;
        }
        let outcome = self.put_in_force(&intents, &BTreeSet::new(), found).await;
        self.unsure.store(outcome.is_err(), Ordering::Relaxed);
        if let Err(error) = outcome {
            tracing::error!(%error, rules = intents.len(), "the traffic rules of the store are not in force");
            let left_out = intents
                .into_iter()
                .map(|intent| (intent.name, error.to_string()))
                .collect();
            self.set_left_out(left_out);
        }
    }

    /// Puts rules in force. What somebody else has changed in the kernel is mended with that; the back end may find
    /// it now, or it was found before. The caller holds `changing`.
    async fn put_in_force(
        &self,
        intents: &[Intent],
        required: &BTreeSet<RuleName>,
        found: Option<String>,
    ) -> Result<(), BackendError> {
        match self.backend.apply(intents, required).await {
            Ok(applied) => {
                if let Some(what) = found.or(applied.found) {
                    self.mended(what);
                }
                self.metrics.replacements.inc();
                let active = intents.len().saturating_sub(applied.left_out.len());
                self.metrics.active.set(i64::try_from(active).unwrap_or(i64::MAX));
                self.set_left_out(applied.left_out);
                Ok(())
            }
            Err(error) => {
                self.metrics.failures.inc();
                Err(error)
            }
        }
    }

    fn set_left_out(&self, left_out: BTreeMap<RuleName, String>) {
        self.metrics
            .left_out
            .set(i64::try_from(left_out.len()).unwrap_or(i64::MAX));
        let mut known = self.left_out();
        for (name, reason) in &left_out {
            if known.get(name) != Some(reason) {
                let RuleName {
                    app_instance_id,
                    traffic_rule_id,
                } = name;
                tracing::error!(
                    app_instance_id,
                    traffic_rule_id,
                    reason,
                    "an active traffic rule is not in force"
                );
            }
        }
        *known = left_out;
    }

    /// Tells of what somebody else has changed and was put back.
    fn mended(&self, what: String) {
        self.metrics.drifts.inc();
        tracing::warn!(
            what,
            "somebody else has changed the traffic rules in the kernel; they have been put back"
        );
        // Nobody need listen.
        let _ = self.drifts.send(what);
    }

    /// One look at the kernel, with repair.
    pub(crate) async fn look_after(&self) {
        if !self.available() {
            return;
        }
        let _changing = self.changing.lock().await;
        if self.look().await.is_ok() && !self.left_out().is_empty() {
            // What was missing may be there now.
            self.restore(None).await;
        }
    }

    /// Compares the kernel with what was put in force last, and mends what differs. The caller holds `changing`.
    async fn look(&self) -> Result<(), BackendError> {
        if self.unsure.load(Ordering::Relaxed) {
            self.restore(None).await;
        } else {
            match self.backend.drift().await {
                Ok(None) => {}
                Ok(found) => self.restore(found).await,
                Err(error) => {
                    self.metrics.failures.inc();
                    tracing::error!(%error, "it cannot be found out which traffic rules are in force");
                    return Err(error);
                }
            }
        }
        match self.unsure.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(BackendError::Failed(
                "the traffic rules of the store are not in force".to_owned(),
            )),
        }
    }

    fn left_out(&self) -> MutexGuard<'_, BTreeMap<RuleName, String>> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges a rule.
    pub(crate) fn check(&self, app_instance_id: &str, rule: &TrafficRule) -> Result<(), Problem> {
        let intent = judge::intent(app_instance_id, rule)?;
        self.backend.check(&intent)?;
        if rule.state == TrafficRuleState::Active && !self.available() {
            return Err(unavailable(&self.backend.capabilities()));
        }
        Ok(())
    }

    /// Puts a change in force and commits it.
    async fn commit(
        &self,
        app_instance_id: &str,
        change: RuleChange<TrafficRule>,
        transaction: Transaction,
    ) -> Result<Revision, RuleError> {
        let _changing = self.changing.lock().await;
        let before = self.view.rules().clone();
        let staged = self.stage(&before, app_instance_id, change, transaction)?;
        let old = active(&before);
        let new = active(&staged.after);
        if !self.available() {
            // Only rules that are not to be in force get past the check above.
            let committed = self.store.commit(staged.transaction).await;
            if committed.is_ok() {
                self.restore(None).await;
            }
            return committed.map_err(RuleError::Commit);
        }
        if old == new {
            if new
                .iter()
                .any(|intent| intent.name.app_instance_id == app_instance_id)
            {
                // The answer says of rules that stay as they are, too, that they are in force.
                let looked = self.look().await;
                looked.map_err(|error| RuleError::Refused(refusal(error)))?;
            }
            let left_out = self.left_out().clone();
            if !staged.asked.iter().any(|name| left_out.contains_key(name)) {
                let committed = self.store.commit(staged.transaction).await;
                return committed.map_err(RuleError::Commit);
            }
        }
        if let Some(conflict) = self.conflict(&staged.transaction) {
            return Err(RuleError::Commit(conflict));
        }
        let required = match old == new {
            true => &staged.asked,
            false => &staged.required,
        };
        if let Err(error) = self.put_in_force(&new, required, None).await {
            if matches!(error, BackendError::Failed(_)) {
                self.restore(None).await;
            }
            return Err(RuleError::Refused(refusal(error)));
        }
        match self.store.commit(staged.transaction).await {
            Ok(revision) => Ok(revision),
            Err(error) => {
                tracing::info!(%error, "a change of traffic rules was not stored; the old rules are put back");
                self.restore(None).await;
                Err(RuleError::Commit(error))
            }
        }
    }
}

fn unavailable(capabilities: &DataPlaneCapabilities) -> Problem {
    Problem::service_unavailable(format!(
        "traffic rules cannot be put in force: {}; a rule can be kept with state INACTIVE",
        capabilities.remarks.join("; ")
    ))
    .with_pointer("/state")
}

fn refusal(error: BackendError) -> Problem {
    match error {
        // Of several rules that change together it must be told which one is at fault.
        BackendError::Refused {
            name,
            pointer,
            reason,
        } => judge::impossible(&pointer, &reason).with_extension("trafficRuleId", name.traffic_rule_id),
        BackendError::Failed(reason) => {
            Problem::service_unavailable("the traffic rules could not be put in force; nothing has changed")
                .with_cause(reason)
        }
    }
}

impl TrafficRules for DataPlane {
    fn list(&self, app_instance_id: &str) -> Vec<Kept<TrafficRule>> {
        let rules = self.inner.view.rules();
        of(&rules, app_instance_id)
            .map(|(_, kept)| kept.clone())
            .collect()
    }

    fn get(&self, app_instance_id: &str, traffic_rule_id: &str) -> Option<Kept<TrafficRule>> {
        let name = RuleName {
            app_instance_id: app_instance_id.to_owned(),
            traffic_rule_id: traffic_rule_id.to_owned(),
        };
        self.inner.view.rules().get(&name).cloned()
    }

    fn check(&self, rule: &TrafficRule) -> Result<(), Problem> {
        self.inner.check("", rule)
    }

    fn commit(
        &self,
        app_instance_id: &str,
        change: RuleChange<TrafficRule>,
        transaction: Transaction,
    ) -> Later<'_, Result<Revision, RuleError>> {
        let inner = Arc::clone(&self.inner);
        let app_instance_id = app_instance_id.to_owned();
        Box::pin(async move {
            // A task of its own: a client that goes away must not leave the kernel with rules that are not stored.
            let change = async move { inner.commit(&app_instance_id, change, transaction).await };
            tokio::spawn(change)
                .await
                .unwrap_or_else(|error| Err(RuleError::Refused(Problem::internal(error))))
        })
    }

    fn capabilities(&self) -> DataPlaneCapabilities {
        let mut capabilities = self.inner.backend.capabilities();
        let left_out = self.inner.left_out();
        capabilities.remarks.extend(left_out.iter().map(|(name, reason)| {
            let RuleName {
                app_instance_id,
                traffic_rule_id,
            } = name;
            format!("rule {traffic_rule_id:?} of application instance {app_instance_id:?} is not in force: {reason}")
        }));
        capabilities
    }

    fn counters(&self) -> Later<'_, Vec<RuleCounters>> {
        Box::pin(async move {
            match self.inner.backend.counters().await {
                Ok(tallies) => tallies
                    .into_iter()
                    .map(|(name, tally)| RuleCounters {
                        app_instance_id: name.app_instance_id,
                        traffic_rule_id: name.traffic_rule_id,
                        packets: tally.packets,
                        bytes: tally.bytes,
                    })
                    .collect(),
                Err(error) => {
                    tracing::warn!(%error, "the counters of traffic rules cannot be read");
                    Vec::new()
                }
            }
        })
    }
}
