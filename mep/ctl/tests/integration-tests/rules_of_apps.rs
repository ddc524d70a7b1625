//! `mepctl dns` and `mepctl traffic`.

use mecforge_contracts::keys;
use mecforge_store::Transaction;
use serde_json::{Value, json};

use crate::command::mepctl;
use crate::platform::APP;
use crate::whole::Whole;

async fn with_rules() -> Whole {
    let whole = Whole::start().await;
    let dns = json!({"dnsRuleId": "d1", "domainName": "cam.example", "ipAddressType": "IP_V4",
        "ipAddress": "192.0.2.1", "ttl": 60, "state": "INACTIVE"});
    let traffic = json!({"trafficRuleId": "t1", "filterType": "FLOW", "priority": 1, "action": "DROP",
        "trafficFilter": [{"dstAddress": ["192.0.2.1/32"], "protocol": ["UDP"]}], "state": "INACTIVE"});
    let transaction = Transaction::new()
        .put(keys::dns_rule(APP, "d1"), dns.to_string())
        .put(keys::traffic_rule(APP, "t1"), traffic.to_string());
    whole.platform.store.commit(transaction).await.unwrap();
    whole
}

/// States of all rules of a kind, asked for in both ways.
async fn states(url: &str, kind: &str) -> Value {
    let of_one = mepctl(url, &["--json", kind, "list", APP]).await.json();
    let of_all = mepctl(url, &["--json", kind, "list"]).await.json();
    assert_eq!(
        of_one, of_all,
        "scripts find the same whether they name the application or not"
    );
    assert_eq!(of_one[0]["appInstanceId"], APP);
    of_one[0]["rule"]["state"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn dns_rules_are_listed_and_switched() {
    let whole = with_rules().await;
    let url = &whole.url;
    assert_eq!(states(url, "dns").await, "INACTIVE");
    for (verb, state) in [
        ("activate", "ACTIVE"),
        ("activate", "ACTIVE"),
        ("deactivate", "INACTIVE"),
    ] {
        let said = mepctl(url, &["dns", verb, APP, "d1"]).await.ok();
        assert_eq!(said, format!("DNS rule d1 is {state}\n"));
        assert_eq!(states(url, "dns").await, state);
    }
    let table = mepctl(url, &["dns", "list"]).await.ok();
    assert!(table.lines().nth(1).unwrap().ends_with("INACTIVE"), "{table}");
    let shown = mepctl(url, &["dns", "get", APP, "d1"]).await.ok();
    assert!(shown.contains("TTL         60 s\n"), "{shown}");
    let said = mepctl(url, &["dns", "activate", APP, "none"]).await.failed(1);
    assert!(said.contains("404"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn traffic_rules_are_listed_switched_and_counted() {
    let whole = with_rules().await;
    let url = &whole.url;
    assert_eq!(states(url, "traffic").await, "INACTIVE");
    assert_eq!(
        mepctl(url, &["--json", "traffic", "counters"]).await.json(),
        json!([])
    );
    let said = mepctl(url, &["traffic", "activate", APP, "t1"]).await.ok();
    assert_eq!(said, "traffic rule t1 is ACTIVE\n");
    assert_eq!(states(url, "traffic").await, "ACTIVE");
    assert_eq!(
        mepctl(url, &["--json", "traffic", "counters", APP]).await.json(),
        json!([{"appInstanceId": APP, "trafficRuleId": "t1", "packets": 3, "bytes": 180}])
    );
    let table = mepctl(url, &["traffic", "list"]).await.ok();
    assert!(table.contains("dstAddress 192.0.2.1/32, protocol UDP"), "{table}");
    let shown = mepctl(url, &["traffic", "get", APP, "t1"]).await.ok();
    assert!(shown.contains("Action      DROP\n"), "{shown}");
    mepctl(url, &["traffic", "deactivate", APP, "t1"]).await.ok();
    assert_eq!(states(url, "traffic").await, "INACTIVE");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_many_pages_are_read_to_their_end() {
    let whole = Whole::start().await;
    let rule = |index: usize| {
        json!({"dnsRuleId": format!("d{index:04}"), "domainName": format!("d{index}.example"),
            "ipAddressType": "IP_V4", "ipAddress": "192.0.2.1", "state": "INACTIVE"})
    };
    for batch in 0..5 {
        let transaction = (batch * 500..(batch + 1) * 500).fold(Transaction::new(), |transaction, index| {
            transaction.put(
                keys::dns_rule(APP, &format!("d{index:04}")),
                rule(index).to_string(),
            )
        });
        whole.platform.store.commit(transaction).await.unwrap();
    }
    let listed = mepctl(&whole.url, &["--json", "dns", "list"]).await.json();
    assert_eq!(listed.as_array().unwrap().len(), 2500);
}
