//! Registering and reading services.

use mecforge_registry::Options;
use mecforge_runtime::server::{Principal, PublicUrl};
use serde_json::{Value, json};

use crate::api::{Api, service, transport};

/// The path below the API's root of an absolute link of this API.
fn relative(link: &str) -> &str {
    link.strip_prefix("http://mep.test:8080/mec_service_mgmt/v1")
        .unwrap()
}

#[tokio::test]
async fn what_was_registered_is_found_where_location_says() {
    let api = Api::new();
    let created = api
        .post("a", service(json!({"scopeOfLocality": "ZONE", "isLocal": false})))
        .await
        .expect(201);
    let location = created.header("location").to_owned();
    assert_eq!(created.body["_links"]["self"]["href"], location.as_str());
    let found = api.get(relative(&location)).await.expect(200);
    assert_eq!(found.body, created.body);
    assert_eq!(found.header("etag"), created.header("etag"));
    assert!(
        found.header("etag").starts_with('"'),
        "a strong tag: {}",
        found.header("etag")
    );
    let id = created.body["serInstanceId"].as_str().unwrap();
    assert_eq!(
        api.get(&format!("/services/{id}")).await.expect(200).body,
        created.body
    );
    assert_eq!(api.get("/services").await.expect(200).body, json!([created.body]));
    assert_eq!(
        api.get("/applications/a/services").await.expect(200).body,
        json!([created.body])
    );
    assert_eq!(
        api.get("/applications/b/services").await.expect(200).body,
        json!([])
    );
}

#[tokio::test]
async fn answers_show_what_was_sent_and_nothing_more() {
    let api = Api::new();
    let body = service(json!({"transportId": null, "transportInfo": transport(), "unknown": 1}));
    let created = api.post("a", body).await.expect(201);
    let id = created.body["serInstanceId"].clone();
    assert_eq!(
        created.body,
        json!({
            "serInstanceId": id, "serName": "weather", "version": "1.0", "state": "ACTIVE", "serializer": "JSON",
            "transportInfo": transport(), "_links": {"self": {"href": created.header("location")}},
        })
    );
}

#[tokio::test]
async fn an_offered_transport_is_answered_in_full() {
    let api = Api::new();
    let transports = api.get("/transports").await.expect(200).body;
    assert_eq!(transports[0]["id"], "rest-http");
    let created = api.post("a", service(json!({}))).await.expect(201);
    assert_eq!(created.body["transportInfo"], transports[0]);
    assert_eq!(created.body.get("transportId"), None);
    api.post("a", service(json!({"transportId": "x"})))
        .await
        .expect_pointer(400, "/transportId", "offeredTransport");
}

#[tokio::test]
async fn exactly_one_transport_must_be_given() {
    let api = Api::new();
    for changes in [
        json!({"transportId": null}),
        json!({"transportInfo": transport()}),
    ] {
        api.post("a", service(changes))
            .await
            .expect_pointer(400, "", "oneOf");
    }
    let mut two = transport();
    two["endpoint"]["uris"] = json!(["http://10.0.0.1"]);
    let body = service(json!({"transportId": null, "transportInfo": two}));
    api.post("a", body)
        .await
        .expect_pointer(400, "/transportInfo/endpoint", "oneOf");
    assert_eq!(api.get("/services").await.body, json!([]));
}

#[tokio::test]
async fn broken_rules_are_named_with_their_place() {
    let api = Api::new();
    for (changes, pointer, rule) in [
        (json!({"state": "RUNNING"}), "/state", "enum"),
        (json!({"serName": null}), "/serName", "required"),
        (json!({"version": 1}), "/version", "type"),
        (json!({"livenessInterval": -1}), "/livenessInterval", "minimum"),
        (
            json!({"serCategory": {"href": "/c", "id": "1", "name": "n"}}),
            "/serCategory/version",
            "required",
        ),
    ] {
        let answer = api.post("a", service(changes)).await;
        let (found, expected) = (answer.body["pointer"].clone(), json!(pointer));
        // A missing property may be named itself or by what lacks it.
        let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        assert!(
            found == expected || (rule == "required" && found == parent),
            "{answer:?}"
        );
        assert_eq!(
            (answer.status, &answer.body["rule"]),
            (400, &json!(rule)),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn unknown_applications_are_not_found() {
    let api = Api::new();
    api.post("c", service(json!({})))
        .await
        .expect_parameter(404, "appInstanceId");
    for path in [
        "/applications/c/services",
        "/applications/c/services/1",
        "/applications/c/subscriptions",
    ] {
        api.get(path).await.expect_parameter(404, "appInstanceId");
    }
}

#[tokio::test]
async fn an_application_reaches_only_its_own_services() {
    let mut api = Api::new();
    let id = api.register("a", service(json!({}))).await;
    let others = format!("/applications/b/services/{id}");
    api.get(&others).await.expect_parameter(404, "serviceId");
    api.call("PUT", &others, &[], service(json!({})))
        .await
        .expect_parameter(404, "serviceId");
    api.call("DELETE", &others, &[], Value::Null)
        .await
        .expect_parameter(404, "serviceId");
    api.principal = Principal::application("b");
    let own = format!("/applications/a/services/{id}");
    for (method, body) in [
        ("GET", Value::Null),
        ("PUT", service(json!({}))),
        ("DELETE", Value::Null),
    ] {
        api.call(method, &own, &[], body)
            .await
            .expect_parameter(403, "appInstanceId");
    }
    api.post("a", service(json!({})))
        .await
        .expect_parameter(403, "appInstanceId");
    // Discovery is for everybody.
    api.get(&format!("/services/{id}")).await.expect(200);
}

#[tokio::test]
async fn links_are_absolute_and_follow_the_public_url() {
    let mut api = Api::new();
    let id = api.register("a", service(json!({}))).await;
    api.public_url = Some(PublicUrl::new("https://mec.example/platform/"));
    let found = api.get(&format!("/services/{id}")).await.body;
    let expected = format!("https://mec.example/platform/mec_service_mgmt/v1/applications/a/services/{id}");
    assert_eq!(found["_links"]["self"]["href"], expected);
}

#[tokio::test]
async fn identifiers_are_encoded_in_links() {
    let api = Api::new();
    api.applications.0.lock().unwrap().insert("a/b c%".to_owned());
    let created = api.post("a%2Fb%20c%25", service(json!({}))).await.expect(201);
    let location = created.header("location").to_owned();
    assert!(
        location.contains("/applications/a%2Fb%20c%25/services/"),
        "{location}"
    );
    assert_eq!(api.get(relative(&location)).await.expect(200).body, created.body);
}

#[tokio::test]
async fn services_survive_a_restart_in_their_order() {
    let api = Api::new();
    for name in ["z", "y", "x"] {
        api.register("a", service(json!({"serName": name}))).await;
    }
    let before = api.get("/services").await.body;
    assert_eq!(before[0]["serName"], "z");
    let api = api.restarted();
    assert_eq!(api.get("/services").await.body, before);
}

#[tokio::test]
async fn the_number_of_services_can_be_limited() {
    let api = Api::with(Options {
        services_per_application: Some(2),
        ..Options::default()
    });
    api.register("a", service(json!({}))).await;
    api.register("a", service(json!({}))).await;
    api.post("a", service(json!({}))).await.expect(403);
    api.register("b", service(json!({}))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_limit_holds_for_those_who_come_together() {
    let api = std::sync::Arc::new(Api::with(Options {
        services_per_application: Some(3),
        ..Options::default()
    }));
    let tasks: Vec<_> = (0..24)
        .map(|_| {
            let api = api.clone();
            tokio::spawn(async move { api.post("a", service(json!({}))).await.status })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers.sort_unstable();
    assert_eq!((&answers[..4], answers[23]), (&[201, 201, 201, 403][..], 403));
    assert_eq!(api.registry.count(None), 3);
}

#[tokio::test]
async fn services_of_applications_that_are_gone_are_removed_at_the_start() {
    let api = Api::new();
    api.register("a", service(json!({}))).await;
    let kept = api.register("b", service(json!({}))).await;
    let api = api.restarted();
    api.applications.0.lock().unwrap().remove("a");
    assert_eq!(api.registry.remove_orphans().await, Ok(1));
    let services = api.get("/services").await.body;
    assert_eq!(
        (services.as_array().unwrap().len(), &services[0]["serInstanceId"]),
        (1, &json!(kept))
    );
    assert!(api.path().exists());
}
