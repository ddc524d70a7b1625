//! Conditions on packets inside GTP-U packets, which nftables has no names for: bits at an offset.
//!
//! The inner packet begins behind a header of one of a few lengths (3GPP TS 29.281 clause 5): without options, with
//! them, and with the extension header that 5G puts in (PDU session container, 3GPP TS 38.415), in its two lengths.
//! Ports are found in IPv4 packets without options and in IPv6 packets without extension headers.

use serde_json::{Value, json};

use super::conditions::is;
use crate::address::{Addresses, Network};
use crate::intent::{Filter, WITH_PORTS};
use crate::interval::Intervals;

/// Where GTP-U begins behind the beginning of UDP, in bytes.
const GTP: u32 = 8;
/// The message type of user data.
const G_PDU: u8 = 255;
const NO_MORE_HEADERS: u8 = 0;
const PDU_SESSION_CONTAINER: u8 = 0x85;

/// A form of the GTP-U header.
struct Header {
    /// Whether there is a sequence number, N-PDU number or extension.
    options: bool,
    /// Bytes that must be as they are here: where behind the beginning of UDP, and what.
    bytes: Vec<(u32, u8)>,
    /// Where the inner packet begins behind the beginning of UDP, in bytes.
    end: u32,
}

fn headers() -> Vec<Header> {
    let plain = Header {
        options: false,
        bytes: Vec::new(),
        end: GTP + 8,
    };
    let options = Header {
        options: true,
        bytes: vec![(GTP + 11, NO_MORE_HEADERS)],
        end: GTP + 12,
    };
    // The length of an extension header is counted in four bytes, and its last byte is the type of the next.
    let container = |words: u8| {
        let end = GTP + 12 + u32::from(words) * 4;
        Header {
            options: true,
            bytes: vec![
                (GTP + 11, PDU_SESSION_CONTAINER),
                (GTP + 12, words),
                (end - 1, NO_MORE_HEADERS),
            ],
            end,
        }
    };
    vec![plain, options, container(1), container(2)]
}

/// The alternatives of what must hold of a GTP-U packet for a filter to match what is in it.
pub(super) fn conditions(filter: &Filter) -> Vec<Vec<Value>> {
    let mut alternatives = Vec::new();
    for header in headers() {
        for network in [Network::V4, Network::V6] {
            if let Some(inner) = packet(network, header.end, filter) {
                let mut conditions = vec![
                    is(bits(GTP * 8, 4), json!(0b0011)),
                    is(bits((GTP + 1) * 8, 8), json!(G_PDU)),
                ];
                conditions.push(match header.options {
                    true => differs_from_zero(bits(GTP * 8 + 5, 3)),
                    false => is(bits(GTP * 8 + 5, 3), json!(0)),
                });
                conditions.extend(
                    header
                        .bytes
                        .iter()
                        .map(|(at, byte)| is(bits(at * 8, 8), json!(byte))),
                );
                conditions.extend(inner);
                alternatives.push(conditions);
            }
        }
    }
    alternatives
}

/// Conditions on the packet that begins at an offset; `None` if the filter matches none of this family.
fn packet(network: Network, start: u32, filter: &Filter) -> Option<Vec<Value>> {
    let has = |addresses: &Option<Addresses>| {
        addresses
            .as_ref()
            .is_none_or(|addresses| !addresses.of(network).is_empty())
    };
    let (mark, other) = match network {
        Network::V4 => (filter.dscp, filter.traffic_class),
        Network::V6 => (filter.traffic_class, filter.dscp),
    };
    if !has(&filter.sources) || !has(&filter.destinations) || (mark.is_none() && other.is_some()) {
        return None;
    }
    let start = start * 8;
    let ports = filter.source_ports.is_some() || filter.destination_ports.is_some();
    // Offsets in bits: mark, its length, protocol, source and destination address, their length, ports.
    let (mark_at, mark_bits, protocol, source, destination, length, port) = match network {
        Network::V4 => (8, 6, 72, 96, 128, 32, 160),
        Network::V6 => (4, 8, 48, 64, 192, 128, 320),
    };
    let mut conditions = vec![match network {
        Network::V4 if ports => is(bits(start, 8), json!(0x45)),
        Network::V4 => is(bits(start, 4), json!(4)),
        Network::V6 => is(bits(start, 4), json!(6)),
    }];
    if let Some(mark) = mark {
        conditions.push(is(bits(start + mark_at, mark_bits), json!(mark)));
    }
    let protocols: Option<Vec<u8>> = match &filter.protocols {
        Some(protocols) => Some(protocols.iter().copied().collect()),
        None => ports.then(|| WITH_PORTS.to_vec()),
    };
    if let Some(protocols) = protocols {
        conditions.push(is(bits(start + protocol, 8), json!({ "set": protocols })));
    }
    for (at, addresses) in [(source, &filter.sources), (destination, &filter.destinations)] {
        if let Some(addresses) = addresses {
            conditions.push(is(bits(start + at, length), numbers(addresses.of(network))));
        }
    }
    for (at, ports) in [
        (port, &filter.source_ports),
        (port + 16, &filter.destination_ports),
    ] {
        if let Some(ports) = ports {
            conditions.push(is(bits(start + at, 16), numbers(ports)));
        }
    }
    Some(conditions)
}

/// Bits of a packet, from the beginning of UDP.
fn bits(offset: u32, length: u32) -> Value {
    json!({ "payload": { "base": "th", "offset": offset, "len": length } })
}

fn differs_from_zero(left: Value) -> Value {
    json!({ "match": { "op": "!=", "left": left, "right": 0 } })
}

fn numbers(intervals: &Intervals) -> Value {
    let number = |number: u128| match u32::try_from(number) {
        Ok(number) => json!(number),
        Err(_) => json!(format!("{number:#x}")),
    };
    let elements: Vec<Value> = intervals
        .iter()
        .map(|(first, last)| match first == last {
            true => number(first),
            false => json!({ "range": [number(first), number(last)] }),
        })
        .collect();
    json!({ "set": elements })
}
