//! Replacing and removing services, with and without conditions.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::api::{Api, service, transport};

#[tokio::test]
async fn replacing_replaces_everything() {
    let api = Api::new();
    let category = json!({"href": "/c", "id": "1", "name": "n", "version": "1"});
    let created = api
        .post("a", service(json!({"serCategory": category, "isLocal": false})))
        .await
        .expect(201);
    let path = format!(
        "/applications/a/services/{}",
        created.body["serInstanceId"].as_str().unwrap()
    );
    let body = service(json!({"state": "INACTIVE", "transportId": null, "transportInfo": transport()}));
    let replaced = api.call("PUT", &path, &[], body).await.expect(200);
    assert_ne!(replaced.header("etag"), created.header("etag"));
    assert_eq!(
        (replaced.body.get("serCategory"), replaced.body.get("isLocal")),
        (None, None)
    );
    assert_eq!(
        (&replaced.body["state"], &replaced.body["transportInfo"]),
        (&json!("INACTIVE"), &transport())
    );
    assert_eq!(replaced.body["_links"], created.body["_links"]);
    let found = api.get(&path).await.expect(200);
    assert_eq!(
        (&found.body, found.header("etag")),
        (&replaced.body, replaced.header("etag"))
    );
    // The index has moved along.
    assert_eq!(api.get("/services?ser_category_id=1").await.body, json!([]));
}

#[tokio::test]
async fn what_was_got_can_be_put() {
    let api = Api::new();
    let created = api.post("a", service(json!({}))).await.expect(201).body;
    let path = format!(
        "/applications/a/services/{}",
        created["serInstanceId"].as_str().unwrap()
    );
    let found = api.get(&path).await.body;
    assert_eq!(
        api.call("PUT", &path, &[], found.clone()).await.expect(200).body,
        found
    );
}

#[tokio::test]
async fn conditions_guard_changes() {
    let api = Api::new();
    let created = api.post("a", service(json!({}))).await.expect(201);
    let path = format!(
        "/applications/a/services/{}",
        created.body["serInstanceId"].as_str().unwrap()
    );
    let first = created.header("etag").to_owned();
    let put = |etag: String| {
        let (api, path) = (&api, &path);
        async move {
            api.call("PUT", path, &[("if-match", &etag)], service(json!({})))
                .await
        }
    };
    let second = put(first.clone()).await.expect(200).header("etag").to_owned();
    put(first.clone()).await.expect_parameter(412, "If-Match");
    put(format!("W/{second}")).await.expect_parameter(412, "If-Match");
    put(format!("\"other\", {second}")).await.expect(200);
    put("*".to_owned()).await.expect(200);
    put("unquoted".to_owned()).await.expect_parameter(412, "If-Match");
    api.call("DELETE", &path, &[("if-match", &first)], Value::Null)
        .await
        .expect_parameter(412, "If-Match");
    let last = api.get(&path).await.expect(200).header("etag").to_owned();
    let unchanged = api
        .call("GET", &path, &[("if-none-match", &last)], Value::Null)
        .await
        .expect(304);
    assert_eq!(
        (unchanged.header("etag"), &unchanged.body),
        (last.as_str(), &Value::Null)
    );
    api.call("DELETE", &path, &[("if-match", &last)], Value::Null)
        .await
        .expect(204);
    for (method, body) in [
        ("GET", Value::Null),
        ("PUT", service(json!({}))),
        ("DELETE", Value::Null),
    ] {
        api.call(method, &path, &[], body)
            .await
            .expect_parameter(404, "serviceId");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_changes_on_one_state_one_wins() {
    let api = Arc::new(Api::new());
    let created = api.post("a", service(json!({}))).await.expect(201);
    let path = format!(
        "/applications/a/services/{}",
        created.body["serInstanceId"].as_str().unwrap()
    );
    let mut etag = created.header("etag").to_owned();
    for round in 0..20 {
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let (api, path, etag) = (api.clone(), path.clone(), etag.clone());
                let body = service(json!({"version": format!("{round}.{task}")}));
                tokio::spawn(async move { api.call("PUT", &path, &[("if-match", &etag)], body).await })
            })
            .collect();
        let mut winners = Vec::new();
        for task in tasks {
            let answer = task.await.unwrap();
            match answer.status {
                200 => winners.push(answer),
                status => assert_eq!(status, 412),
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(api.get(&path).await.body, winners[0].body);
        etag = winners[0].header("etag").to_owned();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_without_conditions_never_fail_for_being_concurrent() {
    let api = Arc::new(Api::new());
    let id = api.register("a", service(json!({}))).await;
    let tasks: Vec<_> = (0..32)
        .map(|task| {
            let (api, path) = (api.clone(), format!("/applications/a/services/{id}"));
            let body = service(json!({"version": format!("{task}")}));
            tokio::spawn(async move { api.call("PUT", &path, &[], body).await.status })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
}
