//! Services that applications register, as names: `_<label>._tcp.<zone>` has the SRV records (RFC 2782) of all active
//! services of a name, `<label>.<zone>` the addresses of their hosts, and each endpoint with an address has a host name
//! of its own, `<serInstanceId>-<number>.<zone>`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use mec011_service_management::{EndPointInfo, ServiceInfoRequest, ServiceState, TransportInfo};
use mecforge_contracts::keys;
use mecforge_store::{Change, Changes, View};

use crate::name::{HostName, label_of};
use crate::names::{Endpoint, Names};
use crate::rules::SharedNames;

/// How many endpoints of one service are published.
const ENDPOINTS_OF_SERVICE: usize = 16;

/// Schemes of URIs and names of protocols, and their ports.
const PORTS: [(&str, u16); 9] = [
    ("http", 80),
    ("https", 443),
    ("ws", 80),
    ("wss", 443),
    ("mqtt", 1883),
    ("mqtts", 8883),
    ("amqp", 5672),
    ("amqps", 5671),
    ("coap", 5683),
];

/// The published services as a [`View`] of the store.
#[derive(Debug)]
pub(crate) struct Services {
    zone: HostName,
    names: Arc<SharedNames>,
    /// What the service at a key has given.
    published: Mutex<HashMap<Arc<str>, Given>>,
}

/// What a service has given.
#[derive(Debug)]
struct Given {
    /// The names that have something of it.
    names: Vec<HostName>,
    /// How many endpoints were told apart.
    endpoints: u16,
}

/// Where a service is, as its application says.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Address(IpAddr, u16),
    Host(HostName, u16),
}

impl Services {
    pub(crate) fn new(zone: HostName, names: Arc<SharedNames>) -> Self {
        Self {
            zone,
            names,
            published: Mutex::default(),
        }
    }

    fn publish(&self, change: &Change, names: &mut Names) -> Option<Given> {
        let entry = change.entry.as_ref()?;
        let (_, id) = keys::service_at(&change.key)?;
        let info: ServiceInfoRequest = mecforge_runtime::from_slice(&entry.value).ok()?;
        if info.state != ServiceState::Active {
            return None;
        }
        let places = places(info.transport_info.as_ref()?);
        let label = label_of(&info.ser_name)?;
        let service = self.zone.child("_tcp")?.child(&format!("_{label}"))?;
        let plain = self.zone.child(&label)?;
        let mut given = vec![service.clone(), plain.clone()];
        let mut endpoints = 0;
        for place in places {
            let source = (change.key.clone(), endpoints);
            let (target, port) = match place {
                Place::Host(host, port) => (host, port),
                Place::Address(address, port) => {
                    let host = self.zone.child(&format!("{}-{endpoints}", label_of(&id)?))?;
                    names.add_address(&host, source.clone(), address);
                    names.add_address(&plain, source.clone(), address);
                    given.push(host.clone());
                    (host, port)
                }
            };
            names.add_endpoint(&service, source, Endpoint { target, port });
            endpoints += 1;
        }
        Some(Given {
            names: given,
            endpoints,
        })
    }
}

impl View for Services {
    fn apply(&self, changes: &Changes) {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names = self.names.at(changes.revision);
        for change in &changes.changes {
            if let Some(given) = published.remove(&change.key) {
                for name in given.names {
                    for number in 0..given.endpoints {
                        names.remove_source(&name, &(change.key.clone(), number));
                    }
                }
            }
            if let Some(given) = self.publish(change, &mut names) {
                published.insert(change.key.clone(), given);
            }
        }
    }
}

/// Where a transport's endpoint is. What gives no port, itself or by its scheme or protocol, is left out.
fn places(transport: &TransportInfo) -> Vec<Place> {
    let EndPointInfo {
        uris,
        fqdn,
        addresses,
        alternative: _,
    } = &transport.endpoint;
    let by_protocol = port_of(&transport.protocol);
    let uris = uris.iter().flatten().filter_map(|uri| {
        let (scheme, rest) = uri.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        place(host, port_of(scheme))
    });
    let names = fqdn.iter().flatten().filter_map(|name| place(name, by_protocol));
    let addresses = addresses.iter().flatten().filter_map(|address| {
        let port = u16::try_from(address.port).ok()?;
        match address.host.parse() {
            Ok(address) => Some(Place::Address(address, port)),
            Err(_) => Some(Place::Host(address.host.parse().ok()?, port)),
        }
    });
    uris.chain(names)
        .chain(addresses)
        .take(ENDPOINTS_OF_SERVICE)
        .collect()
}

fn port_of(scheme: &str) -> Option<u16> {
    PORTS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(scheme))
        .map(|(_, port)| *port)
}

/// Reads `host`, `host:port`, `address:port` or `[address]:port`.
fn place(text: &str, default: Option<u16>) -> Option<Place> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
        _ => (text, default),
    };
    let port = port?;
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    match bare.parse() {
        Ok(address) => Some(Place::Address(address, port)),
        Err(_) => Some(Place::Host(host.parse().ok()?, port)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn places_are_read() {
        let host = |name: &str, port| Some(Place::Host(name.parse().unwrap(), port));
        let address = |address: &str, port| Some(Place::Address(address.parse().unwrap(), port));
        for (text, default, expected) in [
            ("a.example", Some(80), host("a.example", 80)),
            ("a.example:8080", Some(80), host("a.example", 8080)),
            ("a.example", None, None),
            ("192.0.2.1:8080", None, address("192.0.2.1", 8080)),
            ("[2001:db8::1]:8080", None, address("2001:db8::1", 8080)),
            ("[2001:db8::1]", Some(443), address("2001:db8::1", 443)),
            ("a.example:port", Some(80), None),
            ("a_b:1", None, None),
            ("", Some(80), None),
        ] {
            assert_eq!(place(text, default), expected, "{text:?}");
        }
    }

    #[test]
    fn schemes_have_ports() {
        assert_eq!(
            (port_of("HTTP"), port_of("wss"), port_of("gopher")),
            (Some(80), Some(443), None)
        );
    }
}
