//! Answers that are kept are as good as new ones.

use axum::body::Body;
use serde_json::json;

use crate::in_process::{InProcess, SERVICES, SUPPORT, service};

#[tokio::test]
async fn kept_answers_end_with_any_change() {
    let platform = InProcess::with_application().await;
    let created = platform
        .json(
            "POST",
            &format!("{SERVICES}/applications/app/services"),
            service("one"),
        )
        .await
        .expect(201);
    let id = created.body["serInstanceId"].as_str().unwrap();
    let (public, own) = (
        format!("{SERVICES}/services/{id}"),
        format!("{SERVICES}/applications/app/services/{id}"),
    );
    for path in [&public, &own] {
        for _ in 0..2 {
            let found = platform.get(path).await.expect(200);
            assert_eq!(
                (&found.body, found.header("etag")),
                (&created.body, created.header("etag"))
            );
        }
    }
    let replaced = platform.json("PUT", &own, service("two")).await.expect(200);
    for path in [&public, &own] {
        let found = platform.get(path).await.expect(200);
        assert_eq!(
            (&found.body, found.header("etag")),
            (&replaced.body, replaced.header("etag"))
        );
    }
    platform
        .call(
            "DELETE",
            &format!("{SUPPORT}/registrations/app"),
            &[],
            Body::empty(),
        )
        .await
        .expect(204);
    for path in [&public, &own] {
        platform.get(path).await.expect(404);
    }
}

#[tokio::test]
async fn what_makes_a_difference_is_not_answered_with_what_was_kept() {
    let platform = InProcess::with_application().await;
    let created = platform
        .json(
            "POST",
            &format!("{SERVICES}/applications/app/services"),
            service("one"),
        )
        .await
        .expect(201);
    let path = format!(
        "{SERVICES}/services/{}",
        created.body["serInstanceId"].as_str().unwrap()
    );
    let get = |headers: &'static [(&str, &str)]| {
        let (platform, path) = (&platform, &path);
        async move { platform.call("GET", path, headers, Body::empty()).await }
    };
    get(&[]).await.expect(200);
    let elsewhere = get(&[("host", "other.test")]).await.expect(200);
    let link = elsewhere.body["_links"]["self"]["href"].as_str().unwrap();
    assert!(link.starts_with("http://other.test/"), "{link}");
    get(&[("accept", "text/plain")]).await.expect(406);
    assert_eq!(
        get(&[("accept", "application/json")]).await.expect(200).body,
        created.body
    );
    let unchanged = platform
        .call(
            "GET",
            &path,
            &[("if-none-match", created.header("etag"))],
            Body::empty(),
        )
        .await;
    unchanged.expect(304);
    get(&[("if-match", "\"none\"")]).await.expect(412);
    platform.get(&format!("{path}?x=1")).await.expect(400);
    let head = platform.call("HEAD", &path, &[], Body::empty()).await.expect(200);
    assert_eq!(
        (head.body, head.headers.get("etag")),
        (json!(null), created.headers.get("etag"))
    );
}

#[tokio::test]
async fn kept_answers_are_counted_and_have_identifiers_of_their_own() {
    let platform = InProcess::with_application().await;
    let created = platform
        .json(
            "POST",
            &format!("{SERVICES}/applications/app/services"),
            service("one"),
        )
        .await
        .expect(201);
    let path = format!(
        "{SERVICES}/services/{}",
        created.body["serInstanceId"].as_str().unwrap()
    );
    let mut identifiers = std::collections::BTreeSet::new();
    for _ in 0..5 {
        identifiers.insert(platform.get(&path).await.header("x-request-id").to_owned());
    }
    assert_eq!(identifiers.len(), 5);
    let request = http::Request::get("/metrics")
        .header("host", "mep.test")
        .body(Body::empty())
        .unwrap();
    let metrics = platform.platform.answer(request).await.into_body();
    let text = http_body_util::BodyExt::collect(metrics)
        .await
        .unwrap()
        .to_bytes();
    let line = r#"mep_http_requests_total{api="mec011-service-management",method="GET",path="/services/{serviceId}",status="200"} 5"#;
    assert!(String::from_utf8(text.to_vec()).unwrap().contains(line));
}
