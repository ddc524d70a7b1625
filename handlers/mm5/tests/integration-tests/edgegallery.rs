//! The predecessor's manager drives us: its paths, its bodies, and the answers that it understands.

use axum::body::Body;
use http::Request;
use mecforge_contracts::keys;
use serde_json::{Value, json};

use crate::platform::{Answer, Fault, Platform, configuration};

const APP: &str = "5abe4782-2c70-4e47-9a4e-0ee3a1a0fd1f";

/// A request as the predecessor's programs send it: without `Content-Type`.
async fn send(platform: &Platform, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    platform
        .ask(platform.mm5.edgegallery_router(), request, body)
        .await
}

fn appd(app: &str) -> String {
    format!("/mepcfg/app_lcm/v1/applications/{app}/appd_configuration")
}

/// What the rule manager sends: everything that a form may hold, empty or not.
fn body() -> Value {
    json!({
        "appName": "face",
        "appSupportMp1": true,
        "appTrafficRule": [{
            "trafficRuleId": "t1", "filterType": "FLOW", "priority": 1, "action": "FORWARD_AS_IS",
            "trafficFilter": [{
                "trafficFilterId": "", "srcAddress": ["192.168.1.1/28"], "srcPort": ["8080"], "dstAddress": null,
                "dstPort": [], "protocol": ["TCP"], "qCI": 0, "dSCP": 10, "tC": 0, "tag": null,
                "srcTunnelAddress": null, "dstTunnelAddress": ["10.9.9.9"], "srcTunnelPort": null, "dstTunnelPort": null,
            }],
            "dstInterface": [{
                "dstInterfaceId": "", "interfaceType": "TUNNEL", "srcMacAddress": "02-00-00-00-00-00",
                "dstMacAddress": "", "dstIpAddress": "10.2.0.1",
                "TunnelInfo": {"tunnelType": "GRE", "tunnelDstAddress": "10.3.0.1", "tunnelSrcAddress": "",
                               "tunnelSpecificData": "", "tunnelInfoId": ""},
            }],
        }, {
            "trafficRuleId": "t2", "filterType": "PACKET", "priority": 255, "action": "PASSTHROUGH",
            "trafficFilter": [{"dstAddress": ["10.0.0.0/8"]}], "dstInterface": null, "state": "INACTIVE",
        }, {
            "trafficRuleId": "t3", "filterType": "PACKET", "priority": 2, "action": "DUPLICATE_AS_IS",
            "trafficFilter": [{"dstAddress": ["10.0.0.0/8"]}],
            "dstInterface": [{"interfaceType": "IP", "dstIpAddress": "10.0.0.1"},
                             {"interfaceType": "IP", "dstIpAddress": "10.0.0.2"}],
        }, {
            "trafficRuleId": "t4", "filterType": "PACKET", "priority": 3, "action": "DROP",
            "trafficFilter": [{"dstAddress": ["10.0.0.0/8"]}],
            "dstInterface": [{"interfaceType": "IP", "dstIpAddress": "10.0.0.1"}],
        }],
        "appDnsRule": [{
            "dnsRuleId": "d1", "domainName": "www.example.com", "ipAddressType": "IPv4", "ipAddress": "10.0.0.5",
            "ttl": 0,
        }, {
            "dnsRuleId": "d2", "domainName": "six.example.com", "ipAddressType": "IP_V6", "ipAddress": "fd00::1",
            "ttl": 30, "state": "INACTIVE",
        }],
    })
}

#[tokio::test]
async fn a_post_configures_an_application_that_does_not_exist_yet() {
    let platform = Platform::new();
    let answer = send(&platform, "POST", &appd(APP), Some(&body()))
        .await
        .expect(200);
    let id = answer.task_id();
    assert_eq!(
        answer.body,
        json!({"taskId": id, "appInstanceId": APP, "configResult": "PROCESSING", "configPhase": "0",
               "Detailed": "Operation In progress"})
    );
    assert_eq!(platform.finished(&id).await["state"], "SUCCEEDED");
    let task = format!("/mepcfg/app_lcm/v1/tasks/{id}/appd_configuration");
    assert_eq!(
        send(&platform, "GET", &task, None).await.expect(200).body,
        json!({"taskId": id, "appInstanceId": APP, "configResult": "SUCCESS", "configPhase": "100",
               "Detailed": "Operation completed"})
    );
    let ours = platform.get(&configuration(APP)).await.expect(200).body;
    assert_eq!(
        ours,
        json!({
            "appName": "face", "appSupportMp1": true,
            "dnsRules": [
                {"dnsRuleId": "d1", "domainName": "www.example.com", "ipAddressType": "IP_V4",
                 "ipAddress": "10.0.0.5", "state": "ACTIVE"},
                {"dnsRuleId": "d2", "domainName": "six.example.com", "ipAddressType": "IP_V6",
                 "ipAddress": "fd00::1", "ttl": 30, "state": "INACTIVE"},
            ],
            "trafficRules": [
                {"trafficRuleId": "t1", "filterType": "FLOW", "priority": 1, "action": "FORWARD_ENCAPSULATED",
                 "trafficFilter": [{"srcAddress": ["192.168.1.1/28"], "srcPort": ["8080"], "protocol": ["TCP"],
                                    "tgtTunnelAddress": ["10.9.9.9"], "dSCP": 10}],
                 "dstInterface": {"interfaceType": "TUNNEL", "srcMacAddress": "02-00-00-00-00-00",
                                  "dstIpAddress": "10.2.0.1",
                                  "tunnelInfo": {"tunnelType": "GRE", "tunnelDstAddress": "10.3.0.1"}},
                 "state": "ACTIVE"},
                {"trafficRuleId": "t2", "filterType": "PACKET", "priority": 255, "action": "PASSTHROUGH",
                 "trafficFilter": [{"dstAddress": ["10.0.0.0/8"]}], "dstInterface": {"interfaceType": "IP"},
                 "state": "INACTIVE"},
                {"trafficRuleId": "t3", "filterType": "PACKET", "priority": 2, "action": "DUPLICATE_ENCAPSULATED",
                 "trafficFilter": [{"dstAddress": ["10.0.0.0/8"]}],
                 "dstInterface": [{"interfaceType": "IP", "dstIpAddress": "10.0.0.1"},
                                  {"interfaceType": "IP", "dstIpAddress": "10.0.0.2"}],
                 "state": "ACTIVE"},
                {"trafficRuleId": "t4", "filterType": "PACKET", "priority": 3, "action": "DROP",
                 "trafficFilter": [{"dstAddress": ["10.0.0.0/8"]}], "state": "ACTIVE"},
            ],
        })
    );
    let its = send(&platform, "GET", &appd(APP), None).await.expect(200).body;
    let rules = &its["appTrafficRule"];
    assert_eq!(
        (&rules[0]["action"], &rules[2]["action"]),
        (&json!("FORWARD_AS_IS"), &json!("DUPLICATE_AS_IS"))
    );
    assert_eq!(
        rules[0]["dstInterface"],
        json!([ours["trafficRules"][0]["dstInterface"]])
    );
    assert_eq!(
        (&rules[1]["dstInterface"], &rules[3]["dstInterface"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(its["appDNSRule"], ours["dnsRules"]);
    let again = send(&platform, "PUT", &appd(APP), Some(&its))
        .await
        .expect(200)
        .task_id();
    assert_eq!(platform.finished(&again).await["changed"], false);
}

#[tokio::test]
async fn what_the_predecessor_refuses_is_refused_as_it_does() {
    let platform = Platform::new();
    send(&platform, "GET", &appd(APP), None).await.expect(404);
    send(&platform, "PUT", &appd(APP), Some(&body()))
        .await
        .expect(404);
    send(&platform, "DELETE", &appd(APP), None).await.expect(404);
    send(
        &platform,
        "GET",
        "/mepcfg/app_lcm/v1/tasks/x/appd_configuration",
        None,
    )
    .await
    .expect(404);
    send(&platform, "GET", "/mepcfg/app_lcm/v2/nothing", None)
        .await
        .expect(404);
    let created = send(&platform, "POST", &appd(APP), Some(&body()))
        .await
        .expect(200);
    platform.finished(&created.task_id()).await;
    send(&platform, "POST", &appd(APP), Some(&body()))
        .await
        .expect(400);
    send(&platform, "POST", &appd("other"), Some(&body()))
        .await
        .expect_pointer(400, "/appName", "unique");
    let mut renamed = body();
    renamed["appName"] = json!("voice");
    send(&platform, "PUT", &appd(APP), Some(&renamed))
        .await
        .expect_pointer(400, "/appName", "const");
    let changed = |pointer: &str, value: Value| {
        let mut body = body();
        body["appName"] = json!("voice");
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let two = body()["appTrafficRule"][2]["dstInterface"].clone();
    for (body, pointer, rule) in [
        (changed("/appName", json!(null)), "", "required"),
        (
            changed("/appTrafficRule/0/priority", json!(0)),
            "/appTrafficRule/0/priority",
            "minimum",
        ),
        (
            changed("/appTrafficRule/0/priority", json!(256)),
            "/appTrafficRule/0/priority",
            "maximum",
        ),
        (
            changed("/appTrafficRule/0/action", json!("RUN")),
            "/appTrafficRule/0/action",
            "enum",
        ),
        (
            changed("/appTrafficRule/0/dstInterface", two),
            "/appTrafficRule/0/dstInterface",
            "maxItems",
        ),
        (
            changed("/appTrafficRule/0/dstInterface", json!([])),
            "/appTrafficRule/0",
            "if",
        ),
        (
            changed("/appTrafficRule/1/trafficFilter", json!(null)),
            "/appTrafficRule/1/trafficFilter",
            "minItems",
        ),
        (
            changed("/appDnsRule/0/ipAddressType", json!("IPX")),
            "/appDNSRule/0/ipAddressType",
            "enum",
        ),
        (
            changed("/appDnsRule/1/dnsRuleId", json!("d1")),
            "/appDNSRule/1/dnsRuleId",
            "unique",
        ),
        (changed("/appDnsRule", json!({"a": 1})), "/appDNSRule", "type"),
    ] {
        send(&platform, "POST", &appd("new"), Some(&body))
            .await
            .expect_pointer(400, pointer, rule);
    }
}

#[tokio::test]
async fn a_failure_is_told_and_blocks_nothing() {
    let platform = Platform::new();
    platform.fail_with(Fault::Hang);
    let first = send(&platform, "POST", &appd(APP), Some(&body()))
        .await
        .expect(200)
        .task_id();
    send(&platform, "POST", &appd(APP), Some(&body()))
        .await
        .expect(403);
    let mut platform = platform.restart().await;
    platform.fail_with(Fault::Refuse);
    platform.start();
    platform.finished(&first).await;
    let task = format!("/mepcfg/app_lcm/v1/tasks/{first}/appd_configuration");
    let failed = send(&platform, "GET", &task, None).await.expect(200).body;
    assert_eq!(
        (&failed["configResult"], &failed["Detailed"]),
        (&json!("FAILURE"), &json!("the kernel takes no more rules"))
    );
    platform.fail_with(Fault::None);
    let second = send(&platform, "POST", &appd(APP), Some(&body()))
        .await
        .expect(200)
        .task_id();
    assert_eq!(platform.finished(&second).await["state"], "SUCCEEDED");
    let deleted = send(&platform, "DELETE", &appd(APP), None).await.expect(200);
    assert_eq!(deleted.body["configResult"], "PROCESSING");
    assert_eq!(platform.finished(&deleted.task_id()).await["state"], "SUCCEEDED");
    send(&platform, "GET", &appd(APP), None).await.expect(404);
}

#[tokio::test]
async fn capabilities_are_services_with_consumers() {
    let platform = Platform::new();
    let list = "/mepcfg/mec_platform_config/v1/capabilities";
    assert_eq!(
        send(&platform, "GET", list, None).await.expect(200).body,
        json!([])
    );
    let service = json!({"serName": "ExampleService", "version": "1.0", "state": "ACTIVE"});
    platform
        .world
        .put(&keys::service(APP, "s1"), service.to_string().into())
        .await;
    let key = keys::subscription("service-availability", APP, "x");
    let stored = json!({"request": {"filteringCriteria": {"serNames": ["ExampleService"]}}});
    platform.world.put(&key, stored.to_string().into()).await;
    let expected = json!({
        "capabilityId": "s1", "capabilityName": "ExampleService", "status": "ACTIVE", "version": "1.0",
        "consumers": [{"applicationInstanceId": APP}],
    });
    assert_eq!(
        send(&platform, "GET", list, None).await.expect(200).body,
        json!([expected])
    );
    let one = format!("{list}/s1");
    assert_eq!(
        send(&platform, "GET", &one, None).await.expect(200).body,
        expected
    );
    send(&platform, "GET", &format!("{list}/s2"), None)
        .await
        .expect(404);
}

#[tokio::test]
async fn a_termination_is_answered_when_the_application_is_gone() {
    let platform = Platform::new();
    let path = format!("/mep/mec_app_support/v1/applications/{APP}/AppInstanceTermination");
    assert_eq!(
        send(&platform, "DELETE", &path, None).await.expect(200).body,
        json!("")
    );
    let created = send(&platform, "POST", &appd(APP), Some(&body()))
        .await
        .expect(200);
    platform.finished(&created.task_id()).await;
    platform
        .world
        .put(&keys::service(APP, "s1"), b"{}".to_vec())
        .await;
    assert_eq!(
        send(&platform, "DELETE", &path, None).await.expect(200).body,
        json!("")
    );
    assert_eq!(
        platform.world.store.range(keys::SERVICES, None, 9).entries.len(),
        0
    );
    platform.get(&configuration(APP)).await.expect(404);
    send(&platform, "GET", &path, None).await.expect(405);
}
