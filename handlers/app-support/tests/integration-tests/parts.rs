//! What surrounds application support: rules with a kernel that is a map, services, a policy for callbacks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mec011_app_support::{DnsRule, DnsRuleState, TrafficRule, TrafficRuleState};
use mecforge_contracts::outbox::CallbackPolicy;
use mecforge_contracts::rules::{
    DataPlaneCapabilities, DnsRules, Kept, Later, RuleChange, RuleCounters, RuleError, TrafficRules,
};
use mecforge_contracts::{Belongings, keys};
use mecforge_runtime::Decode;
use mecforge_runtime::server::Problem;
use mecforge_store::{CommitError, Entry, Expected, Revision, Store, Transaction};

/// The rules at a place of the store.
fn kept<R: Decode>(store: &dyn Store, app: &str, prefix: &str) -> Vec<Kept<R>> {
    let entries = store.range(prefix, None, usize::MAX).entries;
    entries
        .into_iter()
        .map(|(_, entry)| Kept {
            app_instance_id: app.to_owned(),
            rule: mecforge_runtime::from_slice(&entry.value).unwrap(),
            modified: entry.modified,
        })
        .collect()
}

/// DNS rules in the store; the name server answers by whatever is `ACTIVE` there.
pub(crate) struct Names(pub(crate) Arc<dyn Store>);

impl Names {
    /// The names that the rules of an application instance give addresses to.
    pub(crate) fn active(&self, app: &str) -> Vec<String> {
        let all = self.list(app).into_iter();
        all.filter(|kept| kept.rule.state == DnsRuleState::Active)
            .map(|kept| kept.rule.domain_name)
            .collect()
    }

    /// The addresses that a name has.
    pub(crate) fn answers(&self, name: &str) -> Vec<String> {
        let all: Vec<Kept<DnsRule>> = kept(&*self.0, "", keys::DNS_RULES);
        all.into_iter()
            .filter(|kept| kept.rule.state == DnsRuleState::Active && kept.rule.domain_name == name)
            .map(|kept| kept.rule.ip_address)
            .collect()
    }
}

impl DnsRules for Names {
    fn list(&self, app: &str) -> Vec<Kept<DnsRule>> {
        kept(&*self.0, app, &keys::dns_rules_of(app))
    }

    fn get(&self, app: &str, id: &str) -> Option<Kept<DnsRule>> {
        self.list(app)
            .into_iter()
            .find(|kept| kept.rule.dns_rule_id == id)
    }

    fn stage(
        &self,
        app: &str,
        change: RuleChange<DnsRule>,
        mut transaction: Transaction,
    ) -> Result<Transaction, Problem> {
        let range = self.0.range(keys::DNS_RULES, None, usize::MAX);
        transaction = transaction.expect_none_newer(keys::DNS_RULES, range.revision);
        let rules = match change {
            RuleChange::Set(rule) => vec![rule],
            RuleChange::ReplaceAll(rules) => {
                transaction = transaction.delete_prefix(keys::dns_rules_of(app));
                rules
            }
            RuleChange::RemoveAll => return Ok(transaction.delete_prefix(keys::dns_rules_of(app))),
        };
        for rule in rules {
            let taken = range.entries.iter().any(|(key, entry)| {
                let other: DnsRule = mecforge_runtime::from_slice(&entry.value).unwrap();
                !key.starts_with(&keys::dns_rules_of(app))
                    && other.state == DnsRuleState::Active
                    && other.domain_name == rule.domain_name
            });
            if taken && rule.state == DnsRuleState::Active {
                return Err(Problem::conflict("another application has the name"));
            }
            let value = serde_json::to_vec(&rule).unwrap();
            transaction = transaction.put(keys::dns_rule(app, &rule.dns_rule_id), value);
        }
        Ok(transaction)
    }

    fn listens_on(&self) -> Vec<SocketAddr> {
        Vec::new()
    }
}

type Kernel = BTreeMap<(String, String), TrafficRule>;

/// Traffic rules in the store, those that are `ACTIVE` in a kernel as well, which is changed first.
pub(crate) struct Traffic {
    store: Arc<dyn Store>,
    pub(crate) kernel: Mutex<Kernel>,
    one_at_a_time: tokio::sync::Mutex<()>,
    /// Whether the kernel refuses every change.
    pub(crate) broken: AtomicBool,
    /// How long the kernel takes.
    pub(crate) takes: Mutex<Duration>,
    /// What the store still held of the application instance when its rules left the kernel.
    pub(crate) seen: Mutex<Vec<bool>>,
}

impl Traffic {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        let active = kept::<TrafficRule>(&*store, "", keys::TRAFFIC_RULES);
        let owners = store.range(keys::TRAFFIC_RULES, None, usize::MAX).entries;
        let kernel = owners
            .iter()
            .zip(active)
            .filter(|(_, kept)| kept.rule.state == TrafficRuleState::Active)
            .map(|((key, _), kept)| (keys::traffic_rule_at(key).unwrap(), kept.rule))
            .collect();
        Self {
            store,
            kernel: Mutex::new(kernel),
            one_at_a_time: tokio::sync::Mutex::default(),
            broken: AtomicBool::new(false),
            takes: Mutex::default(),
            seen: Mutex::default(),
        }
    }

    /// The rules of an application instance that are in the kernel.
    pub(crate) fn in_kernel(&self, app: &str) -> Vec<String> {
        let kernel = self.kernel.lock().unwrap();
        kernel
            .keys()
            .filter(|(of, _)| of == app)
            .map(|(_, id)| id.clone())
            .collect()
    }
}

impl TrafficRules for Traffic {
    fn list(&self, app: &str) -> Vec<Kept<TrafficRule>> {
        kept(&*self.store, app, &keys::traffic_rules_of(app))
    }

    fn get(&self, app: &str, id: &str) -> Option<Kept<TrafficRule>> {
        self.list(app)
            .into_iter()
            .find(|kept| kept.rule.traffic_rule_id == id)
    }

    fn check(&self, rule: &TrafficRule) -> Result<(), Problem> {
        if rule.traffic_filter.iter().any(|filter| filter.q_ci.is_some()) {
            return Err(Problem::unprocessable("no QCI here").with_pointer("/trafficFilter/0/qCI"));
        }
        Ok(())
    }

    fn commit(
        &self,
        app: &str,
        change: RuleChange<TrafficRule>,
        mut transaction: Transaction,
    ) -> Later<'_, Result<Revision, RuleError>> {
        let app = app.to_owned();
        Box::pin(async move {
            let _alone = self.one_at_a_time.lock().await;
            let old = self.kernel.lock().unwrap().clone();
            let mut new = old.clone();
            let put = |transaction: Transaction, rule: &TrafficRule, new: &mut Kernel| {
                let place = (app.clone(), rule.traffic_rule_id.clone());
                match rule.state {
                    TrafficRuleState::Active => new.insert(place, rule.clone()),
                    TrafficRuleState::Inactive => new.remove(&place),
                };
                let key = keys::traffic_rule(&app, &rule.traffic_rule_id);
                transaction.put(key, serde_json::to_vec(rule).unwrap())
            };
            match &change {
                RuleChange::Set(rule)
                    if self
                        .get(&app, &rule.traffic_rule_id)
                        .is_some_and(|kept| kept.rule == *rule) =>
                {
                    // It keeps its revision, and is in the kernel again if it was not.
                    put(Transaction::new(), rule, &mut new);
                }
                RuleChange::Set(rule) => transaction = put(transaction, rule, &mut new),
                RuleChange::ReplaceAll(rules) => {
                    transaction = transaction.delete_prefix(keys::traffic_rules_of(&app));
                    new.retain(|(of, _), _| *of != app);
                    for rule in rules {
                        transaction = put(transaction, rule, &mut new);
                    }
                }
                RuleChange::RemoveAll => {
                    transaction = transaction.delete_prefix(keys::traffic_rules_of(&app));
                    new.retain(|(of, _), _| *of != app);
                }
            }
            if new != old {
                if self.broken.load(Ordering::Relaxed) {
                    let problem = Problem::service_unavailable("the kernel refuses");
                    return Err(RuleError::Refused(problem));
                }
                let takes = *self.takes.lock().unwrap();
                tokio::time::sleep(takes).await;
                *self.kernel.lock().unwrap() = new;
                let exists = self.store.get(&keys::application(&app)).is_some();
                self.seen.lock().unwrap().push(exists);
            }
            let committed = self.store.commit(transaction).await;
            if committed.is_err() {
                *self.kernel.lock().unwrap() = old;
            }
            committed.map_err(RuleError::Commit)
        })
    }

    fn capabilities(&self) -> DataPlaneCapabilities {
        DataPlaneCapabilities::default()
    }

    fn counters(&self) -> Later<'_, Vec<RuleCounters>> {
        Box::pin(async { Vec::new() })
    }
}

/// Where services tell of their removal: one key for each removal of each service.
pub(crate) const REMOVED: &str = "test-removed/";

/// The most services that one transaction of [`Services`] removes.
pub(crate) const MOST: usize = 3;

/// Services, each of whose removals is noted in the transaction that removes it.
pub(crate) struct Services(pub(crate) Arc<dyn Store>);

impl Services {
    fn remove(&self, entries: Vec<(Arc<str>, Entry)>, mut transaction: Transaction) -> Transaction {
        for (key, entry) in entries {
            let note = format!("{REMOVED}{key}/{}", uuid::Uuid::new_v4());
            transaction = transaction
                .expect(key.clone(), Expected::Revision(entry.modified))
                .delete(key)
                .put(note, "");
        }
        transaction
    }
}

impl Belongings for Services {
    fn remove_all(&self, app: &str, mut transaction: Transaction) -> Transaction {
        let prefix = keys::services_of(app);
        let existing = self.0.range(&prefix, None, usize::MAX);
        transaction = transaction.expect_none_newer(prefix, existing.revision);
        self.remove(existing.entries, transaction)
    }

    fn remove_part(&self, app: &str) -> Option<Later<'_, Result<(), CommitError>>> {
        let mut entries = self.0.range(&keys::services_of(app), None, usize::MAX).entries;
        if entries.len() <= MOST {
            return None;
        }
        entries.truncate(MOST);
        let transaction = self.remove(entries, Transaction::new());
        Some(Box::pin(
            async move { self.0.commit(transaction).await.map(drop) },
        ))
    }
}

/// Callbacks anywhere but to these hosts.
#[derive(Default)]
pub(crate) struct Policy(pub(crate) BTreeSet<&'static str>);

impl CallbackPolicy for Policy {
    fn check(&self, url: &str) -> Result<(), String> {
        match self.0.iter().find(|host| url.contains(**host)) {
            Some(host) => Err(format!("{host} is on the list of hosts that must not be called")),
            None => Ok(()),
        }
    }
}
