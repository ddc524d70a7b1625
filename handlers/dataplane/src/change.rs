//! Works out what a change of rules comes to, before anything is touched.

use std::collections::BTreeSet;

use mec011_app_support::TrafficRule;
use mecforge_contracts::keys;
use mecforge_contracts::rules::{Kept, RuleChange, RuleError};
use mecforge_runtime::server::Problem;
use mecforge_store::{CommitError, Condition, Expected, Revision, Transaction};

use crate::intent::RuleName;
use crate::plane::Inner;
use crate::view::Rules;

/// A change that is worked out.
pub(crate) struct Staged {
    /// The rules that result.
    pub(crate) after: Rules,
    /// The rules that change, which must be in force for that to be acknowledged.
    pub(crate) required: BTreeSet<RuleName>,
    /// The rules that are asked for, whether they change or not.
    pub(crate) asked: BTreeSet<RuleName>,
    /// What stores them.
    pub(crate) transaction: Transaction,
}

impl Staged {
    fn change(&mut self, change: impl FnOnce(Transaction) -> Transaction) {
        self.transaction = change(std::mem::take(&mut self.transaction));
    }

    /// Removes the rules of an application instance but those of these identifiers.
    fn remove_others(&mut self, before: &Rules, app_instance_id: &str, named: &BTreeSet<String>) {
        let newest = before.values().map(|kept| kept.modified).max();
        let prefix = keys::traffic_rules_of(app_instance_id);
        self.change(|transaction| transaction.expect_none_newer(prefix, newest.unwrap_or_default()));
        for (name, kept) in of(before, app_instance_id) {
            if !named.contains(&name.traffic_rule_id) {
                let key = keys::traffic_rule(app_instance_id, &name.traffic_rule_id);
                let expected = Expected::Revision(kept.modified);
                self.change(|transaction| transaction.expect(key.as_str(), expected).delete(key));
                self.after.remove(name);
            }
        }
    }
}

impl Inner {
    /// Works a change out: the rules that result, and the transaction that stores them if nobody else has changed
    /// rules of the application instance.
    pub(crate) fn stage(
        &self,
        before: &Rules,
        app_instance_id: &str,
        change: RuleChange<TrafficRule>,
        transaction: Transaction,
    ) -> Result<Staged, RuleError> {
        let (rules, all) = match change {
            RuleChange::Set(rule) => (vec![rule], false),
            RuleChange::ReplaceAll(rules) => (rules, true),
            RuleChange::RemoveAll => (Vec::new(), true),
        };
        let mut staged = Staged {
            after: before.clone(),
            required: BTreeSet::new(),
            asked: BTreeSet::new(),
            transaction,
        };
        let mut named = BTreeSet::new();
        for rule in rules {
            if !named.insert(rule.traffic_rule_id.clone()) {
                return Err(RuleError::Refused(Problem::bad_request(format!(
                    "two traffic rules have the identifier {:?}",
                    rule.traffic_rule_id
                ))));
            }
            self.stage_rule(before, app_instance_id, rule, &mut staged)?;
        }
        if all {
            staged.remove_others(before, app_instance_id, &named);
        }
        Ok(staged)
    }

    fn stage_rule(
        &self,
        before: &Rules,
        app_instance_id: &str,
        rule: TrafficRule,
        staged: &mut Staged,
    ) -> Result<(), RuleError> {
        let name = RuleName {
            app_instance_id: app_instance_id.to_owned(),
            traffic_rule_id: rule.traffic_rule_id.clone(),
        };
        let kept = before.get(&name);
        let same = kept.is_some_and(|kept| kept.rule == rule);
        let key = keys::traffic_rule(app_instance_id, &rule.traffic_rule_id);
        let expected = kept.map_or(Expected::Absent, |kept| Expected::Revision(kept.modified));
        staged.change(|transaction| transaction.expect(key.as_str(), expected));
        staged.asked.insert(name.clone());
        // A rule that stays as it is has been judged before, and keeps its revision.
        if same {
            return Ok(());
        }
        self.check(app_instance_id, &rule).map_err(RuleError::Refused)?;
        let value =
            serde_json::to_vec(&rule).map_err(|error| RuleError::Refused(Problem::internal(error)))?;
        staged.change(|transaction| transaction.put(key, value));
        staged.required.insert(name.clone());
        let kept = Kept {
            app_instance_id: app_instance_id.to_owned(),
            rule,
            modified: Revision::default(),
        };
        staged.after.insert(name, kept);
        Ok(())
    }

    /// The condition of a transaction that does not hold already, so that the kernel need not be touched for it.
    pub(crate) fn conflict(&self, transaction: &Transaction) -> Option<CommitError> {
        transaction.conditions().iter().find_map(|condition| {
            let (key, actual, holds) = match condition {
                Condition::Key { key, expected } => {
                    let actual = self.store.get(key).map(|entry| entry.modified);
                    let holds = match expected {
                        Expected::Absent => actual.is_none(),
                        Expected::Present => actual.is_some(),
                        Expected::Revision(revision) => actual == Some(*revision),
                    };
                    (key, actual, holds)
                }
                Condition::NoneNewer { prefix, revision } => {
                    let entries = self.store.range(prefix, None, usize::MAX).entries;
                    let newest = entries.iter().map(|(_, entry)| entry.modified).max();
                    (prefix, newest, newest.is_none_or(|newest| newest <= *revision))
                }
            };
            (!holds).then(|| CommitError::Conflict {
                key: key.to_string(),
                actual,
            })
        })
    }
}

/// The rules of an application instance, in the order of their identifiers.
pub(crate) fn of<'a>(
    rules: &'a Rules,
    app_instance_id: &'a str,
) -> impl Iterator<Item = (&'a RuleName, &'a Kept<TrafficRule>)> {
    let first = RuleName {
        app_instance_id: app_instance_id.to_owned(),
        traffic_rule_id: String::new(),
    };
    rules
        .range(first..)
        .take_while(move |(name, _)| name.app_instance_id == app_instance_id)
}
