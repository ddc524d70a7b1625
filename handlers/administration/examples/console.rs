//! The web console over a platform that is made up, to look at it in a browser: `cargo run -p mecforge-administration
//! --example console -- 127.0.0.1:8088`.
//!
//! Every second something changes; `quiet` as a second argument keeps everything as it is.
#![allow(clippy::unwrap_used, reason = "an example that cannot go on stops")]

#[path = "../../../mep/src/pages/console.rs"]
#[allow(dead_code, reason = "the console's own tests are run with `mep`")]
mod console;
#[path = "../tests/integration-tests/world.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod world;

use std::time::Duration;

use axum::extract::Request;
use mecforge_administration::{BASE_PATH, Listener, Options};
use mecforge_contracts::keys;
use mecforge_contracts::lifecycle::{EndAction, Life, PendingEnd};
use mecforge_contracts::time::unix_milliseconds;
use serde_json::json;

use world::{World, dns_rule, service, traffic_rule};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8088".to_owned());
    let busy = arguments.next().as_deref() != Some("quiet");
    let listener = tokio::net::TcpListener::bind(&address).await?;
    let world = World::new(Options {
        declared: vec!["declared-by-configuration".to_owned()],
        listeners: vec![Listener {
            name: "HTTP".to_owned(),
            address: listener.local_addr()?,
        }],
        ..Options::default()
    });
    people(&world).await;
    let files = async |request: Request| {
        console::find(request.uri().path(), request.headers()).ok_or(http::StatusCode::NOT_FOUND)
    };
    let router = axum::Router::new()
        .nest(BASE_PATH, world.administration.router())
        .fallback(files);
    let serve = axum::serve(listener, router);
    tokio::select! {
        served = serve => served?,
        () = change(&world, busy) => {}
    }
    Ok(())
}

/// Makes up what a small platform has, hostile names included.
async fn people(world: &World) {
    let hostile = "<img src=x onerror=alert(1)>\u{202e}gnp.exe";
    for (id, name) in [
        ("5abe4782-2c70-4e47-9a4e-0ee3a1a0fd1f", "video-analytics"),
        ("6f1e13b4-33c1-4d0c-9b9d-d0b8f7a2c111", hostile),
    ] {
        world.put(&keys::application(id), json!({"appName": name})).await;
        world
            .put(
                &keys::service(id, &format!("ser-{name}")),
                service(name, "ACTIVE"),
            )
            .await;
    }
    world
        .put(
            &keys::configuration("configured-by-a-manager"),
            json!({"appName": "camera-control"}),
        )
        .await;
    let mut suspended = service("org.example.location-with-a-rather-long-name", "SUSPENDED");
    suspended["livenessInterval"] = json!(30);
    world
        .put(&keys::service("configured-by-a-manager", "ser-2"), suspended)
        .await;
    world
        .put(
            &keys::service("configured-by-a-manager", "ser-3"),
            service("inactive", "INACTIVE"),
        )
        .await;
    world
        .put(
            &keys::dns_rule("configured-by-a-manager", "dns-1"),
            dns_rule("dns-1", "video.edge.example.com", "ACTIVE"),
        )
        .await;
    world
        .put(
            &keys::dns_rule("configured-by-a-manager", "dns-2"),
            dns_rule("dns-2", "cam.edge.example.com", "INACTIVE"),
        )
        .await;
    let mut forward = traffic_rule("forward-video", 10, "ACTIVE");
    forward["action"] = json!("FORWARD_DECAPSULATED");
    forward["dstInterface"] = json!({"interfaceType": "IP", "dstIpAddress": "192.0.2.77"});
    forward["trafficFilter"] = json!([
        {"srcAddress": ["10.10.0.0/16"], "dstAddress": ["203.0.113.0/24", "2001:db8::/32"], "dstPort": ["8000-8080"], "protocol": ["TCP", "UDP"]},
        {"tC": 12, "dSCP": 46},
    ]);
    world
        .put(
            &keys::traffic_rule("configured-by-a-manager", "forward-video"),
            forward,
        )
        .await;
    world
        .put(
            &keys::traffic_rule("configured-by-a-manager", "drop-all"),
            traffic_rule("drop-all", 200, "INACTIVE"),
        )
        .await;
    let pending = PendingEnd {
        action: EndAction::Terminating,
        deadline: unix_milliseconds() + 95_000,
    };
    world.lives.set(
        "configured-by-a-manager",
        Life {
            ready: true,
            pending: Some(pending),
        },
    );
    let good = keys::subscription(
        "service-availability",
        "5abe4782-2c70-4e47-9a4e-0ee3a1a0fd1f",
        "a1c0ffee-0000-4000-8000-000000000001",
    );
    let bad = keys::subscription(
        "app-termination",
        "configured-by-a-manager",
        "a1c0ffee-0000-4000-8000-000000000002",
    );
    for (key, kind) in [
        (&good, "SerAvailabilityNotificationSubscription"),
        (&bad, "AppTerminationNotificationSubscription"),
    ] {
        let request = json!({"subscriptionType": kind, "callbackReference": "http://192.0.2.7:9000/notify?token=<b>&x",
            "filteringCriteria": {"serNames": ["video-analytics"], "states": ["ACTIVE"]}});
        world.put(key, json!({"request": request})).await;
    }
    world.queue(&good, "n1").await;
    for number in 1..=3 {
        let id = format!("0b0f8a52-7f4e-4c5b-8a3c-00000000000{number}");
        world
            .give_up(&bad, &id, unix_milliseconds() - 200_000 * number)
            .await;
    }
}

/// Changes something every second, for ever.
async fn change(world: &World, busy: bool) {
    for number in 0_u64.. {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if !busy {
            continue;
        }
        let id = format!("ser-live-{}", number % 5);
        let key = keys::service("5abe4782-2c70-4e47-9a4e-0ee3a1a0fd1f", &id);
        if world.store.get(&key).is_some() {
            world.delete(&key).await;
        } else {
            world
                .put(&key, service(&format!("live-{number}"), "ACTIVE"))
                .await;
        }
    }
}
