//! Conditions on packets as expressions of nftables.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::inner;
use crate::address::{self, Network};
use crate::intent::{Filter, GTP_U_PORT, Outer, WITH_PORTS};
use crate::interval::Intervals;

const UDP: u8 = 17;

/// The family of a table.
pub(super) fn family(network: Network) -> &'static str {
    match network {
        Network::V4 => "ip",
        Network::V6 => "ip6",
    }
}

/// The alternatives of what must hold of a packet for a filter to match.
pub(super) fn conditions(network: Network, filter: &Filter) -> Vec<Vec<Value>> {
    let Some(outer) = &filter.outer else {
        let mut conditions = endpoints(network, filter);
        conditions.extend(marks(network, filter));
        return vec![conditions];
    };
    let around = endpoints(network, &gtp_u(outer));
    if filter.is_outer_only() {
        return vec![around];
    }
    let inside = inner::conditions(filter);
    inside
        .into_iter()
        .map(|inside| [around.clone(), inside].concat())
        .collect()
}

fn marks(network: Network, filter: &Filter) -> Vec<Value> {
    let name = family(network);
    match (network, filter.dscp, filter.traffic_class) {
        (Network::V4, Some(dscp), _) => vec![is(payload(name, "dscp"), json!(dscp))],
        (Network::V6, _, Some(class)) => vec![
            is(payload(name, "dscp"), json!(class >> 2)),
            is(payload(name, "ecn"), json!(class & 3)),
        ],
        _ => Vec::new(),
    }
}

/// The outer packet as a packet.
fn gtp_u(outer: &Outer) -> Filter {
    let mut destination_ports = outer.destination_ports.clone();
    if outer.source_ports.is_none() && destination_ports.is_none() {
        let mut ports = Intervals::default();
        ports.add(GTP_U_PORT, GTP_U_PORT);
        destination_ports = Some(ports);
    }
    Filter {
        sources: outer.sources.clone(),
        destinations: outer.destinations.clone(),
        source_ports: outer.source_ports.clone(),
        destination_ports,
        protocols: Some(BTreeSet::from([UDP])),
        ..Filter::default()
    }
}

/// Conditions on addresses, protocol and ports.
fn endpoints(network: Network, filter: &Filter) -> Vec<Value> {
    let mut conditions = Vec::new();
    let name = family(network);
    let largest = match network {
        Network::V4 => u128::from(u32::MAX),
        Network::V6 => u128::MAX,
    };
    for (field, addresses) in [("saddr", &filter.sources), ("daddr", &filter.destinations)] {
        let Some(addresses) = addresses.as_ref().map(|addresses| addresses.of(network)) else {
            continue;
        };
        if !addresses.covers(largest) {
            let element = |number| json!(address::text(network, number));
            conditions.push(is(payload(name, field), set(addresses, element)));
        }
    }
    let ports = [
        ("sport", &filter.source_ports),
        ("dport", &filter.destination_ports),
    ];
    let protocols = match &filter.protocols {
        Some(protocols) => Some(protocols.iter().map(|protocol| json!(protocol)).collect()),
        None if ports.iter().any(|(_, ports)| ports.is_some()) => {
            Some(WITH_PORTS.map(|protocol| json!(protocol)).to_vec())
        }
        None => None,
    };
    if let Some(protocols) = protocols {
        conditions.push(is(meta("l4proto"), one_of(protocols)));
    }
    for (field, ports) in ports {
        if let Some(ports) = ports.as_ref().filter(|ports| !ports.covers(u128::from(u16::MAX))) {
            let element = |number| json!(u16::try_from(number).unwrap_or(u16::MAX));
            conditions.push(is(payload("th", field), set(ports, element)));
        }
    }
    conditions
}

/// What a field may be: a set only where it takes one, because each costs the kernel time when rules are replaced.
fn set(intervals: &Intervals, element: impl Fn(u128) -> Value) -> Value {
    let elements = intervals.iter().map(|(first, last)| match first == last {
        true => element(first),
        false => json!({ "range": [element(first), element(last)] }),
    });
    one_of(elements.collect())
}

/// One value, or any of several.
pub(super) fn one_of(mut elements: Vec<Value>) -> Value {
    match elements.pop() {
        Some(only) if elements.is_empty() => only,
        last => {
            elements.extend(last);
            json!({ "set": elements })
        }
    }
}

/// The packet has this.
pub(super) fn is(left: Value, right: Value) -> Value {
    json!({ "match": { "op": "==", "left": left, "right": right } })
}

/// The packet has something else.
pub(super) fn differs(left: Value, right: Value) -> Value {
    json!({ "match": { "op": "!=", "left": left, "right": right } })
}

/// What the kernel knows of a packet.
pub(super) fn meta(key: &str) -> Value {
    json!({ "meta": { "key": key } })
}

/// A field of a packet's header.
pub(super) fn payload(protocol: &str, field: &str) -> Value {
    json!({ "payload": { "protocol": protocol, "field": field } })
}

/// The conntrack zone of the packets that go in the direction in which their connection began.
pub(super) fn zone_of_original() -> Value {
    json!({ "ct": { "key": "zone", "dir": "original" } })
}

/// That a packet is an answer within a connection that began in a zone.
pub(super) fn is_answer(zone: u16) -> [Value; 2] {
    [
        is(json!({ "ct": { "key": "direction" } }), json!("reply")),
        is(zone_of_original(), json!(zone)),
    ]
}
