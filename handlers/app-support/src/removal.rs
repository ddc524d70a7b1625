//! What goes away when: the transactions that end an application instance, in whole or in part.
//!
//! | event | registration | services, subscriptions | rules | configuration | life |
//! |---|---|---|---|---|---|
//! | removal, termination, deregistration of an instance that only registered | goes | go | go | goes | goes |
//! | deregistration of a configured or declared instance | goes | go | stay | stays | begins again |
//! | stop | stays | go | become `INACTIVE` | stays | begins again |
//!
//! Each is one transaction that holds only if nothing was added or changed that the plan does not know. Where that
//! would be too large, parts of the services go before, each in a transaction of its own with its notifications.

use std::sync::Arc;

use mec011_app_support::{DnsRule, DnsRuleState, TrafficRule, TrafficRuleState};
use mecforge_contracts::lifecycle::Life;
use mecforge_contracts::rules::{Kept, RuleChange};
use mecforge_contracts::{Presence, keys};
use mecforge_runtime::server::Problem;
use mecforge_store::{CommitError, Expected, Transaction};

use crate::core::{Core, Step};
use crate::lives::Found;

impl Core {
    /// Everything goes.
    pub(crate) fn plan_removal<T>(
        &self,
        app_instance_id: &str,
        answer: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Step<T>, Problem> {
        if self.is_too_much(app_instance_id) {
            return Ok(Step::InParts);
        }
        let mut transaction = Transaction::new();
        for key in [
            keys::application(app_instance_id),
            keys::configuration(app_instance_id),
            keys::life(app_instance_id),
        ] {
            let found = self.parts.store.get(&key);
            let expected = found.map_or(Expected::Absent, |entry| Expected::Revision(entry.modified));
            transaction = transaction.expect(key.as_str(), expected).delete(key);
        }
        let transaction = self.remove_belongings(app_instance_id, transaction);
        let dns = &self.parts.dns_rules;
        Ok(Step::Commit {
            transaction: dns.stage(app_instance_id, RuleChange::RemoveAll, transaction)?,
            traffic: Some(Box::new(RuleChange::RemoveAll)),
            answer: Box::new(|_| answer()),
        })
    }

    /// What the application has made itself goes; what a manager has given it stays, as does an announced end.
    pub(crate) fn plan_deregistration(
        &self,
        app_instance_id: &str,
        presence: Presence,
    ) -> Result<Step<()>, Problem> {
        if self.is_too_much(app_instance_id) {
            return Ok(Step::InParts);
        }
        let key = keys::application(app_instance_id);
        let found = Found::at(&*self.parts.store, app_instance_id);
        let life = Life {
            pending: found.life.pending,
            ..Life::default()
        };
        let transaction = presence.guard(Transaction::new(), app_instance_id);
        let registered = self.parts.store.get(&key);
        let expected = registered.map_or(Expected::Absent, |entry| Expected::Revision(entry.modified));
        let transaction = transaction.expect(key.as_str(), expected).delete(key);
        let transaction = found.put(transaction, &life)?;
        Ok(Step::Commit {
            transaction: self.remove_belongings(app_instance_id, transaction),
            traffic: None,
            answer: Box::new(|_| ()),
        })
    }

    /// What runs comes to rest: services and subscriptions go, rules become `INACTIVE`.
    pub(crate) fn plan_stop<T>(
        &self,
        app_instance_id: &str,
        presence: Presence,
        answer: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Step<T>, Problem> {
        if self.is_too_much(app_instance_id) {
            return Ok(Step::InParts);
        }
        let found = Found::at(&*self.parts.store, app_instance_id);
        let transaction = presence.guard(Transaction::new(), app_instance_id);
        let transaction = found.put(transaction, &Life::default())?;
        let transaction = self.remove_belongings(app_instance_id, transaction);

        let dns = self.parts.dns_rules.list(app_instance_id);
        let prefix = keys::dns_rules_of(app_instance_id);
        let key_of = |rule: &DnsRule| keys::dns_rule(app_instance_id, &rule.dns_rule_id);
        let mut transaction = self.unchanged(transaction, prefix, &dns, key_of);
        if dns.iter().any(|kept| kept.rule.state == DnsRuleState::Active) {
            let rest = |kept: Kept<DnsRule>| DnsRule {
                state: DnsRuleState::Inactive,
                ..kept.rule
            };
            let change = RuleChange::ReplaceAll(dns.into_iter().map(rest).collect());
            transaction = self.parts.dns_rules.stage(app_instance_id, change, transaction)?;
        }

        let traffic = self.parts.traffic_rules.list(app_instance_id);
        let prefix = keys::traffic_rules_of(app_instance_id);
        let key_of = |rule: &TrafficRule| keys::traffic_rule(app_instance_id, &rule.traffic_rule_id);
        let transaction = self.unchanged(transaction, prefix, &traffic, key_of);
        let active = traffic
            .iter()
            .any(|kept| kept.rule.state == TrafficRuleState::Active);
        let rest = |kept: Kept<TrafficRule>| TrafficRule {
            state: TrafficRuleState::Inactive,
            ..kept.rule
        };
        Ok(Step::Commit {
            transaction,
            traffic: active
                .then(|| Box::new(RuleChange::ReplaceAll(traffic.into_iter().map(rest).collect()))),
            answer: Box::new(|_| answer()),
        })
    }

    /// Services and subscriptions, with the notifications that their end causes.
    fn remove_belongings(&self, app_instance_id: &str, transaction: Transaction) -> Transaction {
        let own = self.parts.subscriptions.clone() as Arc<dyn mecforge_contracts::Belongings>;
        self.parts
            .belongings
            .iter()
            .chain([&own])
            .fold(transaction, |transaction, kind| {
                kind.remove_all(app_instance_id, transaction)
            })
    }

    /// Whether one transaction does not take everything that belongs to an application instance.
    fn is_too_much(&self, app_instance_id: &str) -> bool {
        let mut kinds = self.parts.belongings.iter();
        kinds.any(|kind| kind.remove_part(app_instance_id).is_some())
    }

    /// Removes what belongs to an application instance until one transaction takes the rest.
    pub(crate) async fn remove_parts(&self, app_instance_id: &str) -> Result<(), CommitError> {
        for kind in &self.parts.belongings {
            while let Some(part) = kind.remove_part(app_instance_id) {
                part.await?;
            }
        }
        Ok(())
    }

    /// Adds to a transaction that the rules of a kind are those that were read, no more, no less, and unchanged.
    ///
    /// The keys are read from the store after the rules, so that a rule that was not read yet is expected to be absent,
    /// and the transaction refused.
    fn unchanged<R>(
        &self,
        mut transaction: Transaction,
        prefix: String,
        rules: &[Kept<R>],
        key_of: impl Fn(&R) -> String,
    ) -> Transaction {
        let stored = self.parts.store.range(&prefix, None, usize::MAX);
        let read: std::collections::HashMap<String, Expected> = rules
            .iter()
            .map(|kept| (key_of(&kept.rule), Expected::Revision(kept.modified)))
            .collect();
        for (key, _) in &stored.entries {
            if !read.contains_key(&**key) {
                transaction = transaction.expect(key.clone(), Expected::Absent);
            }
        }
        for (key, expected) in read {
            transaction = transaction.expect(key, expected);
        }
        transaction.expect_none_newer(prefix, stored.revision)
    }

    /// Removes what belongs to application instances that no longer exist: those that the configuration declared
    /// before the platform was started, and does not declare any more. Returns how many.
    pub(crate) async fn remove_orphans(self: &Arc<Self>) -> Result<usize, Problem> {
        let mut removed = 0;
        for app in self.owners() {
            if self.presence(&app) == Presence::Absent {
                tracing::warn!(
                    application = app,
                    "removing what belongs to an application instance that no longer exists"
                );
                let orphan = app.clone();
                self.change(&app, move |core| core.plan_removal(&orphan, || ()))
                    .await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// The application instances to which something belongs.
    fn owners(&self) -> std::collections::BTreeSet<String> {
        let below = |prefix: &str| self.parts.store.range(prefix, None, usize::MAX).entries;
        let owner = |key: &str| -> Option<String> {
            keys::service_at(key)
                .or_else(|| keys::dns_rule_at(key))
                .or_else(|| keys::traffic_rule_at(key))
                .map(|(app, _)| app)
                .or_else(|| keys::life_of(key))
                .or_else(|| keys::subscription_at(key).map(|(_, app, _)| app))
        };
        [
            keys::SERVICES.to_owned(),
            keys::DNS_RULES.to_owned(),
            keys::TRAFFIC_RULES.to_owned(),
            keys::LIVES.to_owned(),
            keys::subscriptions(crate::TERMINATION),
        ]
        .iter()
        .flat_map(|prefix| below(prefix))
        .filter_map(|(key, _)| owner(&key))
        .collect()
    }
}

/// Whether a transaction that could not be committed is worth a new attempt.
#[must_use]
pub(crate) fn is_conflict(error: &CommitError) -> bool {
    matches!(error, CommitError::Conflict { .. })
}
