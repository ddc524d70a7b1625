//! All DNS rules in memory, and the names that active ones give.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use mec011_app_support::{DnsRule, DnsRuleIpAddressType, DnsRuleState};
use mecforge_contracts::keys;
use mecforge_contracts::rules::Kept;
use mecforge_store::{Change, Changes, Revision, View};

use crate::name::{HostName, InvalidName};
use crate::names::Names;

/// The largest TTL (RFC 2181 clause 8).
const LARGEST_TTL: u32 = 0x7FFF_FFFF;

/// Names, for those who answer and those who change them.
#[derive(Debug)]
pub(crate) struct SharedNames(RwLock<Names>);

impl SharedNames {
    pub(crate) fn new(names: Names) -> Self {
        Self(RwLock::new(names))
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Names> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Names> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes names by a transaction of the store.
    pub(crate) fn at(&self, revision: Revision) -> RwLockWriteGuard<'_, Names> {
        let mut names = self.write();
        // Truncated on purpose: serial numbers wrap.
        names.serial = (revision.0 & u64::from(u32::MAX)) as u32;
        names
    }
}

/// Why no name server could answer by a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    Name(InvalidName),
    /// The address is none, or one of the other family.
    Address,
}

/// The name and the address of a rule.
pub(crate) fn target(rule: &DnsRule) -> Result<(HostName, IpAddr), Unusable> {
    let name = rule.domain_name.parse().map_err(Unusable::Name)?;
    let address = match rule.ip_address_type {
        DnsRuleIpAddressType::IpV4 => rule.ip_address.parse().map(IpAddr::V4),
        DnsRuleIpAddressType::IpV6 => rule.ip_address.parse().map(IpAddr::V6),
    };
    Ok((name, address.map_err(|_| Unusable::Address)?))
}

/// The rules as a [`View`] of the store.
#[derive(Debug)]
pub(crate) struct Rules {
    index: RwLock<Index>,
    names: Arc<SharedNames>,
    default_ttl: u32,
}

/// The rules by what they are looked up by.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// By their keys in the store.
    by_key: BTreeMap<Arc<str>, Kept<DnsRule>>,
    /// The keys of active ones, by name.
    active: HashMap<HostName, Vec<Arc<str>>>,
    /// The revision that this shows.
    pub(crate) revision: Revision,
}

impl Index {
    /// One rule.
    pub(crate) fn get(&self, app_instance_id: &str, dns_rule_id: &str) -> Option<&Kept<DnsRule>> {
        self.by_key.get(&*keys::dns_rule(app_instance_id, dns_rule_id))
    }

    /// The rules of an application instance, by the order of their keys.
    pub(crate) fn of<'a>(
        &'a self,
        app_instance_id: &str,
    ) -> impl Iterator<Item = &'a Kept<DnsRule>> + use<'a> {
        let prefix = keys::dns_rules_of(app_instance_id);
        let from: Arc<str> = prefix.as_str().into();
        self.by_key
            .range(from..)
            .take_while(move |(key, _)| key.starts_with(&prefix))
            .map(|(_, kept)| kept)
    }

    /// The active rules for a name.
    pub(crate) fn active<'a>(&'a self, name: &HostName) -> impl Iterator<Item = &'a Kept<DnsRule>> + use<'a> {
        let keys = self.active.get(name).map(Vec::as_slice).unwrap_or_default();
        keys.iter().filter_map(|key| self.by_key.get(key))
    }

    /// How many rules there are, and how many of them are active.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.by_key.len(), self.active.values().map(Vec::len).sum())
    }

    fn change(&mut self, change: &Change, names: &mut Names, default_ttl: u32) {
        if let Some(old) = self.by_key.remove(&change.key) {
            self.leave(&change.key, &old.rule, names);
        }
        let Some(entry) = &change.entry else { return };
        let read =
            keys::dns_rule_at(&change.key).zip(mecforge_runtime::from_slice::<DnsRule>(&entry.value).ok());
        let Some(((app_instance_id, _), rule)) = read else {
            tracing::error!(
                key = &*change.key,
                "the store holds a DNS rule that this version cannot read"
            );
            return;
        };
        if rule.state == DnsRuleState::Active {
            match target(&rule) {
                Ok((name, address)) => {
                    let ttl = rule
                        .ttl
                        .map_or(default_ttl, |ttl| u32::try_from(ttl).unwrap_or(u32::MAX));
                    names.add_rule(&name, &change.key, address, ttl.min(LARGEST_TTL));
                    self.active.entry(name).or_default().push(change.key.clone());
                }
                Err(reason) => {
                    tracing::error!(
                        key = &*change.key,
                        ?reason,
                        "the store holds a DNS rule without effect"
                    );
                }
            }
        }
        let kept = Kept {
            app_instance_id,
            rule,
            modified: entry.modified,
        };
        self.by_key.insert(change.key.clone(), kept);
    }

    /// Takes a rule that was in force out of it.
    fn leave(&mut self, key: &Arc<str>, rule: &DnsRule, names: &mut Names) {
        let Ok((name, _)) = target(rule) else { return };
        let Some(keys) = self.active.get_mut(&name) else {
            return;
        };
        keys.retain(|other| other != key);
        if keys.is_empty() {
            self.active.remove(&name);
        }
        names.remove_rule(&name, key);
    }
}

impl Rules {
    pub(crate) fn new(names: Arc<SharedNames>, default_ttl: u32) -> Self {
        Self {
            index: RwLock::default(),
            names,
            default_ttl: default_ttl.min(LARGEST_TTL),
        }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View for Rules {
    fn apply(&self, changes: &Changes) {
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        let mut names = self.names.at(changes.revision);
        for change in &changes.changes {
            index.change(change, &mut names, self.default_ttl);
        }
        index.revision = changes.revision;
    }
}
