//! Finds out what this machine can do, by doing it and taking it back.

use std::path::Path;

use mec011_app_support::TrafficRuleAction;
use mecforge_contracts::rules::DataPlaneCapabilities;
use serde_json::{Value, json};

use super::command::Commands;
use crate::address::Network;
use crate::options::{ForwardAddress, Options};

/// What a machine can do.
#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    /// Tables can be changed.
    pub(super) available: bool,
    /// There is IPv6.
    pub(super) ipv6: bool,
    /// Packets can be copied.
    pub(super) copies: bool,
    /// Destinations of connections can be rewritten.
    pub(super) rewrites: bool,
    /// Fragments can be put together.
    pub(super) reassembles: bool,
    /// There are VXLAN devices.
    pub(super) vxlan: bool,
    /// There are GRE devices.
    pub(super) gre: bool,
    /// What is missing.
    pub(super) remarks: Vec<String>,
}

/// The tunnel types that can be put in force where the kernel has their devices.
const TUNNELS: [(&str, &str, &[&str]); 2] = [
    ("VXLAN", "vxlan", &["id", "16777215", "dstport", "4789"]),
    ("GRE", "gre", &["remote", "192.0.2.1"]),
];

impl Machine {
    /// Tries everything out. What is tried leaves nothing behind.
    pub(super) async fn probe(commands: &Commands, options: &Options) -> Self {
        let mut machine = Self {
            ipv6: Path::new("/proc/sys/net/ipv6").exists(),
            ..Self::default()
        };
        if let Err(error) = commands.nft(&trial(options, Network::V4, &[])).await {
            machine.remarks.push(format!(
                "tables of nftables cannot be changed: {error}; the program nft and the capability CAP_NET_ADMIN are needed"
            ));
            return machine;
        }
        machine.available = true;
        if machine.ipv6 {
            let switched_off = commands
                .parameter("/proc/sys/net/ipv6/conf/all/disable_ipv6")
                .await;
            machine.ipv6 = switched_off.as_deref() != Some("1")
                && commands.nft(&trial(options, Network::V6, &[])).await.is_ok();
        }
        if !machine.ipv6 {
            machine
                .remarks
                .push("there is no IPv6 on this machine; rules see IPv4 packets only".to_owned());
        }
        let copy = |address: &str| {
            let expression = json!([{ "dup": { "addr": address } }]);
            json!({ "chain": { "type": "filter", "prio": options.chain_priority }, "expr": expression })
        };
        let zone = json!({ "ct": { "key": "zone", "dir": "original" } });
        let mark = json!([{ "mangle": { "key": zone, "value": 1 } }]);
        let mark = json!({ "chain": { "type": "filter", "prio": options.chain_priority }, "expr": mark });
        let translate = |address: &str| {
            let expression = json!([
                { "match": { "op": "==", "left": zone, "right": 1 } },
                { "dnat": { "addr": address } },
            ]);
            json!({ "chain": { "type": "nat", "prio": -101 }, "expr": expression })
        };
        machine.copies = machine
            .can(commands, options, &[copy("192.0.2.1")], &[copy("2001:db8::1")])
            .await;
        if !machine.copies {
            machine
                .remarks
                .push("the kernel cannot copy packets (nft_dup)".to_owned());
        }
        let (v4, v6) = (translate("192.0.2.1"), translate("2001:db8::1"));
        machine.rewrites = machine
            .can(commands, options, &[mark.clone(), v4], &[mark, v6])
            .await;
        if !machine.rewrites {
            machine
                .remarks
                .push("the kernel cannot rewrite destinations (nft_nat, nft_ct)".to_owned());
        }
        let whole = json!({
            "chain": { "type": "filter", "prio": options.chain_priority },
            "expr": super::ruleset::reassembly(),
        });
        machine.reassembles = machine
            .can(
                commands,
                options,
                std::slice::from_ref(&whole),
                std::slice::from_ref(&whole),
            )
            .await;
        if !machine.reassembles {
            machine.remarks.push(
                "the kernel does not put fragments together for rules (nft_tproxy); rules with ports see the first only"
                    .to_owned(),
            );
        }
        machine.probe_tunnels(commands).await;
        machine.probe_routing(commands).await;
        machine
    }

    async fn can(&self, commands: &Commands, options: &Options, v4: &[Value], v6: &[Value]) -> bool {
        commands.nft(&trial(options, Network::V4, v4)).await.is_ok()
            && (!self.ipv6 || commands.nft(&trial(options, Network::V6, v6)).await.is_ok())
    }

    async fn probe_tunnels(&mut self, commands: &Commands) {
        for (name, kind, arguments) in TUNNELS {
            let device = format!("mept{}", std::process::id() % 1_000_000);
            let add = [&["link", "add", &device, "type", kind], arguments].concat();
            let made = commands.ip(&add).await;
            if made.is_ok() {
                let _ = commands.ip(&["link", "del", &device]).await;
            }
            match (name, made) {
                ("VXLAN", Ok(())) => self.vxlan = true,
                (_, Ok(())) => self.gre = true,
                (_, Err(error)) => self.remarks.push(format!("there are no {name} tunnels: {error}")),
            }
        }
        self.remarks.push(
            "there are no GTP_U tunnels: they need a tunnel endpoint identifier, which TunnelInfo does not have".to_owned(),
        );
    }

    async fn probe_routing(&mut self, commands: &Commands) {
        let mut parameters = vec![("IPv4", "/proc/sys/net/ipv4/ip_forward")];
        if self.ipv6 {
            parameters.push(("IPv6", "/proc/sys/net/ipv6/conf/all/forwarding"));
        }
        for (network, path) in parameters {
            if commands.parameter(path).await.as_deref() != Some("1") {
                self.remarks.push(format!(
                    "this machine does not route {network} packets between its interfaces ({path} is not 1)"
                ));
            }
        }
    }

    /// The same in the words of the platform.
    pub(super) fn capabilities(&self, options: &Options) -> DataPlaneCapabilities {
        let forwards = match options.forward_address {
            ForwardAddress::Rewrite => self.rewrites || self.copies,
            ForwardAddress::NextHop => self.copies,
        };
        let mut actions = vec![TrafficRuleAction::Drop, TrafficRuleAction::Passthrough];
        if forwards {
            actions.extend([
                TrafficRuleAction::ForwardDecapsulated,
                TrafficRuleAction::ForwardEncapsulated,
            ]);
        }
        if self.copies {
            actions.extend([
                TrafficRuleAction::DuplicateDecapsulated,
                TrafficRuleAction::DuplicateEncapsulated,
            ]);
        }
        if !self.available {
            actions.clear();
        }
        let tunnels = [
            ("VXLAN", self.vxlan && self.copies),
            ("GRE", self.gre && self.copies),
        ];
        DataPlaneCapabilities {
            backend: "nftables".to_owned(),
            available: self.available,
            remarks: self.remarks.clone(),
            actions: actions.iter().map(|action| action.as_str().to_owned()).collect(),
            tunnel_types: tunnels
                .iter()
                .filter(|(_, can)| *can)
                .map(|(name, _)| (*name).to_owned())
                .collect(),
        }
    }
}

/// Makes a table with rules and deletes it, all in one step: the kernel judges it, and no packet sees it.
fn trial(options: &Options, network: Network, rules: &[Value]) -> Vec<Value> {
    let family = super::conditions::family(network);
    let name = format!("{}-trial", options.table);
    let table = json!({ "table": { "family": family, "name": name } });
    let mut commands = vec![json!({ "add": table })];
    for (index, rule) in rules.iter().enumerate() {
        let mut chain = rule["chain"].clone();
        let chain_name = format!("trial{index}");
        chain["family"] = json!(family);
        chain["table"] = json!(name);
        chain["name"] = json!(chain_name);
        chain["hook"] = json!("prerouting");
        chain["policy"] = json!("accept");
        commands.push(json!({ "add": { "chain": chain } }));
        let rule = json!({ "family": family, "table": name, "chain": chain_name, "expr": rule["expr"] });
        commands.push(json!({ "add": { "rule": rule } }));
    }
    commands.push(json!({ "delete": table }));
    commands
}
