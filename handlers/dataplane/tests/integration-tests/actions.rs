//! What happens to packets that a rule is for.

use serde_json::{Value, json};

use crate::lab::{Host, Lab};
use crate::plane::{Plane, rule};

const SERVER: Option<&str> = Some("server");
const APP: Option<&str> = Some("app");

fn ip(address: &str) -> Value {
    json!({ "interfaceType": "IP", "dstIpAddress": address })
}

fn mac(host: &Host) -> Value {
    json!({ "interfaceType": "MAC", "dstMacAddress": host.mac() })
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarding_to_an_address_is_served_by_it_and_answers_come_back() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    for version in [4, 6] {
        let server = lab.server.address(version);
        let parts = json!({
            "trafficFilter": [{ "dstAddress": [server], "dstPort": ["80", "5000-5010"] }],
            "action": "FORWARD_DECAPSULATED", "dstInterface": ip(&lab.app.address(version)),
        });
        plane.set(rule("r", parts)).await;
        for port in [80, 5000, 5005, 5010] {
            assert_eq!(
                lab.client.udp(&server, port).as_deref(),
                APP,
                "UDP {port} over IPv{version}"
            );
            assert_eq!(
                lab.client.tcp(&server, port).as_deref(),
                APP,
                "TCP {port} over IPv{version}"
            );
        }
        assert_eq!(lab.client.udp(&server, 5011).as_deref(), SERVER);
        assert_eq!(lab.client.tcp(&server, 443).as_deref(), SERVER);
        assert_eq!(
            lab.client.udp(&lab.app.address(version), 80).as_deref(),
            APP,
            "directly"
        );
        // An application that asks the server whose clients it serves must not get itself.
        assert_eq!(lab.app.tcp(&server, 80).as_deref(), SERVER);
        assert_eq!(lab.app.udp(&server, 80).as_deref(), SERVER);
        plane.remove("a").await;
        assert_eq!(lab.client.tcp(&server, 80).as_deref(), SERVER);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_exist_are_forwarded_at_once_and_no_longer_than_the_rule() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    let parts = |state: &str, to: &Host| {
        json!({
            "trafficFilter": [{ "dstPort": ["5000"] }], "action": "FORWARD_ENCAPSULATED",
            "dstInterface": [ip(&to.address(4))], "state": state,
        })
    };
    // Another translation on the same machine makes the kernel track all connections from their beginning.
    lab.in_router(&[
        "nft",
        "add table ip other; add chain ip other c { type nat hook postrouting priority 0; }",
    ]);
    lab.client
        .tell(json!({ "do": "open_flow", "name": "f", "to": lab.server.address(4), "port": 5000 }));
    let flow = || lab.client.tell(json!({ "do": "use_flow", "name": "f" }));
    assert_eq!(flow(), json!("server"));
    for _ in 0..3 {
        plane.set(rule("r", parts("ACTIVE", &lab.app))).await;
        assert_eq!(flow(), json!("app"));
        plane.set(rule("r", parts("ACTIVE", &lab.tap))).await;
        assert_eq!(flow(), json!("tap"));
        plane.set(rule("r", parts("INACTIVE", &lab.tap))).await;
        assert_eq!(flow(), json!("server"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_that_is_forwarded_gets_past_lower_rules_in_both_directions() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    plane.set(rule("drop", json!({ "priority": 255 }))).await;
    let parts = json!({
        "priority": 0, "trafficFilter": [{ "dstPort": ["80"] }], "action": "FORWARD_DECAPSULATED",
        "dstInterface": ip(&lab.app.address(4)),
    });
    plane.set(rule("forward", parts)).await;
    assert_eq!(lab.client.tcp(&lab.server.address(4), 80).as_deref(), APP);
    assert_eq!(lab.client.tcp(&lab.server.address(4), 443), None);
    assert_eq!(
        lab.client.tcp(&lab.server.address(6), 80),
        None,
        "an IPv4 destination takes no IPv6"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_destination_sends_by_itself_is_no_answer() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    for (version, cloud) in [(4, "10.5.5.5"), (6, "fd05::5")] {
        let (client, server) = (lab.client.address(version), lab.server.address(version));
        let app = lab.app.address(version);
        let forward = json!({
            "priority": 5, "trafficFilter": [{ "dstAddress": [cloud] }],
            "action": "FORWARD_ENCAPSULATED", "dstInterface": ip(&app),
        });
        plane.set(rule("forward", forward)).await;
        let drop = json!({
            "priority": 10, "filterType": "PACKET",
            "trafficFilter": [{ "srcAddress": [app], "protocol": ["udp"], "dstPort": ["9000"] }],
        });
        plane.set(rule("drop", drop)).await;
        let elsewhere = json!({
            "priority": 20, "trafficFilter": [{ "dstAddress": [server], "dstPort": ["443"] }],
            "action": "FORWARD_ENCAPSULATED", "dstInterface": ip(&lab.tap.address(version)),
        });
        plane.set(rule("elsewhere", elsewhere)).await;
        plane
            .set(rule(
                "rest",
                json!({ "priority": 255, "trafficFilter": [{ "srcAddress": [app] }] }),
            ))
            .await;
        for _ in 0..2 {
            assert_eq!(lab.client.udp(cloud, 80).as_deref(), APP, "over IPv{version}");
            assert_eq!(lab.client.tcp(cloud, 80).as_deref(), APP, "over IPv{version}");
        }
        let counted = [plane.packets("forward").await, plane.packets("drop").await];
        assert!(counted[0] >= 14, "both directions count: {counted:?}");
        assert_eq!(
            lab.app.udp(&client, 9000),
            None,
            "lower rules see what it sends, over IPv{version}"
        );
        assert_eq!(
            lab.app.udp(&server, 5000),
            None,
            "the lowest as well, over IPv{version}"
        );
        assert_eq!(
            [plane.packets("forward").await, plane.packets("drop").await],
            [counted[0], counted[1] + 1],
            "a rule counts its own packets, over IPv{version}"
        );
        assert_eq!(
            lab.app.udp(&server, 443).as_deref(),
            Some("tap"),
            "over IPv{version}"
        );
        assert_eq!(
            lab.app.tcp(&server, 443).as_deref(),
            Some("tap"),
            "over IPv{version}"
        );
        // What it answers to those who call it by its own address is not of the rule's flow either.
        assert_eq!(lab.client.udp(&app, 80), None, "over IPv{version}");
        plane.remove("a").await;
        assert_eq!(
            lab.app.udp(&client, 9000).as_deref(),
            Some("client"),
            "over IPv{version}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarding_to_a_mac_address_leaves_packets_as_they_are() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    for version in [4, 6] {
        let server = lab.server.address(version);
        let parts = json!({
            "trafficFilter": [{ "dstAddress": [server], "dstPort": ["80"] }],
            "action": "FORWARD_ENCAPSULATED", "dstInterface": mac(&lab.app),
        });
        plane.set(rule("r", parts)).await;
        let text = format!("steered-over-{version}");
        assert_eq!(
            lab.client.udp_with(&server, 80, &text),
            None,
            "the app is not the server"
        );
        assert_eq!(lab.app.seen(&text), [("eth0".to_owned(), server.clone())]);
        assert_eq!(lab.server.seen(&text), []);
        assert_eq!(lab.client.udp(&server, 443).as_deref(), SERVER);
        assert!(plane.packets("r").await >= 1);
    }
    // The way to the app goes with the rule.
    assert_ne!(lab.in_router(&["ip", "route", "show", "proto", "77"]), "");
    plane.remove("a").await;
    for family in ["-4", "-6"] {
        assert_eq!(lab.in_router(&["ip", family, "route", "show", "proto", "77"]), "");
    }
    assert!(
        !lab.in_router(&["ip", "neigh", "show", "nud", "permanent"])
            .contains("to-app")
    );
    assert_eq!(lab.client.udp(&lab.server.address(4), 80).as_deref(), SERVER);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_inline_application_passes_on_goes_on() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    // The application sends what it gets back to the router, as an inline function does.
    for parameter in [
        "net.ipv4.ip_forward=1",
        "net.ipv6.conf.all.forwarding=1",
        "net.ipv4.conf.all.send_redirects=0",
    ] {
        lab.app.execute(&["sysctl", "-qw", parameter]);
    }
    plane.set(rule("drop", json!({ "priority": 255 }))).await;
    for version in [4, 6] {
        let server = lab.server.address(version);
        let parts = json!({
            "trafficFilter": [{ "dstAddress": [server] }],
            "action": "FORWARD_DECAPSULATED", "dstInterface": mac(&lab.app),
        });
        plane.set(rule("r", parts)).await;
        let text = format!("inline-{version}");
        assert_eq!(lab.client.udp_with(&server, 80, &text).as_deref(), SERVER);
        assert_eq!(lab.client.tcp(&server, 443).as_deref(), SERVER);
        assert_eq!(lab.app.seen(&text).len(), 1, "there");
        let back = lab.client.address(version);
        let answers = lab.app.seen("server");
        assert!(
            answers.iter().any(|(_, to)| *to == back),
            "and back, because it is a flow: {answers:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_go_to_every_interface_and_the_packet_goes_on() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    for version in [4, 6] {
        let server = lab.server.address(version);
        let parts = json!({
            "filterType": "PACKET", "trafficFilter": [{ "dstAddress": [server], "dstPort": ["80"] }],
            "action": "DUPLICATE_DECAPSULATED", "dstInterface": [ip(&lab.app.address(version)), mac(&lab.tap)],
        });
        plane.set(rule("r", parts)).await;
        let text = format!("copied-over-{version}");
        assert_eq!(lab.client.udp_with(&server, 80, &text).as_deref(), SERVER);
        let expected = [("eth0".to_owned(), server.clone())];
        for host in [&lab.app, &lab.tap, &lab.server] {
            assert_eq!(host.seen(&text), expected);
        }
        let other = format!("not-copied-over-{version}");
        assert_eq!(lab.client.udp_with(&server, 443, &other).as_deref(), SERVER);
        assert_eq!(lab.app.seen(&other), []);
        assert_eq!(
            plane.packets("r").await,
            u64::from(version == 6) + 1,
            "counters outlive a change of the rule"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarding_to_a_next_hop_is_a_choice() {
    let lab = Lab::new();
    let mut options = lab.options();
    options.forward_address = mecforge_dataplane::ForwardAddress::NextHop;
    let plane = Plane::new(options).await;
    let server = lab.server.address(4);
    let parts = |to: &str| {
        json!({
            "trafficFilter": [{ "dstAddress": [server], "dstPort": ["80"] }],
            "action": "FORWARD_DECAPSULATED", "dstInterface": ip(to),
        })
    };
    plane.set(rule("r", parts(&lab.app.address(4)))).await;
    assert_eq!(lab.client.udp_with(&server, 80, "routed"), None);
    assert_eq!(lab.app.seen("routed"), [("eth0".to_owned(), server.clone())]);
    let far = crate::plane::refusal(plane.try_set(rule("r", parts("192.0.2.1"))).await.unwrap_err());
    assert_eq!(
        far,
        (422, "/dstInterface".to_owned(), String::new()),
        "no route there"
    );
    let own = crate::plane::refusal(plane.try_set(rule("r", parts("10.9.3.1"))).await.unwrap_err());
    assert_eq!(
        own,
        (422, "/dstInterface".to_owned(), String::new()),
        "the router itself"
    );
}
