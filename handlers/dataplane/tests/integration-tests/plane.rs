//! A data plane for tests, and short words for rules.

use std::sync::Arc;

use mec011_app_support::TrafficRule;
use mecforge_contracts::rules::{RuleChange, RuleError, TrafficRules};
use mecforge_dataplane::{DataPlane, Kind, Options};
use mecforge_store::{Embedded, Revision, Store, Transaction};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::lab::Lab;

/// A data plane and where it keeps its rules.
pub(crate) struct Plane {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) plane: Arc<DataPlane>,
    _directory: TempDir,
}

/// A rule for all packets: whatever of it is given takes the place of what is here.
pub(crate) fn rule(id: &str, parts: Value) -> TrafficRule {
    let mut rule = json!({
        "trafficRuleId": id, "filterType": "FLOW", "priority": 1, "trafficFilter": [{}],
        "action": "DROP", "state": "ACTIVE",
    });
    for (name, value) in parts.as_object().unwrap() {
        rule[name] = value.clone();
    }
    serde_json::from_value(rule).unwrap()
}

impl Plane {
    pub(crate) async fn new(options: Options) -> Self {
        Self::of_kind(Kind::Nftables, options).await
    }

    pub(crate) async fn of_kind(kind: Kind, options: Options) -> Self {
        let directory = TempDir::new().unwrap();
        let store: Arc<dyn Store> = Arc::new(Embedded::open(directory.path()).unwrap());
        let plane = DataPlane::open(Arc::clone(&store), kind, options).await.unwrap();
        Self {
            store,
            plane,
            _directory: directory,
        }
    }

    /// One in the router of a laboratory, which must be able to put rules in force.
    pub(crate) async fn within(lab: &Lab) -> Self {
        let plane = Self::new(lab.options()).await;
        let capabilities = plane.plane.capabilities();
        assert!(capabilities.available, "{:?}", capabilities.remarks);
        plane
    }

    /// Sets a rule of application instance `a`.
    pub(crate) async fn try_set(&self, rule: TrafficRule) -> Result<Revision, RuleError> {
        self.plane
            .commit("a", RuleChange::Set(rule), Transaction::new())
            .await
    }

    #[track_caller]
    pub(crate) fn set(&self, rule: TrafficRule) -> impl Future<Output = Revision> {
        let change = self.try_set(rule);
        async { change.await.unwrap() }
    }

    /// Removes all rules of an application instance.
    pub(crate) async fn remove(&self, app_instance_id: &str) {
        let change = RuleChange::RemoveAll;
        self.plane
            .commit(app_instance_id, change, Transaction::new())
            .await
            .unwrap();
    }

    /// What rule `id` of application instance `a` has matched.
    pub(crate) async fn packets(&self, id: &str) -> u64 {
        let counters = self.plane.counters().await;
        let found = counters.iter().find(|one| one.traffic_rule_id == id);
        found.map_or(0, |found| found.packets)
    }
}

/// The status, pointer and rule of a refusal.
pub(crate) fn refusal(error: RuleError) -> (u16, String, String) {
    let RuleError::Refused(problem) = error else {
        panic!("not refused: {error:?}");
    };
    let extension = |name: &str| {
        let value = problem.details().extensions.get(name);
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    (problem.status().as_u16(), extension("pointer"), extension("rule"))
}
