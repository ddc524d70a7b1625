//! The rules in memory, kept current by the store.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use mec011_app_support::{TrafficRule, TrafficRuleState};
use mecforge_contracts::keys;
use mecforge_contracts::rules::Kept;
use mecforge_store::{Changes, View};

use crate::intent::{Intent, RuleName};
use crate::judge;

/// Rules by application instance and identifier.
pub(crate) type Rules = BTreeMap<RuleName, Kept<TrafficRule>>;

/// All traffic rules, active or not.
#[derive(Debug, Default)]
pub(crate) struct RuleView(RwLock<Rules>);

impl RuleView {
    /// The rules as they are now.
    pub(crate) fn rules(&self) -> RwLockReadGuard<'_, Rules> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View for RuleView {
    fn apply(&self, changes: &Changes) {
        let mut rules = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for change in &changes.changes {
            let Some((app_instance_id, traffic_rule_id)) = keys::traffic_rule_at(&change.key) else {
                continue;
            };
            let name = RuleName {
                app_instance_id: app_instance_id.clone(),
                traffic_rule_id,
            };
            let Some(entry) = &change.entry else {
                rules.remove(&name);
                continue;
            };
            match serde_json::from_slice::<TrafficRule>(&entry.value) {
                Ok(rule) => {
                    let kept = Kept {
                        app_instance_id,
                        rule,
                        modified: entry.modified,
                    };
                    rules.insert(name, kept);
                }
                Err(error) => {
                    tracing::error!(key = %change.key, %error, "a stored traffic rule cannot be read");
                    rules.remove(&name);
                }
            }
        }
    }
}

/// The active rules in the order in which they are tried.
pub(crate) fn active(rules: &Rules) -> Vec<Intent> {
    let mut intents: Vec<Intent> = rules
        .iter()
        .filter(|(_, kept)| kept.rule.state == TrafficRuleState::Active)
        .filter_map(
            |(name, kept)| match judge::intent(&name.app_instance_id, &kept.rule) {
                Ok(intent) => Some(intent),
                Err(problem) => {
                    let detail = problem.details().detail.clone().unwrap_or_default();
                    tracing::error!(?name, detail, "a stored traffic rule cannot be put in force");
                    None
                }
            },
        )
        .collect();
    // Stable: rules of one priority stay in the order of their names.
    intents.sort_by_key(|intent| intent.priority);
    intents
}
