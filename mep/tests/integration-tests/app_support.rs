//! The whole of application support, from the clients that were generated from V3.1.1 and from V2.1.1, on the real
//! binary with rules that take effect in a namespace of their own.

use std::process::Command;
use std::time::Duration;

use mec011_app_support as v3;
use mec011_app_support_v2_1_1 as v2;
use serde_json::{Value, json};

use crate::http::Connection;
use crate::in_process::SUPPORT;
use crate::namespace::Namespace;
use crate::process::{Mep, command};
use crate::receiver::Receiver;

const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

/// A platform that has configured the application instance `app`, with rules that are not active.
struct Configured {
    mep: Mep,
    namespace: Namespace,
    _directory: tempfile::TempDir,
}

impl Configured {
    fn new() -> Self {
        let (directory, namespace) = (tempfile::tempdir().unwrap(), Namespace::new());
        let mep = Mep::from(command(directory.path()).envs([
            ("MEP_DATAPLANE_BACKEND", "nftables"),
            ("MEP_DATAPLANE_NETWORK_NAMESPACE", &namespace.name),
        ]));
        let configured = Self {
            mep,
            namespace,
            _directory: directory,
        };
        let path = "/mm5/v1/applications/app/configuration";
        let rules = json!({
            "appName": "app",
            "dnsRules": [{"dnsRuleId": "name", "domainName": "app.mec.internal", "ipAddressType": "IP_V6",
                          "ipAddress": "2001:db8::7", "state": "INACTIVE"}],
            "trafficRules": [{"trafficRuleId": "drop", "filterType": "FLOW", "priority": 1, "action": "DROP",
                              "trafficFilter": [{"protocol": ["TCP"], "dstPort": ["4711"]}], "state": "INACTIVE"}],
        });
        configured.manage("PUT", path, &rules);
        configured
    }

    /// Does something as the manager and waits for the end of the task.
    fn manage(&self, method: &str, path: &str, body: &Value) {
        let mut connection = self.mep.connect();
        let body = body.to_string();
        let answer = connection.request(method, path, &JSON, body.as_bytes()).unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text());
        let task = answer.json()["taskId"].as_str().unwrap().to_owned();
        wait_for(&mut connection, &task);
    }

    fn url(&self) -> String {
        format!("http://{}", self.mep.address)
    }

    fn address_of_name(&self) -> String {
        let server = self.mep.name_server();
        let (address, port) = server.rsplit_once(':').unwrap();
        let question = [
            &format!("@{address}"),
            "-p",
            port,
            "+short",
            "app.mec.internal",
            "AAAA",
        ];
        let output = Command::new("dig").args(question).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

fn wait_for(connection: &mut Connection, task: &str) {
    for _ in 0..500 {
        let answer = connection
            .request("GET", &format!("/mm5/v1/tasks/{task}"), &[], b"")
            .unwrap();
        match answer.json()["state"].as_str() {
            Some("SUCCEEDED") => return,
            Some("FAILED") => panic!("{}", answer.text()),
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
    panic!("the task does not end");
}

/// Writes a test that calls every operation which both releases have.
macro_rules! whole {
    ($name:ident, $release:ident) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let (platform, receiver) = (Configured::new(), Receiver::start());
            let client = $release::Client::new(platform.url()).unwrap();

            let rules = client.list_application_dns_rules("app").await.unwrap().body;
            let read = client.get_application_dns_rule("app", "name").await.unwrap();
            assert_eq!(rules, std::slice::from_ref(&read.body));
            let mut rule = read.body.clone();
            rule.state = $release::DnsRuleState::Active;
            let etag = read.etag.unwrap();
            let put = || client.replace_application_dns_rule("app", "name", &rule).if_match(&etag);
            assert_eq!(platform.address_of_name(), "");
            assert_eq!(put().await.unwrap().body, rule);
            assert_eq!(platform.address_of_name(), "2001:db8::7");
            assert_eq!(put().await.unwrap_err().status().unwrap(), 412);

            let rules = client.list_application_traffic_rules("app").await.unwrap().body;
            let read = client.get_application_traffic_rule("app", "drop").await.unwrap();
            assert_eq!(rules, std::slice::from_ref(&read.body));
            let mut rule = read.body.clone();
            rule.state = $release::TrafficRuleState::Active;
            let etag = read.etag.unwrap();
            let put = || client.replace_application_traffic_rule("app", "drop", &rule).if_match(&etag);
            assert!(!platform.namespace.rules().contains("4711"));
            assert_eq!(put().await.unwrap().body, rule);
            assert!(platform.namespace.rules().contains("4711"));
            assert_eq!(put().await.unwrap_err().status().unwrap(), 412);

            let now = client.get_timing_current_time().await.unwrap().body;
            assert!(now.seconds > 1_700_000_000);
            let stamp = client.get_timing_timing_caps().await.unwrap().body.time_stamp;
            assert!(stamp.unwrap().seconds >= now.seconds);

            let ready = serde_json::from_value(json!({"indication": "READY"})).unwrap();
            client.confirm_ready_application("app", &ready).await.unwrap();

            let confirmation = serde_json::from_value(json!({"operationAction": "TERMINATING"})).unwrap();
            let confirm = || client.confirm_termination_application("app", &confirmation);
            assert_eq!(confirm().await.unwrap_err().status().unwrap(), 409);

            let subscription = serde_json::from_value(json!({
                "subscriptionType": "AppTerminationNotificationSubscription",
                "callbackReference": receiver.url("/end"),
                "appInstanceId": "app",
            }))
            .unwrap();
            let subscribed = client.create_application_subscription("app", &subscription).await.unwrap();
            let id = subscribed.location.last_segment().unwrap();
            let read = client.get_application_subscription("app", &id).await.unwrap().body;
            assert_eq!(read, subscribed.body);
            let another = client.create_application_subscription("app", &subscription).await.unwrap();
            let another = another.location.last_segment().unwrap();
            client.delete_application_subscription("app", &another).await.unwrap();
            let listed = client.list_application_subscriptions("app").await.unwrap().body;
            assert_eq!(listed.links.subscriptions.unwrap().len(), 1);

            let announcement = json!({"operationAction": "TERMINATING", "maxGracefulTimeout": 60});
            let mut connection = platform.mep.connect();
            let path = "/mm5/v1/applications/app/terminate";
            let body = announcement.to_string();
            let announced = connection.request("POST", path, &JSON, body.as_bytes()).unwrap();
            assert_eq!(announced.status, 202, "{}", announced.text());
            let notification = receiver.wait_for("/end", 1).remove(0).body;
            assert_eq!(notification["maxGracefulTimeout"], 60);
            let typed = serde_json::from_value::<$release::AppTerminationNotification>(notification);
            typed.unwrap();
            confirm().await.unwrap();
            wait_for(&mut connection, announced.json()["taskId"].as_str().unwrap());
            assert_eq!(platform.address_of_name(), "");
            assert!(!platform.namespace.rules().contains("4711"));
            let gone = client.list_application_dns_rules("app").await.unwrap_err();
            assert_eq!(gone.status().unwrap(), 404);
            assert_eq!(receiver.distinct("/end").len(), 1);
        }
    };
}

whole!(clients_of_this_release_use_every_operation, v3);
whole!(clients_of_the_older_release_use_every_operation, v2);

#[test]
fn a_task_names_the_rule_that_the_machine_cannot_put_in_force() {
    let platform = Configured::new();
    let path = "/mm5/v1/applications/other/configuration";
    let rule = |id: &str, more: Value| {
        let mut rule = json!({"trafficRuleId": id, "filterType": "PACKET", "priority": 1, "state": "ACTIVE",
                              "trafficFilter": [{"dstPort": ["4714"], "protocol": ["UDP"]}]});
        rule.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        rule
    };
    let far = json!({"action": "DUPLICATE_ENCAPSULATED",
                     "dstInterface": {"interfaceType": "IP", "dstIpAddress": "192.0.2.77"}});
    let body = json!({"appName": "other", "trafficRules": [rule("near", json!({"action": "DROP"})), rule("far", far)]});
    let mut connection = platform.mep.connect();
    let answer = connection
        .request("PUT", path, &JSON, body.to_string().as_bytes())
        .unwrap();
    let task = format!("/mm5/v1/tasks/{}", answer.json()["taskId"].as_str().unwrap());
    let ended = (0..500).find_map(|_| {
        std::thread::sleep(Duration::from_millis(20));
        let task = connection.request("GET", &task, &[], b"").unwrap().json();
        (task["state"] == "FAILED").then_some(task)
    });
    let ended = ended.expect("the task does not fail");
    assert_eq!(ended["problem"]["status"], 422, "{ended}");
    let pointer = ended["problem"]["pointer"].as_str().unwrap();
    assert!(pointer.starts_with("/trafficRules/1/dstInterface"), "{ended}");
    let outcomes: Vec<_> = ended["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| &rule["outcome"])
        .collect();
    assert_eq!(outcomes, ["NOT_DONE", "FAILED"]);
    assert!(!platform.namespace.rules().contains("4714"));
}

#[test]
fn a_manager_is_told_of_rules_that_somebody_else_has_removed() {
    let (directory, namespace) = (tempfile::tempdir().unwrap(), Namespace::new());
    let receiver = Receiver::start();
    let mep = Mep::from(command(directory.path()).envs([
        ("MEP_DATAPLANE_BACKEND", "nftables"),
        ("MEP_DATAPLANE_NETWORK_NAMESPACE", &namespace.name),
        ("MEP_DATAPLANE_CHECK_SECONDS", "1"),
    ]));
    let mut connection = mep.connect();
    let path = "/mm5/v1/applications/app/configuration";
    let body = json!({"appName": "app", "trafficRules": [
        {"trafficRuleId": "t", "filterType": "PACKET", "priority": 1, "action": "DROP", "state": "ACTIVE",
         "trafficFilter": [{"dstPort": ["4713"], "protocol": ["UDP"]}]}]});
    let answer = connection
        .request("PUT", path, &JSON, body.to_string().as_bytes())
        .unwrap();
    wait_for(&mut connection, answer.json()["taskId"].as_str().unwrap());
    let body = json!({"callbackUri": receiver.url("/drift"), "eventTypes": ["DRIFT"]}).to_string();
    let answer = connection
        .request("POST", "/mm5/v1/subscriptions", &JSON, body.as_bytes())
        .unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    namespace.flush();
    assert!(!namespace.rules().contains("4713"));
    let event = receiver.wait_for("/drift", 1).remove(0).body;
    assert_eq!(event["eventType"], "DRIFT", "{event}");
    assert!(namespace.rules().contains("4713"));
    let metrics = mep.get("/metrics").text();
    assert!(metrics.contains("mep_dataplane_drifts_total 1"), "{metrics}");
}

#[test]
fn a_manager_of_edgegallery_configures_an_application() {
    let (directory, namespace) = (tempfile::tempdir().unwrap(), Namespace::new());
    let mep = Mep::from(command(directory.path()).envs([
        ("MEP_DATAPLANE_BACKEND", "nftables"),
        ("MEP_DATAPLANE_NETWORK_NAMESPACE", &namespace.name),
    ]));
    let mut connection = mep.connect();
    let path = "/mepcfg/app_lcm/v1/applications/eg-1/appd_configuration";
    let body = json!({
        "appName": "camera", "appSupportMp1": true,
        "appDnsRule": [{"dnsRuleId": "d", "domainName": "camera.mec.internal", "ipAddressType": "IPv4",
                        "ipAddress": "192.0.2.9", "ttl": 30, "state": "ACTIVE"}],
        "appTrafficRule": [{"trafficRuleId": "t", "filterType": "PACKET", "priority": 1, "action": "DROP",
                            "trafficFilter": [{"dstPort": ["4712"], "protocol": ["UDP"]}], "state": "ACTIVE"}],
    });
    // Its rule manager sends no media type.
    let answer = connection
        .request("POST", path, &[], body.to_string().as_bytes())
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let task = answer.json()["taskId"].as_str().unwrap().to_owned();
    let task = format!("/mepcfg/app_lcm/v1/tasks/{task}/appd_configuration");
    let result = (0..500).find_map(|_| {
        std::thread::sleep(Duration::from_millis(20));
        let answer = connection.request("GET", &task, &[], b"").unwrap().json();
        (answer["configResult"] != "PROCESSING").then_some(answer)
    });
    assert_eq!(result.unwrap()["configResult"], "SUCCESS");
    assert!(namespace.rules().contains("4712"));
    let rules = mep.get(&format!("{SUPPORT}/applications/eg-1/dns_rules")).json();
    assert_eq!(rules[0]["ipAddressType"], "IP_V4");
    let end = "/mep/mec_app_support/v1/applications/eg-1/AppInstanceTermination";
    assert_eq!(connection.request("DELETE", end, &[], b"").unwrap().status, 200);
    assert!(!namespace.rules().contains("4712"));
    assert_eq!(
        mep.get(&format!("{SUPPORT}/applications/eg-1/dns_rules")).status,
        404
    );
}
