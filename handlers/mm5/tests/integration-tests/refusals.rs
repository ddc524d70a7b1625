//! Every refusal is a problem document that names what is at fault.

use mecforge_runtime::server::Principal;
use serde_json::{Value, json};

use crate::platform::{Platform, configuration, dns, traffic};

#[tokio::test]
async fn bodies_are_judged_by_place_and_rule() {
    let platform = Platform::new();
    let many = |rule: fn(u64) -> Value, count: u64| (0..count).map(rule).collect::<Vec<_>>();
    let long = "n".repeat(129);
    for (body, pointer, rule) in [
        (json!([]), "", "type"),
        (json!({}), "", "required"),
        (json!({"appName": 1}), "/appName", "type"),
        (json!({"appName": ""}), "/appName", "minLength"),
        (json!({"appName": long}), "/appName", "maxLength"),
        (json!({"appName": "a\u{0}"}), "/appName", "pattern"),
        (json!({"appName": "a\u{85}b"}), "/appName", "pattern"),
        (
            json!({"appName": "n", "dnsRule": []}),
            "/dnsRule",
            "additionalProperties",
        ),
        (json!({"appName": "n", "dnsRules": {}}), "/dnsRules", "type"),
        (
            json!({"appName": "n", "dnsRules": [{}]}),
            "/dnsRules/0",
            "required",
        ),
        (
            json!({"appName": "n", "producedServices": [{"serName": "s"}]}),
            "/producedServices/0",
            "required",
        ),
        (
            json!({"appName": "n", "dnsRules": [dns("d", "a.example"), dns("d", "b.example")]}),
            "/dnsRules/1/dnsRuleId",
            "unique",
        ),
        (
            json!({"appName": "n", "dnsRules": [dns("..", "a.example")]}),
            "/dnsRules/0/dnsRuleId",
            "identifier",
        ),
        (
            json!({"appName": "n", "trafficRules": [traffic("t", 256)]}),
            "/trafficRules/0/priority",
            "maximum",
        ),
        (
            json!({"appName": "n", "trafficRules": many(|index| traffic(&index.to_string(), 1), 17)}),
            "/trafficRules",
            "maxItems",
        ),
        (
            json!({"appName": "n", "dnsRules": many(|index| dns(&index.to_string(), "x.example"), 33)}),
            "/dnsRules",
            "maxItems",
        ),
    ] {
        for method in ["POST", "PUT"] {
            platform
                .send(method, &configuration("a"), Some(&body))
                .await
                .expect_pointer(400, pointer, rule);
        }
    }
    platform
        .send(
            "POST",
            "/applications/a/terminate",
            Some(&json!({"operationAction": "DYING"})),
        )
        .await
        .expect_pointer(400, "/operationAction", "enum");
    let long = json!({"operationAction": "STOPPING", "maxGracefulTimeout": 3601});
    platform
        .send("POST", "/applications/a/terminate", Some(&long))
        .await
        .expect_pointer(400, "/maxGracefulTimeout", "maximum");
    assert_eq!(platform.get("/tasks").await.expect(200).body, json!([]));
}

#[tokio::test]
async fn what_is_no_request_of_ours_is_a_problem_too() {
    let platform = Platform::new();
    platform.get("/nothing").await.expect(404);
    let wrong = platform.send("DELETE", "/tasks", None).await.expect(405);
    assert_eq!(wrong.header("allow"), "GET, HEAD, OPTIONS");
    let text = [("content-type", "text/plain")];
    let body = json!({"appName": "n"});
    platform
        .send_with("PUT", &configuration("a"), Some(&body), &text)
        .await
        .expect(415);
    platform
        .send("PUT", &configuration("a"), None)
        .await
        .expect_pointer(400, "", "required");
    platform
        .send_with("GET", "/tasks", None, &[("accept", "text/html")])
        .await
        .expect_parameter(406, "Accept");
    platform
        .send("PUT", &configuration("%2E%2E"), Some(&body))
        .await
        .expect_parameter(400, "appInstanceId");
    let long = "a".repeat(257);
    platform
        .send("PUT", &configuration(&long), Some(&body))
        .await
        .expect_parameter(400, "appInstanceId");
    platform
        .send(
            "POST",
            "/applications/a/terminate",
            Some(&json!({"operationAction": "STOPPING"})),
        )
        .await
        .expect_parameter(404, "appInstanceId");
    platform.configure("a", &body).await;
    platform
        .send(
            "DELETE",
            &format!("{}?gracePeriod=3601", configuration("a")),
            None,
        )
        .await
        .expect_parameter(400, "gracePeriod");
    platform
        .send("DELETE", &format!("{}?gracePeriod=-1", configuration("a")), None)
        .await
        .expect_parameter(400, "gracePeriod");
}

#[tokio::test]
async fn applications_are_no_managers() {
    let mut platform = Platform::new();
    platform.principal = Principal::application("a");
    for path in [
        "/applications",
        "/tasks",
        "/capabilities",
        "/subscriptions",
        "/applications/a",
    ] {
        platform.get(path).await.expect(403);
    }
    platform
        .send("PUT", &configuration("a"), Some(&json!({"appName": "n"})))
        .await
        .expect(403);
    platform.principal = Principal::operator("o");
    platform.get("/tasks").await.expect(200);
}
