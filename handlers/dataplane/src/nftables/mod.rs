//! The back end that writes tables of nftables.
//!
//! Two tables of one name, in families `ip` and `ip6` (`dup` is not there in family `inet`), each with a chain at the
//! very beginning of the way of a packet. All tables are changed in one transaction of nftables, so that no packet
//! sees half of a change. A rule that forwards to an address puts what it matches into a conntrack zone of that
//! address: connections that exist already are translated from their next packet on, and no longer once the rule is
//! gone, which plain destination NAT does not do.

mod command;
mod conditions;
mod inner;
mod network;
mod probe;
mod rules;
mod ruleset;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};

use mecforge_contracts::rules::{DataPlaneCapabilities, Later};
use mecforge_runtime::server::Problem;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::address::Network;
use crate::backend::{Applied, Backend, BackendError, Tally};
use crate::intent::{Action, Destination, Intent, RuleName};
use crate::judge::impossible;
use crate::options::{ForwardAddress, Options};
use command::{CommandError, Commands};
use network::{Surroundings, Ways};
use probe::Machine;
use ruleset::{Planned, Ruleset, Size, Verdict};

/// The objects of tables that are there, as the kernel shows them.
type Tables = BTreeMap<Network, Vec<Value>>;

/// The back end that writes tables of nftables.
#[derive(Debug)]
pub struct Nftables {
    options: Arc<Options>,
    commands: Commands,
    machine: Machine,
    networks: Vec<Network>,
    /// What was put in force last; `None` if that is not sure.
    current: Mutex<Option<Current>>,
    /// Which rule a counter is of.
    names: std::sync::Mutex<BTreeMap<String, RuleName>>,
}

#[derive(Debug)]
struct Current {
    ruleset: Ruleset,
    ways: Ways,
    /// The tables as the kernel shows them, without counts.
    shown: String,
}

impl From<CommandError> for BackendError {
    fn from(error: CommandError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Nftables {
    /// Finds out what the machine can do. Without privileges the back end is there, but not available.
    pub async fn open(options: Options) -> Self {
        let options = Arc::new(options);
        let commands = Commands::new(Arc::clone(&options));
        let machine = Machine::probe(&commands, &options).await;
        let mut networks = vec![Network::V4];
        networks.extend(machine.ipv6.then_some(Network::V6));
        Self {
            options,
            commands,
            machine,
            networks,
            current: Mutex::new(None),
            names: std::sync::Mutex::default(),
        }
    }

    fn surroundings(&self) -> Surroundings<'_> {
        Surroundings::new(&self.commands, &self.options, self.machine.ipv6)
    }

    /// Finds the way for the packets of a rule. The error is a JSON pointer and the reason.
    async fn verdict(
        &self,
        intent: &Intent,
        zones: &Zones,
        ways: &mut Ways,
    ) -> Result<Verdict, (String, String)> {
        let (destinations, keep) = match &intent.action {
            Action::Drop => return Ok(Verdict::Drop),
            Action::Pass => return Ok(Verdict::Pass),
            Action::Forward(Destination::Address(address))
                if self.options.forward_address == ForwardAddress::Rewrite =>
            {
                return Ok(Verdict::Rewrite {
                    address: *address,
                    zone: zones.of(*address),
                });
            }
            Action::Forward(destination) => (std::slice::from_ref(destination), false),
            Action::Duplicate(destinations) => (destinations.as_slice(), true),
        };
        let surroundings = self.surroundings();
        let mut hops = Vec::new();
        for destination in destinations {
            let hop = match destination {
                Destination::Address(address) => surroundings.to_address(*address).await,
                Destination::Neighbour { mac, through } => surroundings.to_mac(*mac, *through, ways).await,
                Destination::Tunnel(tunnel) => surroundings.to_tunnel(tunnel, ways).await,
            };
            hops.push(hop.map_err(|reason| ("/dstInterface".to_owned(), reason))?);
        }
        Ok(Verdict::Send { hops, keep })
    }

    /// Finds the ways for the packets of all rules.
    async fn plan<'a>(
        &self,
        intents: &'a [Intent],
        required: &BTreeSet<RuleName>,
        applied: &mut Applied,
    ) -> Result<(Vec<Planned<'a>>, Ways), BackendError> {
        let mut ways = Ways::default();
        let mut planned = Vec::new();
        let zones = Zones::new(intents);
        for intent in intents {
            let mut more = ways.clone();
            match self.verdict(intent, &zones, &mut more).await {
                Ok(verdict) => {
                    ways = more;
                    planned.push(Planned { intent, verdict });
                }
                Err((pointer, reason)) if required.contains(&intent.name) => {
                    return Err(BackendError::Refused {
                        name: intent.name.clone(),
                        pointer,
                        reason,
                    });
                }
                Err((_, reason)) => {
                    applied.left_out.insert(intent.name.clone(), reason);
                }
            }
        }
        Ok((planned, ways))
    }

    async fn put_in_force(
        &self,
        intents: &[Intent],
        required: &BTreeSet<RuleName>,
    ) -> Result<Applied, BackendError> {
        let mut current = self.current.lock().await;
        let mut applied = Applied::default();
        let (planned, ways) = self.plan(intents, required, &mut applied).await?;
        let ruleset = Ruleset::new(&self.options, &self.networks, self.machine.reassembles, &planned);
        let tables = self.tables().await?;
        applied.found = match current.as_ref() {
            Some(current) => self.difference(current, &tables).await?,
            None => None,
        };
        // Ways first: a table that names an interface which is not there would not be taken. Until all is well, what
        // is in force is not sure.
        let previous = current.take();
        let surroundings = self.surroundings();
        let mut done = Ok(false);
        if !ways.is_empty() {
            done = surroundings.build(&ways).await.map(|()| false);
        }
        if done.is_ok() {
            let as_left = previous.as_ref().filter(|_| applied.found.is_none());
            done = self.write(&ruleset, as_left, tables).await;
        }
        if let Ok(true) = done {
            applied.found = Some(format!("the tables {} were changed", self.options.table));
        }
        if let Err(error) = done {
            let old = previous
                .as_ref()
                .map(|previous| previous.ways.clone())
                .unwrap_or_default();
            if !ways.is_empty() && surroundings.clean(&old).await.is_err() {
                tracing::warn!("routes or interfaces of refused traffic rules are left over");
            }
            if !matches!(error, CommandError::TimedOut { .. }) {
                // A transaction of nftables that was refused has changed nothing.
                *current = previous;
            }
            return Err(error.into());
        }
        let shown = self.confirm(&ruleset).await?;
        let had_ways = previous.is_none_or(|previous| !previous.ways.is_empty());
        if had_ways && let Err(error) = surroundings.clean(&ways).await {
            tracing::warn!(%error, "routes or interfaces of removed traffic rules are left over");
        }
        self.remember(intents);
        *current = Some(Current { ruleset, ways, shown });
        Ok(applied)
    }

    /// Changes the tables: where they are as `previous` says, so that counters go on by themselves; else from scratch,
    /// so that nothing is left of what somebody else has put there. Whether they were found changed.
    async fn write(
        &self,
        ruleset: &Ruleset,
        previous: Option<&Current>,
        mut tables: Tables,
    ) -> Result<bool, CommandError> {
        let mut changed = false;
        if let Some(previous) = previous
            && !previous.ruleset.is_empty()
            && !ruleset.is_empty()
        {
            let update = ruleset.update(&self.options, &previous.ruleset);
            match self.commands.nft(&update).await {
                Ok(()) => return Ok(false),
                // Somebody may have changed the tables just now. If not, what follows fails as well.
                Err(CommandError::Refused { .. }) => tables = self.tables().await?,
                Err(error) => return Err(error),
            }
            changed = without_counts(&tables) != previous.shown;
        }
        let tallies = tables
            .iter()
            .flat_map(|(network, objects)| counts(objects).map(|(name, tally)| ((*network, name), tally)));
        let replace = ruleset.replace(&self.options, &self.networks, &tallies.collect());
        self.commands.nft(&replace).await?;
        Ok(changed)
    }

    /// The tables as the kernel shows them.
    async fn tables(&self) -> Result<Tables, CommandError> {
        let mut tables = Tables::new();
        for &network in &self.networks {
            if let Some(objects) = self.commands.table(conditions::family(network)).await? {
                tables.insert(network, objects);
            }
        }
        Ok(tables)
    }

    /// The tables as the kernel shows them, which must be those that were meant.
    async fn confirm(&self, ruleset: &Ruleset) -> Result<String, BackendError> {
        let tables = self.tables().await?;
        let mark = ruleset::mark(&ruleset.digest);
        for &network in &self.networks {
            let objects = tables.get(&network);
            let size = objects.map(|objects| Size {
                rules: objects
                    .iter()
                    .filter(|object| object.get("rule").is_some())
                    .count(),
                objects: objects
                    .iter()
                    .filter(|object| object.get("metainfo").is_none())
                    .count(),
            });
            let marked = objects
                .is_some_and(|objects| objects.iter().any(|object| object["rule"]["comment"] == *mark));
            if size != ruleset.size(network) || marked != size.is_some() {
                return Err(BackendError::Failed(format!(
                    "table {} {} is not what it was set to; somebody else changes it",
                    conditions::family(network),
                    self.options.table
                )));
            }
        }
        Ok(without_counts(&tables))
    }

    /// What of the tables and ways is not as it was left.
    async fn difference(&self, current: &Current, tables: &Tables) -> Result<Option<String>, CommandError> {
        let table = &self.options.table;
        let missing = |network: &&Network| !tables.contains_key(network);
        if !current.ruleset.is_empty()
            && let Some(network) = self.networks.iter().find(missing)
        {
            let family = conditions::family(*network);
            return Ok(Some(format!("table {family} {table} is gone")));
        }
        if without_counts(tables) != current.shown {
            return Ok(Some(format!("the tables {table} were changed")));
        }
        self.surroundings().missing(&current.ways).await
    }

    async fn find_drift(&self) -> Result<Option<String>, BackendError> {
        let current = self.current.lock().await;
        let Some(current) = current.as_ref() else {
            return Ok(Some("what is in force is not known".to_owned()));
        };
        let tables = self.tables().await?;
        Ok(self.difference(current, &tables).await?)
    }

    fn remember(&self, intents: &[Intent]) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        *names = intents
            .iter()
            .map(|intent| (intent.name.word(), intent.name.clone()))
            .collect();
    }

    async fn tallies(&self) -> Result<BTreeMap<RuleName, Tally>, BackendError> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut tallies: BTreeMap<RuleName, Tally> = BTreeMap::new();
        if names.is_empty() {
            return Ok(tallies);
        }
        for &network in &self.networks {
            let objects = self
                .commands
                .table(conditions::family(network))
                .await?
                .unwrap_or_default();
            for (word, more) in counts(&objects) {
                if let Some(name) = names.get(&word) {
                    let tally = tallies.entry(name.clone()).or_default();
                    tally.packets += more.packets;
                    tally.bytes += more.bytes;
                }
            }
        }
        Ok(tallies)
    }
}

impl Backend for Nftables {
    fn capabilities(&self) -> DataPlaneCapabilities {
        self.machine.capabilities(&self.options)
    }

    fn check(&self, intent: &Intent) -> Result<(), Problem> {
        if !self.machine.available {
            return Ok(());
        }
        for (index, filter) in intent.filters.iter().enumerate() {
            if filter.outer.is_some() && intent.decapsulate {
                let reason = "packets cannot be taken out of a GTP-U tunnel here";
                return Err(impossible("/action", reason));
            }
            if !self.machine.ipv6 && !filter.concerns(Network::V4) {
                let pointer = format!("/trafficFilter/{index}");
                return Err(impossible(&pointer, "there is no IPv6 on this machine"));
            }
        }
        let (destinations, rewrite) = match &intent.action {
            Action::Drop | Action::Pass => return Ok(()),
            Action::Forward(Destination::Address(_))
                if self.options.forward_address == ForwardAddress::Rewrite =>
            {
                (&[] as &[Destination], true)
            }
            Action::Forward(destination) => (std::slice::from_ref(destination), false),
            Action::Duplicate(destinations) => (destinations.as_slice(), false),
        };
        if rewrite && !self.machine.rewrites {
            return Err(impossible("/action", "the kernel cannot rewrite destinations"));
        }
        if !destinations.is_empty() && !self.machine.copies {
            return Err(impossible("/action", "the kernel cannot copy packets"));
        }
        for destination in destinations {
            if let Destination::Tunnel(tunnel) = destination {
                self.check_tunnel(&tunnel.kind)?;
            }
        }
        Ok(())
    }

    fn apply<'a>(
        &'a self,
        intents: &'a [Intent],
        required: &'a BTreeSet<RuleName>,
    ) -> Later<'a, Result<Applied, BackendError>> {
        Box::pin(self.put_in_force(intents, required))
    }

    fn drift(&self) -> Later<'_, Result<Option<String>, BackendError>> {
        Box::pin(self.find_drift())
    }

    fn counters(&self) -> Later<'_, Result<BTreeMap<RuleName, Tally>, BackendError>> {
        Box::pin(self.tallies())
    }
}

impl Nftables {
    fn check_tunnel(&self, kind: &str) -> Result<(), Problem> {
        let reason = match kind {
            "VXLAN" if self.machine.vxlan => return Ok(()),
            "GRE" if self.machine.gre => return Ok(()),
            "VXLAN" | "GRE" => format!("the kernel of this machine has no {kind} devices"),
            "GTP_U" => {
                "a GTP_U tunnel needs a tunnel endpoint identifier, which TunnelInfo does not have".to_owned()
            }
            other => format!("tunnels of type {other:?} are unknown here"),
        };
        let can = self.capabilities().tunnel_types.join(", ");
        let can = if can.is_empty() { "none".to_owned() } else { can };
        Err(impossible(
            "/dstInterface",
            &format!("{reason}; tunnel types of this machine: {can}"),
        ))
    }
}

/// The conntrack zones of addresses to which connections are rewritten.
struct Zones(BTreeMap<IpAddr, u16>);

impl Zones {
    /// A zone is always that of the same address, so that connections outlive a restart of the platform, and those
    /// that remain of a removed rule cannot be mistaken for another's.
    fn new(intents: &[Intent]) -> Self {
        let addresses: BTreeSet<IpAddr> = intents
            .iter()
            .filter_map(|intent| match &intent.action {
                Action::Forward(Destination::Address(address)) => Some(*address),
                _ => None,
            })
            .collect();
        let mut zones: BTreeMap<IpAddr, u16> = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for address in addresses {
            let digest = Sha256::digest(address.to_string());
            let mut zone = u16::from_be_bytes([digest[0], digest[1]]).max(1);
            while !taken.insert(zone) && taken.len() < usize::from(u16::MAX) {
                zone = zone.checked_add(1).unwrap_or(1);
            }
            zones.insert(address, zone);
        }
        Self(zones)
    }

    fn of(&self, address: IpAddr) -> u16 {
        self.0.get(&address).copied().unwrap_or(1)
    }
}

fn counts(objects: &[Value]) -> impl Iterator<Item = (String, Tally)> + '_ {
    objects.iter().filter_map(|object| {
        let counter = object.get("counter")?;
        let tally = Tally {
            packets: counter["packets"].as_u64()?,
            bytes: counter["bytes"].as_u64()?,
        };
        Some((counter["name"].as_str()?.to_owned(), tally))
    })
}

/// What tables are, as text, without what changes by itself.
fn without_counts(tables: &Tables) -> String {
    let mut text = String::new();
    for object in tables.values().flatten() {
        if object.get("metainfo").is_some() {
            continue;
        }
        let mut object = object.clone();
        if let Some(counter) = object.get_mut("counter").and_then(Value::as_object_mut) {
            counter.remove("packets");
            counter.remove("bytes");
        }
        text.push_str(&object.to_string());
        text.push('\n');
    }
    text
}
