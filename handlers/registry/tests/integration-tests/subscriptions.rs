//! Subscriptions as resources.

use std::sync::Arc;

use mecforge_registry::Options;
use serde_json::{Value, json};

use crate::api::{Api, service, subscription};

const LIST: &str = "/applications/a/subscriptions";

#[tokio::test]
async fn subscriptions_are_made_listed_read_and_deleted() {
    let api = Api::new();
    let empty = api.get(LIST).await.expect(200).body;
    let own = "http://mep.test:8080/mec_service_mgmt/v1/applications/a/subscriptions";
    assert_eq!(
        empty,
        json!({"_links": {"self": {"href": own}, "subscriptions": []}})
    );
    let criteria = json!({"serNames": ["weather"], "states": ["ACTIVE"], "isLocal": true});
    let made = api
        .call("POST", LIST, &[], subscription(criteria.clone()))
        .await
        .expect(201);
    let location = made.header("location").to_owned();
    assert_eq!(
        made.body,
        json!({
            "subscriptionType": "SerAvailabilityNotificationSubscription",
            "callbackReference": "http://app.example/cb",
            "filteringCriteria": criteria,
            "_links": {"self": {"href": location}},
        })
    );
    let id = location.strip_prefix(own).unwrap();
    let path = format!("{LIST}{id}");
    let found = api.get(&path).await.expect(200);
    assert_eq!(
        (&found.body, found.header("etag")),
        (&made.body, made.header("etag"))
    );
    // Both names of the type, for clients of both releases.
    let kind = "SerAvailabilityNotificationSubscription";
    assert_eq!(
        api.get(LIST).await.body["_links"]["subscriptions"],
        json!([{"href": location, "subscriptionType": kind, "rel": kind}])
    );
    let api = api.restarted();
    assert_eq!(api.get(&path).await.expect(200).body, made.body);
    api.call("PUT", &path, &[], subscription(Value::Null))
        .await
        .expect(405);
    api.call("DELETE", &path, &[("if-match", "\"other\"")], Value::Null)
        .await
        .expect_parameter(412, "If-Match");
    api.delete(&path).await.expect(204);
    api.delete(&path).await.expect_parameter(404, "subscriptionId");
    api.get(&path).await.expect_parameter(404, "subscriptionId");
    assert_eq!(api.get(LIST).await.body, empty);
}

#[tokio::test]
async fn criteria_that_exclude_each_other_are_refused_with_their_names() {
    let api = Api::new();
    let category = json!([{"href": "/c", "id": "1", "name": "n", "version": "1"}]);
    for criteria in [
        json!({"serNames": ["a"], "serInstanceIds": ["1"]}),
        json!({"serNames": ["a"], "serCategories": category}),
        json!({"serInstanceIds": ["1"], "serCategories": category}),
    ] {
        let answer = api.call("POST", LIST, &[], subscription(criteria)).await;
        let detail = answer.body["detail"].as_str().unwrap().to_owned();
        for name in ["serCategories", "serInstanceIds", "serNames"] {
            assert!(detail.contains(name), "{detail}");
        }
        answer.expect_pointer(400, "/filteringCriteria", "not");
    }
}

#[tokio::test]
async fn what_cannot_be_subscribed_is_refused() {
    let api = Api::new();
    let with = |name: &str, value: Value| {
        let mut body = subscription(Value::Null);
        body[name] = value;
        body
    };
    for (body, pointer, rule) in [
        (
            with("callbackReference", json!("http://forbidden.example/")),
            "/callbackReference",
            "callbackPolicy",
        ),
        (
            with("callbackReference", json!("/relative")),
            "/callbackReference",
            "format",
        ),
        (
            with("subscriptionType", json!("Other")),
            "/subscriptionType",
            "enum",
        ),
        (
            subscription(json!({"states": ["GONE"]})),
            "/filteringCriteria/states/0",
            "enum",
        ),
    ] {
        api.call("POST", LIST, &[], body)
            .await
            .expect_pointer(400, pointer, rule);
    }
    api.call(
        "POST",
        "/applications/c/subscriptions",
        &[],
        subscription(Value::Null),
    )
    .await
    .expect_parameter(404, "appInstanceId");
    assert_eq!(api.registry.subscriptions().count(), 0);
}

#[tokio::test]
async fn an_application_reaches_only_its_own_subscriptions() {
    let api = Api::new();
    let id = api.subscribe("a", Value::Null).await;
    for path in [
        format!("/applications/b/subscriptions/{id}"),
        "/applications/a/subscriptions/unknown".to_owned(),
    ] {
        api.get(&path).await.expect_parameter(404, "subscriptionId");
        api.delete(&path).await.expect_parameter(404, "subscriptionId");
    }
    assert_eq!(
        api.get("/applications/b/subscriptions").await.body["_links"]["subscriptions"],
        json!([])
    );
}

#[tokio::test]
async fn the_number_of_subscriptions_can_be_limited() {
    let api = Api::with(Options {
        subscriptions_per_application: Some(1),
        ..Options::default()
    });
    let id = api.subscribe("a", Value::Null).await;
    api.call("POST", LIST, &[], subscription(Value::Null))
        .await
        .expect(403);
    api.subscribe("b", Value::Null).await;
    api.delete(&format!("{LIST}/{id}")).await.expect(204);
    api.subscribe("a", Value::Null).await;
}

/// Whoever has subscribed and then lists services has either seen a service in the list or is told of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_service_slips_between_subscribing_and_listing() {
    let api = Arc::new(Api::with(Options {
        subscriptions_per_application: None,
        ..Options::default()
    }));
    let registering: Vec<_> = (0..4)
        .map(|task| {
            let api = api.clone();
            tokio::spawn(async move {
                for number in 0..40 {
                    let name = format!("service-{task}-{number}");
                    api.register("a", service(json!({"serName": name}))).await;
                }
            })
        })
        .collect();
    let mut seen = Vec::new();
    for _ in 0..30 {
        let id = api.subscribe("b", Value::Null).await;
        let listed = api.get("/services").await.body.as_array().unwrap().len();
        seen.push((id, listed));
    }
    for task in registering {
        task.await.unwrap();
    }
    for (id, listed) in seen {
        // Told of at least what was not in the list; of more if it came between the two.
        let told = api.told("b", &id).len();
        assert!(listed + told >= 160, "{listed} listed and {told} told of 160");
        assert!(told <= 160);
    }
}
