//! What rules need besides tables: ways to machines that the kernel does not know by an address.
//!
//! The kernel sends a copy of a packet to an address. For a machine that is known by its Ethernet address, or through
//! a tunnel, there is an address that stands for it: of 240.0.0.0/4 and 100::/64 (RFC 6666), which are never on a
//! wire, with a route and a neighbour entry of ours.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::command::{CommandError, Commands};
use super::ruleset::{Hop, Origin};
use crate::address::{MacAddress, Network};
use crate::intent::{Tunnel, hexadecimal};
use crate::options::Options;

/// The `protocol` of our routes, as `ip route` calls who has added them.
const PROTOCOL: &str = "77";

/// A device for a tunnel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Device {
    /// Its name, which is different if anything of it is.
    name: String,
    kind: DeviceKind,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum DeviceKind {
    Vxlan {
        network: u32,
        port: u16,
        local: Option<IpAddr>,
    },
    Gre {
        remote: IpAddr,
        local: Option<IpAddr>,
    },
}

/// A machine that is reached by its Ethernet address, or at the other end of a tunnel between two machines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Neighbour {
    device: String,
    mac: Option<MacAddress>,
    v4: Ipv4Addr,
    v6: Ipv6Addr,
}

/// What rules need besides tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ways {
    devices: BTreeSet<Device>,
    neighbours: BTreeSet<Neighbour>,
    /// Which machine an Ethernet address inside a VXLAN is at: device, address, machine.
    remotes: BTreeMap<(String, MacAddress), IpAddr>,
}

impl Ways {
    pub(super) fn is_empty(&self) -> bool {
        self.neighbours.is_empty()
    }
}

/// The interfaces and neighbours of the machine.
pub(super) struct Surroundings<'a> {
    commands: &'a Commands,
    options: &'a Options,
    ipv6: bool,
}

impl<'a> Surroundings<'a> {
    pub(super) fn new(commands: &'a Commands, options: &'a Options, ipv6: bool) -> Self {
        Self {
            commands,
            options,
            ipv6,
        }
    }

    /// The way to an address that is on a network of this machine.
    pub(super) async fn to_address(&self, address: IpAddr) -> Result<Hop, String> {
        let text = address.to_string();
        let routes = self.commands.ip_shows(&["route", "get", &text]).await;
        let routes = routes.map_err(|error| format!("there is no route to {text} ({error})"))?;
        let Some(route) = routes.first() else {
            return Err(format!("there is no route to {text}"));
        };
        if route["type"].as_str().is_some_and(|kind| kind == "local") {
            return Err(format!("{text} is an address of this machine"));
        }
        if let Some(gateway) = route["gateway"].as_str() {
            return Err(format!(
                "{text} is not on a network of this machine but behind {gateway}, \
                 which would send the packet to its own destination address instead"
            ));
        }
        let of = |network| (Network::of(address) == network).then(|| text.clone());
        Ok(Hop {
            v4: of(Network::V4),
            v6: of(Network::V6),
            device: None,
            origin: Origin::Address(address),
        })
    }

    /// The way to an Ethernet address.
    pub(super) async fn to_mac(
        &self,
        mac: MacAddress,
        through: Option<MacAddress>,
        ways: &mut Ways,
    ) -> Result<Hop, String> {
        let device = match through {
            Some(through) => self.interface(through).await?,
            None => self.interface_towards(mac).await?,
        };
        Ok(self.neighbour(&device, Some(mac), Origin::Mac(mac), ways))
    }

    /// The way through a tunnel.
    pub(super) async fn to_tunnel(&self, tunnel: &Tunnel, ways: &mut Ways) -> Result<Hop, String> {
        let local = match (tunnel.local, tunnel.remote) {
            // A VXLAN device is of one family, which it learns from its own address.
            (None, IpAddr::V6(remote)) => Some(self.source_towards(remote.into()).await?),
            (local, _) => local,
        };
        let vxlan = tunnel.kind == "VXLAN";
        let kind = if vxlan {
            DeviceKind::Vxlan {
                network: self.options.vxlan_network,
                port: self.options.vxlan_port,
                local,
            }
        } else {
            DeviceKind::Gre {
                remote: tunnel.remote,
                local,
            }
        };
        let name = format!("mep{}", self.token(&format!("{kind:?}"), 5));
        let mac = vxlan.then(|| tunnel.mac.unwrap_or_else(|| far_mac(tunnel.remote)));
        if let Some(mac) = mac {
            let remote = ways.remotes.entry((name.clone(), mac)).or_insert(tunnel.remote);
            if *remote != tunnel.remote {
                return Err(format!("another tunnel has the MAC address {mac} at {remote}"));
            }
        }
        ways.devices.insert(Device {
            name: name.clone(),
            kind,
        });
        Ok(self.neighbour(&name, mac, Origin::Device(name.clone()), ways))
    }

    fn neighbour(&self, device: &str, mac: Option<MacAddress>, origin: Origin, ways: &mut Ways) -> Hop {
        let digest = self.hash(&format!("{device} {mac:?}"));
        let [table, ..] = self.hash("table");
        let [a, b, c, ..] = digest;
        let v4 = Ipv4Addr::new(240 | (a & 15), table, b, c);
        let v6 = Ipv6Addr::new(
            0x100,
            0,
            0,
            0,
            0x6d65,
            u16::from(table),
            u16::from(a),
            u16::from_be_bytes([b, c]),
        );
        ways.neighbours.insert(Neighbour {
            device: device.to_owned(),
            mac,
            v4,
            v6,
        });
        Hop {
            v4: Some(v4.to_string()),
            v6: self.ipv6.then(|| v6.to_string()),
            device: Some(device.to_owned()),
            origin,
        }
    }

    async fn interface(&self, mac: MacAddress) -> Result<String, String> {
        let links = self
            .commands
            .ip_shows(&["link", "show"])
            .await
            .map_err(|error| error.to_string())?;
        let address = mac.to_string();
        links
            .iter()
            .find(|link| link["address"] == *address)
            .and_then(|link| link["ifname"].as_str())
            .map(str::to_owned)
            .ok_or_else(|| format!("no interface of this machine has the MAC address {mac}"))
    }

    async fn interface_towards(&self, mac: MacAddress) -> Result<String, String> {
        let shown = self.commands.ip_shows(&["neigh", "show"]).await;
        let neighbours = shown.map_err(|error| error.to_string())?;
        let address = mac.to_string();
        let own = self.hash("table")[0];
        neighbours
            .iter()
            .filter(|neighbour| neighbour["lladdr"] == *address && !is_ours(&neighbour["dst"], own))
            .find_map(|neighbour| neighbour["dev"].as_str())
            .map(str::to_owned)
            .ok_or_else(|| {
                format!("no neighbour of this machine is known to have the MAC address {mac}; name the interface by srcMacAddress")
            })
    }

    async fn source_towards(&self, remote: IpAddr) -> Result<IpAddr, String> {
        let text = remote.to_string();
        let routes = self.commands.ip_shows(&["route", "get", &text]).await;
        let routes = routes.map_err(|error| format!("there is no route to {text} ({error})"))?;
        routes
            .first()
            .and_then(|route| route["prefsrc"].as_str())
            .and_then(|source| source.parse().ok())
            .ok_or_else(|| format!("there is no address of this machine from which {text} could be reached"))
    }

    /// Makes all ways; those that are there already stay as they are.
    pub(super) async fn build(&self, ways: &Ways) -> Result<(), CommandError> {
        if !ways.devices.is_empty() {
            let existing: BTreeSet<String> = self.owned_devices().await?.into_iter().collect();
            for device in &ways.devices {
                if !existing.contains(&device.name) {
                    self.create(device).await?;
                }
            }
        }
        for ((device, mac), remote) in &ways.remotes {
            let (mac, remote) = (mac.to_string(), remote.to_string());
            self.commands
                .bridge(&["fdb", "replace", &mac, "dev", device, "dst", &remote])
                .await?;
        }
        for neighbour in &ways.neighbours {
            let mac = neighbour.mac.map(|mac| mac.to_string());
            for (family, address, length) in self.addresses(neighbour) {
                let route = format!("{address}/{length}");
                let device = &neighbour.device;
                self.commands
                    .ip(&[
                        family, "route", "replace", &route, "dev", device, "proto", PROTOCOL,
                    ])
                    .await?;
                if let Some(mac) = &mac {
                    let entry = [
                        "neigh",
                        "replace",
                        &address,
                        "lladdr",
                        mac,
                        "dev",
                        device,
                        "nud",
                        "permanent",
                    ];
                    self.commands.ip(&entry).await?;
                }
            }
        }
        Ok(())
    }

    /// Whether a way is missing.
    pub(super) async fn missing(&self, ways: &Ways) -> Result<Option<String>, CommandError> {
        let devices = if ways.devices.is_empty() {
            Vec::new()
        } else {
            self.owned_devices().await?
        };
        if let Some(device) = ways.devices.iter().find(|device| !devices.contains(&device.name)) {
            return Ok(Some(format!("the interface {} is gone", device.name)));
        }
        if ways.is_empty() {
            return Ok(None);
        }
        let routes = self.owned_routes().await?;
        let neighbours = self
            .commands
            .ip_shows(&["neigh", "show", "nud", "permanent"])
            .await?;
        for neighbour in &ways.neighbours {
            for (_, address, _) in self.addresses(neighbour) {
                let route = (address.clone(), neighbour.device.clone());
                let mac = neighbour.mac.map(|mac| mac.to_string());
                let resolved = mac.is_none_or(|mac| {
                    neighbours.iter().any(|entry| {
                        entry["dst"] == *address
                            && entry["lladdr"] == *mac
                            && entry["dev"] == *neighbour.device
                    })
                });
                if !routes.contains(&route) || !resolved {
                    return Ok(Some(format!("the route to {address} is gone")));
                }
            }
        }
        Ok(None)
    }

    /// Removes ways of ours that are not among these, also those that a platform has left that ended badly.
    pub(super) async fn clean(&self, ways: &Ways) -> Result<(), CommandError> {
        let wanted: BTreeSet<(String, String)> = ways
            .neighbours
            .iter()
            .flat_map(|one| {
                self.addresses(one)
                    .into_iter()
                    .map(|(_, address, _)| (address, one.device.clone()))
            })
            .collect();
        for (address, device) in self.owned_routes().await? {
            if wanted.contains(&(address.clone(), device.clone())) {
                continue;
            }
            let family = if address.contains(':') { "-6" } else { "-4" };
            self.commands
                .ip(&[
                    family, "route", "del", &address, "dev", &device, "proto", PROTOCOL,
                ])
                .await?;
            // A tunnel between two machines has no neighbours, and the entry may have gone with its interface.
            let gone = self
                .commands
                .ip(&["neigh", "del", &address, "dev", &device])
                .await;
            gone.or_else(|error| match error {
                CommandError::Refused { .. } => Ok(()),
                other => Err(other),
            })?;
        }
        for device in self.owned_devices().await? {
            if !ways.devices.iter().any(|wanted| wanted.name == device) {
                self.commands.ip(&["link", "del", &device]).await?;
            }
        }
        Ok(())
    }

    async fn create(&self, device: &Device) -> Result<(), CommandError> {
        let text = |address: &IpAddr| address.to_string();
        let mut arguments = vec!["link".to_owned(), "add".to_owned(), device.name.clone()];
        match &device.kind {
            DeviceKind::Vxlan { network, port, local } => {
                arguments.extend(["address".to_owned(), self.near_mac(&device.name).to_string()]);
                arguments.extend(["type", "vxlan", "nolearning", "id"].map(str::to_owned));
                arguments.extend([network.to_string(), "dstport".to_owned(), port.to_string()]);
                arguments.extend(local.iter().flat_map(|local| ["local".to_owned(), text(local)]));
            }
            DeviceKind::Gre { remote, local } => {
                let kind = if remote.is_ipv4() { "gre" } else { "ip6gre" };
                arguments.extend(["type", kind, "remote"].map(str::to_owned));
                arguments.push(text(remote));
                arguments.extend(local.iter().flat_map(|local| ["local".to_owned(), text(local)]));
            }
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.commands.ip(&arguments).await?;
        let alias = self.alias();
        let up = [
            "link",
            "set",
            &device.name,
            "addrgenmode",
            "none",
            "alias",
            &alias,
            "up",
        ];
        let done = self.commands.ip(&up).await;
        if done.is_err() {
            // Without its alias nobody would know whose it is.
            let _ = self.commands.ip(&["link", "del", &device.name]).await;
        }
        done
    }

    fn addresses(&self, neighbour: &Neighbour) -> Vec<(&'static str, String, u8)> {
        let mut addresses = vec![("-4", neighbour.v4.to_string(), 32)];
        if self.ipv6 {
            addresses.push(("-6", neighbour.v6.to_string(), 128));
        }
        addresses
    }

    async fn owned_devices(&self) -> Result<Vec<String>, CommandError> {
        let alias = self.alias();
        let links = self.commands.ip_shows(&["-d", "link", "show"]).await?;
        let ours = links.iter().filter(|link| link["ifalias"] == *alias);
        Ok(ours
            .filter_map(|link| link["ifname"].as_str())
            .map(str::to_owned)
            .collect())
    }

    async fn owned_routes(&self) -> Result<BTreeSet<(String, String)>, CommandError> {
        let own = self.hash("table")[0];
        let mut routes = BTreeSet::new();
        let families: &[&str] = if self.ipv6 { &["-4", "-6"] } else { &["-4"] };
        for family in families {
            for route in self
                .commands
                .ip_shows(&[family, "route", "show", "proto", PROTOCOL])
                .await?
            {
                if let (true, Some(address), Some(device)) = (
                    is_ours(&route["dst"], own),
                    route["dst"].as_str(),
                    route["dev"].as_str(),
                ) {
                    routes.insert((address.to_owned(), device.to_owned()));
                }
            }
        }
        Ok(routes)
    }

    fn alias(&self) -> String {
        format!("mecforge {}", self.options.table)
    }

    fn near_mac(&self, device: &str) -> MacAddress {
        let [a, b, c, d, ..] = self.hash(device);
        MacAddress([0x02, 0x4d, a, b, c, d])
    }

    fn token(&self, text: &str, bytes: usize) -> String {
        let digest = self.hash(text);
        hexadecimal(digest.get(..bytes).unwrap_or(&digest))
    }

    /// Two platforms in one namespace have different tables and so different tokens.
    fn hash(&self, text: &str) -> [u8; 32] {
        Sha256::digest(format!("{} {text}", self.options.table)).into()
    }
}

/// Whether an address stands for a machine, for the platform whose tables have this mark.
fn is_ours(address: &Value, table: u8) -> bool {
    match address.as_str().and_then(|text| text.parse().ok()) {
        Some(IpAddr::V4(address)) => address.octets()[0] >= 240 && address.octets()[1] == table,
        Some(IpAddr::V6(address)) => {
            let segments = address.segments();
            segments[..5] == [0x100, 0, 0, 0, 0x6d65] && segments[5] == u16::from(table)
        }
        None => false,
    }
}

/// The Ethernet address inside a VXLAN of a machine whose rule names none.
fn far_mac(remote: IpAddr) -> MacAddress {
    match remote {
        IpAddr::V4(remote) => {
            let [a, b, c, d] = remote.octets();
            MacAddress([0x02, 0x00, a, b, c, d])
        }
        IpAddr::V6(remote) => {
            let [.., a, b, c, d] = remote.octets();
            MacAddress([0x02, 0x06, a, b, c, d])
        }
    }
}
