//! Tunnels: what the kernel has works, what it has not is refused.

use serde_json::{Value, json};

use mecforge_contracts::rules::TrafficRules;

use crate::lab::{Host, Lab};
use crate::plane::{Plane, refusal, rule};

fn tunnel(kind: &str, to: &str) -> Value {
    json!({ "interfaceType": "TUNNEL", "tunnelInfo": { "tunnelType": kind, "tunnelDstAddress": to } })
}

/// Gives a host the other end of a VXLAN, with the Ethernet address that rules without one use.
fn far_end(host: &Host, device: &str, version: u8, mac: &str, port: &str) {
    let (own, near) = match version {
        4 => (host.address(4), host.address(4).replace(".2", ".1")),
        _ => (host.address(6), host.address(6).replace("::2", "::1")),
    };
    host.execute(&[
        "ip", "link", "add", device, "address", mac, "type", "vxlan", "id", "1", "dstport", port, "local",
        &own, "remote", &near,
    ]);
    host.execute(&["ip", "link", "set", device, "up"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn vxlan_carries_packets_of_both_families() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    let tunnels = plane.plane.capabilities().tunnel_types;
    assert!(
        tunnels.contains(&"VXLAN".to_owned()),
        "this test needs a kernel with VXLAN; it has {tunnels:?}"
    );
    far_end(&lab.app, "vx4", 4, "02:00:0a:09:03:02", "4789");
    far_end(&lab.tap, "vx4", 4, "02:00:0a:09:04:02", "4789");
    for version in [4, 6] {
        let server = lab.server.address(version);
        let filter = json!([{ "dstAddress": [server], "dstPort": ["80"] }]);
        let forward = json!({
            "filterType": "PACKET", "trafficFilter": filter, "action": "FORWARD_ENCAPSULATED",
            "dstInterface": tunnel("VXLAN", "10.9.3.2"),
        });
        plane.set(rule("r", forward)).await;
        let text = format!("tunnelled-{version}");
        assert_eq!(lab.client.udp_with(&server, 80, &text), None);
        let inner = ("vx4".to_owned(), server.clone());
        assert!(lab.app.seen(&text).contains(&inner), "{:?}", lab.app.seen(&text));
        assert_eq!(lab.server.seen(&text), []);
        let both = json!([tunnel("VXLAN", "10.9.3.2"), tunnel("vxlan", "10.9.4.2")]);
        let duplicate = json!({
            "filterType": "PACKET", "trafficFilter": filter, "action": "DUPLICATE_ENCAPSULATED", "dstInterface": both,
        });
        plane.set(rule("r", duplicate)).await;
        let text = format!("twice-{version}");
        assert_eq!(lab.client.udp_with(&server, 80, &text).as_deref(), Some("server"));
        assert!(lab.app.seen(&text).contains(&inner));
        assert!(lab.tap.seen(&text).contains(&inner));
    }
    let devices = || lab.in_router(&["ip", "link", "show", "type", "vxlan"]);
    assert_eq!(
        devices().matches("vxlan").count() + devices().matches("mep").count(),
        2,
        "{}",
        devices()
    );
    plane.remove("a").await;
    assert_eq!(
        devices(),
        "",
        "the interface goes with the last rule that needs it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn vxlan_goes_over_ipv6_and_brings_packets_back() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    far_end(&lab.app, "vx6", 6, "02:11:11:11:11:11", "4789");
    let server = lab.server.address(4);
    let mut to = tunnel("VXLAN", &lab.app.address(6));
    to["dstMacAddress"] = json!("02-11-11-11-11-11");
    let parts = json!({
        "trafficFilter": [{ "dstAddress": [server] }], "action": "FORWARD_ENCAPSULATED", "dstInterface": to,
    });
    plane.set(rule("r", parts)).await;
    assert_eq!(lab.client.udp_with(&server, 80, "sixth"), None);
    let inner = ("vx6".to_owned(), server.clone());
    assert!(lab.app.seen("sixth").contains(&inner));
    // An inline application at the other end sends packets back through the tunnel; they go on to the server.
    for parameter in [
        "net.ipv4.ip_forward=1",
        "net.ipv4.conf.all.rp_filter=0",
        "net.ipv4.conf.all.send_redirects=0",
    ] {
        lab.app.execute(&["sysctl", "-qw", parameter]);
    }
    let shown = lab.in_router(&["ip", "-j", "link", "show", "type", "vxlan"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let near = shown[0]["address"].as_str().unwrap();
    lab.app
        .execute(&["ip", "route", "add", "240.0.0.1/32", "dev", "vx6"]);
    lab.app.execute(&[
        "ip",
        "neigh",
        "add",
        "240.0.0.1",
        "lladdr",
        near,
        "dev",
        "vx6",
        "nud",
        "permanent",
    ]);
    lab.app.execute(&[
        "ip",
        "route",
        "add",
        "10.9.2.0/24",
        "via",
        "240.0.0.1",
        "dev",
        "vx6",
        "onlink",
    ]);
    lab.app.execute(&[
        "ip",
        "route",
        "add",
        "10.9.1.0/24",
        "via",
        "240.0.0.1",
        "dev",
        "vx6",
        "onlink",
    ]);
    lab.in_router(&["sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0"]);
    assert_eq!(lab.client.tcp(&server, 80).as_deref(), Some("server"));
    assert!(plane.packets("r").await > 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_kernel_cannot_is_refused_before_it_is_stored() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    let capabilities = plane.plane.capabilities();
    for kind in ["GTP_U", "GRE", "SRV6"] {
        if capabilities.tunnel_types.iter().any(|one| one == kind) {
            continue;
        }
        for state in ["ACTIVE", "INACTIVE"] {
            let parts = json!({
                "action": "FORWARD_ENCAPSULATED", "dstInterface": tunnel(kind, "10.9.3.2"), "state": state,
            });
            let refused = refusal(plane.try_set(rule("r", parts.clone())).await.unwrap_err());
            assert_eq!(
                refused,
                (422, "/dstInterface".to_owned(), String::new()),
                "{kind}"
            );
            let problem = plane.plane.check(&rule("r", parts)).unwrap_err();
            let detail = problem.details().detail.clone().unwrap();
            assert!(detail.contains(kind) && detail.contains("VXLAN"), "{detail}");
        }
    }
    assert_eq!(plane.plane.get("a", "r"), None);
    assert_eq!(plane.store.revision().0, 0);
    assert!(capabilities.remarks.iter().any(|remark| remark.contains("GTP_U")));
}
