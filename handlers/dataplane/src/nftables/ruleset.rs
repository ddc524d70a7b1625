//! Rules as commands of nftables, in its JSON (libnftables-json(5)).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::conditions::{family, is, meta};
use super::rules::{loopback, table};
use crate::address::{MacAddress, Network};
use crate::backend::Tally;
use crate::intent::{Intent, hexadecimal};
use crate::options::Options;

/// The chain of the rules.
pub(super) const RULES: &str = "rules";
/// The chain in which connections get another destination.
pub(super) const DESTINATIONS: &str = "destinations";
/// A chain that no packet goes through: that it is there makes the kernel put fragments together before they come to
/// the rules (a `tproxy` needs that), without having it track connections. Only the first fragment has ports.
const REASSEMBLY: &str = "reassembly";
/// The chain that packets from destinations of rewritten connections go to instead of [`RULES`]: they only get the zone
/// in which they are tracked, so that afterwards answers can be told from what a destination sends by itself.
pub(super) const SENDERS: &str = "senders";
/// The chain of the same rules for these packets, when their connections are known.
const ANSWERS: &str = "answers";
/// Just behind the tracking of connections (-200).
const ANSWERS_PRIORITY: i32 = -199;
/// Just before other people's translation of destinations (-100): the first translation stays.
const DESTINATIONS_PRIORITY: i32 = -101;

/// What is to be done with packets, in terms of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They are discarded.
    Drop,
    /// They go on.
    Pass,
    /// Their connection is tracked in a zone of its own, whose connections go to another address.
    Rewrite {
        /// That address.
        address: IpAddr,
        /// The zone.
        zone: u16,
    },
    /// Copies go to other machines.
    Send {
        /// Where to.
        hops: Vec<Hop>,
        /// Whether the packets themselves go on.
        keep: bool,
    },
}

/// The next machine that a packet goes to as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    /// The address that the kernel finds the machine by, for IPv4 packets.
    pub(super) v4: Option<String>,
    /// The same for IPv6 packets.
    pub(super) v6: Option<String>,
    /// The interface through which, if the addresses do not tell.
    pub(super) device: Option<String>,
    /// How packets are known that come back from there.
    pub(super) origin: Origin,
}

/// What tells that a packet comes from a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Its source address.
    Address(IpAddr),
    /// Its source address on Ethernet.
    Mac(MacAddress),
    /// The interface that it arrives over.
    Device(String),
}

/// A rule and what becomes of its packets.
#[derive(Clone, Debug)]
pub(super) struct Planned<'a> {
    pub(super) intent: &'a Intent,
    pub(super) verdict: Verdict,
}

/// The rules of one table, by chain.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) senders: Vec<Value>,
    pub(super) rules: Vec<Value>,
    pub(super) answers: Vec<Value>,
    pub(super) destinations: Vec<Value>,
    pub(super) reassembly: Vec<Value>,
}

/// All tables.
#[derive(Clone, Debug)]
pub(super) struct Ruleset {
    tables: Vec<(Network, Table)>,
    /// The names of the counters.
    pub(super) counters: BTreeSet<String>,
    /// What tells these rules from others.
    pub(super) digest: String,
}

impl Ruleset {
    /// The tables for rules, in the order in which they are tried.
    /// Fragments are put together where rules ask for ports and the kernel can.
    pub(super) fn new(
        options: &Options,
        networks: &[Network],
        reassembles: bool,
        planned: &[Planned<'_>],
    ) -> Self {
        let mut tables: Vec<(Network, Table)> = Vec::new();
        if !planned.is_empty() {
            for &network in networks {
                let mut table = table(options, network, planned);
                if reassembles && planned.iter().any(|one| one.intent.asks_for_ports()) {
                    table.reassembly.push(json!({ "expr": reassembly() }));
                }
                tables.push((network, table));
            }
        }
        let mut hash = Sha256::new();
        hash.update(options.chain_priority.to_be_bytes());
        for (network, table) in &tables {
            hash.update(family(*network));
            let chains = [
                &table.senders,
                &table.rules,
                &table.answers,
                &table.destinations,
                &table.reassembly,
            ];
            hash.update(json!(chains).to_string());
        }
        let digest = hexadecimal(&hash.finalize()[..8]);
        for (_, table) in &mut tables {
            table
                .rules
                .insert(0, json!({ "comment": mark(&digest), "expr": loopback() }));
        }
        Self {
            tables,
            counters: planned.iter().map(|planned| planned.intent.name.word()).collect(),
            digest,
        }
    }

    /// Whether there is nothing to do in the kernel.
    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// How many rules the table of a family has, in all chains, and how many objects of every kind that is, the
    /// table itself among them; `None` if there is no such table.
    pub(super) fn size(&self, network: Network) -> Option<Size> {
        let (_, table) = self.tables.iter().find(|(one, _)| *one == network)?;
        let chains = table.chains(0);
        let rules = chains.iter().map(|chain| chain.rules.len()).sum();
        let made = chains.iter().filter(|chain| !chain.rules.is_empty()).count();
        Some(Size {
            rules,
            objects: 1 + made + rules + self.counters.len(),
        })
    }

    /// The commands that replace whatever tables there are. Counters start from `tallies`.
    pub(super) fn replace(
        &self,
        options: &Options,
        networks: &[Network],
        tallies: &BTreeMap<(Network, String), Tally>,
    ) -> Vec<Value> {
        let mut commands = Vec::new();
        for &network in networks {
            let named = object(options, network, json!({}));
            // Deleting a table that is not there fails; adding one that is there does not.
            commands.push(json!({ "add": { "table": named } }));
            commands.push(json!({ "delete": { "table": named } }));
        }
        for (network, table) in &self.tables {
            commands.push(json!({ "add": { "table": object(options, *network, json!({})) } }));
            for counter in &self.counters {
                let tally = tallies
                    .get(&(*network, counter.clone()))
                    .copied()
                    .unwrap_or_default();
                commands.push(add_counter(options, *network, counter, Some(tally)));
            }
            commands.extend(table.add(options, *network));
        }
        commands
    }

    /// The commands that make these tables of those that `previous` has made, so that counters go on counting.
    pub(super) fn update(&self, options: &Options, previous: &Self) -> Vec<Value> {
        let mut commands = Vec::new();
        for (network, table) in &self.tables {
            let named = object(options, *network, json!({}));
            commands.push(json!({ "flush": { "table": named } }));
            for counter in self.counters.difference(&previous.counters) {
                commands.push(add_counter(options, *network, counter, None));
            }
            commands.extend(table.add(options, *network));
            for counter in previous.counters.difference(&self.counters) {
                let gone = object(options, *network, json!({ "name": counter }));
                commands.push(json!({ "delete": { "counter": gone } }));
            }
            let before = previous.tables.iter().find(|(one, _)| one == network);
            for chain in before.iter().flat_map(|(_, table)| table.chains(0)) {
                let empty = |now: &Chain<'_>| now.name == chain.name && now.rules.is_empty();
                if !chain.rules.is_empty() && table.chains(0).iter().any(empty) {
                    let gone = object(options, *network, json!({ "name": chain.name }));
                    commands.push(json!({ "delete": { "chain": gone } }));
                }
            }
        }
        commands
    }
}

/// How large a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// Rules in all chains.
    pub(super) rules: usize,
    /// The table, its chains, rules and counters; whatever else there is somebody else has put there.
    pub(super) objects: usize,
}

impl Table {
    /// All chains, those without rules as well, which are not made.
    fn chains(&self, priority: i32) -> [Chain<'_>; 5] {
        let chain = |name, hook, rules| Chain { name, hook, rules };
        [
            // Before the chain from which packets go there.
            chain(SENDERS, None, &self.senders),
            chain(RULES, Some(("filter", priority)), &self.rules),
            chain(ANSWERS, Some(("filter", ANSWERS_PRIORITY)), &self.answers),
            chain(
                DESTINATIONS,
                Some(("nat", DESTINATIONS_PRIORITY)),
                &self.destinations,
            ),
            chain(REASSEMBLY, None, &self.reassembly),
        ]
    }

    fn add(&self, options: &Options, network: Network) -> Vec<Value> {
        let mut commands = Vec::new();
        for chain in self.chains(options.chain_priority) {
            if chain.rules.is_empty() {
                continue;
            }
            let mut named = object(options, network, json!({ "name": chain.name }));
            if let Some((kind, priority)) = chain.hook {
                named["type"] = json!(kind);
                named["hook"] = json!("prerouting");
                named["prio"] = json!(priority);
                named["policy"] = json!("accept");
            }
            commands.push(json!({ "add": { "chain": named } }));
            for rule in chain.rules {
                let mut rule = object(options, network, rule.clone());
                rule["chain"] = json!(chain.name);
                commands.push(json!({ "add": { "rule": rule } }));
            }
        }
        commands
    }
}

/// One chain of a table.
struct Chain<'a> {
    name: &'static str,
    /// Type and priority in hook `prerouting`, of a chain that packets go through.
    hook: Option<(&'static str, i32)>,
    rules: &'a [Value],
}

/// What makes the kernel put fragments together.
pub(super) fn reassembly() -> Value {
    json!([is(meta("l4proto"), json!("tcp")), { "tproxy": { "port": 1 } }])
}

/// The comment of the first rule of every table of ours.
pub(super) fn mark(digest: &str) -> String {
    format!("mecforge {digest}")
}

/// An object of nftables with family and table: a table has its name there, everything else the table's.
fn object(options: &Options, network: Network, mut value: Value) -> Value {
    let is_table = value.as_object().is_some_and(serde_json::Map::is_empty);
    value["family"] = json!(family(network));
    value[if is_table { "name" } else { "table" }] = json!(options.table);
    value
}

fn add_counter(options: &Options, network: Network, name: &str, tally: Option<Tally>) -> Value {
    let mut counter = json!({ "name": name });
    if let Some(tally) = tally {
        counter["packets"] = json!(tally.packets);
        counter["bytes"] = json!(tally.bytes);
    }
    json!({ "add": { "counter": object(options, network, counter) } })
}
