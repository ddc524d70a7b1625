//! Addresses as rules write them: single ones, prefixes, masks, ranges; and MAC addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::interval::Intervals;

/// A family of network addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Network {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Network {
    /// The family of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

/// A set of addresses of both families.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// IPv4 addresses, as numbers.
    pub v4: Intervals,
    /// IPv6 addresses, as numbers.
    pub v6: Intervals,
}

impl Addresses {
    /// The addresses of one family.
    #[must_use]
    pub fn of(&self, network: Network) -> &Intervals {
        match network {
            Network::V4 => &self.v4,
            Network::V6 => &self.v6,
        }
    }

    /// Adds what a text names: `A`, `A/LENGTH`, `A/MASK` (IPv4), `A-B`, or `A/LENGTH-B/LENGTH`.
    ///
    /// # Errors
    /// What the text should be, in words that complete "must be …".
    pub(crate) fn add(&mut self, text: &str) -> Result<(), &'static str> {
        const FORM: &str =
            "an IP address, a prefix (address/length or address/mask), or a range (first-last)";
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => {
                let first = block(first.trim()).ok_or(FORM)?;
                let last = block(last.trim()).ok_or(FORM)?;
                (first, last)
            }
            None => {
                let block = block(text.trim()).ok_or(FORM)?;
                (block, block)
            }
        };
        if first.network != last.network {
            return Err("a range within one family of addresses");
        }
        if first.first > last.last {
            return Err("a range whose first address is not above its last");
        }
        match first.network {
            Network::V4 => self.v4.add(first.first, last.last),
            Network::V6 => self.v6.add(first.first, last.last),
        }
        Ok(())
    }
}

/// First and last address of a prefix.
#[derive(Clone, Copy)]
struct Block {
    network: Network,
    first: u128,
    last: u128,
}

fn block(text: &str) -> Option<Block> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let (network, value, bits) = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => (Network::V4, u128::from(u32::from(address)), 32_u32),
        IpAddr::V6(address) => (Network::V6, u128::from(address), 128),
    };
    let length = match length {
        None => bits,
        Some(length) if network == Network::V4 && length.contains('.') => mask(length)?,
        Some(length) if !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()) => {
            length.parse().ok().filter(|length| *length <= bits)?
        }
        Some(_) => return None,
    };
    let hosts = match bits - length {
        0 => 0,
        free => u128::MAX >> (128 - free),
    };
    Some(Block {
        network,
        first: value & !hosts,
        last: value | hosts,
    })
}

/// The length of the prefix that an IPv4 mask stands for.
fn mask(text: &str) -> Option<u32> {
    let mask = u32::from(text.parse::<Ipv4Addr>().ok()?);
    (mask.leading_ones() + mask.trailing_zeros() >= 32).then(|| mask.leading_ones())
}

/// The address of a number, as text.
pub(crate) fn text(network: Network, value: u128) -> String {
    match network {
        Network::V4 => Ipv4Addr::from(u32::try_from(value).unwrap_or(u32::MAX)).to_string(),
        Network::V6 => Ipv6Addr::from(value).to_string(),
    }
}

/// Whether packets can be sent to one machine by this address.
pub(crate) fn is_destination(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    let local = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
    !(address.is_unspecified() || address.is_loopback() || address.is_multicast() || broadcast || local)
}

/// The address of an Ethernet interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// Reads six pairs of hexadecimal digits, joined by `:` or (as MEC 011 v2.1.1 has it) by `-`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let separator = if text.contains('-') { '-' } else { ':' };
        let mut bytes = [0; 6];
        let mut parts = text.split(separator);
        for byte in &mut bytes {
            let part = parts.next()?;
            if part.len() != 2 || !part.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            *byte = u8::from_str_radix(part, 16).ok()?;
        }
        parts.next().is_none().then_some(Self(bytes))
    }

    /// Whether it is the address of one interface.
    #[must_use]
    pub fn is_unicast(self) -> bool {
        self.0[0] & 1 == 0 && self.0 != [0; 6]
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(formatter, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<String>> {
        let mut addresses = Addresses::default();
        addresses.add(text).ok()?;
        let of = |network| {
            let addresses = addresses.of(network).clone();
            let show = move |(first, last)| {
                format!("{}-{}", super::text(network, first), super::text(network, last))
            };
            addresses.iter().map(show).collect::<Vec<_>>()
        };
        Some([of(Network::V4), of(Network::V6)].concat())
    }

    #[test]
    fn reads_the_forms_of_the_standard() {
        for (text, expected) in [
            ("10.0.0.1", "10.0.0.1-10.0.0.1"),
            ("10.0.0.77/24", "10.0.0.0-10.0.0.255"),
            ("10.0.0.0/255.255.0.0", "10.0.0.0-10.0.255.255"),
            ("0.0.0.0/0", "0.0.0.0-255.255.255.255"),
            ("10.0.0.1 - 10.0.0.9", "10.0.0.1-10.0.0.9"),
            ("fd00::/64", "fd00::-fd00::ffff:ffff:ffff:ffff"),
            (
                "fd00:0:0:1::/64-fd00:0:0:3::/64",
                "fd00:0:0:1::-fd00::3:ffff:ffff:ffff:ffff",
            ),
            ("::/0", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ] {
            assert_eq!(read(text), Some(vec![expected.to_owned()]), "{text}");
        }
        for text in [
            "",
            "10.0.0",
            "10.0.0.1/33",
            "10.0.0.1/+8",
            "10.0.0.1/",
            "10.0.0.0/255.0.255.0",
            "10.0.0.9-10.0.0.1",
            "10.0.0.1-fd00::1",
            "fd00::/129",
            "example.org",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn reads_mac_addresses_of_both_releases() {
        let expected = Some(MacAddress([2, 0, 0, 0, 0, 0xab]));
        assert_eq!(MacAddress::parse("02:00:00:00:00:aB"), expected);
        assert_eq!(MacAddress::parse("02-00-00-00-00-AB"), expected);
        for text in [
            "",
            "02:00:00:00:00",
            "02:00:00:00:00:0g",
            "02:00:00:00:00:00:00",
            "2:0:0:0:0:0",
        ] {
            assert_eq!(MacAddress::parse(text), None, "{text}");
        }
    }
}
