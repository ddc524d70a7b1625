//! The settings of single concerns: liveness, notifications, name server, data plane, management.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Heartbeats of services (MEC 011 clause 8.1.2.2, `livenessInterval`).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct LivenessSettings {
    /// The shortest interval that is granted, in seconds.
    pub shortest_seconds: u32,
    /// The longest interval that is granted, in seconds.
    pub longest_seconds: u32,
    /// The interval for applications that leave it to the platform, in seconds.
    pub default_seconds: u32,
    /// Whether heartbeats are also asked of services whose application has not offered to send any.
    pub required: bool,
    /// How late a heartbeat may be, as a percentage of the interval.
    pub tolerance_percent: u32,
    /// How long services have at least for their first heartbeat after a restart of the platform, in seconds.
    pub grace_seconds: u32,
}

impl Default for LivenessSettings {
    fn default() -> Self {
        Self {
            shortest_seconds: 5,
            longest_seconds: 3600,
            default_seconds: 30,
            required: false,
            tolerance_percent: 25,
            grace_seconds: 30,
        }
    }
}

/// Which callback addresses may be called unless a list says otherwise.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum CallbackTargets {
    /// Any, this machine and private networks included: for one machine.
    #[default]
    Any,
    /// Addresses of the public Internet only.
    Public,
    /// None but those in `allow`.
    Listed,
}

/// Notifications.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct NotificationSettings {
    /// Which callback addresses may be called.
    pub targets: CallbackTargets,
    /// Whether `http` URLs may be called, not only `https`.
    pub allow_http: bool,
    /// Hosts, addresses and networks that may be called whatever `targets` says.
    pub allow: Vec<String>,
    /// Hosts, addresses and networks that must not be called whatever else says.
    pub deny: Vec<String>,
    /// A file of certificates (PEM) that are trusted besides the system's.
    pub root_certificates: Option<PathBuf>,
    /// How long one attempt may take, in seconds.
    pub timeout_seconds: u64,
    /// How often a notification is tried before it is given up.
    pub attempts: u32,
    /// How old a notification may become before it is given up, in seconds.
    pub longest_age_seconds: u64,
    /// How many notifications may wait for one subscription; the oldest are given up above that.
    pub queued_per_subscription: usize,
    /// How many bytes of notifications may wait altogether; the oldest are given up above that.
    pub queued_bytes: usize,
    /// How many notifications that were given up are kept for one subscription.
    pub dead_letters_per_subscription: usize,
}

impl Default for NotificationSettings {
    fn default() -> Self {
        Self {
            targets: CallbackTargets::Any,
            allow_http: true,
            allow: Vec::new(),
            deny: Vec::new(),
            root_certificates: None,
            timeout_seconds: 10,
            attempts: 12,
            longest_age_seconds: 24 * 3600,
            queued_per_subscription: 1000,
            queued_bytes: 64 * 1024 * 1024,
            dead_letters_per_subscription: 100,
        }
    }
}

/// The name server.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct DnsSettings {
    /// Addresses and ports to listen on (UDP and TCP), separated by commas; `off` for none.
    pub listen: String,
    /// Zones in which names that no rule has do not exist.
    pub zones: Vec<String>,
    /// Where other names are asked for: `system` for those of `/etc/resolv.conf`, `none`, or addresses and ports
    /// separated by commas.
    pub upstreams: String,
    /// The zone in which registered services are found; none if absent.
    pub service_zone: Option<String>,
    /// Seconds that an answer may be kept if its rule does not say.
    pub ttl_seconds: u32,
}

impl Default for DnsSettings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:5300".to_owned(),
            zones: vec!["mec.internal".to_owned()],
            upstreams: "system".to_owned(),
            service_zone: None,
            ttl_seconds: 300,
        }
    }
}

impl DnsSettings {
    /// The addresses to listen on; empty if the name server is off.
    ///
    /// # Errors
    /// What is no address.
    pub fn addresses(&self) -> Result<Vec<SocketAddr>> {
        match self.listen.trim() {
            "off" => Ok(Vec::new()),
            listen => addresses(listen, "dns.listen"),
        }
    }

    /// The upstream servers; `None` for the system's.
    ///
    /// # Errors
    /// What is no address.
    pub fn upstreams(&self) -> Result<Option<Vec<SocketAddr>>> {
        match self.upstreams.trim() {
            "system" => Ok(None),
            "none" => Ok(Some(Vec::new())),
            upstreams => addresses(upstreams, "dns.upstreams").map(Some),
        }
    }
}

fn addresses(text: &str, key: &str) -> Result<Vec<SocketAddr>> {
    let addresses = text.split(',').map(|part| {
        let part = part.trim();
        part.parse()
            .with_context(|| format!("{key}: {part:?} is not an address and port such as 127.0.0.1:5300"))
    });
    addresses.collect()
}

/// What puts traffic rules in force.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum DataPlaneBackend {
    /// The kernel, through nftables.
    #[default]
    Nftables,
    /// Nothing: active traffic rules are refused.
    Disabled,
}

/// How packets are forwarded to a destination interface of type `IP`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Forward {
    /// Their destination address is rewritten, and the source address of the answers back.
    #[default]
    Rewrite,
    /// They go to that address as their next hop, unchanged.
    NextHop,
}

/// The data plane.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct DataPlaneSettings {
    /// What puts traffic rules in force.
    pub backend: DataPlaneBackend,
    /// How packets are forwarded to a destination interface of type `IP`.
    pub forward: Forward,
    /// The interfaces whose packets rules apply to; all but `lo` if empty.
    pub interfaces: Vec<String>,
    /// The name of the platform's nftables tables; another platform on the same machine needs another one.
    pub table: String,
    /// The network namespace (of `ip netns`) whose packets the rules are for; this process's own if absent.
    pub network_namespace: Option<String>,
    /// How often the kernel is compared with the rules, in seconds.
    pub check_seconds: u64,
}

impl Default for DataPlaneSettings {
    fn default() -> Self {
        Self {
            backend: DataPlaneBackend::Nftables,
            forward: Forward::Rewrite,
            interfaces: Vec::new(),
            table: "mep".to_owned(),
            network_namespace: None,
            check_seconds: 10,
        }
    }
}

/// Management (Mm5).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct ManagementSettings {
    /// The most traffic rules of one application instance.
    pub traffic_rules_per_application: usize,
    /// The most DNS rules of one application instance.
    pub dns_rules_per_application: usize,
    /// How long an application instance has to confirm its termination if the manager does not say, in seconds.
    pub grace_seconds: u64,
}

impl Default for ManagementSettings {
    fn default() -> Self {
        Self {
            traffic_rules_per_application: 16,
            dns_rules_per_application: 32,
            grace_seconds: 0,
        }
    }
}

impl LivenessSettings {
    pub(super) fn check(&self) -> Result<()> {
        let granted = self.shortest_seconds..=self.longest_seconds;
        if !granted.contains(&self.default_seconds) {
            bail!(
                "liveness.default_seconds must be from {} to {}, not {}",
                self.shortest_seconds,
                self.longest_seconds,
                self.default_seconds
            );
        }
        if self.shortest_seconds == 0 || self.shortest_seconds > self.longest_seconds {
            bail!(
                "liveness.shortest_seconds must be at least 1 and at most liveness.longest_seconds ({}), not {}",
                self.longest_seconds,
                self.shortest_seconds
            );
        }
        Ok(())
    }
}
