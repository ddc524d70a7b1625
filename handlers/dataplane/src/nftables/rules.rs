//! Traffic rules as rules of nftables, chain by chain.
//!
//! Before connections are tracked a packet can be given a zone, and afterwards it is known whether it is an answer.
//! Packets from destinations of rewritten connections need both: they get their zone first, and are judged by the same
//! rules afterwards. All other packets are judged at once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::{Value, json};

use super::conditions::{
    conditions, differs, family, is, is_answer, meta, one_of, payload, zone_of_original,
};
use super::ruleset::{Hop, Origin, Planned, SENDERS, Table, Verdict};
use crate::address::Network;
use crate::intent::{Filter, Intent};
use crate::options::Options;

/// What the table of a family has to say, but for the mark of its rules and the chain that puts fragments together.
pub(super) fn table(options: &Options, network: Network, planned: &[Planned<'_>]) -> Table {
    let planned: Vec<&Planned<'_>> = planned
        .iter()
        .filter(|one| one.intent.action.takes(network))
        .collect();
    let mut zones: BTreeMap<u16, IpAddr> = BTreeMap::new();
    for one in &planned {
        if let Verdict::Rewrite { address, zone } = &one.verdict {
            zones.insert(*zone, *address);
        }
    }
    let mut table = Table {
        rules: untouched(options, network),
        ..Table::default()
    };
    let senders = senders(network, &planned);
    if !senders.is_empty() {
        let from = payload(family(network), "saddr");
        let elsewhere = vec![differs(from.clone(), one_of(senders.clone())), accept()];
        table
            .answers
            .push(json!({ "comment": "other sources", "expr": elsewhere }));
        table.answers.push(json!({ "expr": loopback() }));
        table.answers.extend(table.rules.clone());
        let there = json!({ "goto": { "target": SENDERS } });
        table
            .rules
            .push(json!({ "comment": "destinations of rules", "expr": [is(from, one_of(senders)), there] }));
        table.senders = written(network, &planned, Stage::Zones);
        // A chain that packets are sent to is there even if there is nothing to do.
        table.senders.push(json!({ "expr": [accept()] }));
        table.answers.extend(written(network, &planned, Stage::Tracked));
    }
    table.rules.extend(written(network, &planned, Stage::Untracked));
    for (zone, address) in zones {
        let expression = vec![
            is(zone_of_original(), json!(zone)),
            json!({ "dnat": { "addr": address.to_string() } }),
        ];
        table.destinations.push(json!({ "expr": expression }));
    }
    table
}

/// The rules that let pass what no traffic rule is asked about.
fn untouched(options: &Options, network: Network) -> Vec<Value> {
    let mut rules = Vec::new();
    if !options.interfaces.is_empty() {
        let names = json!({ "set": options.interfaces });
        let expression = vec![differs(meta("iifname"), names), accept()];
        rules.push(json!({ "comment": "other interfaces", "expr": expression }));
    }
    if network == Network::V6 {
        // Without these the machine would lose its neighbours to a rule about addresses.
        let types = [
            "nd-router-solicit",
            "nd-router-advert",
            "nd-neighbor-solicit",
            "nd-neighbor-advert",
        ];
        let kind = payload("icmpv6", "type");
        let expression = vec![is(kind, json!({ "set": types })), accept()];
        rules.push(json!({ "comment": "neighbour discovery", "expr": expression }));
    }
    rules
}

/// The addresses from which answers of rewritten connections come that rules are for as well.
fn senders(network: Network, planned: &[&Planned<'_>]) -> Vec<Value> {
    let addresses: BTreeSet<IpAddr> = planned
        .iter()
        .filter(|one| one.intent.flow && one.intent.filters.iter().any(|filter| filter.concerns(network)))
        .filter_map(|one| match &one.verdict {
            Verdict::Rewrite { address, .. } => Some(*address),
            _ => None,
        })
        .collect();
    addresses
        .iter()
        .map(|address| json!(address.to_string()))
        .collect()
}

/// The rules of a chain.
fn written(network: Network, planned: &[&Planned<'_>], stage: Stage) -> Vec<Value> {
    let is_rewrite = |one: &&Planned<'_>| matches!(one.verdict, Verdict::Rewrite { .. });
    let end = match stage {
        // What comes behind the last rule that gives a zone makes no difference.
        Stage::Zones => planned.iter().rposition(is_rewrite).map_or(0, |last| last + 1),
        Stage::Untracked | Stage::Tracked => planned.len(),
    };
    let mut rules = Vec::new();
    for one in planned.iter().take(end) {
        let comment = comment(one.intent);
        let filters = one.intent.filters.iter();
        for filter in filters.filter(|filter| filter.concerns(network)) {
            for expression in expressions(network, one, filter, stage) {
                rules.push(json!({ "comment": comment, "expr": expression }));
            }
        }
    }
    rules
}

/// Lets pass what this machine sends to itself.
pub(super) fn loopback() -> Vec<Value> {
    vec![is(meta("iifname"), json!("lo")), accept()]
}

/// What a person who lists the rules sees beside each; the kernel keeps 128 bytes of it.
fn comment(intent: &Intent) -> String {
    let plain = |text: &str| -> String {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.:".contains(letter);
        text.chars()
            .map(|letter| if allowed(letter) { letter } else { '?' })
            .take(60)
            .collect()
    };
    let name = &intent.name;
    format!(
        "{}/{}",
        plain(&name.app_instance_id),
        plain(&name.traffic_rule_id)
    )
}

/// What is known of packets, and so what rules can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Packets that are no answers, before their connections are known: all is decided.
    Untracked,
    /// Packets that may be answers, before their connections are known: they only get their zones.
    Zones,
    /// The same packets when their connections are known: all is decided but zones.
    Tracked,
}

/// The rules that one filter becomes, in order.
fn expressions(network: Network, planned: &Planned<'_>, filter: &Filter, stage: Stage) -> Vec<Vec<Value>> {
    let flow = planned.intent.flow;
    let counter = json!({ "counter": planned.intent.name.word() });
    let there = conditions(network, filter);
    let mut both = there.clone();
    if flow {
        let back = conditions(network, &filter.reversed());
        both.extend(back.into_iter().filter(|back| !there.contains(back)));
    }
    match &planned.verdict {
        Verdict::Rewrite { address, zone } => {
            let from = comes_from(network, &Origin::Address(*address));
            let give = json!({ "mangle": { "key": zone_of_original(), "value": zone } });
            let mut rules = Vec::new();
            if flow && stage == Stage::Tracked {
                let mut answers = filter.reversed();
                match &mut answers.outer {
                    Some(outer) => outer.sources = None,
                    None => answers.sources = None,
                }
                // Any packet can have this source: only the connection tells whether it is an answer.
                let [answer, of_zone] = is_answer(*zone);
                let rest = [from.clone(), answer, of_zone, counter.clone(), accept()];
                rules.extend(joined(&conditions(network, &answers), &rest));
            }
            // What the destination itself sends to where clients send to, for example a cache that asks the
            // original server, must not come back to it.
            rules.extend(joined(&there, &[from, accept()]));
            rules.extend(match stage {
                Stage::Untracked => joined(&there, &[counter, give, accept()]),
                Stage::Zones => joined(&there, &[give, accept()]),
                Stage::Tracked => joined(&there, &[counter, accept()]),
            });
            rules
        }
        _ if stage == Stage::Zones => joined(&both, &[accept()]),
        Verdict::Drop => joined(&both, &[counter, json!({ "drop": null })]),
        Verdict::Pass => joined(&both, &[counter, accept()]),
        Verdict::Send { hops, keep } => send(network, &both, counter, hops, *keep),
    }
}

/// The rules that copy packets to other machines.
fn send(
    network: Network,
    directions: &[Vec<Value>],
    counter: Value,
    hops: &[Hop],
    keep: bool,
) -> Vec<Vec<Value>> {
    let hops: Vec<&Hop> = hops.iter().filter(|hop| hop.address(network).is_some()).collect();
    let mut rules = Vec::new();
    if !keep {
        for hop in &hops {
            // What the destination has passed on goes on.
            rules.extend(joined(directions, &[comes_from(network, &hop.origin), accept()]));
        }
    }
    let mut rest = vec![counter];
    rest.extend(hops.iter().filter_map(|hop| hop.copy(network)));
    rest.push(if keep { accept() } else { json!({ "drop": null }) });
    rules.extend(joined(directions, &rest));
    rules
}

fn accept() -> Value {
    json!({ "accept": null })
}

/// A rule for each alternative.
fn joined(alternatives: &[Vec<Value>], rest: &[Value]) -> Vec<Vec<Value>> {
    alternatives
        .iter()
        .map(|conditions| [conditions, rest].concat())
        .collect()
}

impl Hop {
    fn address(&self, network: Network) -> Option<&String> {
        match network {
            Network::V4 => self.v4.as_ref(),
            Network::V6 => self.v6.as_ref(),
        }
    }

    fn copy(&self, network: Network) -> Option<Value> {
        let mut copy = json!({ "addr": self.address(network)? });
        if let Some(device) = &self.device {
            copy["dev"] = json!(device);
        }
        Some(json!({ "dup": copy }))
    }
}

/// That a packet comes from a machine.
fn comes_from(network: Network, origin: &Origin) -> Value {
    match origin {
        Origin::Address(address) => is(payload(family(network), "saddr"), json!(address.to_string())),
        Origin::Mac(mac) => is(payload("ether", "saddr"), json!(mac.to_string())),
        Origin::Device(device) => is(meta("iifname"), json!(device)),
    }
}
