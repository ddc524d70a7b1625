//! Whether two rules are the same but for their state, whichever way their addresses are written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mec011_app_support::{DnsRule, TrafficRule, TrafficRuleDstInterface};
use mecforge_runtime::serde::Serialize;
use mecforge_runtime::server::Problem;
use serde_json::{Map, Value};

/// The properties of a traffic filter that are addresses.
const ADDRESSES: [&str; 4] = ["srcAddress", "dstAddress", "srcTunnelAddress", "tgtTunnelAddress"];
/// Those that are ports.
const PORTS: [&str; 4] = ["srcPort", "dstPort", "srcTunnelPort", "dstTunnelPort"];

/// Where a DNS rule differs from the one that is there, in more than its state; a JSON pointer.
///
/// # Errors
/// `500` if a rule cannot be written as JSON, which does not occur.
pub(crate) fn dns_difference(there: &DnsRule, wanted: &DnsRule) -> Result<Option<String>, Problem> {
    let normal = |rule: &DnsRule| -> Result<Value, Problem> {
        let mut rule = object(rule)?;
        change(&mut rule, "domainName", |name| {
            name.trim_end_matches('.').to_ascii_lowercase()
        });
        change(&mut rule, "ipAddress", address);
        Ok(Value::Object(rule))
    };
    Ok(difference(&normal(there)?, &normal(wanted)?))
}

/// Where a traffic rule differs from the one that is there, in more than its state; a JSON pointer.
///
/// # Errors
/// As [`dns_difference`].
pub(crate) fn traffic_difference(
    there: &TrafficRule,
    wanted: &TrafficRule,
) -> Result<Option<String>, Problem> {
    let found = difference(&normal_traffic(there)?, &normal_traffic(wanted)?);
    let listed = matches!(wanted.dst_interface, Some(TrafficRuleDstInterface::Array(_)));
    Ok(
        found.map(|pointer| match pointer.strip_prefix("/dstInterface/0") {
            Some(rest) if !listed => format!("/dstInterface{rest}"),
            _ => pointer,
        }),
    )
}

fn normal_traffic(rule: &TrafficRule) -> Result<Value, Problem> {
    let mut rule = object(rule)?;
    for filter in list(&mut rule, "trafficFilter") {
        for name in ADDRESSES {
            change_all(filter, name, address);
        }
        for name in PORTS {
            change_all(filter, name, ports);
        }
        change_all(filter, "protocol", str::to_ascii_lowercase);
        // No value and no list let the same packets pass.
        filter.retain(|_, value| value.as_array().is_none_or(|values| !values.is_empty()));
    }
    if let Some(interface) = rule.get_mut("dstInterface")
        && !interface.is_array()
    {
        *interface = Value::Array(vec![interface.take()]);
    }
    for interface in list(&mut rule, "dstInterface") {
        change(interface, "dstIpAddress", address);
        for name in ["srcMacAddress", "dstMacAddress"] {
            change(interface, name, |mac| mac.to_ascii_lowercase().replace('-', ":"));
        }
        if let Some(Value::Object(tunnel)) = interface.get_mut("tunnelInfo") {
            change(tunnel, "tunnelDstAddress", address);
            change(tunnel, "tunnelSrcAddress", address);
        }
    }
    Ok(Value::Object(rule))
}

/// A rule without its state.
fn object(rule: &impl Serialize) -> Result<Map<String, Value>, Problem> {
    match serde_json::to_value(rule) {
        Ok(Value::Object(mut object)) => {
            object.remove("state");
            Ok(object)
        }
        Ok(_) => Err(Problem::internal("a rule is no object")),
        Err(error) => Err(Problem::internal(error)),
    }
}

/// The objects of a list.
fn list<'a>(
    object: &'a mut Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    object
        .get_mut(name)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
}

fn change(object: &mut Map<String, Value>, name: &str, normal: impl Fn(&str) -> String) {
    if let Some(Value::String(text)) = object.get_mut(name) {
        *text = normal(text);
    }
}

fn change_all(object: &mut Map<String, Value>, name: &str, normal: impl Fn(&str) -> String) {
    let values = object.get_mut(name).and_then(Value::as_array_mut);
    for value in values.into_iter().flatten() {
        if let Value::String(text) = value {
            *text = normal(text);
        }
    }
}

/// One way to write an address, a network or a range of addresses; what is none of them stays as it is.
fn address(text: &str) -> String {
    let text = text.trim();
    if let Some((first, last)) = text.split_once('-')
        && let (Ok(first), Ok(last)) = (first.trim().parse::<IpAddr>(), last.trim().parse::<IpAddr>())
    {
        return if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        };
    }
    let (host, mask) = text.split_once('/').unwrap_or((text, ""));
    let Ok(host) = host.trim().parse::<IpAddr>() else {
        return text.to_owned();
    };
    let longest: u8 = if host.is_ipv4() { 32 } else { 128 };
    let prefix = match (mask.trim(), mask.trim().parse::<Ipv4Addr>()) {
        ("", _) => Some(longest),
        (_, Ok(mask)) if host.is_ipv4() => contiguous(mask),
        (digits, _) => digits.parse::<u8>().ok().filter(|prefix| *prefix <= longest),
    };
    match prefix {
        Some(prefix) if prefix == longest => host.to_string(),
        Some(prefix) => format!("{}/{prefix}", network(host, prefix)),
        None => text.to_owned(),
    }
}

/// The length of a mask such as 255.255.255.0; `None` if its ones have gaps.
fn contiguous(mask: Ipv4Addr) -> Option<u8> {
    let bits = mask.to_bits();
    let ones = bits.leading_ones();
    (bits.count_ones() == ones).then(|| u8::try_from(ones).unwrap_or(32))
}

/// The first address of the network that an address is in.
fn network(host: IpAddr, prefix: u8) -> IpAddr {
    match host {
        IpAddr::V4(host) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            Ipv4Addr::from_bits(host.to_bits() & mask).into()
        }
        IpAddr::V6(host) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            Ipv6Addr::from_bits(host.to_bits() & mask).into()
        }
    }
}

/// One way to write a port or a range of ports.
fn ports(text: &str) -> String {
    let number = |text: &str| text.trim().parse::<u16>().ok();
    match text.split_once('-') {
        Some((first, last)) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first == last => first.to_string(),
            (Some(first), Some(last)) => format!("{first}-{last}"),
            _ => text.to_owned(),
        },
        None => number(text).map_or_else(|| text.to_owned(), |port| port.to_string()),
    }
}

/// The first place where two values differ; a list that is longer or shorter differs as a whole.
fn difference(there: &Value, wanted: &Value) -> Option<String> {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => {
            let mut names: Vec<&String> = wanted.keys().collect();
            names.extend(there.keys().filter(|name| !wanted.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let found = match (there.get(name), wanted.get(name)) {
                    (Some(there), Some(wanted)) => difference(there, wanted),
                    _ => Some(String::new()),
                };
                found.map(|rest| format!("/{}{rest}", name.replace('~', "~0").replace('/', "~1")))
            })
        }
        (Value::Array(there), Value::Array(wanted)) if there.len() == wanted.len() => there
            .iter()
            .zip(wanted)
            .enumerate()
            .find_map(|(index, (there, wanted))| {
                difference(there, wanted).map(|rest| format!("/{index}{rest}"))
            }),
        _ => (there != wanted).then(String::new),
    }
}

#[cfg(test)]
mod tests {
    use super::{address, ports};

    #[test]
    fn addresses_have_one_form() {
        for (written, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1/32", "192.0.2.1"),
            ("192.0.2.77/24", "192.0.2.0/24"),
            ("192.0.2.77/255.255.255.0", "192.0.2.0/24"),
            ("192.0.2.77/255.0.255.0", "192.0.2.77/255.0.255.0"),
            ("10.0.0.1/0", "0.0.0.0/0"),
            ("10.0.0.1/33", "10.0.0.1/33"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("2001:db8::1/64", "2001:db8::/64"),
            ("2001:db8::1/0", "::/0"),
            ("10.0.0.1 - 10.0.0.9", "10.0.0.1-10.0.0.9"),
            ("10.0.0.1-10.0.0.1", "10.0.0.1"),
            ("example", "example"),
        ] {
            assert_eq!(address(written), expected, "{written}");
        }
    }

    #[test]
    fn ports_have_one_form() {
        for (written, expected) in [
            ("80", "80"),
            ("080", "80"),
            ("80 - 90", "80-90"),
            ("80-80", "80"),
            ("http", "http"),
            ("1-70000", "1-70000"),
        ] {
            assert_eq!(ports(written), expected, "{written}");
        }
    }
}
