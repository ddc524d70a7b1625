//! Application instances, listed, filtered and paged.

use mecforge_contracts::{keys, lifecycle::Life};
use serde_json::{Value, json};

use crate::platform::{Platform, dns};

fn ids(body: &Value) -> Vec<&str> {
    let instances = body.as_array().unwrap().iter();
    instances
        .map(|instance| instance["appInstanceId"].as_str().unwrap())
        .collect()
}

async fn populated() -> Platform {
    let platform = Platform::new();
    for app in ["a/1", "b", "c", "d"] {
        platform
            .world
            .put(
                &keys::application(app),
                json!({"appName": format!("registered {app}")}).to_string().into(),
            )
            .await;
    }
    for (app, encoded) in [("b", "b"), ("e", "e"), ("a/1", "a%2F1")] {
        let body = json!({"appName": format!("configured {app}"), "dnsRules": [dns("d", "a.example")]});
        assert_eq!(platform.configure(encoded, &body).await["state"], "SUCCEEDED");
    }
    let ready = Life {
        ready: true,
        pending: None,
    };
    platform.world.set_life("c", ready).await;
    platform
}

#[tokio::test]
async fn what_is_configured_and_what_is_registered_is_listed_once() {
    let platform = populated().await;
    let all = platform.get("/applications").await.expect(200);
    assert_eq!(ids(&all.body), ["a/1", "b", "c", "d", "e"]);
    assert_eq!(
        all.body[1],
        json!({
            "appInstanceId": "b", "appName": "configured b", "configured": true, "registered": true,
            "state": "NOT_READY", "ready": false, "services": 0, "dnsRules": 1, "trafficRules": 0,
        })
    );
    assert_eq!(
        platform.get("/applications/a%2F1").await.expect(200).body,
        all.body[0]
    );
    platform
        .get("/applications/x")
        .await
        .expect_parameter(404, "appInstanceId");
}

#[tokio::test]
async fn filters_narrow() {
    let platform = populated().await;
    for (query, expected) in [
        ("configured=true", vec!["a/1", "b", "e"]),
        ("configured=false", vec!["c", "d"]),
        ("registered=false", vec!["e"]),
        ("configured=true&registered=true", vec!["a/1", "b"]),
        ("state=READY", vec!["c"]),
        ("appName=registered%20d", vec!["d"]),
        ("appName=nobody", vec![]),
    ] {
        let found = platform.get(&format!("/applications?{query}")).await.expect(200);
        assert_eq!(ids(&found.body), expected, "{query}");
    }
    platform
        .get("/applications?state=ASLEEP")
        .await
        .expect_parameter(400, "state");
    platform
        .get("/applications?configured=maybe")
        .await
        .expect_parameter(400, "configured");
    platform
        .get("/applications?limit=1001")
        .await
        .expect_parameter(400, "limit");
}

#[tokio::test]
async fn pages_make_up_the_list() {
    let platform = populated().await;
    for (query, expected) in [
        ("", vec!["a/1", "b", "c", "d", "e"]),
        ("configured=true&", vec!["a/1", "b", "e"]),
    ] {
        for limit in 1..=5 {
            let mut found: Vec<String> = Vec::new();
            let mut next = Some(format!("/applications?{query}limit={limit}"));
            while let Some(path) = next {
                let page = platform.get(&path).await.expect(200);
                assert!(page.body.as_array().unwrap().len() <= limit);
                found.extend(ids(&page.body).into_iter().map(str::to_owned));
                let link = page.header("link").strip_prefix("<http://mep.example/mm5/v1");
                next = link.map(|link| link.split('>').next().unwrap().to_owned());
            }
            assert_eq!(found, expected, "{query} {limit}");
        }
    }
}
