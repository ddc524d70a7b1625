//! Rules that are kept in the store and in force nowhere: enough for those who only ask about them.

use std::sync::Arc;

use mec011_app_support::{DnsRule, TrafficRule};
use mecforge_contracts::keys;
use mecforge_contracts::rules::{
    DataPlaneCapabilities, DnsRules, Kept, Later, RuleChange, RuleCounters, RuleError, TrafficRules,
};
use mecforge_runtime::Decode;
use mecforge_runtime::server::Problem;
use mecforge_store::{Entry, Revision, Store, Transaction};
use serde::Serialize;

pub(crate) struct Rules {
    store: Arc<dyn Store>,
}

impl Rules {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    fn kept<R: Decode>(&self, prefix: &str, app: &str) -> Vec<Kept<R>> {
        let entries = self.store.range(prefix, None, usize::MAX).entries;
        entries.into_iter().map(|(_, entry)| kept(app, &entry)).collect()
    }
}

fn kept<R: Decode>(app: &str, entry: &Entry) -> Kept<R> {
    Kept {
        app_instance_id: app.to_owned(),
        rule: mecforge_runtime::from_slice(&entry.value).unwrap(),
        modified: entry.modified,
    }
}

fn staged<R: Serialize>(
    prefix: String,
    key: impl Fn(&R) -> String,
    change: RuleChange<R>,
    transaction: Transaction,
) -> Transaction {
    let put =
        |transaction: Transaction, rule: R| transaction.put(key(&rule), serde_json::to_vec(&rule).unwrap());
    match change {
        RuleChange::Set(rule) => put(transaction, rule),
        RuleChange::ReplaceAll(rules) => rules.into_iter().fold(transaction.delete_prefix(prefix), put),
        RuleChange::RemoveAll => transaction.delete_prefix(prefix),
    }
}

impl DnsRules for Rules {
    fn list(&self, app: &str) -> Vec<Kept<DnsRule>> {
        self.kept(&keys::dns_rules_of(app), app)
    }

    fn get(&self, app: &str, id: &str) -> Option<Kept<DnsRule>> {
        Some(kept(app, &self.store.get(&keys::dns_rule(app, id))?))
    }

    fn stage(
        &self,
        app: &str,
        change: RuleChange<DnsRule>,
        transaction: Transaction,
    ) -> Result<Transaction, Problem> {
        let key = |rule: &DnsRule| keys::dns_rule(app, &rule.dns_rule_id);
        Ok(staged(keys::dns_rules_of(app), key, change, transaction))
    }

    fn listens_on(&self) -> Vec<std::net::SocketAddr> {
        Vec::new()
    }
}

impl TrafficRules for Rules {
    fn list(&self, app: &str) -> Vec<Kept<TrafficRule>> {
        self.kept(&keys::traffic_rules_of(app), app)
    }

    fn get(&self, app: &str, id: &str) -> Option<Kept<TrafficRule>> {
        Some(kept(app, &self.store.get(&keys::traffic_rule(app, id))?))
    }

    fn check(&self, _: &TrafficRule) -> Result<(), Problem> {
        Ok(())
    }

    fn commit(
        &self,
        app: &str,
        change: RuleChange<TrafficRule>,
        transaction: Transaction,
    ) -> Later<'_, Result<Revision, RuleError>> {
        let key = |rule: &TrafficRule| keys::traffic_rule(app, &rule.traffic_rule_id);
        let transaction = staged(keys::traffic_rules_of(app), key, change, transaction);
        let commit = self.store.commit(transaction);
        Box::pin(async move { commit.await.map_err(RuleError::Commit) })
    }

    fn capabilities(&self) -> DataPlaneCapabilities {
        DataPlaneCapabilities::default()
    }

    fn counters(&self) -> Later<'_, Vec<RuleCounters>> {
        let keys = self.store.range(keys::TRAFFIC_RULES, None, usize::MAX).entries;
        let counters = keys.iter().filter_map(|(key, entry)| {
            let (app_instance_id, traffic_rule_id) = keys::traffic_rule_at(key)?;
            let rule: TrafficRule = mecforge_runtime::from_slice(&entry.value).unwrap();
            (rule.state == mec011_app_support::TrafficRuleState::Active).then_some(RuleCounters {
                app_instance_id,
                traffic_rule_id,
                packets: 3,
                bytes: 180,
            })
        });
        let counters = counters.collect();
        Box::pin(async move { counters })
    }
}
