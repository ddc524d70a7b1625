//! Services that applications register, found as names.

use mec011_service_management::ServiceInfoRequest;
use mecforge_contracts::keys;
use mecforge_dns::Options;
use mecforge_store::Transaction;
use serde_json::{Value, json};

use crate::subject::{Subject, options};

/// A service as the registry keeps it.
fn service(name: &str, state: &str, endpoint: &Value) -> Vec<u8> {
    let stored = json!({
        "serName": name, "version": "1", "state": state, "serializer": "JSON",
        "transportInfo": {
            "id": "t", "name": "t", "type": "REST_HTTP", "protocol": "HTTP", "version": "1.1",
            "endpoint": endpoint, "security": {},
        },
    });
    let text = serde_json::to_vec(&stored).unwrap();
    mecforge_runtime::from_slice::<ServiceInfoRequest>(&text).unwrap();
    text
}

async fn register(subject: &Subject, id: &str, name: &str, state: &str, endpoint: Value) {
    let transaction = Transaction::new().put(keys::service("app", id), service(name, state, &endpoint));
    subject.store.commit(transaction).await.unwrap();
}

async fn published() -> Subject {
    let options = Options {
        service_zone: Some("services.mec.internal".parse().unwrap()),
        ..options()
    };
    Subject::with(options).await
}

fn addresses(places: &[(&str, u16)]) -> Value {
    let places: Vec<_> = places
        .iter()
        .map(|(host, port)| json!({"host": host, "port": port}))
        .collect();
    json!({ "addresses": places })
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_found_while_they_are_active() {
    let subject = published().await;
    let srv = "_weather.services.mec.internal".replace("_weather", "_weather._tcp") + " SRV";
    subject.dig(&srv).expect("NXDOMAIN", &[]);
    register(
        &subject,
        "s1",
        "Weather",
        "ACTIVE",
        addresses(&[("192.0.2.1", 8080), ("2001:db8::1", 8081)]),
    )
    .await;
    let found = subject.dig(&srv);
    assert_eq!(
        found.data(),
        [
            "0 0 8080 s1-0.services.mec.internal.",
            "0 0 8081 s1-1.services.mec.internal."
        ],
        "{}",
        found.text
    );
    assert_eq!(subject.dig("s1-0.services.mec.internal").data(), ["192.0.2.1"]);
    assert_eq!(
        subject.dig("s1-1.services.mec.internal AAAA").data(),
        ["2001:db8::1"]
    );
    assert_eq!(subject.dig("weather.services.mec.internal").data(), ["192.0.2.1"]);
    assert_eq!(
        subject.dig("weather.services.mec.internal AAAA").data(),
        ["2001:db8::1"]
    );
    register(
        &subject,
        "s2",
        "weather",
        "ACTIVE",
        json!({"uris": ["http://192.0.2.1/v1", "https://w.example"]}),
    )
    .await;
    assert_eq!(
        subject.dig(&srv).data(),
        [
            "0 0 443 w.example.",
            "0 0 80 s2-0.services.mec.internal.",
            "0 0 8080 s1-0.services.mec.internal.",
            "0 0 8081 s1-1.services.mec.internal.",
        ]
    );
    assert_eq!(
        subject.dig("weather.services.mec.internal").data(),
        ["192.0.2.1"],
        "once"
    );
    register(
        &subject,
        "s1",
        "Weather",
        "SUSPENDED",
        addresses(&[("192.0.2.1", 8080)]),
    )
    .await;
    assert_eq!(subject.dig(&srv).data().len(), 2);
    subject.dig("s1-0.services.mec.internal").expect("NXDOMAIN", &[]);
    register(&subject, "s2", "other", "ACTIVE", json!({"fqdn": ["o.example"]})).await;
    subject.dig(&srv).expect("NXDOMAIN", &[]);
    assert_eq!(
        subject.dig("_other._tcp.services.mec.internal SRV").data(),
        ["0 0 80 o.example."]
    );
    subject
        .store
        .commit(Transaction::new().delete_prefix(keys::SERVICES))
        .await
        .unwrap();
    subject
        .dig("_tcp.services.mec.internal SRV")
        .expect("NXDOMAIN", &[]);
    assert_eq!(subject.server.status().names, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_wins_over_services() {
    let subject = published().await;
    register(
        &subject,
        "s1",
        "weather",
        "ACTIVE",
        addresses(&[("192.0.2.1", 80)]),
    )
    .await;
    subject
        .activate("a", "1", "weather.services.mec.internal", "192.0.2.99", 60)
        .await;
    assert_eq!(
        subject.dig("weather.services.mec.internal").data(),
        ["192.0.2.99"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_services_share_a_name() {
    let subject = published().await;
    for number in 0..200 {
        let address = format!("192.0.2.{number}");
        register(
            &subject,
            &format!("s{number}"),
            "many",
            "ACTIVE",
            addresses(&[(&address, 80)]),
        )
        .await;
    }
    for question in [
        "_many._tcp.services.mec.internal SRV",
        "many.services.mec.internal A",
    ] {
        let answer = subject.dig(&format!("{question} +tcp"));
        assert_eq!(answer.answers.len(), 64, "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_not_published_by_default() {
    let subject = Subject::start().await;
    register(
        &subject,
        "s1",
        "weather",
        "ACTIVE",
        addresses(&[("192.0.2.1", 80)]),
    )
    .await;
    subject
        .dig("weather.services.mec.internal")
        .expect("NXDOMAIN", &[]);
    assert_eq!(subject.server.status().service_zone, None);
}
