//! Capabilities with their consumers, and subscriptions of managers.

use mecforge_contracts::keys;
use mecforge_mm5::Options;
use serde_json::json;

use crate::platform::Platform;

#[tokio::test]
async fn capabilities_name_their_consumers() {
    let platform = Platform::with(Options {
        transports: vec!["rest-http".to_owned()],
        ..Options::default()
    });
    let service = json!({
        "serName": "location", "version": "1.2", "state": "ACTIVE",
        "serCategory": {"href": "/c", "id": "c1", "name": "geo", "version": "1"},
    });
    let world = &platform.world;
    world
        .put(&keys::service("p", "s1"), service.to_string().into())
        .await;
    let other = json!({"serName": "weather", "version": "1", "state": "SUSPENDED"});
    world
        .put(&keys::service("p", "s2"), other.to_string().into())
        .await;
    platform
        .configure(
            "a",
            &json!({"appName": "a", "requiredServices": [{"serName": "location", "version": "1"}]}),
        )
        .await;
    let registered = json!({"appName": "b", "appServiceOptional": [{"serName": "location", "version": "1"}]});
    world
        .put(&keys::application("b"), registered.to_string().into())
        .await;
    for (app, criteria) in [
        ("c", json!({"serCategories": [{"id": "c1"}]})),
        ("d", json!({"serInstanceIds": ["s2"]})),
        ("e", json!({"serNames": ["location"]})),
        ("e", json!({"states": ["ACTIVE"]})),
    ] {
        let key = keys::subscription("service-availability", app, &criteria.to_string());
        let stored = json!({"target": {"callback": "http://x"}, "request": {"filteringCriteria": criteria}});
        world.put(&key, stored.to_string().into()).await;
    }
    let all = platform.get("/capabilities").await.expect(200).body;
    let names: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|capability| capability["capabilityId"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "s1",
            "s2",
            "platform.dns",
            "platform.traffic-rules",
            "platform.transports"
        ]
    );
    let consumers = |ids: &[&str]| {
        ids.iter()
            .map(|id| json!({"applicationInstanceId": id}))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        all[0],
        json!({
            "capabilityId": "s1", "capabilityName": "location", "kind": "SERVICE", "status": "ACTIVE",
            "version": "1.2", "categoryId": "c1", "categoryName": "geo", "appInstanceId": "p",
            "consumers": consumers(&["a", "b", "c", "e"]),
        })
    );
    assert_eq!(
        (&all[1]["status"], &all[1]["consumers"]),
        (&json!("SUSPENDED"), &json!(consumers(&["d"])))
    );
    assert_eq!(all[2]["details"], json!({"listensOn": ["127.0.0.1:5300"]}));
    assert_eq!(all[3]["details"]["backend"], "test");
    assert_eq!(platform.get("/capabilities/s2").await.expect(200).body, all[1]);
    platform
        .get("/capabilities/s3")
        .await
        .expect_parameter(404, "capabilityId");
    let page = platform
        .get("/capabilities?kind=SERVICE&limit=1")
        .await
        .expect(200);
    assert!(
        page.header("link").contains("kind=SERVICE&limit=1&after=s1>"),
        "{page:?}"
    );
    for (query, expected) in [
        ("category=c1", "s1"),
        ("name=weather", "s2"),
        ("kind=SERVICE&after=s1", "s2"),
    ] {
        let found = platform
            .get(&format!("/capabilities?{query}"))
            .await
            .expect(200)
            .body;
        assert_eq!(
            (found.as_array().unwrap().len(), &found[0]["capabilityId"]),
            (1, &json!(expected)),
            "{query}"
        );
    }
}

#[tokio::test]
async fn subscriptions_come_and_go() {
    let platform = Platform::with(Options {
        subscriptions: 2,
        ..Options::default()
    });
    assert_eq!(platform.get("/subscriptions").await.expect(200).body, json!([]));
    let body = json!({"callbackUri": "http://127.0.0.1:9/x", "eventTypes": ["SERVICE_ADDED"], "appInstanceIds": ["a"]});
    let made = platform
        .send("POST", "/subscriptions", Some(&body))
        .await
        .expect(201);
    let id = made.body["subscriptionId"].as_str().unwrap();
    assert_eq!(
        made.header("location"),
        format!("http://mep.example/mm5/v1/subscriptions/{id}")
    );
    let path = format!("/subscriptions/{id}");
    let read = platform.get(&path).await.expect(200);
    assert_eq!(
        (&read.body, read.header("etag")),
        (&made.body, made.header("etag"))
    );
    assert_eq!(read.body["eventTypes"], body["eventTypes"]);
    let second = json!({"callbackUri": "http://127.0.0.1:9/y"});
    platform
        .send("POST", "/subscriptions", Some(&second))
        .await
        .expect(201);
    platform
        .send("POST", "/subscriptions", Some(&second))
        .await
        .expect(403);
    let listed = platform.get("/subscriptions").await.expect(200).body;
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]), (2, &made.body));
    platform.send("DELETE", &path, None).await.expect(204);
    platform
        .send("DELETE", &path, None)
        .await
        .expect_parameter(404, "subscriptionId");
    platform.get(&path).await.expect_parameter(404, "subscriptionId");
    for (body, pointer, rule) in [
        (json!({}), "", "required"),
        (json!({"callbackUri": "x"}), "/callbackUri", "format"),
        (
            json!({"callbackUri": "http://metadata/"}),
            "/callbackUri",
            "callbackPolicy",
        ),
        (
            json!({"callbackUri": "http://x", "eventTypes": []}),
            "/eventTypes",
            "minItems",
        ),
        (
            json!({"callbackUri": "http://x", "eventTypes": ["X"]}),
            "/eventTypes/0",
            "enum",
        ),
        (
            json!({"callbackUri": "http://x", "events": []}),
            "/events",
            "additionalProperties",
        ),
    ] {
        platform
            .send("POST", "/subscriptions", Some(&body))
            .await
            .expect_pointer(400, pointer, rule);
    }
}
