//! Changes of DNS rules: judged, then written in the caller's transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use mec011_app_support::{DnsRule, DnsRuleState};
use mecforge_contracts::rules::{DnsRules, Kept, RuleChange};
use mecforge_contracts::{Belongings, keys};
use mecforge_runtime::server::Problem;
use mecforge_store::{Expected, Transaction};

use crate::name::HostName;
use crate::rules::{Index, Unusable, target};
use crate::server::NameServer;

impl DnsRules for NameServer {
    fn list(&self, app_instance_id: &str) -> Vec<Kept<DnsRule>> {
        let mut rules: Vec<_> = self.rules().of(app_instance_id).cloned().collect();
        rules.sort_by(|one, other| one.rule.dns_rule_id.cmp(&other.rule.dns_rule_id));
        rules
    }

    fn get(&self, app_instance_id: &str, dns_rule_id: &str) -> Option<Kept<DnsRule>> {
        self.rules().get(app_instance_id, dns_rule_id).cloned()
    }

    fn stage(
        &self,
        app_instance_id: &str,
        change: RuleChange<DnsRule>,
        transaction: Transaction,
    ) -> Result<Transaction, Problem> {
        let index = self.rules();
        match change {
            RuleChange::Set(rule) => {
                let old = index.get(app_instance_id, &rule.dns_rule_id);
                let rest: Vec<&DnsRule> = index
                    .of(app_instance_id)
                    .map(|kept| &kept.rule)
                    .filter(|kept| kept.dns_rule_id != rule.dns_rule_id)
                    .collect();
                self.judge(&index, app_instance_id, &rest, &[("", &rule)])?;
                let expected = old.map_or(Expected::Absent, |old| Expected::Revision(old.modified));
                let key = keys::dns_rule(app_instance_id, &rule.dns_rule_id);
                let transaction = guard(transaction, &index, &rule).expect(key.as_str(), expected);
                put(transaction, key, &rule)
            }
            RuleChange::ReplaceAll(rules) => {
                let places: Vec<String> = (0..rules.len()).map(|place| format!("/{place}")).collect();
                let placed: Vec<_> = places.iter().map(String::as_str).zip(&rules).collect();
                unique(&placed)?;
                self.judge(&index, app_instance_id, &[], &placed)?;
                replace_all(&index, app_instance_id, &rules, transaction)
            }
            // Whatever is there when the transaction is committed goes; nothing that was seen matters.
            RuleChange::RemoveAll => Ok(transaction.delete_prefix(keys::dns_rules_of(app_instance_id))),
        }
    }

    fn listens_on(&self) -> Vec<SocketAddr> {
        self.listening()
    }
}

impl Belongings for NameServer {
    fn remove_all(&self, app_instance_id: &str, transaction: Transaction) -> Transaction {
        transaction.delete_prefix(keys::dns_rules_of(app_instance_id))
    }
}

/// Replaces what differs, so that rules which stay as they are keep their entity tags.
fn replace_all(
    index: &Index,
    app_instance_id: &str,
    rules: &[DnsRule],
    transaction: Transaction,
) -> Result<Transaction, Problem> {
    let key = |rule: &DnsRule| keys::dns_rule(app_instance_id, &rule.dns_rule_id);
    let mut transaction = transaction.expect_none_newer(keys::dns_rules_of(app_instance_id), index.revision);
    for old in index.of(app_instance_id) {
        transaction = transaction.expect(key(&old.rule), Expected::Revision(old.modified));
        if !rules.iter().any(|rule| rule.dns_rule_id == old.rule.dns_rule_id) {
            transaction = transaction.delete(key(&old.rule));
        }
    }
    for rule in rules {
        transaction = guard(transaction, index, rule);
        let old = index.get(app_instance_id, &rule.dns_rule_id);
        if old.is_none_or(|old| old.rule != *rule) {
            transaction = put(transaction, key(rule), rule)?;
        }
    }
    Ok(transaction)
}

/// Adds that nobody else has activated a rule since an active one was judged.
fn guard(transaction: Transaction, index: &Index, rule: &DnsRule) -> Transaction {
    let already = transaction
        .conditions()
        .iter()
        .any(|condition| **condition.key() == *keys::DNS_RULES);
    if rule.state == DnsRuleState::Active && !already {
        transaction.expect_none_newer(keys::DNS_RULES, index.revision)
    } else {
        transaction
    }
}

fn put(transaction: Transaction, key: String, rule: &DnsRule) -> Result<Transaction, Problem> {
    Ok(transaction.put(key, serde_json::to_vec(rule).map_err(Problem::internal)?))
}

/// Refuses two rules with the same identifier.
fn unique(rules: &[(&str, &DnsRule)]) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    match rules.iter().find(|(_, rule)| !seen.insert(&rule.dns_rule_id)) {
        Some((place, rule)) => Err(Problem::bad_request(format!(
            "there are two DNS rules with the identifier {:?}",
            rule.dns_rule_id
        ))
        .with_pointer(format!("{place}/dnsRuleId"))
        .with_rule("uniqueItems")),
        None => Ok(()),
    }
}

impl NameServer {
    /// Judges rules that an application instance is to have beside `rest`.
    fn judge(
        &self,
        index: &Index,
        app_instance_id: &str,
        rest: &[&DnsRule],
        rules: &[(&str, &DnsRule)],
    ) -> Result<(), Problem> {
        let mut addresses: BTreeMap<(HostName, bool), usize> = BTreeMap::new();
        for rule in rest.iter().filter(|rule| rule.state == DnsRuleState::Active) {
            if let Ok((name, address)) = target(rule) {
                *addresses.entry((name, address.is_ipv4())).or_default() += 1;
            }
        }
        for (place, rule) in rules {
            let (name, address) = target(rule).map_err(|unusable| refusal(place, rule, unusable))?;
            if rule.state != DnsRuleState::Active {
                continue;
            }
            if self.listening().is_empty() {
                return Err(Problem::service_unavailable(format!(
                    "DNS rule {:?} cannot be active: the platform's name server is off",
                    rule.dns_rule_id
                ))
                .with_pointer(format!("{place}/state")));
            }
            check_others(index, app_instance_id, place, rule, &name)?;
            let count = addresses.entry((name, address.is_ipv4())).or_default();
            *count += 1;
            if *count > self.options().addresses_per_name {
                return Err(too_many(place, rule, address, self.options().addresses_per_name));
            }
        }
        Ok(())
    }
}

fn refusal(place: &str, rule: &DnsRule, unusable: Unusable) -> Problem {
    match unusable {
        Unusable::Name(reason) => {
            Problem::bad_request(format!("{:?} is no host name: {reason}", rule.domain_name))
                .with_pointer(format!("{place}/domainName"))
                .with_rule("hostname")
        }
        Unusable::Address => Problem::bad_request(format!(
            "{:?} is no address of the type {}",
            rule.ip_address,
            rule.ip_address_type.as_str()
        ))
        .with_pointer(format!("{place}/ipAddress"))
        .with_rule("ipAddressType"),
    }
}

/// Refuses a name that an active rule of another application instance has.
fn check_others(
    index: &Index,
    app_instance_id: &str,
    place: &str,
    rule: &DnsRule,
    name: &HostName,
) -> Result<(), Problem> {
    let other = index
        .active(name)
        .find(|kept| kept.app_instance_id != app_instance_id);
    match other {
        Some(other) => Err(Problem::conflict(format!(
            "DNS rule {:?} cannot be active: {name} is answered by DNS rule {:?} of application instance {:?}",
            rule.dns_rule_id, other.rule.dns_rule_id, other.app_instance_id
        ))
        .with_pointer(format!("{place}/domainName"))
        .with_extension("conflictingAppInstanceId", other.app_instance_id.as_str())
        .with_extension("conflictingDnsRuleId", other.rule.dns_rule_id.as_str())),
        None => Ok(()),
    }
}

fn too_many(place: &str, rule: &DnsRule, address: IpAddr, limit: usize) -> Problem {
    let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
    Problem::unprocessable(format!(
        "{} would have more than {limit} {family} addresses by active rules",
        rule.domain_name
    ))
    .with_pointer(format!("{place}/ipAddress"))
}
