//! The web console of the real binary in a real browser, from a manager's configuration to the end of the process.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::namespace::Namespace;
use crate::process::{Mep, command};
use crate::receiver::Receiver;

use chrome::Chrome;

#[path = "../../../handlers/administration/tests/integration-tests/chrome.rs"]
mod chrome;

const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];
const LIVE: &str = "document.getElementById('connection').textContent === 'live'";
const LOST: &str = "document.body.classList.contains('lost')";
const CONFIGURATION: &str = "/mm5/v1/applications/video/configuration";
const SERVICES: &str = "/mec_service_mgmt/v1/applications/video/services";
const SUBSCRIPTIONS: &str = "/mec_service_mgmt/v1/applications/video/subscriptions";

/// An expression that is true when the page shows a text.
fn shows(text: &str) -> String {
    format!("document.body.innerText.includes({})", json!(text))
}

/// Does something that must be answered with this status.
fn ask(mep: &Mep, method: &str, path: &str, body: &Value, status: u16) {
    let body = body.to_string();
    let answer = mep.connect().request(method, path, &JSON, body.as_bytes());
    let answer = answer.unwrap();
    assert_eq!(answer.status, status, "{path}: {}", answer.text());
}

fn service(name: &str) -> Value {
    json!({
        "serName": name, "version": "1", "state": "ACTIVE", "serializer": "JSON",
        "transportInfo": {
            "id": "t", "name": "REST", "type": "REST_HTTP", "protocol": "HTTP", "version": "1.1", "security": {},
            "endpoint": {"uris": [format!("http://192.0.2.7/{name}")]},
        },
    })
}

fn configuration() -> Value {
    json!({
        "appName": "Video analytics",
        "dnsRules": [{"dnsRuleId": "cameras", "domainName": "cameras.mec.internal", "ipAddressType": "IP_V4",
                      "ipAddress": "192.0.2.7", "state": "ACTIVE"}],
        "trafficRules": [{"trafficRuleId": "no-telnet", "filterType": "FLOW", "priority": 1, "action": "DROP",
                          "trafficFilter": [{"protocol": ["TCP"], "dstPort": ["23"]}], "state": "ACTIVE"}],
    })
}

/// Goes to a view by its link, as a person does: the page is not loaded again.
async fn look_at(chrome: &mut Chrome, view: &str) {
    chrome
        .value(&format!("document.querySelector('a[href=\"#{view}\"]').click()"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_an_application_come_to_life_and_mends_its_notifications() {
    let (directory, namespace) = (tempfile::tempdir().unwrap(), Namespace::new());
    let mep = Mep::from(command(directory.path()).envs([
        ("MEP_DATAPLANE_BACKEND", "nftables"),
        ("MEP_DATAPLANE_NETWORK_NAMESPACE", &namespace.name),
    ]));
    let receiver = Receiver::start();
    receiver.refuse(true);
    let mut chrome = Chrome::start().await;
    chrome.size(1280, 900).await;
    chrome
        .open(&format!("http://{}/console/#rules", mep.address))
        .await;
    chrome.wait_for(LIVE).await;
    chrome.wait_for(&shows("No application has traffic rules.")).await;
    chrome.value("window.loaded = 'once'").await;

    ask(&mep, "PUT", CONFIGURATION, &configuration(), 202);
    for text in [
        "cameras.mec.internal",
        "192.0.2.7",
        "no-telnet",
        "to port 23",
        "0 packets",
    ] {
        chrome.wait_for(&shows(text)).await;
    }
    assert!(namespace.rules().contains("dport 23"), "{}", namespace.rules());
    look_at(&mut chrome, "applications").await;
    for text in ["Video analytics", "configured", "not confirmed"] {
        chrome.wait_for(&shows(text)).await;
    }

    let subscription = json!({
        "subscriptionType": "SerAvailabilityNotificationSubscription", "callbackReference": receiver.url("/told"),
    });
    ask(&mep, "POST", SUBSCRIPTIONS, &subscription, 201);
    look_at(&mut chrome, "services").await;
    chrome.wait_for(&shows("No application offers a service.")).await;
    ask(&mep, "POST", SERVICES, &service("face-finder"), 201);
    chrome.wait_for(&shows("face-finder")).await;
    ask(&mep, "POST", SERVICES, &service("number-plates"), 201);
    chrome.wait_for(&shows("http://192.0.2.7/number-plates")).await;

    look_at(&mut chrome, "overview").await;
    for text in ["2 notifications were given up", "2\nServices", "nftables"] {
        chrome.wait_for(&shows(text)).await;
    }
    look_at(&mut chrome, "deliveries").await;
    let given_up = [
        "2 given up",
        "the subscriber answered 404",
        &receiver.url("/told"),
    ];
    for text in given_up {
        chrome.wait_for(&shows(text)).await;
    }
    receiver.refuse(false);
    chrome
        .value("[...document.querySelectorAll('button')].find((one) => one.textContent === 'Replay all').focus()")
        .await;
    chrome.press("Enter", 13, "\r").await;
    let told = receiver.wait_for("/told", 2);
    let names: Vec<&Value> = told
        .iter()
        .map(|delivery| &delivery.body["serviceReferences"][0]["serName"])
        .collect();
    assert_eq!(names, ["face-finder", "number-plates"]);
    for text in ["No notification has been given up.", "up to date"] {
        chrome.wait_for(&shows(text)).await;
    }
    // All of that was seen without loading the page again.
    assert_eq!(chrome.value("window.loaded").await, "once");
    assert_eq!(chrome.complaints, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_does_not_wait_for_consoles_that_are_open() {
    let directory = tempfile::tempdir().unwrap();
    let mut mep = Mep::start(directory.path());
    let mut chrome = Chrome::start().await;
    chrome.open(&format!("http://{}/console/", mep.address)).await;
    chrome.wait_for(LIVE).await;
    let begun = Instant::now();
    mep.signal("TERM");
    assert!(mep.wait().success());
    let elapsed = begun.elapsed();
    assert!(elapsed < Duration::from_secs(2), "it took {elapsed:?}");
    chrome.wait_for(LOST).await;
    assert_eq!(chrome.complaints, Vec::<String>::new());
}
