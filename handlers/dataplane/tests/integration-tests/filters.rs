//! Which packets a rule is for.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::lab::{Host, Lab};
use crate::plane::{Plane, rule};

const SERVER: Option<&str> = Some("server");

/// Sets one rule, and tries which of some ports the client reaches.
async fn reached(
    plane: &Plane,
    lab: &Lab,
    version: u8,
    filter: Value,
    ports: &[u16],
) -> Vec<(u16, bool, bool)> {
    plane.set(rule("r", json!({ "trafficFilter": [filter] }))).await;
    let address = lab.server.address(version);
    let try_port = |port: &u16| {
        let udp = lab.client.udp(&address, *port).is_some();
        let tcp = lab.client.tcp(&address, *port).is_some();
        (*port, udp, tcp)
    };
    ports.iter().map(try_port).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_protocols_and_ranges_in_both_families() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    for version in [4, 6] {
        let filter = json!({ "dstPort": ["5000-5010"], "protocol": ["UDP"] });
        let got = reached(&plane, &lab, version, filter, &[80, 5000, 5005, 5010, 5011]).await;
        let expected = [
            (80, true, true),
            (5000, false, true),
            (5005, false, true),
            (5010, false, true),
            (5011, true, true),
        ];
        assert_eq!(got, expected, "IPv{version}");
        let filter = json!({ "dstPort": ["80", "5011", "5000-5003", "5002-5005"], "protocol": ["6"] });
        let got = reached(&plane, &lab, version, filter, &[80, 5000, 5005, 5010, 5011]).await;
        let expected = [
            (80, true, false),
            (5000, true, false),
            (5005, true, false),
            (5010, true, true),
            (5011, true, false),
        ];
        assert_eq!(got, expected, "IPv{version}");
        let filter = json!({ "dstPort": ["443"] });
        let got = reached(&plane, &lab, version, filter, &[443, 80]).await;
        assert_eq!(got, [(443, false, false), (80, true, true)], "IPv{version}");
        let filter = json!({ "protocol": ["ANY"] });
        let got = reached(&plane, &lab, version, filter, &[443, 80]).await;
        assert_eq!(got, [(443, false, false), (80, false, false)], "IPv{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_prefixes_and_ranges_in_both_families() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    for (filter, server, app) in [
        (json!({ "dstAddress": ["10.9.2.2"] }), (false, true), (true, true)),
        (
            json!({ "dstAddress": ["10.9.3.0/24"] }),
            (true, true),
            (false, true),
        ),
        (
            json!({ "dstAddress": ["10.9.2.0/255.255.254.0"] }),
            (false, true),
            (false, true),
        ),
        (
            json!({ "dstAddress": ["10.9.2.1-10.9.2.3"] }),
            (false, true),
            (true, true),
        ),
        (
            json!({ "dstAddress": ["10.9.2.3-10.9.2.9"] }),
            (true, true),
            (true, true),
        ),
        (
            json!({ "dstAddress": ["fd09:2::/64"] }),
            (true, false),
            (true, true),
        ),
        (
            json!({ "dstAddress": ["fd09:2::/64-fd09:3::/64"] }),
            (true, false),
            (true, false),
        ),
        (
            json!({ "dstAddress": ["fd09:2::2", "10.9.3.2"] }),
            (true, false),
            (false, true),
        ),
        (
            json!({ "dstAddress": ["0.0.0.0/0"] }),
            (false, true),
            (false, true),
        ),
        (
            json!({ "srcAddress": ["10.9.1.2"], "dstAddress": ["10.9.2.2"] }),
            (false, true),
            (true, true),
        ),
        (json!({ "srcAddress": ["10.9.1.3"] }), (true, true), (true, true)),
        (
            json!({ "srcAddress": ["fd09:1::2"], "dstPort": ["9000"] }),
            (true, false),
            (true, false),
        ),
        (
            json!({ "srcAddress": ["::/0"], "dstPort": ["9001"] }),
            (true, true),
            (true, true),
        ),
    ] {
        plane.set(rule("r", json!({ "trafficFilter": [filter] }))).await;
        for (host, (v4, v6)) in [(&lab.server, server), (&lab.app, app)] {
            let got = [4, 6].map(|version| lab.client.udp(&host.address(version), 9000).is_some());
            assert_eq!(got, [v4, v6], "{filter} to {}", host.address(4));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_alternatives_and_fields_of_one_are_not() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    let filters = json!([
        { "dstAddress": ["10.9.2.2"], "dstPort": ["80"] },
        { "dstAddress": ["10.9.3.2"], "dstPort": ["443"] },
    ]);
    plane.set(rule("r", json!({ "trafficFilter": filters }))).await;
    let got = [&lab.server, &lab.app]
        .map(|host| [80, 443].map(|port| lab.client.udp(&host.address(4), port).is_some()));
    assert_eq!(got, [[false, true], [true, false]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lower_number_goes_first() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    let pass = |priority: u64| {
        let filter = json!([{ "dstPort": ["80"] }]);
        let interface = json!({ "interfaceType": "IP", "dstIpAddress": "10.9.2.2" });
        rule(
            "pass",
            json!({
                "priority": priority, "trafficFilter": filter, "action": "PASSTHROUGH", "dstInterface": interface,
            }),
        )
    };
    plane.set(rule("drop", json!({ "priority": 100 }))).await;
    plane.set(pass(101)).await;
    for version in [4, 6] {
        assert_eq!(lab.client.tcp(&lab.server.address(version), 80), None);
    }
    plane.set(pass(0)).await;
    // A rule about packets must not take the machine's neighbours away.
    lab.in_router(&["ip", "-6", "neigh", "flush", "all"]);
    for version in [4, 6] {
        let address = lab.server.address(version);
        assert_eq!(lab.client.tcp(&address, 80).as_deref(), SERVER);
        assert_eq!(lab.client.tcp(&address, 443), None);
    }
    assert!(
        plane.packets("pass").await >= 8,
        "four packets at least in each direction"
    );
    plane.set(rule("drop", json!({ "priority": 255 }))).await;
    plane.set(pass(255)).await;
    assert_eq!(
        lab.client.tcp(&lab.server.address(4), 80),
        None,
        "equal priorities: by identifier"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_has_two_directions_and_a_packet_one() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    let filter = json!([{ "srcAddress": ["10.9.1.2"], "dstPort": ["5000"] }]);
    for (kind, arrives) in [("FLOW", false), ("PACKET", true)] {
        plane
            .set(rule("r", json!({ "filterType": kind, "trafficFilter": filter })))
            .await;
        let to_server = lab.client.udp(&lab.server.address(4), 5000);
        assert_eq!(to_server, None, "{kind}");
        // From the server's port 5000 to the client: the other direction of what the filter says.
        let back = json!({
            "do": "udp", "to": "10.9.1.2", "port": 9000, "source": 5000, "text": format!("{kind}-back"),
        });
        lab.server.tell(back);
        assert_eq!(
            lab.client.counted(&format!("{kind}-back")) == 1,
            arrives,
            "{kind}"
        );
        let other = json!({ "do": "udp", "to": "10.9.1.2", "port": 9000, "source": 5099 });
        assert_eq!(
            lab.server.tell(other),
            json!("client"),
            "{kind}: another port is not concerned"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dscp_is_for_ipv4_and_traffic_class_for_ipv6() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    let filter = json!([{ "dSCP": 46, "tC": 184 }]);
    plane
        .set(rule(
            "r",
            json!({ "filterType": "PACKET", "trafficFilter": filter }),
        ))
        .await;
    for version in [4, 6] {
        let to = lab.server.address(version);
        for (tos, passes) in [(184, false), (0, true), (136, true)] {
            let got = lab
                .client
                .tell(json!({ "do": "udp", "to": to, "port": 80, "tos": tos }));
            assert_eq!(got.is_string(), passes, "IPv{version} with {tos}");
        }
    }
    plane
        .set(rule(
            "r",
            json!({ "filterType": "PACKET", "trafficFilter": [{ "dSCP": 0 }] }),
        ))
        .await;
    assert_eq!(lab.client.udp(&lab.server.address(4), 80), None);
    assert_eq!(lab.client.udp(&lab.server.address(6), 80).as_deref(), SERVER);
}

#[tokio::test(flavor = "multi_thread")]
async fn gtp_u_packets_are_known_by_their_outer_header() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    let filter = json!([{ "srcTunnelAddress": ["10.9.1.0/24"], "tgtTunnelAddress": ["10.9.2.2"] }]);
    plane.set(rule("r", json!({ "trafficFilter": filter }))).await;
    assert_eq!(lab.client.udp(&lab.server.address(4), 2152), None);
    assert_eq!(lab.client.udp(&lab.server.address(4), 80).as_deref(), SERVER);
    assert_eq!(lab.client.udp(&lab.app.address(4), 2152).as_deref(), Some("app"));
    let filter = json!([{ "dstTunnelPort": ["5000"] }]);
    plane.set(rule("r", json!({ "trafficFilter": filter }))).await;
    assert_eq!(lab.client.udp(&lab.server.address(4), 2152).as_deref(), SERVER);
    assert_eq!(lab.client.udp(&lab.server.address(6), 5000), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_are_one_packet() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    plane.set(rule("drop", json!({ "priority": 255 }))).await;
    let parts = |port: &str| {
        json!({
            "priority": 0, "trafficFilter": [{ "dstPort": [port] }], "action": "PASSTHROUGH",
            "dstInterface": { "interfaceType": "IP", "dstIpAddress": "10.9.2.2" },
        })
    };
    let long = "x".repeat(4000);
    for version in [4, 6] {
        let to = lab.server.address(version);
        plane.set(rule("pass", parts("5000"))).await;
        let got = [5000, 5005].map(|port| lab.client.udp_with(&to, port, &long).is_some());
        assert_eq!(got, [true, false], "IPv{version}");
        // Rules without ports let the kernel save the work.
        plane.set(rule("pass", json!({ "state": "INACTIVE" }))).await;
        assert!(!lab.in_router(&["nft", "list", "ruleset"]).contains("reassembly"));
    }
}

/// An IP packet from port 1000 with UDP inside, its mark being the DSCP or the traffic class.
fn packet(from: &str, to: &str, port: u16, mark: u8) -> Vec<u8> {
    let [from, to]: [IpAddr; 2] = [from, to].map(|address| address.parse().unwrap());
    let mut packet = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let mut head = vec![0x45, mark << 2, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0];
            head.extend(from.octets());
            head.extend(to.octets());
            head
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let mut head = vec![0x60 | mark >> 4, mark << 4, 0, 0, 0, 8, 17, 64];
            head.extend(from.octets());
            head.extend(to.octets());
            head
        }
        mixed => panic!("{mixed:?}"),
    };
    packet.extend(1000_u16.to_be_bytes());
    packet.extend(port.to_be_bytes());
    packet.extend([0, 8, 0, 0]);
    packet
}

#[tokio::test(flavor = "multi_thread")]
async fn gtp_u_packets_are_known_by_what_is_in_them() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    // The forms of the header: without options, with a sequence number, with 5G's container in two lengths.
    let headers: [&[u8]; 4] = [
        &[0x30, 255, 0, 28, 0, 0, 0, 7],
        &[0x32, 255, 0, 32, 0, 0, 0, 7, 0, 1, 0, 0],
        &[0x34, 255, 0, 36, 0, 0, 0, 7, 0, 0, 0, 0x85, 1, 0x10, 9, 0],
        &[
            0x34, 255, 0, 40, 0, 0, 0, 7, 0, 0, 0, 0x85, 2, 0x10, 9, 0, 0, 0, 0, 0,
        ],
    ];
    let echo: &[u8] = &[0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0];
    let filter = json!({
        "srcAddress": ["172.16.0.0/24", "2001:db8:1::/48"], "dstAddress": ["192.0.2.10-192.0.2.19", "2001:db8:2::7"],
        "dstPort": ["5000-5010"], "protocol": ["udp"], "dSCP": 46, "tC": 184, "tgtTunnelAddress": ["10.9.2.2", "fd09:2::2"],
    });
    plane
        .set(rule(
            "r",
            json!({ "trafficFilter": [filter], "filterType": "PACKET" }),
        ))
        .await;
    let cases = [
        (packet("172.16.0.9", "192.0.2.19", 5010, 46), false),
        (packet("172.16.1.9", "192.0.2.19", 5010, 46), true),
        (packet("172.16.0.9", "192.0.2.20", 5010, 46), true),
        (packet("172.16.0.9", "192.0.2.19", 5011, 46), true),
        (packet("172.16.0.9", "192.0.2.19", 5010, 0), true),
        (packet("2001:db8:1::1", "2001:db8:2::7", 5000, 184), false),
        (packet("2001:db8:1::1", "2001:db8:2::8", 5000, 184), true),
        (packet("2001:db8:1::1", "2001:db8:2::7", 4999, 184), true),
        (packet("2001:db8:1::1", "2001:db8:2::7", 5000, 46), true),
    ];
    let passes = |to: &Host, version: u8, data: &[u8]| {
        let data: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
        let call =
            json!({ "do": "udp", "to": to.address(version), "port": 2152, "data": data, "timeout": 0.25 });
        lab.client.tell(call).is_string()
    };
    for version in [4, 6] {
        for header in headers {
            for (index, (packet, expected)) in cases.iter().enumerate() {
                let got = passes(&lab.server, version, &[header, packet].concat());
                assert_eq!(got, *expected, "case {index} in {header:02x?} over IPv{version}");
            }
        }
        assert!(
            passes(&lab.server, version, echo),
            "messages of the tunnel itself"
        );
        assert!(
            passes(&lab.app, version, &[headers[0], &cases[0].0].concat()),
            "another tunnel"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn interfaces_can_be_exempt() {
    let lab = Lab::new();
    let mut options = lab.options();
    options.interfaces = vec!["to-app".to_owned(), "to-tap".to_owned()];
    let plane = Plane::new(options).await;
    plane
        .set(rule("r", json!({ "trafficFilter": [{ "dstPort": ["80"] }] })))
        .await;
    let to = lab.server.address(4);
    assert_eq!(lab.client.udp(&to, 80).as_deref(), SERVER);
    assert_eq!(lab.app.udp(&to, 80), None);
}
