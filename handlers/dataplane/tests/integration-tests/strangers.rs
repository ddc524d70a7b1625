//! What somebody else does to the kernel: found by the next change or look, mended, counted and logged once.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use mecforge_contracts::rules::{RuleChange, TrafficRules};
use mecforge_store::Transaction;
use prometheus_client::registry::Registry;
use serde_json::json;
use tracing::field::Field;
use tracing::{Event, Level, Metadata, span};

use crate::keeping::counter;
use crate::lab::Lab;
use crate::plane::{Plane, refusal, rule};

/// Remembers warnings and errors.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// The log of all tests: callsites remember who listens, so that a log of one thread could miss lines.
    fn get() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let start = || {
            let log = Self::default();
            tracing::subscriber::set_global_default(log.clone()).unwrap();
            log
        };
        LOG.get_or_init(start).clone()
    }

    /// What was logged since the last time, of lines that hold a text.
    fn take(&self, text: &str) -> Vec<String> {
        let mut lines = self.0.lock().unwrap();
        lines.extract_if(.., |line| line.contains(text)).collect()
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("mecforge_dataplane") && *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = String::new();
        event.record(&mut |field: &Field, value: &dyn Debug| text += &format!("{field}={value:?} "));
        self.0.lock().unwrap().push(text);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

fn drop_port(id: &str, port: &str, state: &str) -> mec011_app_support::TrafficRule {
    rule(
        id,
        json!({ "trafficFilter": [{ "dstPort": [port] }], "state": state }),
    )
}

#[tokio::test]
async fn a_flush_is_mended_by_whatever_is_answered_next() {
    let log = Log::get();
    let lab = Lab::new();
    let mut options = lab.options();
    // A name by which the lines of this test are known.
    options.table = "mep-flushed".to_owned();
    let plane = Plane::new(options).await;
    let mut registry = Registry::default();
    plane.plane.register_metrics(&mut registry);
    let same = drop_port("r", "80", "ACTIVE");
    plane.set(same.clone()).await;
    let other = plane.set(drop_port("other", "443", "ACTIVE")).await;
    let all = vec![drop_port("other", "443", "ACTIVE"), same.clone()];
    let changes = [
        RuleChange::Set(same.clone()),
        RuleChange::ReplaceAll(all),
        RuleChange::Set(drop_port("more", "5000", "ACTIVE")),
        RuleChange::Set(drop_port("more", "5000", "INACTIVE")),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        lab.in_router(&["nft", "flush", "ruleset"]);
        plane.plane.commit("a", change, Transaction::new()).await.unwrap();
        for port in [80, 443] {
            assert_eq!(
                lab.client.udp(&lab.server.address(4), port),
                None,
                "port {port} after change {index}"
            );
        }
        let count = u32::try_from(index).unwrap() + 1;
        assert_eq!(
            counter(&registry, "dataplane_drifts_total"),
            count,
            "change {index} finds it"
        );
        let told = log.take("mep-flushed");
        assert_eq!(told.len(), 1, "one line says it all: {told:?}");
        assert!(
            told[0].contains("table ip mep-flushed is gone") && told[0].contains("have been put back"),
            "{told:?}"
        );
    }
    let kept = plane.plane.get("a", "other").unwrap();
    assert_eq!(kept.modified, other, "what does not change keeps its revision");
}

#[tokio::test]
async fn chains_of_strangers_do_not_stay_in_our_tables() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    let mut registry = Registry::default();
    plane.plane.register_metrics(&mut registry);
    plane.set(drop_port("r", "80", "ACTIVE")).await;
    let running = plane.plane.start();
    let shown = || lab.in_router(&["nft", "list", "ruleset"]);
    let chain = "{ type filter hook prerouting priority -400; policy drop; }";
    for round in 1..=2 {
        lab.in_router(&["nft", &format!("add chain ip mep evil {chain}")]);
        for _ in 0..100 {
            if counter(&registry, "dataplane_drifts_total") == round {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(counter(&registry, "dataplane_drifts_total"), round);
        assert!(!shown().contains("evil"), "round {round}: {}", shown());
        assert_eq!(
            lab.client.udp(&lab.server.address(4), 443).as_deref(),
            Some("server")
        );
        assert_eq!(lab.client.udp(&lab.server.address(4), 80), None);
    }
    drop(running);
    let counted = plane.packets("r").await;
    assert!(counted > 0, "counters go on");
    lab.in_router(&["nft", &format!("add chain ip6 mep evil {chain}")]);
    lab.in_router(&["nft", "add set ip mep evil { type ipv4_addr; }"]);
    plane.set(drop_port("s", "5000", "ACTIVE")).await;
    assert!(
        !shown().contains("evil"),
        "a change removes it as well: {}",
        shown()
    );
    assert_eq!(counter(&registry, "dataplane_drifts_total"), 3);
    assert_eq!(plane.packets("r").await, counted);
}

#[tokio::test]
async fn a_rule_that_cannot_be_in_force_is_not_said_to_be() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    let steer = rule(
        "steer",
        json!({
            "trafficFilter": [{ "dstPort": ["443"] }], "action": "FORWARD_DECAPSULATED",
            "dstInterface": { "interfaceType": "MAC", "dstMacAddress": lab.app.mac() },
        }),
    );
    plane.set(steer.clone()).await;
    plane.set(drop_port("r", "80", "ACTIVE")).await;
    // The interface to the destination goes, and with it the way there.
    lab.in_router(&["ip", "link", "del", "to-app"]);
    assert_eq!(refusal(plane.try_set(steer.clone()).await.unwrap_err()).0, 422);
    plane.set(drop_port("r", "80", "ACTIVE")).await;
    let all = RuleChange::ReplaceAll(vec![drop_port("r", "80", "ACTIVE"), steer]);
    let error = plane
        .plane
        .commit("a", all, Transaction::new())
        .await
        .unwrap_err();
    assert_eq!(refusal(error).0, 422);
    assert_eq!(lab.client.udp(&lab.server.address(4), 80), None);
}
