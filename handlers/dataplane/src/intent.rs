//! What a traffic rule wants, read and judged: free of text that could still be wrong.

use std::collections::BTreeSet;
use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::address::{Addresses, MacAddress, Network};
use crate::interval::Intervals;

/// The UDP port of GTP-U (3GPP TS 29.281).
pub(crate) const GTP_U_PORT: u128 = 2152;
/// The numbers of the protocols whose header begins with source and destination port: TCP, UDP, DCCP, SCTP, UDP-Lite.
pub(crate) const WITH_PORTS: [u8; 5] = [6, 17, 33, 132, 136];

/// Whose rule it is, and which.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleName {
    /// The application instance.
    pub app_instance_id: String,
    /// The rule.
    pub traffic_rule_id: String,
}

impl RuleName {
    /// A word for the kernel that no two rules share.
    pub(crate) fn word(&self) -> String {
        let key = mecforge_contracts::keys::traffic_rule(&self.app_instance_id, &self.traffic_rule_id);
        format!("rule_{}", hexadecimal(&Sha256::digest(key)[..10]))
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A rule that is to be in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Whose rule it is, and which.
    pub name: RuleName,
    /// 0 is tried first, 255 last.
    pub priority: u8,
    /// Whether packets in the other direction are handled as well.
    pub flow: bool,
    /// What packets it is for: those that one of these matches.
    pub filters: Vec<Filter>,
    /// What happens to them.
    pub action: Action,
    /// Whether packets that come in a tunnel are to leave without it.
    pub decapsulate: bool,
}

/// A condition on packets; what is absent is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Source addresses.
    pub sources: Option<Addresses>,
    /// Destination addresses.
    pub destinations: Option<Addresses>,
    /// Source ports.
    pub source_ports: Option<Intervals>,
    /// Destination ports.
    pub destination_ports: Option<Intervals>,
    /// Numbers of protocols.
    pub protocols: Option<BTreeSet<u8>>,
    /// The DSCP of IPv4 packets, 0 to 63.
    pub dscp: Option<u8>,
    /// The traffic class of IPv6 packets.
    pub traffic_class: Option<u8>,
    /// The GTP-U tunnel that the packets are in.
    pub outer: Option<Outer>,
}

/// A condition on the outer header of GTP-U packets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outer {
    /// Source addresses.
    pub sources: Option<Addresses>,
    /// Destination addresses.
    pub destinations: Option<Addresses>,
    /// Source ports.
    pub source_ports: Option<Intervals>,
    /// Destination ports; the port of GTP-U if absent and there are no source ports either.
    pub destination_ports: Option<Intervals>,
}

/// What happens to packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// They are discarded.
    Drop,
    /// They go on as if there were no rules.
    Pass,
    /// They go to a destination instead.
    Forward(Destination),
    /// They go on, and a copy goes to each destination.
    Duplicate(Vec<Destination>),
}

/// Where packets go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To an address.
    Address(IpAddr),
    /// To an Ethernet interface of another machine.
    Neighbour {
        /// Its address.
        mac: MacAddress,
        /// The address of the interface of this machine through which it is reached.
        through: Option<MacAddress>,
    },
    /// Through a tunnel.
    Tunnel(Tunnel),
}

/// A tunnel to another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// `VXLAN` or `GRE`.
    pub kind: String,
    /// The other end.
    pub remote: IpAddr,
    /// This end.
    pub local: Option<IpAddr>,
    /// The Ethernet address of the other end, inside the tunnel.
    pub mac: Option<MacAddress>,
}

impl Intent {
    /// Whether ports decide, which only the first fragment of a packet has.
    #[must_use]
    pub fn asks_for_ports(&self) -> bool {
        self.filters.iter().any(|filter| {
            filter.outer.is_some() || filter.source_ports.is_some() || filter.destination_ports.is_some()
        })
    }
}

impl Filter {
    /// Whether a packet of a family can match at all; of packets in a tunnel, the outer header is looked at.
    #[must_use]
    pub fn concerns(&self, network: Network) -> bool {
        let has = |addresses: &Option<Addresses>| {
            addresses
                .as_ref()
                .is_none_or(|addresses| !addresses.of(network).is_empty())
        };
        if let Some(outer) = &self.outer {
            return has(&outer.sources) && has(&outer.destinations);
        }
        let marked = match network {
            Network::V4 => self.dscp.is_some() || self.traffic_class.is_none(),
            Network::V6 => self.traffic_class.is_some() || self.dscp.is_none(),
        };
        has(&self.sources) && has(&self.destinations) && marked
    }

    /// Whether nothing is said of what is in a tunnel.
    #[must_use]
    pub fn is_outer_only(&self) -> bool {
        let outer_only = Self {
            outer: self.outer.clone(),
            ..Self::default()
        };
        self.outer.is_some() && *self == outer_only
    }

    /// The filter for packets in the other direction.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let outer = self.outer.as_ref().map(|outer| Outer {
            sources: outer.destinations.clone(),
            destinations: outer.sources.clone(),
            source_ports: outer.destination_ports.clone(),
            destination_ports: outer.source_ports.clone(),
        });
        Self {
            sources: self.destinations.clone(),
            destinations: self.sources.clone(),
            source_ports: self.destination_ports.clone(),
            destination_ports: self.source_ports.clone(),
            outer,
            ..self.clone()
        }
    }
}

impl Destination {
    /// Whether packets of a family can go there.
    #[must_use]
    pub fn takes(&self, network: Network) -> bool {
        match self {
            Self::Address(address) => Network::of(*address) == network,
            Self::Neighbour { .. } | Self::Tunnel(_) => true,
        }
    }
}

impl Action {
    /// Whether something can be done with packets of a family.
    #[must_use]
    pub fn takes(&self, network: Network) -> bool {
        match self {
            Self::Drop | Self::Pass => true,
            Self::Forward(destination) => destination.takes(network),
            Self::Duplicate(destinations) => destinations.iter().any(|one| one.takes(network)),
        }
    }
}
