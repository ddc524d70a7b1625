//! What an operator can choose about the data plane.

use std::path::PathBuf;
use std::time::Duration;

/// Which back end puts traffic rules in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Tables of nftables in the kernel.
    #[default]
    Nftables,
    /// None: active rules are refused.
    Disabled,
}

/// How packets are forwarded to a destination interface of type `IP`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardAddress {
    /// The destination address of the packets is rewritten, and the source address of the answers back: for
    /// applications that listen on their own address.
    #[default]
    Rewrite,
    /// The packets go to that address as their next hop, unchanged: for applications that take what is addressed to
    /// others, and are attached to a network of this machine.
    NextHop,
}

/// What an operator can choose about the nftables back end.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name of the tables, in families `ip` and `ip6`. Two platforms in one network namespace need two names.
    /// Default: `mep`.
    pub table: String,
    /// The interfaces whose packets rules apply to; none means all but `lo`. Default: none.
    pub interfaces: Vec<String>,
    /// The network namespace (as `ip netns` names it) in which rules are in force; none means that of the platform.
    pub network_namespace: Option<String>,
    /// How packets are forwarded to an IP address. Default: [`ForwardAddress::Rewrite`].
    pub forward_address: ForwardAddress,
    /// The VXLAN network identifier for tunnels, from 0 to 16777215; ETSI's `TunnelInfo` has none. Default: 1.
    pub vxlan_network: u32,
    /// The UDP port for VXLAN. Default: 4789.
    pub vxlan_port: u16,
    /// The priority of the chain in hook `prerouting`. It must come before connection tracking (-200), and comes
    /// after defragmentation (-400). Default: -310.
    pub chain_priority: i32,
    /// How often the kernel is compared with what it should have. Default: 10 s.
    pub check_interval: Duration,
    /// How long a command may take. Default: 10 s.
    pub command_timeout: Duration,
    /// The program `nft`. Default: `nft`, looked for in `PATH`.
    pub nft: PathBuf,
    /// The program `ip` (iproute2). Default: `ip`, looked for in `PATH`.
    pub ip: PathBuf,
    /// The program `bridge` (iproute2), for tunnels. Default: `bridge`, looked for in `PATH`.
    pub bridge: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            table: "mep".to_owned(),
            interfaces: Vec::new(),
            network_namespace: None,
            forward_address: ForwardAddress::default(),
            vxlan_network: 1,
            vxlan_port: 4789,
            chain_priority: -310,
            check_interval: Duration::from_secs(10),
            command_timeout: Duration::from_secs(10),
            nft: "nft".into(),
            ip: "ip".into(),
            bridge: "bridge".into(),
        }
    }
}

/// An option that no data plane can work with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// The table's name.
    #[error(
        "{0:?} is no name for a table: use a letter followed by at most 30 letters, digits, underscores or hyphens"
    )]
    Table(String),
    /// The name of an interface.
    #[error("{0:?} is no name of a network interface")]
    Interface(String),
    /// The name of a network namespace.
    #[error("{0:?} is no name of a network namespace")]
    Namespace(String),
    /// A network namespace that does not exist.
    #[error("there is no network namespace {0:?} (dataplane.network_namespace): make it with `ip netns add`")]
    NoNamespace(String),
    /// The VXLAN network identifier.
    #[error("the VXLAN network identifier {0} is above 16777215")]
    VxlanNetwork(u32),
    /// The priority of the chain.
    #[error("the chain priority {0} is not between -399 and -201")]
    ChainPriority(i32),
    /// How often the kernel is looked at, or how long a command may take.
    #[error("check interval and command timeout must not be zero")]
    Zero,
}

impl Options {
    /// Judges the options by themselves.
    ///
    /// # Errors
    /// The first option that cannot work.
    pub fn check(&self) -> Result<(), OptionsError> {
        let named = |text: &str, longest: usize| {
            text.len() <= longest
                && text.starts_with(|first: char| first.is_ascii_alphabetic())
                && text
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-')
        };
        if !named(&self.table, 31) {
            return Err(OptionsError::Table(self.table.clone()));
        }
        for interface in &self.interfaces {
            let odd = |letter: char| letter.is_whitespace() || letter.is_control() || "/\"*".contains(letter);
            if interface.is_empty() || interface.len() > 15 || interface.contains(odd) {
                return Err(OptionsError::Interface(interface.clone()));
            }
        }
        if let Some(namespace) = &self.network_namespace
            && (namespace.is_empty() || namespace.starts_with('-') || namespace.contains('/'))
        {
            return Err(OptionsError::Namespace(namespace.clone()));
        }
        if self.vxlan_network > 0x00ff_ffff {
            return Err(OptionsError::VxlanNetwork(self.vxlan_network));
        }
        if !(-399..=-201).contains(&self.chain_priority) {
            return Err(OptionsError::ChainPriority(self.chain_priority));
        }
        if self.check_interval.is_zero() || self.command_timeout.is_zero() {
            return Err(OptionsError::Zero);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_names_and_numbers() {
        assert_eq!(Options::default().check(), Ok(()));
        for table in ["", "1mep", "a b", "mep;", "x23456789012345678901234567890123"] {
            let options = Options {
                table: table.to_owned(),
                ..Options::default()
            };
            assert_eq!(options.check(), Err(OptionsError::Table(table.to_owned())));
        }
        let options = Options {
            interfaces: vec!["eth 0".to_owned()],
            ..Options::default()
        };
        assert_eq!(options.check(), Err(OptionsError::Interface("eth 0".to_owned())));
        let options = Options {
            network_namespace: Some("--all".to_owned()),
            ..Options::default()
        };
        assert!(options.check().is_err());
        let options = Options {
            chain_priority: -100,
            ..Options::default()
        };
        assert_eq!(options.check(), Err(OptionsError::ChainPriority(-100)));
        let options = Options {
            check_interval: Duration::ZERO,
            ..Options::default()
        };
        assert_eq!(options.check(), Err(OptionsError::Zero));
    }
}
