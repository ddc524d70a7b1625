//! What an operator decides about the name server.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;

use crate::name::HostName;

/// What an operator decides about the name server.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to answer, by UDP and TCP at the same port; nowhere if empty: the name server is off, and rules cannot be
    /// active. Port 0 takes any port. A machine with several addresses names each of them rather than `0.0.0.0`, so
    /// that answers come from the address that was asked.
    pub listen: Vec<SocketAddr>,
    /// Zones of which every name is ours: what has no rule in them does not exist.
    pub zones: Vec<HostName>,
    /// The zone in which services that applications register are found; also one of ours. `None`: they are not.
    pub service_zone: Option<HostName>,
    /// The name of this server in NS and SOA records; `None`: `ns` in the first zone.
    pub server_name: Option<HostName>,
    /// Seconds for which an answer by a rule without `ttl` may be kept.
    pub default_ttl: u32,
    /// Seconds for which it may be remembered that a name or a type of record does not exist.
    pub negative_ttl: u32,
    /// Seconds for which an answer about a service may be kept.
    pub service_ttl: u32,
    /// How many active rules may give addresses of one family to one name.
    pub addresses_per_name: usize,
    /// Who is asked about all other names; nobody if empty: such questions are refused.
    pub upstreams: Vec<SocketAddr>,
    /// The time after which a question to the upstreams has failed.
    pub upstream_timeout: Duration,
    /// Clients for which other names are looked up.
    pub recursion_for: Vec<IpNet>,
    /// How many answers of upstreams are kept.
    pub cache_entries: usize,
    /// The longest that an answer of an upstream is kept, whatever it says.
    pub cache_longest: Duration,
    /// How many questions to upstreams may be on their way at a time; further ones fail at once.
    pub concurrent_forwards: usize,
    /// The largest answer by UDP, in bytes; clients may ask for less (RFC 6891 clause 6.2.5).
    pub largest_datagram: u16,
    /// UDP sockets at each address, each served by one task.
    pub udp_sockets: usize,
    /// TCP connections at each address; further ones wait.
    pub tcp_connections: usize,
    /// The time after which an idle TCP connection is closed (RFC 7766 clause 6.2.3).
    pub tcp_idle: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 5300))],
            zones: "mec.internal".parse().into_iter().collect(),
            service_zone: None,
            server_name: None,
            default_ttl: 300,
            negative_ttl: 10,
            service_ttl: 5,
            addresses_per_name: 256,
            upstreams: Vec::new(),
            upstream_timeout: Duration::from_secs(4),
            recursion_for: private_networks(),
            cache_entries: 10_000,
            cache_longest: Duration::from_secs(24 * 60 * 60),
            concurrent_forwards: 1000,
            largest_datagram: 1232,
            udp_sockets: std::thread::available_parallelism().map_or(1, usize::from),
            tcp_connections: 256,
            tcp_idle: Duration::from_secs(10),
        }
    }
}

/// Networks that are not the Internet: loopback (RFC 1122), private (RFC 1918), shared (RFC 6598), link-local
/// (RFC 3927, RFC 4291) and unique local ones (RFC 4193).
#[must_use]
pub fn private_networks() -> Vec<IpNet> {
    [
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "::1/128",
        "fe80::/10",
        "fc00::/7",
    ]
    .into_iter()
    .filter_map(|network| network.parse().ok())
    .collect()
}

/// The name servers that the text of `/etc/resolv.conf` names, in its order. Those with a scope (`fe80::1%eth0`) are
/// left out.
#[must_use]
pub fn upstreams_in(resolv_conf: &str) -> Vec<SocketAddr> {
    resolv_conf
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("nameserver")).then(|| words.next())?
        })
        .filter_map(|address| address.parse::<IpAddr>().ok())
        .map(|address| SocketAddr::new(address, 53))
        .collect()
}

/// The name servers of this machine (`/etc/resolv.conf`), without those that are one of `own`, the addresses where we
/// listen ourselves; empty if the file cannot be read.
#[must_use]
pub fn system_upstreams(own: &[SocketAddr]) -> Vec<SocketAddr> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let mut upstreams = upstreams_in(&text);
    upstreams.retain(|upstream| !leads_to_us(*upstream, own));
    upstreams
}

/// Whether who asks at `upstream` asks us, who listen at `own`.
pub(crate) fn leads_to_us(upstream: SocketAddr, own: &[SocketAddr]) -> bool {
    own.iter().any(|own| {
        own.port() == upstream.port()
            && (own.ip() == upstream.ip()
                || upstream.ip().is_unspecified()
                || own.ip().is_unspecified() && is_here(upstream.ip()))
    })
}

/// Whether an address is one of this machine: others cannot be bound.
fn is_here(address: IpAddr) -> bool {
    address.is_loopback() || std::net::UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn upstreams_are_read_from_the_system() {
        let text = "# comment\nnameserver 192.0.2.1\nsearch example\nnameserver\t2001:db8::1 \nnameserver fe80::1%eth0\n\
                    nameserver\n#nameserver 192.0.2.2\n";
        let expected: Vec<SocketAddr> = vec![
            "192.0.2.1:53".parse().unwrap(),
            "[2001:db8::1]:53".parse().unwrap(),
        ];
        assert_eq!(upstreams_in(text), expected);
    }

    #[test]
    fn our_own_addresses_are_no_upstreams() {
        for (upstream, own, expected) in [
            ("127.0.0.1:53", "127.0.0.1:53", true),
            ("127.0.0.1:53", "127.0.0.1:5300", false),
            ("127.0.0.53:53", "127.0.0.1:53", false),
            ("127.0.0.53:53", "0.0.0.0:53", true),
            ("0.0.0.0:53", "127.0.0.1:53", true),
            ("192.0.2.1:53", "0.0.0.0:53", false),
        ] {
            let own = [own.parse().unwrap()];
            assert_eq!(
                leads_to_us(upstream.parse().unwrap(), &own),
                expected,
                "{upstream} {own:?}"
            );
        }
    }

    #[test]
    fn the_default_serves_private_networks_only() {
        let options = Options::default();
        let served = |address: &str| {
            let address: IpAddr = address.parse().unwrap();
            options
                .recursion_for
                .iter()
                .any(|network| network.contains(&address))
        };
        assert_eq!(options.recursion_for.len(), 9);
        assert_eq!(options.zones.len(), 1);
        assert!(served("127.0.0.1") && served("10.1.2.3") && served("::1") && served("fd00::1"));
        assert!(!served("8.8.8.8") && !served("2001:db8::1"));
    }
}
