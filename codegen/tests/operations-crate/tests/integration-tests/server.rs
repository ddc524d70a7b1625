//! What the generated server refuses, and how it says so.

use serde_json::{Value, json};

use crate::platform::serve;

/// Sends a request and gives the status and the problem.
async fn send(method: &str, path: &str, headers: &[(&str, &str)], body: &'static str) -> (u16, Value) {
    let url = format!("{}/operations/v1{path}", serve().await);
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = reqwest::Client::new().request(method, url).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null),
    )
}

#[tokio::test]
async fn rules_of_parameters_are_enforced() {
    for (query, headers, parameter, rule) in [
        ("", &[("X-Numbers", "1")][..], "colour", "required"),
        ("?colour=blue", &[("X-Numbers", "1")], "colour", "enum"),
        ("?colour=red", &[], "X-Numbers", "required"),
        (
            "?colour=red",
            &[("X-Numbers", "1"), ("X-Trace", "xyz")],
            "X-Trace",
            "pattern",
        ),
        (
            "?colour=red",
            &[("X-Numbers", "1"), ("Cookie", "session=123456789")],
            "session",
            "maxLength",
        ),
        ("?colour=red&id=0", &[("X-Numbers", "1")], "id", "minimum"),
        (
            "?colour=red&tags=1&tags=2&tags=3&tags=4",
            &[("X-Numbers", "1")],
            "tags",
            "maxItems",
        ),
        (
            "?colour=red&point[x]=1",
            &[("X-Numbers", "1")],
            "point",
            "required",
        ),
        ("?colour=red&radius=-1", &[("X-Numbers", "1")], "area", "minimum"),
        ("?color=red", &[("X-Numbers", "1")], "color", "undeclared"),
    ] {
        let (status, problem) = send("GET", &format!("/things{query}"), headers, "").await;
        assert_eq!(
            (status, &problem["parameter"], &problem["rule"]),
            (400, &json!(parameter), &json!(rule)),
            "{query}"
        );
    }
}

#[tokio::test]
async fn rules_of_bodies_are_enforced() {
    for (media_type, body, status, pointer) in [
        ("application/json", "{\"name\": \"\"}", 400, "/name"),
        (
            "application/json",
            "{\"name\": \"a\", \"place\": {\"where\": 1}}",
            400,
            "/place/where",
        ),
        ("application/x-www-form-urlencoded", "x=1", 400, ""),
        ("application/x-www-form-urlencoded", "x=1&y=b", 400, "/y"),
        ("application/json", "", 400, ""),
        ("application/xml", "<a/>", 415, ""),
    ] {
        let (answered, problem) = send("POST", "/things", &[("Content-Type", media_type)], body).await;
        assert_eq!(answered, status, "{problem}");
        assert_eq!(
            problem["pointer"].as_str().unwrap_or_default(),
            pointer,
            "{problem}"
        );
    }
}

#[tokio::test]
async fn read_only_methods_need_no_body_and_unknown_ones_are_refused() {
    assert_eq!(send("DELETE", "/things/1", &[], "ignored").await.0, 204);
    assert_eq!(send("PATCH", "/things/1", &[], "").await.0, 405);
    assert_eq!(send("GET", "/things/10", &[], "").await.1["rule"], "maximum");
    assert_eq!(
        send("GET", "/things/special", &[("Accept", "application/json")], "")
            .await
            .0,
        406
    );
    assert_eq!(send("HEAD", "/things/special", &[], "").await.0, 200);
}
