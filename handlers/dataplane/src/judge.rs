//! Reads traffic rules: each field of text becomes what it means, or a problem that names the field and the rule.

use std::collections::BTreeSet;
use std::net::IpAddr;

use mec011_app_support::{
    DestinationInterface, DestinationInterfaceInterfaceType, TrafficFilter, TrafficRule, TrafficRuleAction,
    TrafficRuleDstInterface, TrafficRuleFilterType, TunnelInfoTunnelType,
};
use mecforge_runtime::server::Problem;

use crate::address::{Addresses, MacAddress, Network, is_destination};
use crate::intent::{Action, Destination, Filter, Intent, Outer, RuleName, Tunnel, WITH_PORTS};
use crate::interval::Intervals;

/// The most filters of one rule.
const MOST_FILTERS: usize = 64;
/// The most values in one list of a filter.
const MOST_VALUES: usize = 256;

/// Names of protocols (IANA), besides their numbers. `ANY` stands for all.
const PROTOCOLS: &[(&str, u8)] = &[
    ("icmp", 1),
    ("igmp", 2),
    ("ipip", 4),
    ("ipencap", 4),
    ("tcp", 6),
    ("udp", 17),
    ("dccp", 33),
    ("ipv6", 41),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("icmpv6", 58),
    ("ipv6-icmp", 58),
    ("ospf", 89),
    ("pim", 103),
    ("vrrp", 112),
    ("l2tp", 115),
    ("sctp", 132),
    ("udplite", 136),
];

/// Reads a rule.
///
/// # Errors
/// `400` for what has no meaning, `422` for what has one that no data plane of ours can give effect to.
pub(crate) fn intent(app_instance_id: &str, rule: &TrafficRule) -> Result<Intent, Problem> {
    let Ok(priority) = u8::try_from(rule.priority) else {
        return Err(wrong("/priority", "maximum", "a number from 0 to 255"));
    };
    let filters = &rule.traffic_filter;
    if filters.is_empty() || filters.len() > MOST_FILTERS {
        let rule = if filters.is_empty() {
            "minItems"
        } else {
            "maxItems"
        };
        return Err(wrong(
            "/trafficFilter",
            rule,
            &format!("a list of 1 to {MOST_FILTERS} filters"),
        ));
    }
    let intent = Intent {
        name: RuleName {
            app_instance_id: app_instance_id.to_owned(),
            traffic_rule_id: rule.traffic_rule_id.clone(),
        },
        priority,
        flow: rule.filter_type == TrafficRuleFilterType::Flow,
        filters: filters
            .iter()
            .enumerate()
            .map(|(index, one)| filter(&format!("/trafficFilter/{index}"), one))
            .collect::<Result<_, _>>()?,
        action: action(rule)?,
        decapsulate: matches!(
            rule.action,
            TrafficRuleAction::ForwardDecapsulated | TrafficRuleAction::DuplicateDecapsulated
        ),
    };
    for (index, filter) in intent.filters.iter().enumerate() {
        let concerned = |network| filter.concerns(network) && intent.action.takes(network);
        if !concerned(Network::V4) && !concerned(Network::V6) {
            return Err(impossible(
                &format!("/trafficFilter/{index}"),
                "no packet is of the families of addresses that this filter and the destination interface ask for",
            ));
        }
    }
    Ok(intent)
}

fn wrong(pointer: &str, rule: &str, expected: &str) -> Problem {
    // The field alone: where the rule itself is, and so the whole way there, the pointer tells in the end.
    let is_field = |part: &&str| part.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let field = pointer.rsplit('/').find(is_field).unwrap_or("body");
    Problem::bad_request(format!("{field} of the traffic rule must be {expected}"))
        .with_pointer(pointer)
        .with_rule(rule)
}

/// `422`: the rule means something, but not on this platform.
pub(crate) fn impossible(pointer: &str, reason: &str) -> Problem {
    Problem::unprocessable(format!(
        "the data plane cannot carry out the traffic rule: {reason}"
    ))
    .with_pointer(pointer)
}

fn filter(pointer: &str, filter: &TrafficFilter) -> Result<Filter, Problem> {
    let at = |name: &str| format!("{pointer}/{name}");
    if filter.q_ci.is_some() {
        return Err(impossible(
            &at("qCI"),
            "the QCI of a bearer cannot be seen in a packet here",
        ));
    }
    if filter.tag.as_ref().is_some_and(|tags| !tags.is_empty()) {
        return Err(impossible(
            &at("tag"),
            "the standard does not say what a tag is in a packet",
        ));
    }
    let protocols = protocols(&at("protocol"), filter.protocol.as_deref())?;
    let read = Filter {
        sources: addresses(&at("srcAddress"), filter.src_address.as_deref())?,
        destinations: addresses(&at("dstAddress"), filter.dst_address.as_deref())?,
        source_ports: ports(&at("srcPort"), filter.src_port.as_deref())?,
        destination_ports: ports(&at("dstPort"), filter.dst_port.as_deref())?,
        protocols,
        dscp: octet(&at("dSCP"), filter.d_scp, 63)?,
        traffic_class: octet(&at("tC"), filter.t_c, 255)?,
        outer: outer(pointer, filter)?,
    };
    let ports = read.source_ports.is_some() || read.destination_ports.is_some();
    if let Some(protocols) = &read.protocols
        && ports
        && let Some(without) = protocols.iter().find(|protocol| !WITH_PORTS.contains(protocol))
    {
        let reason = format!("packets of protocol {without} have no ports, which the same filter asks for");
        return Err(impossible(&at("protocol"), &reason));
    }
    Ok(read)
}

fn outer(pointer: &str, filter: &TrafficFilter) -> Result<Option<Outer>, Problem> {
    let at = |name: &str| format!("{pointer}/{name}");
    let outer = Outer {
        sources: addresses(&at("srcTunnelAddress"), filter.src_tunnel_address.as_deref())?,
        destinations: addresses(&at("tgtTunnelAddress"), filter.tgt_tunnel_address.as_deref())?,
        source_ports: ports(&at("srcTunnelPort"), filter.src_tunnel_port.as_deref())?,
        destination_ports: ports(&at("dstTunnelPort"), filter.dst_tunnel_port.as_deref())?,
    };
    Ok((outer != Outer::default()).then_some(outer))
}

/// The values of a list that says something.
fn values<'a>(pointer: &str, list: Option<&'a [String]>) -> Result<Option<&'a [String]>, Problem> {
    match list {
        None | Some([]) => Ok(None),
        Some(list) if list.len() > MOST_VALUES => Err(wrong(
            pointer,
            "maxItems",
            &format!("a list of at most {MOST_VALUES} values"),
        )),
        Some(list) => Ok(Some(list)),
    }
}

fn addresses(pointer: &str, list: Option<&[String]>) -> Result<Option<Addresses>, Problem> {
    let Some(list) = values(pointer, list)? else {
        return Ok(None);
    };
    let mut addresses = Addresses::default();
    for (index, text) in list.iter().enumerate() {
        addresses
            .add(text)
            .map_err(|expected| wrong(&format!("{pointer}/{index}"), "format", expected))?;
    }
    Ok(Some(addresses))
}

fn ports(pointer: &str, list: Option<&[String]>) -> Result<Option<Intervals>, Problem> {
    let Some(list) = values(pointer, list)? else {
        return Ok(None);
    };
    let mut ports = Intervals::default();
    for (index, text) in list.iter().enumerate() {
        let range = match text.split_once('-') {
            Some((first, last)) => port(first).zip(port(last)).filter(|(first, last)| first <= last),
            None => port(text).map(|port| (port, port)),
        };
        let Some((first, last)) = range else {
            let expected = "a port from 0 to 65535, or a range (first-last)";
            return Err(wrong(&format!("{pointer}/{index}"), "format", expected));
        };
        ports.add(u128::from(first), u128::from(last));
    }
    Ok(Some(ports))
}

fn port(text: &str) -> Option<u16> {
    let text = text.trim();
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

fn protocols(pointer: &str, list: Option<&[String]>) -> Result<Option<BTreeSet<u8>>, Problem> {
    let Some(list) = values(pointer, list)? else {
        return Ok(None);
    };
    let mut protocols = BTreeSet::new();
    let mut any = false;
    for (index, text) in list.iter().enumerate() {
        let text = text.trim();
        let known = PROTOCOLS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if text.eq_ignore_ascii_case("any") {
            any = true;
        } else if let Some((_, number)) = known {
            protocols.insert(*number);
        } else if let Some(number) = digits.then(|| text.parse().ok()).flatten() {
            protocols.insert(number);
        } else {
            let expected =
                "the number of an IP protocol, ANY, or a name such as tcp, udp, sctp, icmp, icmpv6";
            return Err(wrong(&format!("{pointer}/{index}"), "format", expected));
        }
    }
    Ok((!any).then_some(protocols))
}

fn octet(pointer: &str, value: Option<u64>, largest: u8) -> Result<Option<u8>, Problem> {
    match value {
        None => Ok(None),
        Some(value) => match u8::try_from(value) {
            Ok(value) if value <= largest => Ok(Some(value)),
            _ => Err(wrong(
                pointer,
                "maximum",
                &format!("a number from 0 to {largest}"),
            )),
        },
    }
}

fn action(rule: &TrafficRule) -> Result<Action, Problem> {
    let interfaces: Vec<(String, &DestinationInterface)> = match &rule.dst_interface {
        None => Vec::new(),
        Some(TrafficRuleDstInterface::DestinationInterface(one)) => vec![("/dstInterface".to_owned(), one)],
        Some(TrafficRuleDstInterface::Array(list)) => list
            .iter()
            .enumerate()
            .map(|(index, one)| (format!("/dstInterface/{index}"), one))
            .collect(),
    };
    let destinations = interfaces
        .iter()
        .map(|(pointer, one)| destination(pointer, one))
        .collect::<Result<Vec<_>, _>>();
    match rule.action {
        TrafficRuleAction::Drop if interfaces.is_empty() => Ok(Action::Drop),
        TrafficRuleAction::Drop => Err(wrong(
            "/dstInterface",
            "if",
            "without dstInterface when action is DROP",
        )),
        // The standard wants an interface here, too, and gives it no meaning: the packets go where they were going.
        TrafficRuleAction::Passthrough => Ok(Action::Pass),
        TrafficRuleAction::ForwardDecapsulated | TrafficRuleAction::ForwardEncapsulated => {
            let mut destinations = destinations?;
            match (destinations.pop(), destinations.is_empty()) {
                (Some(destination), true) => Ok(Action::Forward(destination)),
                _ => Err(wrong(
                    "/dstInterface",
                    "maxItems",
                    "one interface when action is to forward",
                )),
            }
        }
        TrafficRuleAction::DuplicateDecapsulated | TrafficRuleAction::DuplicateEncapsulated => {
            let destinations = destinations?;
            if destinations.is_empty() || destinations.len() > 2 {
                return Err(wrong(
                    "/dstInterface",
                    "minItems",
                    "one or two interfaces when action is to duplicate",
                ));
            }
            Ok(Action::Duplicate(destinations))
        }
    }
}

/// A text that says something: managers send empty ones for what they do not have.
fn present(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn mac(pointer: &str, text: Option<&str>) -> Result<Option<MacAddress>, Problem> {
    let Some(text) = present(text) else {
        return Ok(None);
    };
    match MacAddress::parse(text).filter(|mac| mac.is_unicast()) {
        Some(mac) => Ok(Some(mac)),
        None => Err(wrong(
            pointer,
            "format",
            "the MAC address of one interface, such as 02:00:00:00:00:01",
        )),
    }
}

fn unicast(pointer: &str, text: Option<&str>) -> Result<Option<IpAddr>, Problem> {
    let Some(text) = present(text) else {
        return Ok(None);
    };
    match text.parse().ok().filter(|address| is_destination(*address)) {
        Some(address) => Ok(Some(address)),
        None => Err(wrong(
            pointer,
            "format",
            "the IP address of one machine other than this",
        )),
    }
}

fn destination(pointer: &str, interface: &DestinationInterface) -> Result<Destination, Problem> {
    let at = |name: &str| format!("{pointer}/{name}");
    let destination_mac = mac(&at("dstMacAddress"), interface.dst_mac_address.as_deref())?;
    let source_mac = mac(&at("srcMacAddress"), interface.src_mac_address.as_deref())?;
    let address = unicast(&at("dstIpAddress"), interface.dst_ip_address.as_deref())?;
    match &interface.interface_type {
        DestinationInterfaceInterfaceType::Ip => match address {
            Some(address) => Ok(Destination::Address(address)),
            None => Err(wrong(
                &at("dstIpAddress"),
                "required",
                "there for an interface of type IP",
            )),
        },
        DestinationInterfaceInterfaceType::Mac => match destination_mac {
            Some(mac) => Ok(Destination::Neighbour {
                mac,
                through: source_mac,
            }),
            None => Err(wrong(
                &at("dstMacAddress"),
                "required",
                "there for an interface of type MAC",
            )),
        },
        DestinationInterfaceInterfaceType::Tunnel => tunnel(pointer, interface, destination_mac),
        DestinationInterfaceInterfaceType::Other(kind) => {
            let reason =
                format!("interfaces of type {kind:?} are unknown here; known are IP, MAC and TUNNEL");
            Err(impossible(&at("interfaceType"), &reason))
        }
    }
}

/// The tunnel to which an interface leads.
fn tunnel(
    pointer: &str,
    interface: &DestinationInterface,
    mac: Option<MacAddress>,
) -> Result<Destination, Problem> {
    let at = |name: &str| format!("{pointer}/{name}");
    let Some(tunnel) = &interface.tunnel_info else {
        return Err(wrong(
            &at("tunnelInfo"),
            "required",
            "there for an interface of type TUNNEL",
        ));
    };
    let at = |name: &str| format!("{pointer}/tunnelInfo/{name}");
    let kind = match &tunnel.tunnel_type {
        TunnelInfoTunnelType::Other(kind) if kind.eq_ignore_ascii_case("VXLAN") => "VXLAN",
        listed => listed.as_str(),
    };
    let remote = unicast(&at("tunnelDstAddress"), tunnel.tunnel_dst_address.as_deref())?;
    let local = unicast(&at("tunnelSrcAddress"), tunnel.tunnel_src_address.as_deref())?;
    let Some(remote) = remote else {
        return Err(wrong(&at("tunnelDstAddress"), "required", "there for a tunnel"));
    };
    if local.is_some_and(|local| Network::of(local) != Network::of(remote)) {
        return Err(wrong(
            &at("tunnelSrcAddress"),
            "format",
            "of the same family as tunnelDstAddress",
        ));
    }
    Ok(Destination::Tunnel(Tunnel {
        kind: kind.to_owned(),
        remote,
        local,
        mac,
    }))
}
