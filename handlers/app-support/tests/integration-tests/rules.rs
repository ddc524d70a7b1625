//! Rules over HTTP: read, activated, deactivated, and nothing else.

use std::sync::atomic::Ordering;

use mecforge_runtime::server::Principal;
use serde_json::{Value, json};

use crate::api::{Api, dns_rule, traffic_rule};

const DNS: &str = "/applications/app/dns_rules";
const TRAFFIC: &str = "/applications/app/traffic_rules";

async fn with_rules() -> Api {
    let api = Api::new().await;
    api.add_dns_rule("app", dns_rule("name", "INACTIVE")).await;
    api.add_dns_rule("app", dns_rule("second", "ACTIVE")).await;
    api.add_traffic_rule("app", traffic_rule("way", "INACTIVE")).await;
    api
}

/// A rule with some properties of its own; `null` removes one.
fn changed(mut rule: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match rule.pointer_mut(parent).unwrap() {
        Value::Array(values) => values[name.parse::<usize>().unwrap()] = value,
        parent if value.is_null() => drop(parent.as_object_mut().unwrap().remove(name)),
        parent => parent[name] = value,
    }
    rule
}

#[tokio::test]
async fn rules_are_listed_and_read_with_a_tag() {
    let api = with_rules().await;
    let list = api.get(DNS).await.expect(200);
    assert_eq!(
        list.body,
        json!([dns_rule("name", "INACTIVE"), dns_rule("second", "ACTIVE")])
    );
    assert_eq!(
        api.get(TRAFFIC).await.expect(200).body,
        json!([traffic_rule("way", "INACTIVE")])
    );
    assert_eq!(
        api.get("/applications/declared/dns_rules").await.expect(200).body,
        json!([])
    );
    for (path, expected) in [
        (format!("{DNS}/name"), dns_rule("name", "INACTIVE")),
        (format!("{TRAFFIC}/way"), traffic_rule("way", "INACTIVE")),
    ] {
        let read = api.get(&path).await.expect(200);
        assert_eq!(read.body, expected);
        let tag = read.header("etag").to_owned();
        api.call("GET", &path, &[("if-none-match", &*tag)], json!(null))
            .await
            .expect(304);
    }
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_is_anothers_403() {
    let mut api = with_rules().await;
    api.register("other").await;
    for (path, parameter) in [
        (format!("{DNS}/no"), "dnsRuleId"),
        (format!("{TRAFFIC}/no"), "trafficRuleId"),
        ("/applications/other/dns_rules/name".to_owned(), "dnsRuleId"),
        ("/applications/nobody/dns_rules/name".to_owned(), "appInstanceId"),
        (
            "/applications/nobody/traffic_rules/way".to_owned(),
            "appInstanceId",
        ),
    ] {
        let body = if path.contains("dns") {
            dns_rule("name", "ACTIVE")
        } else {
            traffic_rule("way", "ACTIVE")
        };
        assert_eq!(api.get(&path).await.expect(404).body["parameter"], parameter);
        assert_eq!(
            api.put(&path, "", body).await.expect(404).body["parameter"],
            parameter
        );
    }
    api.principal = Principal::application("other");
    for path in [
        DNS.to_owned(),
        TRAFFIC.to_owned(),
        format!("{DNS}/name"),
        format!("{TRAFFIC}/way"),
    ] {
        api.get(&path).await.expect(403);
    }
    api.put(&format!("{DNS}/name"), "", dns_rule("name", "ACTIVE"))
        .await
        .expect(403);
    api.put(&format!("{TRAFFIC}/way"), "", traffic_rule("way", "ACTIVE"))
        .await
        .expect(403);
}

#[tokio::test]
async fn a_rule_that_is_activated_is_in_force_when_the_answer_comes() {
    let api = with_rules().await;
    let path = format!("{DNS}/name");
    let before = api.get(&path).await.header("etag").to_owned();
    let set = api
        .put(&path, &before, dns_rule("name", "ACTIVE"))
        .await
        .expect(200);
    assert_eq!(set.body, dns_rule("name", "ACTIVE"));
    assert_eq!(api.names.answers("name.test"), ["2001:db8::1"]);
    let tag = set.header("etag").to_owned();
    assert_ne!(tag, before);
    assert_eq!(api.get(&path).await.header("etag"), tag);
    api.put(&path, &before, dns_rule("name", "INACTIVE"))
        .await
        .expect(412);
    let again = api.put(&path, &tag, dns_rule("name", "ACTIVE")).await.expect(200);
    assert_eq!(again.header("etag"), tag, "what changes nothing changes no tag");
    api.put(&path, "", dns_rule("name", "INACTIVE")).await.expect(200);
    assert_eq!(api.names.answers("name.test"), [] as [&str; 0]);

    let path = format!("{TRAFFIC}/way");
    let before = api.get(&path).await.header("etag").to_owned();
    let set = api
        .put(&path, &before, traffic_rule("way", "ACTIVE"))
        .await
        .expect(200);
    assert_eq!(set.body, traffic_rule("way", "ACTIVE"));
    assert_eq!(api.traffic.in_kernel("app"), ["way"]);
    assert_eq!(api.get(&path).await.header("etag"), set.header("etag"));
    api.put(&path, &before, traffic_rule("way", "INACTIVE"))
        .await
        .expect(412);
    assert_eq!(api.traffic.in_kernel("app"), ["way"]);
    // Somebody flushes the kernel: an answer that the rule is active makes it so.
    api.traffic.kernel.lock().unwrap().clear();
    let again = api
        .put(&path, "", traffic_rule("way", "ACTIVE"))
        .await
        .expect(200);
    assert_eq!(
        again.header("etag"),
        set.header("etag"),
        "what changes nothing changes no tag"
    );
    assert_eq!(api.traffic.in_kernel("app"), ["way"]);
    api.traffic.kernel.lock().unwrap().clear();
    api.traffic.broken.store(true, Ordering::Relaxed);
    api.put(&path, "", traffic_rule("way", "ACTIVE"))
        .await
        .expect(503);
    api.traffic.broken.store(false, Ordering::Relaxed);
    api.put(&path, "*", traffic_rule("way", "INACTIVE"))
        .await
        .expect(200);
    assert_eq!(api.traffic.in_kernel("app"), [] as [&str; 0]);
}

#[tokio::test]
async fn an_application_changes_the_state_of_a_rule_and_nothing_else() {
    let api = with_rules().await;
    for (pointer, value) in [
        ("/domainName", json!("other.test")),
        ("/ipAddress", json!("2001:db8::2")),
        ("/ipAddressType", json!("IP_V4")),
        ("/ttl", json!(60)),
    ] {
        let rule = changed(dns_rule("name", "ACTIVE"), pointer, value);
        api.put(&format!("{DNS}/name"), "", rule)
            .await
            .expect_pointer(403, pointer, "readOnly");
    }
    for (pointer, value) in [
        ("/priority", json!(2)),
        ("/filterType", json!("PACKET")),
        ("/action", json!("PASSTHROUGH")),
        ("/trafficFilter/0/dstAddress/0", json!("192.0.2.0/25")),
        ("/trafficFilter/0/protocol", json!(null)),
        ("/trafficFilter/0/srcPort", json!(["1"])),
        ("/dstInterface/dstIpAddress", json!("2001:db8::2")),
    ] {
        let rule = changed(traffic_rule("way", "ACTIVE"), pointer, value);
        api.put(&format!("{TRAFFIC}/way"), "", rule)
            .await
            .expect_pointer(403, pointer, "readOnly");
    }
    let listed = changed(
        traffic_rule("way", "ACTIVE"),
        "/dstInterface",
        json!([{"interfaceType": "IP", "dstIpAddress": "2001:db8::2"}]),
    );
    api.put(&format!("{TRAFFIC}/way"), "", listed)
        .await
        .expect_pointer(403, "/dstInterface/0/dstIpAddress", "readOnly");
    let two = changed(traffic_rule("way", "ACTIVE"), "/trafficFilter", json!([{}, {}]));
    api.put(&format!("{TRAFFIC}/way"), "", two)
        .await
        .expect_pointer(403, "/trafficFilter", "readOnly");
    api.put(&format!("{DNS}/name"), "", dns_rule("second", "ACTIVE"))
        .await
        .expect_pointer(400, "/dnsRuleId", "const");
    api.put(&format!("{TRAFFIC}/way"), "", traffic_rule("other", "ACTIVE"))
        .await
        .expect_pointer(400, "/trafficRuleId", "const");
    assert_eq!(api.traffic.in_kernel("app"), [] as [&str; 0]);
    assert_eq!(api.names.answers("name.test"), [] as [&str; 0]);
}

#[tokio::test]
async fn another_way_to_write_the_same_is_no_change_and_is_not_kept() {
    let api = with_rules().await;
    let rule = json!({
        "dnsRuleId": "name", "domainName": "NAME.test.", "ipAddressType": "IP_V6",
        "ipAddress": "2001:DB8:0:0:0:0:0:1", "state": "ACTIVE",
    });
    let set = api.put(&format!("{DNS}/name"), "", rule).await.expect(200);
    assert_eq!(set.body, dns_rule("name", "ACTIVE"));
    let rule = json!({
        "trafficRuleId": "way", "filterType": "FLOW", "priority": 1, "action": "FORWARD_DECAPSULATED",
        "trafficFilter": [{
            "dstAddress": ["192.0.2.1/255.255.255.0"], "dstPort": ["80-80"], "protocol": ["TCP"], "srcAddress": [],
        }],
        "dstInterface": [{"interfaceType": "IP", "dstIpAddress": "2001:db8:0::1"}], "state": "ACTIVE",
    });
    let set = api.put(&format!("{TRAFFIC}/way"), "", rule).await.expect(200);
    assert_eq!(set.body, traffic_rule("way", "ACTIVE"));
}

#[tokio::test]
async fn what_cannot_be_put_in_force_is_refused_and_stays_inactive() {
    let api = with_rules().await;
    api.register("other").await;
    api.add_dns_rule("other", dns_rule("name", "ACTIVE")).await;
    api.put(&format!("{DNS}/name"), "", dns_rule("name", "ACTIVE"))
        .await
        .expect(409);
    let quality = changed(
        traffic_rule("quality", "INACTIVE"),
        "/trafficFilter/0/qCI",
        json!(1),
    );
    api.add_traffic_rule("app", quality.clone()).await;
    let refused = api
        .put(
            &format!("{TRAFFIC}/quality"),
            "",
            changed(quality, "/state", json!("ACTIVE")),
        )
        .await;
    assert_eq!(refused.expect(422).body["pointer"], "/trafficFilter/0/qCI");
    api.traffic
        .broken
        .store(true, std::sync::atomic::Ordering::Relaxed);
    api.put(&format!("{TRAFFIC}/way"), "", traffic_rule("way", "ACTIVE"))
        .await
        .expect(503);
    for path in [
        format!("{DNS}/name"),
        format!("{TRAFFIC}/quality"),
        format!("{TRAFFIC}/way"),
    ] {
        assert_eq!(api.get(&path).await.body["state"], "INACTIVE", "{path}");
    }
}
