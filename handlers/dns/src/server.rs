//! The name server: what it knows, kept current by the store, and what it does with a packet.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use mecforge_contracts::keys;
use mecforge_store::Store;
use prometheus_client::registry::Registry;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;

use crate::answer::Authority;
use crate::forward::Forwarder;
use crate::metrics::{Metrics, Outcome};
use crate::name::HostName;
use crate::names::Names;
use crate::options::Options;
use crate::rules::{Index, Rules, SharedNames};
use crate::services::Services;
use crate::wire::query::{Packet, Query};
use crate::wire::reply::{Reply, Transport, bare};
use crate::wire::{CLASS_IN, ResponseCode, flag, record_type};

/// A name server that answers by the platform's DNS rules. Made with [`NameServer::new`], it keeps rules;
/// [bound](NameServer::bind), it answers.
#[derive(Debug)]
pub struct NameServer {
    options: Options,
    server_name: Option<HostName>,
    names: Arc<SharedNames>,
    rules: Arc<Rules>,
    metrics: Metrics,
    listening: RwLock<Vec<SocketAddr>>,
}

/// How the name server is, for operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Where it answers; empty if it is off.
    pub listen: Vec<SocketAddr>,
    /// The zones of which every name is ours, the zone of services included.
    pub zones: Vec<String>,
    /// The zone of services, if they are published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_zone: Option<String>,
    /// Who is asked about other names.
    pub upstreams: Vec<SocketAddr>,
    /// How many names it knows itself.
    pub names: usize,
    /// How many rules there are.
    pub rules: usize,
    /// How many of them are active.
    pub active_rules: usize,
    /// The serial number of its zones.
    pub serial: u32,
    /// Messages since the platform started, by what became of them.
    pub queries: std::collections::BTreeMap<&'static str, u64>,
    /// Questions since the platform started that no upstream answered.
    pub upstream_failures: u64,
}

/// What is to be done with a packet.
#[derive(Debug)]
pub(crate) enum Disposition {
    /// The answer has been written.
    Reply,
    /// There is no answer.
    Silence,
    /// An upstream has to be asked, by [`NameServer::forward`].
    Forward(OwnedSemaphorePermit),
}

impl NameServer {
    /// A name server on a store. It does not answer before it is [bound](NameServer::bind).
    #[must_use]
    pub fn new(store: &Arc<dyn Store>, options: Options) -> Arc<Self> {
        let zones = options.zones.iter().chain(&options.service_zone).cloned();
        let first_zone = zones.clone().next();
        let server_name = options
            .server_name
            .clone()
            .or_else(|| first_zone.and_then(|zone| zone.child("ns")));
        let names = Arc::new(SharedNames::new(Names::new(zones)));
        let rules = Arc::new(Rules::new(names.clone(), options.default_ttl));
        store.attach(keys::DNS_RULES, rules.clone());
        if let Some(zone) = &options.service_zone {
            let services = Services::new(zone.clone(), names.clone());
            store.attach(keys::SERVICES, Arc::new(services));
        }
        Arc::new(Self {
            options,
            server_name,
            names,
            rules,
            metrics: Metrics::new(),
            listening: RwLock::default(),
        })
    }

    /// Lets the server's counters be read, below the prefix `dns`.
    pub fn register_metrics(&self, registry: &mut Registry) {
        self.metrics.register(registry);
    }

    /// How the name server is.
    #[must_use]
    pub fn status(&self) -> Status {
        let (rules, active_rules) = self.rules().counts();
        let names = self.names.read();
        let zones = self.options.zones.iter().chain(&self.options.service_zone);
        Status {
            listen: self.listening(),
            zones: zones.map(HostName::to_string).collect(),
            service_zone: self.options.service_zone.as_ref().map(HostName::to_string),
            upstreams: self.options.upstreams.clone(),
            names: names.len(),
            rules,
            active_rules,
            serial: names.serial,
            queries: self.metrics.counts().collect(),
            upstream_failures: self.metrics.upstream_failures.get(),
        }
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn rules(&self) -> RwLockReadGuard<'_, Index> {
        self.rules.read()
    }

    /// Where the server answers now.
    pub(crate) fn listening(&self) -> Vec<SocketAddr> {
        self.listening
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Notes where the server answers from now on, and lets its own name have these addresses.
    pub(crate) fn set_listening(&self, addresses: Vec<SocketAddr>) {
        if let Some(name) = &self.server_name {
            let own: Vec<IpAddr> = addresses
                .iter()
                .map(SocketAddr::ip)
                .filter(|address| !address.is_unspecified())
                .collect();
            self.names.write().set_fixed(name, &own);
        }
        *self.listening.write().unwrap_or_else(PoisonError::into_inner) = addresses;
    }

    /// Judges a packet, and answers it into `out` if that can be done at once. `turn` changes with each call.
    pub(crate) fn handle(
        &self,
        forwarder: Option<&Forwarder>,
        packet: &[u8],
        client: IpAddr,
        transport: Transport,
        turn: usize,
        out: &mut Vec<u8>,
    ) -> Disposition {
        let outcome = match Packet::read(packet) {
            Packet::Noise => {
                self.metrics.count(Outcome::Ignored);
                return Disposition::Silence;
            }
            Packet::Malformed { id, flags } => {
                bare(out, id, flags, ResponseCode::FormatError);
                Outcome::Malformed
            }
            Packet::OtherOperation { id, flags } => {
                bare(out, id, flags, ResponseCode::NotImplemented);
                Outcome::NotImplemented
            }
            Packet::Query(query) => {
                let recursion = forwarder.filter(|_| self.may_recurse(client));
                match self.judge_query(recursion, &query, transport, turn, out) {
                    Ok(outcome) => outcome,
                    Err(slot) => return Disposition::Forward(slot),
                }
            }
        };
        self.metrics.count(outcome);
        Disposition::Reply
    }

    fn may_recurse(&self, client: IpAddr) -> bool {
        self.options
            .recursion_for
            .iter()
            .any(|network| network.contains(&client))
    }

    /// `Err`: an upstream has to be asked.
    fn judge_query(
        &self,
        recursion: Option<&Forwarder>,
        query: &Query<'_>,
        transport: Transport,
        turn: usize,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, OwnedSemaphorePermit> {
        let available = recursion.map_or(0, |_| flag::RECURSION_AVAILABLE);
        let refuse = |out: &mut Vec<u8>, code, outcome| {
            let size = self.options.largest_datagram;
            Reply::new(out, query, available, code, transport, size).finish();
            outcome
        };
        if query.edns.is_some_and(|edns| edns.version > 0) {
            return Ok(refuse(out, ResponseCode::BadVersion, Outcome::NotImplemented));
        }
        let is_action = (record_type::FIRST_OF_ACTIONS..record_type::ANY).contains(&query.record_type);
        if query.class != CLASS_IN || is_action {
            return Ok(refuse(out, ResponseCode::Refused, Outcome::Refused));
        }
        let authority = Authority {
            names: &self.names.read(),
            server_name: self.server_name.as_ref(),
            options: &self.options,
            turn,
            transport,
            recursion: recursion.is_some(),
        };
        if let Some(outcome) = authority.answer(query, out) {
            return Ok(outcome);
        }
        let Some(forwarder) = recursion.filter(|_| query.flags & flag::RECURSION_DESIRED != 0) else {
            return Ok(refuse(out, ResponseCode::Refused, Outcome::Refused));
        };
        if let Some(known) = forwarder.recall(query) {
            let truncated = forwarder.write(&known, query, transport, out);
            return Ok(match (known.is_failure(), truncated) {
                (true, _) => Outcome::Failed,
                (false, true) => Outcome::Truncated,
                (false, false) => Outcome::Cached,
            });
        }
        match forwarder.slot() {
            Some(slot) => Err(slot),
            None => Ok(refuse(out, ResponseCode::ServerFailure, Outcome::Failed)),
        }
    }

    /// Answers a packet, which [`NameServer::handle`] has judged, by what an upstream says.
    pub(crate) async fn forward(
        &self,
        forwarder: &Forwarder,
        packet: &[u8],
        transport: Transport,
        _slot: OwnedSemaphorePermit,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        let Packet::Query(query) = Packet::read(packet) else {
            return out;
        };
        let (known, result) = forwarder.ask(&query).await;
        if let Err(reason) = result {
            tracing::debug!(reason, "no upstream name server has answered");
            self.metrics.upstream_failures.inc();
        }
        let truncated = forwarder.write(&known, &query, transport, &mut out);
        self.metrics.count(match (known.is_failure(), truncated) {
            (true, _) => Outcome::Failed,
            (false, true) => Outcome::Truncated,
            (false, false) => Outcome::Forwarded,
        });
        out
    }
}
