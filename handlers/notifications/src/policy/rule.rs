//! Rules that name hosts and networks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A host or a network, and perhaps a port: `apps.example`, `*.apps.example` (every name below it), `10.0.0.1`,
/// `10.0.0.0/8`, `fd00::/8`; with a port `apps.example:8080`, `10.0.0.0/8:8080`, `[fd00::/8]:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    what: What,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Name(String),
    /// The name with a dot before it.
    Below(String),
    Network(IpAddr, u8),
}

/// Why a text is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no host, address or network, with a port or without: {reason}")]
pub struct RuleError {
    text: String,
    reason: &'static str,
}

impl Rule {
    /// The addresses at which clouds tell machines their credentials.
    #[must_use]
    pub fn metadata_services() -> Vec<Self> {
        let addresses = [
            IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
            // Amazon's ECS and EKS, Alibaba, and Azure's wire server.
            IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
            IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
            IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
            IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
            IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
            IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
        ];
        let rule = |address| Self {
            what: What::Network(address, width(address)),
            port: None,
        };
        addresses.into_iter().map(rule).collect()
    }

    /// Whether an address that a name led to is meant; names in lower case.
    pub(super) fn covers(&self, name: Option<&str>, address: IpAddr, port: u16) -> bool {
        match self.what {
            What::Network(network, length) => {
                self.is_for(port)
                    && width(network) == width(address)
                    && prefix(network, length) == prefix(address, length)
            }
            _ => name.is_some_and(|name| self.names(name, port)),
        }
    }

    /// Whether a name is meant.
    pub(super) fn names(&self, name: &str, port: u16) -> bool {
        self.is_for(port)
            && match &self.what {
                What::Name(exactly) => exactly == name,
                What::Below(suffix) => name.ends_with(suffix.as_str()) && name.len() > suffix.len(),
                What::Network(..) => false,
            }
    }

    /// Whether the rule is about addresses, so that it takes a look at them to know.
    pub(super) fn is_network(&self) -> bool {
        matches!(self.what, What::Network(..))
    }

    fn is_for(&self, port: u16) -> bool {
        self.port.is_none_or(|only| only == port)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The first bits of an address, moved to the end.
fn prefix(address: IpAddr, length: u8) -> u128 {
    let (bits, width) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32_u32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let beyond = width.saturating_sub(u32::from(length));
    bits.checked_shr(beyond).unwrap_or(0)
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let error = |reason| RuleError {
            text: text.to_owned(),
            reason,
        };
        let (what, port) = split_port(text).ok_or_else(|| error("what follows the host is no port"))?;
        let what = parse_what(what).map_err(error)?;
        Ok(Self { what, port })
    }
}

/// Host and port; `None` where something is there that is no port.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        match rest {
            "" => return Some((host, None)),
            _ => (host, rest.strip_prefix(':')?),
        }
    } else {
        match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, port),
            _ => return Some((text, None)),
        }
    };
    let port: u16 = port.parse().ok()?;
    (port != 0).then_some((host, Some(port)))
}

fn parse_what(text: &str) -> Result<What, &'static str> {
    if let Some((address, length)) = text.split_once('/') {
        let address: IpAddr = address.parse().map_err(|_| "what precedes / is no address")?;
        let length: u8 = length.parse().map_err(|_| "what follows / is no number")?;
        return match length <= width(address) {
            true => Ok(network(address, length)),
            false => Err("what follows / is larger than the address"),
        };
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(network(address, width(address)));
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let (name, below) = match name.strip_prefix("*.") {
        Some(name) => (name, true),
        None => (name.as_str(), false),
    };
    let valid = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if !name.split('.').all(valid) {
        return Err("a name consists of letters, digits, hyphens and dots");
    }
    Ok(if below {
        What::Below(format!(".{name}"))
    } else {
        What::Name(name.to_owned())
    })
}

/// A network; one of IPv4 addresses written as IPv6 is one of IPv4.
fn network(address: IpAddr, length: u8) -> What {
    match (address, address.to_canonical()) {
        (IpAddr::V6(_), canonical @ IpAddr::V4(_)) if length >= 96 => What::Network(canonical, length - 96),
        _ => What::Network(address, length),
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.what {
            What::Name(name) => name.clone(),
            What::Below(suffix) => format!("*{suffix}"),
            What::Network(address, length) if *length == width(*address) => address.to_string(),
            What::Network(address, length) => format!("{address}/{length}"),
        };
        match self.port {
            Some(port) if what.contains(':') => write!(formatter, "[{what}]:{port}"),
            Some(port) => write!(formatter, "{what}:{port}"),
            None => formatter.write_str(&what),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]
    use super::*;

    #[test]
    fn rules_are_written_as_they_are_read() {
        for (text, written) in [
            ("Apps.Example.", "apps.example"),
            ("*.apps.example", "*.apps.example"),
            ("apps.example:80", "apps.example:80"),
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.0/8:80", "10.0.0.0/8:80"),
            ("fd00::/8", "fd00::/8"),
            ("[fd00::/8]:80", "[fd00::/8]:80"),
            ("[::1]", "::1"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(text.parse::<Rule>().unwrap().to_string(), written, "{text}");
        }
        for text in [
            "",
            "a b",
            "http://a",
            "a:0",
            "a:x",
            "10.0.0.0/33",
            "10.0.0.0/x",
            "x/8",
            "[::1",
            "*",
            "a..b",
            "[::1]x",
        ] {
            assert!(text.parse::<Rule>().is_err(), "{text}");
        }
    }

    #[test]
    fn networks_cover_their_addresses_only() {
        let covers = |rule: &str, address: &str| {
            let rule: Rule = rule.parse().unwrap();
            rule.covers(None, address.parse().unwrap(), 80)
        };
        assert!(covers("10.0.0.0/8", "10.255.0.1"));
        assert!(!covers("10.0.0.0/8", "11.0.0.0"));
        assert!(covers("0.0.0.0/0", "255.1.1.1"));
        assert!(!covers("0.0.0.0/0", "::1"));
        assert!(covers("::/0", "fe80::1"));
        assert!(covers("10.0.0.4/30", "10.0.0.7"));
        assert!(!covers("10.0.0.4/30", "10.0.0.8"));
        assert!(!covers("10.0.0.0/8:81", "10.0.0.1"));
    }
}
