//! Lists and their query parameters.

use serde_json::{Value, json};

use crate::api::{Api, service};

/// Services named after what tells them apart.
async fn filled() -> (Api, String) {
    let api = Api::new();
    let category = |id: &str| json!({"href": "/catalogue", "id": id, "name": "any", "version": "1"});
    api.register("a", service(json!({"serName": "plain"}))).await;
    api.register(
        "a",
        service(json!({"serName": "zone", "scopeOfLocality": "ZONE", "serCategory": category("1")})),
    )
    .await;
    api.register(
        "b",
        service(json!({"serName": "open", "consumedLocalOnly": false, "serCategory": category("2")})),
    )
    .await;
    let id = api
        .register(
            "b",
            service(json!({"serName": "remote", "isLocal": false, "serCategory": category("1")})),
        )
        .await;
    (api, id)
}

async fn names(api: &Api, path: &str) -> Vec<String> {
    let answer = api.get(path).await.expect(200);
    let services = answer.body.as_array().unwrap().iter();
    services
        .map(|service| service["serName"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn filters_narrow_and_lists_within_one_widen() {
    let (api, id) = filled().await;
    for (query, expected) in [
        ("", vec!["plain", "zone", "open", "remote"]),
        ("ser_name=zone", vec!["zone"]),
        ("ser_name=zone&ser_name=open", vec!["zone", "open"]),
        ("ser_name=open,zone,open", vec!["zone", "open"]),
        ("ser_name=nobody", vec![]),
        ("ser_category_id=1", vec!["zone", "remote"]),
        ("ser_category_id=3", vec![]),
        (&format!("ser_instance_id={id}"), vec!["remote"]),
        ("ser_instance_id=unknown", vec![]),
        // What is absent is MEC_HOST, consumed locally, and local.
        ("scope_of_locality=MEC_HOST", vec!["plain", "open", "remote"]),
        ("scope_of_locality=ZONE", vec!["zone"]),
        ("consumed_local_only=true", vec!["plain", "zone", "remote"]),
        ("consumed_local_only=false", vec!["open"]),
        ("is_local=true", vec!["plain", "zone", "open"]),
        // Local and remote ones: no restriction.
        ("is_local=false", vec!["plain", "zone", "open", "remote"]),
        ("ser_category_id=1&is_local=true", vec!["zone"]),
        (
            "ser_name=zone,open&consumed_local_only=true&scope_of_locality=ZONE&is_local=true",
            vec!["zone"],
        ),
        ("ser_name=zone&scope_of_locality=MEC_HOST", vec![]),
    ] {
        assert_eq!(
            names(&api, &format!("/services?{query}")).await,
            expected,
            "{query}"
        );
        let mine: Vec<_> = expected
            .into_iter()
            .filter(|name| ["plain", "zone"].contains(name))
            .collect();
        assert_eq!(
            names(&api, &format!("/applications/a/services?{query}")).await,
            mine,
            "{query} of a"
        );
    }
}

#[tokio::test]
async fn ways_of_choosing_exclude_each_other() {
    let (api, id) = filled().await;
    for (query, parameter) in [
        (format!("ser_instance_id={id}&ser_name=zone"), "ser_name"),
        ("ser_name=zone&ser_category_id=1".to_owned(), "ser_category_id"),
        (
            format!("ser_category_id=1&ser_instance_id={id}"),
            "ser_category_id",
        ),
        (
            format!("ser_category_id=1&ser_instance_id={id}&ser_name=zone"),
            "ser_name",
        ),
    ] {
        for path in ["/services", "/applications/a/services"] {
            api.get(&format!("{path}?{query}"))
                .await
                .expect_parameter(400, parameter);
        }
    }
}

#[tokio::test]
async fn values_are_checked() {
    let (api, _) = filled().await;
    for (query, parameter) in [
        ("is_local=maybe", "is_local"),
        ("is_local=true&is_local=true", "is_local"),
        ("scope_of_locality=HOST", "scope_of_locality"),
        ("consumed_local_only=", "consumed_local_only"),
        ("ser_category_id=1&ser_category_id=2", "ser_category_id"),
        ("serName=zone", "serName"),
    ] {
        api.get(&format!("/services?{query}"))
            .await
            .expect_parameter(400, parameter);
    }
}

#[tokio::test]
async fn lists_follow_removals() {
    let (api, id) = filled().await;
    api.call(
        "DELETE",
        &format!("/applications/b/services/{id}"),
        &[],
        Value::Null,
    )
    .await
    .expect(204);
    assert_eq!(names(&api, "/services?ser_category_id=1").await, ["zone"]);
    assert_eq!(
        names(&api, "/services?ser_name=remote").await,
        Vec::<String>::new()
    );
    assert_eq!(names(&api, "/applications/b/services").await, ["open"]);
}
