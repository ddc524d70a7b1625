//! Kernel and store stay the same: under traffic, after strangers, after refusals, after a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mec011_app_support::TrafficRuleState;
use mecforge_contracts::keys;
use mecforge_contracts::rules::{RuleChange, RuleError, TrafficRules};
use mecforge_dataplane::{DataPlane, Kind};
use mecforge_store::{
    Commit, CommitError, Entry, Expected, Figures, KeyRange, Revision, Store, Transaction, View, Watch,
    WatchError,
};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::json;

use crate::lab::Lab;
use crate::plane::{Plane, rule};

const SERVER: Option<&str> = Some("server");

#[tokio::test(flavor = "multi_thread")]
async fn no_packet_slips_through_while_rules_are_replaced() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    for version in [4, 6] {
        plane
            .set(rule(
                "drop",
                json!({ "trafficFilter": [{ "dstPort": ["5000"] }] }),
            ))
            .await;
        let to = lab.server.address(version);
        let (bad, good) = (format!("flood-bad-{version}"), format!("talk-{version}"));
        lab.client
            .tell(json!({ "do": "flood", "name": bad, "to": to, "port": 5000 }));
        lab.client
            .tell(json!({ "do": "talk", "name": good, "to": to, "port": 5011 }));
        for round in 0..40 {
            let id = format!("r{}", round % 3);
            let state = if round % 2 == 0 { "ACTIVE" } else { "INACTIVE" };
            let parts =
                json!({ "trafficFilter": [{ "dstPort": [format!("{}", 7000 + round)] }], "state": state });
            plane.set(rule(&id, parts)).await;
        }
        let sent = [&bad, &good].map(|name| {
            let sent = lab
                .client
                .tell(json!({ "do": "flooded", "name": name, "stop": true }));
            sent.as_u64().unwrap()
        });
        assert!(sent[0] > 1000 && sent[1] > 200, "{sent:?}");
        assert_eq!(
            lab.server.counted(&bad),
            0,
            "of {} packets over IPv{version}",
            sent[0]
        );
        let lost = lab.client.tell(json!({ "do": "lost", "name": good }));
        assert_eq!(
            lost,
            json!(0),
            "of {} packets that must pass over IPv{version}",
            sent[1]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_in_force_when_the_answer_comes_and_gone_when_it_is_deactivated() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    let to = lab.server.address(4);
    for round in 0..5 {
        let name = format!("flood-{round}");
        lab.client
            .tell(json!({ "do": "flood", "name": name, "to": to, "port": 5000 }));
        plane
            .set(rule("r", json!({ "trafficFilter": [{ "dstPort": ["5000"] }] })))
            .await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        let before = lab.server.counted(&name);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(lab.server.counted(&name), before);
        plane.set(rule("r", json!({ "state": "INACTIVE" }))).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(lab.server.counted(&name) > before);
        lab.client
            .tell(json!({ "do": "flooded", "name": name, "stop": true }));
    }
    let kept = plane.plane.get("a", "r").unwrap();
    assert_eq!(kept.rule.state, TrafficRuleState::Inactive);
    assert!(
        !lab.in_router(&["nft", "list", "ruleset"]).contains("mep"),
        "without rules there are no tables"
    );
}

/// The value of a counter.
pub(crate) fn counter(registry: &Registry, name: &str) -> u32 {
    let mut text = String::new();
    encode(&mut text, registry).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_goes_with_its_rules_and_what_else_the_transaction_says() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    for (app, port) in [("a", "80"), ("a", "443"), ("a/b", "5000"), ("b", "9000")] {
        let rule = rule(port, json!({ "trafficFilter": [{ "dstPort": [port] }] }));
        plane
            .plane
            .commit(app, RuleChange::Set(rule), Transaction::new())
            .await
            .unwrap();
    }
    let application = keys::application("a");
    plane
        .store
        .commit(Transaction::new().put(application.as_str(), "x"))
        .await
        .unwrap();
    let reached = || [80, 443, 5000, 9000].map(|port| lab.client.udp(&lab.server.address(4), port).is_some());
    assert_eq!(reached(), [false; 4]);
    let mut registry = Registry::default();
    plane.plane.register_metrics(&mut registry);
    let replacements = || counter(&registry, "dataplane_replacements_total");
    let before = replacements();
    let refused = Transaction::new().expect(application.as_str(), Expected::Absent);
    let error = plane
        .plane
        .commit("a", RuleChange::RemoveAll, refused)
        .await
        .unwrap_err();
    assert!(
        matches!(error, RuleError::Commit(CommitError::Conflict { .. })),
        "{error:?}"
    );
    assert_eq!(reached(), [false; 4]);
    assert_eq!(
        replacements(),
        before,
        "the kernel is not touched for what is sure to be refused"
    );
    let removal = Transaction::new().delete(application.as_str());
    plane
        .plane
        .commit("a", RuleChange::RemoveAll, removal)
        .await
        .unwrap();
    assert_eq!(reached(), [true, true, false, false]);
    assert_eq!(plane.store.get(&application), None);
    assert_eq!(plane.plane.list("a"), []);
    assert_eq!(plane.plane.list("a/b").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_rules_of_an_application_are_replaced_and_what_stays_keeps_its_revision() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    let of = |port: &str| rule(port, json!({ "trafficFilter": [{ "dstPort": [port] }] }));
    let all = RuleChange::ReplaceAll(vec![of("80"), of("443")]);
    let first = plane.plane.commit("a", all, Transaction::new()).await.unwrap();
    let all = RuleChange::ReplaceAll(vec![of("443"), of("5000")]);
    let second = plane.plane.commit("a", all, Transaction::new()).await.unwrap();
    let kept = plane.plane.list("a");
    let kept: Vec<_> = kept
        .iter()
        .map(|kept| (kept.rule.traffic_rule_id.as_str(), kept.modified))
        .collect();
    assert_eq!(kept, [("443", first), ("5000", second)]);
    let reached = [80, 443, 5000].map(|port| lab.client.udp(&lab.server.address(4), port).is_some());
    assert_eq!(reached, [true, false, false]);
    let twice = RuleChange::ReplaceAll(vec![of("80"), of("80")]);
    let error = plane
        .plane
        .commit("a", twice, Transaction::new())
        .await
        .unwrap_err();
    assert_eq!(crate::plane::refusal(error).0, 400);
}

/// Waits until something is so.
async fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..100 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("after five seconds still not: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_change_is_put_back_and_counted() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    let to = lab.server.address(4);
    let steer = json!({
        "trafficFilter": [{ "dstPort": ["443"] }], "action": "FORWARD_DECAPSULATED",
        "dstInterface": { "interfaceType": "MAC", "dstMacAddress": lab.app.mac() },
    });
    plane
        .set(rule("drop", json!({ "trafficFilter": [{ "dstPort": ["80"] }] })))
        .await;
    plane.set(rule("steer", steer)).await;
    let running = plane.plane.start();
    let mut registry = Registry::default();
    plane.plane.register_metrics(&mut registry);
    let drifts = || counter(&registry, "dataplane_drifts_total");
    assert_eq!(lab.client.udp(&to, 80), None);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(drifts(), 0, "what nobody has changed is no drift");
    let table = || lab.in_router(&["nft", "-a", "list", "ruleset"]);
    let handle = table()
        .lines()
        .find(|line| line.contains("drop comment"))
        .unwrap()
        .rsplit(' ')
        .next()
        .unwrap()
        .to_owned();
    let changes: [&[&str]; 6] = [
        &["nft", "flush", "ruleset"],
        &["nft", "add", "rule", "ip6", "mep", "rules", "drop"],
        &["nft", "delete", "rule", "ip", "mep", "rules", "handle", &handle],
        &["nft", "insert", "rule", "ip", "mep", "rules", "accept"],
        &["nft", "delete", "table", "ip", "mep"],
        &["ip", "neigh", "flush", "dev", "to-app", "nud", "permanent"],
    ];
    for (index, change) in changes.iter().enumerate() {
        if change.contains(&"handle") {
            // The flush before has given the rules other handles.
            let line = table()
                .lines()
                .find(|line| line.contains("drop comment"))
                .unwrap()
                .to_owned();
            let handle = line.rsplit(' ').next().unwrap();
            lab.in_router(&["nft", "delete", "rule", "ip", "mep", "rules", "handle", handle]);
        } else {
            lab.in_router(change);
        }
        let count = u32::try_from(index).unwrap() + 1;
        until(&format!("{change:?} is found"), || drifts() == count).await;
        until(&format!("{change:?} is mended"), || {
            lab.client.udp(&to, 80).is_none()
        })
        .await;
        assert_eq!(lab.client.udp(&to, 9000).as_deref(), SERVER, "after {change:?}");
        assert_eq!(
            lab.client.udp(&lab.server.address(6), 9000).as_deref(),
            SERVER,
            "after {change:?}"
        );
        let text = format!("steered-{index}");
        assert_eq!(lab.client.udp_with(&to, 443, &text), None);
        assert_eq!(lab.app.seen(&text).len(), 1, "after {change:?}");
    }
    drop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_tables_are_left_alone_and_two_platforms_get_along() {
    let lab = Lab::new();
    lab.in_router(&[
        "nft",
        "add table ip mine; add chain ip mine c; add rule ip mine c counter",
    ]);
    let one = Plane::within(&lab).await;
    let mut options = lab.options();
    options.table = "mep-2".to_owned();
    let two = Plane::new(options).await;
    let steer = |port: &str| {
        json!({
            "trafficFilter": [{ "dstPort": [port] }], "action": "FORWARD_DECAPSULATED",
            "dstInterface": { "interfaceType": "MAC", "dstMacAddress": lab.app.mac() },
        })
    };
    one.set(rule("r", steer("80"))).await;
    two.set(rule("r", steer("443"))).await;
    let to = lab.server.address(4);
    assert_eq!(
        [80, 443].map(|port| lab.client.udp_with(&to, port, "both")),
        [None, None]
    );
    assert_eq!(lab.app.seen("both").len(), 2);
    one.remove("a").await;
    assert_eq!(lab.client.udp(&to, 80).as_deref(), SERVER);
    assert_eq!(lab.client.udp_with(&to, 443, "other"), None);
    assert_eq!(lab.app.seen("other").len(), 1);
    assert!(
        lab.in_router(&["nft", "list", "table", "ip", "mine"])
            .contains("counter")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_finds_the_rules_of_the_store_and_cleans_up() {
    let lab = Lab::new();
    let first = Plane::within(&lab).await;
    let to = lab.server.address(4);
    let steer = json!({
        "trafficFilter": [{ "dstPort": ["443"] }], "action": "FORWARD_DECAPSULATED",
        "dstInterface": { "interfaceType": "MAC", "dstMacAddress": lab.app.mac() },
    });
    first.set(rule("steer", steer)).await;
    first
        .set(rule("drop", json!({ "trafficFilter": [{ "dstPort": ["80"] }] })))
        .await;
    assert_eq!(lab.client.udp(&to, 80), None);
    let counted = first.packets("drop").await;
    assert!(counted > 0);
    // The platform stops: the rules stay in force.
    let store = Arc::clone(&first.store);
    drop(first.plane);
    assert_eq!(lab.client.udp(&to, 80), None);
    // While it is away somebody removes a rule from the store: as if it had died before it reached the kernel.
    store
        .commit(Transaction::new().delete(keys::traffic_rule("a", "steer")))
        .await
        .unwrap();
    let plane = DataPlane::open(Arc::clone(&store), Kind::Nftables, lab.options())
        .await
        .unwrap();
    assert_eq!(lab.client.udp(&to, 80), None);
    assert_eq!(lab.client.udp(&to, 443).as_deref(), SERVER);
    assert_eq!(lab.in_router(&["ip", "route", "show", "proto", "77"]), "");
    let counters = plane.counters().await;
    assert!(
        counters[0].packets > counted,
        "counters go on: {counters:?} after {counted}"
    );
}

/// A store that refuses to commit when it is told to.
struct Refusing {
    store: Arc<dyn Store>,
    refuses: AtomicBool,
}

impl Store for Refusing {
    fn get(&self, key: &str) -> Option<Entry> {
        self.store.get(key)
    }

    fn range(&self, prefix: &str, after: Option<&str>, limit: usize) -> KeyRange {
        self.store.range(prefix, after, limit)
    }

    fn commit(&self, transaction: Transaction) -> Commit {
        if self.refuses.load(Ordering::Relaxed) {
            return Box::pin(std::future::ready(Err(CommitError::NoRoom(
                "the disk is full".to_owned(),
            ))));
        }
        self.store.commit(transaction)
    }

    fn watch(&self, prefix: &str, after: Revision) -> Result<Watch, WatchError> {
        self.store.watch(prefix, after)
    }

    fn attach(&self, prefix: &str, view: Arc<dyn View>) {
        self.store.attach(prefix, view);
    }

    fn revision(&self) -> Revision {
        self.store.revision()
    }

    fn health(&self) -> Result<(), String> {
        self.store.health()
    }

    fn figures(&self) -> Figures {
        self.store.figures()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_stored_is_not_in_force() {
    let lab = Lab::new();
    let first = Plane::within(&lab).await;
    first
        .set(rule("drop", json!({ "trafficFilter": [{ "dstPort": ["80"] }] })))
        .await;
    let store = Arc::new(Refusing {
        store: Arc::clone(&first.store),
        refuses: AtomicBool::new(false),
    });
    drop(first.plane);
    let plane = DataPlane::open(Arc::clone(&store) as _, Kind::Nftables, lab.options())
        .await
        .unwrap();
    store.refuses.store(true, Ordering::Relaxed);
    let to = lab.server.address(4);
    let more = RuleChange::Set(rule("more", json!({ "trafficFilter": [{ "dstPort": ["443"] }] })));
    for change in [more.clone(), RuleChange::RemoveAll] {
        let error = plane.commit("a", change, Transaction::new()).await.unwrap_err();
        assert!(
            matches!(error, RuleError::Commit(CommitError::NoRoom(_))),
            "{error:?}"
        );
        assert_eq!(lab.client.udp(&to, 80), None, "the old rules are back");
        assert_eq!(lab.client.udp(&to, 443).as_deref(), SERVER);
    }
    assert_eq!(plane.list("a").len(), 1);
    store.refuses.store(false, Ordering::Relaxed);
    plane.commit("a", more, Transaction::new()).await.unwrap();
    assert_eq!(lab.client.udp(&to, 443), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_leaves_nothing_half_done() {
    let lab = Lab::new();
    let plane = Plane::within(&lab).await;
    for round in 0..20 {
        let state = if round % 2 == 0 { "ACTIVE" } else { "INACTIVE" };
        let parts = json!({ "trafficFilter": [{ "dstPort": ["80"] }], "state": state });
        // Dropped somewhere between kernel and store.
        let _ = tokio::time::timeout(Duration::from_millis(round * 2), plane.try_set(rule("r", parts))).await;
        until(&format!("kernel and store agree after {} ms", round * 2), || {
            let kept = plane.plane.get("a", "r");
            let active = kept.is_some_and(|kept| kept.rule.state == TrafficRuleState::Active);
            active == lab.in_router(&["nft", "list", "ruleset"]).contains("a/r")
        })
        .await;
    }
}
