//! Rules that are refused, and machines on which nothing can be put in force.

use std::os::unix::fs::PermissionsExt;

use mecforge_contracts::rules::TrafficRules;
use mecforge_dataplane::{Kind, Options};
use serde_json::{Value, json};

use crate::lab::Lab;
use crate::plane::{Plane, refusal, rule};

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_names_field_and_rule() {
    let plane = Plane::of_kind(Kind::Disabled, Options::default()).await;
    let filter = |filter: Value| json!({ "trafficFilter": [{}, filter] });
    let forward = |interface: Value| json!({ "action": "FORWARD_DECAPSULATED", "dstInterface": interface });
    let cases = [
        (
            filter(json!({ "srcAddress": ["10.0.0.1", "10.0.0"] })),
            400,
            "/trafficFilter/1/srcAddress/1",
            "format",
        ),
        (
            filter(json!({ "dstAddress": ["10.0.0.9-10.0.0.1"] })),
            400,
            "/trafficFilter/1/dstAddress/0",
            "format",
        ),
        (
            filter(json!({ "dstAddress": ["10.0.0.9-fd00::1"] })),
            400,
            "/trafficFilter/1/dstAddress/0",
            "format",
        ),
        (
            filter(json!({ "srcTunnelAddress": ["x"] })),
            400,
            "/trafficFilter/1/srcTunnelAddress/0",
            "format",
        ),
        (
            filter(json!({ "dstPort": ["65536"] })),
            400,
            "/trafficFilter/1/dstPort/0",
            "format",
        ),
        (
            filter(json!({ "srcPort": ["90-80"] })),
            400,
            "/trafficFilter/1/srcPort/0",
            "format",
        ),
        (
            filter(json!({ "srcPort": ["http"] })),
            400,
            "/trafficFilter/1/srcPort/0",
            "format",
        ),
        (
            filter(json!({ "srcPort": [""] })),
            400,
            "/trafficFilter/1/srcPort/0",
            "format",
        ),
        (
            filter(json!({ "protocol": ["tcp", "256"] })),
            400,
            "/trafficFilter/1/protocol/1",
            "format",
        ),
        (
            filter(json!({ "protocol": ["http"] })),
            400,
            "/trafficFilter/1/protocol/0",
            "format",
        ),
        (
            filter(json!({ "dSCP": 64 })),
            400,
            "/trafficFilter/1/dSCP",
            "maximum",
        ),
        (
            filter(json!({ "tC": 256 })),
            400,
            "/trafficFilter/1/tC",
            "maximum",
        ),
        (filter(json!({ "qCI": 9 })), 422, "/trafficFilter/1/qCI", ""),
        (filter(json!({ "tag": ["x"] })), 422, "/trafficFilter/1/tag", ""),
        (
            filter(json!({ "protocol": ["icmp"], "dstPort": ["80"] })),
            422,
            "/trafficFilter/1/protocol",
            "",
        ),
        (
            filter(json!({ "srcAddress": ["10.0.0.1"], "dstAddress": ["fd00::1"] })),
            422,
            "/trafficFilter/1",
            "",
        ),
        (
            filter(json!({ "srcAddress": ["10.0.0.1"], "tC": 1 })),
            422,
            "/trafficFilter/1",
            "",
        ),
        (
            forward(json!({ "interfaceType": "IP" })),
            400,
            "/dstInterface/dstIpAddress",
            "required",
        ),
        (
            forward(json!({ "interfaceType": "IP", "dstIpAddress": "224.0.0.1" })),
            400,
            "/dstInterface/dstIpAddress",
            "format",
        ),
        (
            forward(json!({ "interfaceType": "IP", "dstIpAddress": "127.0.0.1" })),
            400,
            "/dstInterface/dstIpAddress",
            "format",
        ),
        (
            forward(json!([{ "interfaceType": "MAC" }])),
            400,
            "/dstInterface/0/dstMacAddress",
            "required",
        ),
        (
            forward(json!({ "interfaceType": "MAC", "dstMacAddress": "01:00:00:00:00:00" })),
            400,
            "/dstInterface/dstMacAddress",
            "format",
        ),
        (
            forward(json!({ "interfaceType": "TUNNEL" })),
            400,
            "/dstInterface/tunnelInfo",
            "required",
        ),
        (
            forward(json!({ "interfaceType": "TUNNEL", "tunnelInfo": { "tunnelType": "GRE" } })),
            400,
            "/dstInterface/tunnelInfo/tunnelDstAddress",
            "required",
        ),
        (
            forward(json!({ "interfaceType": "RADIO" })),
            422,
            "/dstInterface/interfaceType",
            "",
        ),
        (
            forward(json!([
                { "interfaceType": "IP", "dstIpAddress": "10.0.0.1" }, { "interfaceType": "IP", "dstIpAddress": "10.0.0.2" },
            ])),
            400,
            "/dstInterface",
            "maxItems",
        ),
        (
            json!({
                "action": "FORWARD_DECAPSULATED", "trafficFilter": [{ "srcAddress": ["fd00::/64"] }],
                "dstInterface": { "interfaceType": "IP", "dstIpAddress": "10.0.0.1" },
            }),
            422,
            "/trafficFilter/0",
            "",
        ),
    ];
    for (parts, status, pointer, broken) in cases {
        for state in ["ACTIVE", "INACTIVE"] {
            let mut parts = parts.clone();
            parts["state"] = json!(state);
            let refused = refusal(plane.try_set(rule("r", parts.clone())).await.unwrap_err());
            assert_eq!(
                refused,
                (status, pointer.to_owned(), broken.to_owned()),
                "{parts}"
            );
        }
    }
    assert_eq!(plane.plane.list("a"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_data_plane_keeps_inactive_rules_and_refuses_active_ones() {
    let plane = Plane::of_kind(Kind::Disabled, Options::default()).await;
    let capabilities = plane.plane.capabilities();
    assert_eq!(
        (capabilities.backend.as_str(), capabilities.available),
        ("disabled", false)
    );
    refuses_active_rules(&plane).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_pointer_tells_the_whole_way_to_a_place() {
    let plane = Plane::of_kind(Kind::Disabled, Options::default()).await;
    for (parts, expected) in [
        (
            json!({ "trafficFilter": [{ "dstPort": ["x"] }] }),
            "dstPort of the traffic rule must be",
        ),
        (
            json!({ "trafficFilter": [{ "srcAddress": ["x"] }] }),
            "srcAddress of the traffic rule must be",
        ),
    ] {
        let problem = plane.plane.check(&rule("r", parts)).unwrap_err();
        let detail = problem.details().detail.clone().unwrap();
        assert!(
            detail.starts_with(expected) && !detail.contains("/traffic"),
            "{detail}"
        );
    }
}

async fn refuses_active_rules(plane: &Plane) {
    plane.set(rule("r", json!({ "state": "INACTIVE" }))).await;
    let refused = plane.try_set(rule("r", json!({}))).await.unwrap_err();
    assert_eq!(refusal(refused), (503, "/state".to_owned(), String::new()));
    let problem = plane.plane.check(&rule("r", json!({}))).unwrap_err();
    assert!(problem.details().detail.clone().unwrap().contains("INACTIVE"));
    assert_eq!(plane.plane.list("a").len(), 1);
    assert!(plane.plane.capabilities().actions.is_empty());
    plane.remove("a").await;
    assert_eq!(plane.plane.list("a"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_privileges_the_platform_says_so_and_never_pretends() {
    let lab = Lab::new();
    let with = Plane::within(&lab).await;
    with.set(rule("kept", json!({ "trafficFilter": [{ "dstPort": ["80"] }] })))
        .await;
    let directory = tempfile::TempDir::new().unwrap();
    let nft = directory.path().join("nft");
    let caps = "-net_admin";
    std::fs::write(
        &nft,
        format!("#!/bin/sh\nexec setpriv --bounding-set={caps} --inh-caps={caps} nft \"$@\"\n"),
    )
    .unwrap();
    std::fs::set_permissions(&nft, std::fs::Permissions::from_mode(0o755)).unwrap();
    let options = Options { nft, ..lab.options() };
    let plane = Plane::new(options.clone()).await;
    let capabilities = plane.plane.capabilities();
    assert!(!capabilities.available);
    assert!(
        capabilities.remarks.join(" ").contains("CAP_NET_ADMIN"),
        "{:?}",
        capabilities.remarks
    );
    refuses_active_rules(&plane).await;
    // Rules that were active before are told of.
    let later = mecforge_dataplane::DataPlane::open(with.store.clone(), Kind::Nftables, options)
        .await
        .unwrap();
    let remarks = later.capabilities().remarks.join(" ");
    assert!(remarks.contains("rule \"kept\""), "{remarks}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_out_of_a_tunnel() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    let parts = |action: &str| {
        json!({
            "action": action, "trafficFilter": [{ "srcTunnelAddress": ["10.9.1.0/24"] }],
            "dstInterface": { "interfaceType": "IP", "dstIpAddress": "10.9.3.2" },
        })
    };
    for action in ["FORWARD_DECAPSULATED", "DUPLICATE_DECAPSULATED"] {
        let refused = refusal(plane.try_set(rule("r", parts(action))).await.unwrap_err());
        assert_eq!(refused, (422, "/action".to_owned(), String::new()));
    }
    plane.set(rule("r", parts("FORWARD_ENCAPSULATED"))).await;
    assert_eq!(
        lab.client.udp(&lab.server.address(4), 2152).as_deref(),
        Some("app")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interface_that_is_not_there_is_refused_and_changes_nothing() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    plane
        .set(rule("drop", json!({ "trafficFilter": [{ "dstPort": ["80"] }] })))
        .await;
    let interface = json!({ "interfaceType": "MAC", "dstMacAddress": "02:00:00:00:00:99" });
    let through = json!({
        "interfaceType": "MAC", "dstMacAddress": lab.app.mac(), "srcMacAddress": "02:00:00:00:00:98",
    });
    for interface in [interface, through] {
        let parts = json!({ "action": "FORWARD_DECAPSULATED", "dstInterface": interface, "priority": 0 });
        let refused = refusal(plane.try_set(rule("r", parts)).await.unwrap_err());
        assert_eq!(refused, (422, "/dstInterface".to_owned(), String::new()));
    }
    assert_eq!(lab.client.udp(&lab.server.address(4), 80), None);
    assert_eq!(
        lab.client.udp(&lab.server.address(4), 443).as_deref(),
        Some("server")
    );
    assert_eq!(plane.plane.list("a").len(), 1);
}
