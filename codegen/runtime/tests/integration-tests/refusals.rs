//! What a server refuses: each time with the right status and a problem that names the place and the rule.

use axum::body::Body;
use mecforge_runtime::server::BodyLimit;
use serde_json::json;

use crate::support::{Answer, api, call};

const JSON: &str = "Content-Type: application/json";

/// Checks status, media type and some members of a problem.
#[track_caller]
fn check(answer: &Answer, status: u16, members: serde_json::Value) {
    let problem = answer.json();
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (status, "application/problem+json"),
        "{answer:?}"
    );
    assert_eq!(problem["status"], json!(status));
    for name in ["type", "title", "detail", "instance"] {
        assert!(
            problem[name].as_str().is_some_and(|text| !text.is_empty()),
            "{name} in {problem}"
        );
    }
    for (name, value) in members.as_object().unwrap() {
        assert_eq!(&problem[name], value, "{name} in {problem}");
    }
}

#[tokio::test]
async fn unknown_paths_are_not_found() {
    for path in [
        "/nothing",
        "/things/",
        "/things/1/",
        "/things//",
        "//things",
        "/things/1/2",
        "/ranges/1.json",
        "/Things",
    ] {
        check(
            &call(api(), "GET", path, &[], "").await,
            404,
            json!({"instance": path}),
        );
    }
}

#[tokio::test]
async fn nested_routers_refuse_alike() {
    let nested = || axum::Router::new().nest("/base", api());
    check(
        &call(nested(), "GET", "/base/nothing", &[], "").await,
        404,
        json!({"instance": "/base/nothing"}),
    );
    check(
        &call(nested(), "GET", "/base/things/1/", &[], "").await,
        404,
        json!({}),
    );
    let answer = call(nested(), "PATCH", "/base/things", &[], "").await;
    check(&answer, 405, json!({"instance": "/base/things"}));
    assert_eq!(answer.header("allow"), "GET, HEAD, POST, OPTIONS");
    check(
        &call(nested(), "GET", "/base/things?nam=a", &[], "").await,
        400,
        json!({"instance": "/base/things"}),
    );
}

#[tokio::test]
async fn other_methods_are_refused_with_allow() {
    for (method, path, allow) in [
        ("DELETE", "/things", "GET, HEAD, POST, OPTIONS"),
        ("POST", "/things/special", "GET, HEAD, PUT, OPTIONS"),
        ("GET", "/failure", "DELETE, OPTIONS"),
        ("BREW", "/things", "GET, HEAD, POST, OPTIONS"),
    ] {
        let answer = call(api(), method, path, &[], "").await;
        check(&answer, 405, json!({}));
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
    }
    let head = call(api(), "HEAD", "/failure", &[], "").await;
    assert_eq!((head.status, head.body.len()), (405, 0));
}

#[tokio::test]
async fn broken_paths_are_bad_requests() {
    for path in [
        "/things/%FF",
        "/things/%00",
        "/things/a%00b",
        "/things/%C3",
        "/things/%",
        "/things/%4",
        "/things/%zz",
    ] {
        check(&call(api(), "GET", path, &[], "").await, 400, json!({}));
    }
    check(
        &call(api(), "GET", "/ranges/a-2.json", &[], "").await,
        400,
        json!({"parameter": "from", "rule": "type"}),
    );
}

#[tokio::test]
async fn queries_that_break_rules_name_the_parameter() {
    for (query, members) in [
        (
            "nme=a",
            json!({"parameter": "nme", "detail": "this operation has no query parameter \"nme\"; did you mean name?"}),
        ),
        (
            "isLocal=true",
            json!({"parameter": "isLocal", "detail": "this operation has no query parameter \"isLocal\"; did you mean is_local?"}),
        ),
        ("session=1", json!({"parameter": "session"})),
        ("limit=1&limit=1", json!({"parameter": "limit", "rule": "type"})),
        ("limit=0", json!({"parameter": "limit", "rule": "minimum"})),
        ("limit=101", json!({"parameter": "limit", "rule": "maximum"})),
        ("limit=1.5", json!({"parameter": "limit", "rule": "type"})),
        ("limit=", json!({"parameter": "limit", "rule": "type"})),
        ("limit=%201", json!({"parameter": "limit", "rule": "type"})),
        ("limit=0x1", json!({"parameter": "limit", "rule": "type"})),
        ("limit=99999999999999999999999", json!({"parameter": "limit"})),
        ("is_local=1", json!({"parameter": "is_local", "rule": "type"})),
        ("is_local=TRUE", json!({"parameter": "is_local", "rule": "type"})),
        (
            "number=1,a",
            json!({"parameter": "number", "rule": "type", "pointer": "/1"}),
        ),
        ("text=%FF", json!({"parameter": "text"})),
        ("text=%00", json!({"parameter": "text"})),
        ("text=%4", json!({"parameter": "text"})),
        ("%FF=1", json!({"in": "query"})),
        (
            "point[x]=a",
            json!({"parameter": "point", "rule": "type", "pointer": "/x"}),
        ),
        (
            "point[x]=1&point[x]=2",
            json!({"parameter": "point", "pointer": "/x"}),
        ),
        ("area=radius", json!({"parameter": "area", "rule": "type"})),
        ("json=nonsense", json!({"parameter": "json", "rule": "json"})),
    ] {
        check(
            &call(api(), "GET", &format!("/things?{query}"), &[], "").await,
            400,
            members,
        );
    }
    check(
        &call(api(), "GET", "/things/1?a=b", &[], "").await,
        400,
        json!({"parameter": "a", "rule": "undeclared"}),
    );
}

#[tokio::test]
async fn headers_that_break_rules_are_named() {
    let too_many = call(api(), "GET", "/things", &["X-Numbers: 1,2,3"], "").await;
    check(
        &too_many,
        400,
        json!({"parameter": "X-Numbers", "rule": "maxItems"}),
    );
}

#[tokio::test]
async fn bodies_that_break_rules_name_the_place() {
    for (body, members) in [
        ("", json!({"pointer": "", "rule": "required"})),
        ("{", json!({"pointer": "", "rule": "json"})),
        ("{\"name\": \"a\"} x", json!({"rule": "json"})),
        (
            "{\"name\": \"abcdef\"}",
            json!({"pointer": "/name", "rule": "maxLength"}),
        ),
        ("{\"name\": 1}", json!({"pointer": "/name", "rule": "type"})),
        ("{}", json!({"pointer": "", "rule": "required"})),
        ("[]", json!({"pointer": "", "rule": "type"})),
        ("{\"name\": \"a\", \"name\": \"b\"}", json!({"rule": "json"})),
    ] {
        check(&call(api(), "POST", "/things", &[JSON], body).await, 400, members);
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    check(
        &call(api(), "POST", "/things", &[JSON], deep).await,
        400,
        json!({"rule": "json"}),
    );
    check(
        &call(
            api(),
            "POST",
            "/things",
            &[JSON],
            b"{\"name\": \"\xFF\"}".to_vec(),
        )
        .await,
        400,
        json!({"rule": "json"}),
    );
}

#[tokio::test]
async fn broken_forms_are_bad_requests() {
    let form = ["Content-Type: application/x-www-form-urlencoded"];
    check(
        &call(api(), "POST", "/things", &form, "name=abcdef").await,
        400,
        json!({"pointer": "/name", "rule": "maxLength"}),
    );
    check(
        &call(api(), "POST", "/things", &form, "name=a&name=b").await,
        400,
        json!({"pointer": "/name"}),
    );
    check(
        &call(api(), "POST", "/things", &form, "name=%FF").await,
        400,
        json!({"pointer": "/name", "rule": "utf-8"}),
    );
    let multipart = ["Content-Type: multipart/form-data; boundary=x"];
    for body in [
        "x",
        "--x\r\n",
        "--x\r\nContent-Disposition: form-data; name=a",
        "--x\r\n\r\n\r\na\r\n--x--",
    ] {
        check(
            &call(api(), "POST", "/things", &multipart, body).await,
            400,
            json!({"rule": "multipart"}),
        );
    }
    check(
        &call(
            api(),
            "POST",
            "/things",
            &["Content-Type: multipart/form-data"],
            "x",
        )
        .await,
        400,
        json!({}),
    );
}

#[tokio::test]
async fn other_media_types_are_refused() {
    for headers in [
        &[][..],
        &["Content-Type: text/plain"],
        &["Content-Type: application/merge-patch+json"],
        &["Content-Type: nonsense"],
        &["Content-Type: application/json; charset=iso-8859-1"],
        &[JSON, "Content-Encoding: gzip"],
        &[JSON, JSON],
    ] {
        check(
            &call(api(), "POST", "/things", headers, "{\"name\":\"a\"}").await,
            415,
            json!({}),
        );
    }
    let answer = call(api(), "PUT", "/things/1", &["Content-Type: text/plain"], "x").await;
    assert_eq!(
        (answer.status, answer.header("accept")),
        (415, "application/json")
    );
}

#[tokio::test]
async fn nothing_acceptable_is_refused() {
    for accept in [
        "text/plain",
        "application/json;q=0",
        "application/problem+json",
        "*/*;q=0",
        "application/*;q=1, application/json;q=0",
    ] {
        check(
            &call(api(), "GET", "/things/1", &[&format!("Accept: {accept}")], "").await,
            406,
            json!({"parameter": "Accept"}),
        );
    }
    // A refusal is delivered whatever the client accepts, and an operation without a body has nothing to refuse.
    check(
        &call(api(), "GET", "/nothing", &["Accept: text/plain"], "").await,
        404,
        json!({}),
    );
    assert_eq!(
        call(api(), "PUT", "/things/1", &["Accept: text/plain"], "")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn long_bodies_are_refused_unread() {
    let small = || api().layer(axum::Extension(BodyLimit(20)));
    let body = "{\"name\":\"a\", \"other\": 12}";
    check(
        &call(
            small(),
            "POST",
            "/things",
            &[JSON, "Content-Length: 25"],
            Body::empty(),
        )
        .await,
        413,
        json!({"limit": 20}),
    );
    check(
        &call(small(), "POST", "/things", &[JSON], body).await,
        413,
        json!({}),
    );
    assert_eq!(
        call(small(), "POST", "/things", &[JSON], "{\"name\":\"abcde\"}    ")
            .await
            .status,
        201
    );
    let default = "x".repeat(1024 * 1024 + 1);
    check(
        &call(api(), "POST", "/things", &[JSON], default).await,
        413,
        json!({}),
    );
}

#[tokio::test]
async fn expectations_other_than_continue_fail() {
    check(
        &call(api(), "POST", "/things", &[JSON, "Expect: a miracle"], "{}").await,
        417,
        json!({}),
    );
    let answer = call(
        api(),
        "POST",
        "/things",
        &[JSON, "Expect: 100-Continue"],
        "{\"name\":\"a\"}",
    )
    .await;
    assert_eq!(answer.status, 201);
}

#[tokio::test]
async fn causes_are_not_shown() {
    let answer = call(api(), "DELETE", "/failure", &[], "").await;
    check(&answer, 500, json!({}));
    assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
}

#[tokio::test]
async fn details_quote_only_so_much() {
    for query in [
        format!("limit={}", "é".repeat(9_000)),
        format!("{}=1", "é".repeat(9_000)),
    ] {
        let query = query.replace('é', "%C3%A9");
        let answer = call(api(), "GET", &format!("/things?{query}"), &[], "").await;
        check(&answer, 400, json!({}));
        assert!(answer.body.len() < 4_000, "{}", answer.body.len());
    }
}
