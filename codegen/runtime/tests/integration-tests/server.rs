//! What a server does with good requests: matching, negotiation, parameters in all their spellings, bodies.

use axum::body::Body;
use serde_json::{Value, json};

use crate::support::{Answer, api, call};

#[track_caller]
fn check(answer: &Answer, status: u16, body: Value) {
    assert_eq!((answer.status, answer.json()), (status, body), "{answer:?}");
}

#[tokio::test]
async fn paths_are_matched_after_decoding() {
    for (path, id) in [
        ("/things/1", "1"),
        ("/th%69ngs/1", "1"),
        ("/things/a%2Fb", "a/b"),
        ("/things/a%20b", "a b"),
        ("/things/%C3%A9", "é"),
        ("/things/a+b", "a+b"),
        ("/things/%2525", "%25"),
    ] {
        check(&call(api(), "GET", path, &[], "").await, 200, json!({"id": id}));
    }
}

#[tokio::test]
async fn concrete_templates_win_and_mixed_segments_match() {
    let special = call(api(), "GET", "/things/special", &[], "").await;
    assert_eq!(
        (special.status, special.body.as_slice()),
        (200, b"special".as_slice())
    );
    check(
        &call(api(), "GET", "/ranges/1-20.json", &[], "").await,
        200,
        json!([1, 20]),
    );
    // A template with the method serves a path whose more concrete template lacks it.
    assert_eq!(
        call(
            api(),
            "PUT",
            "/things/special",
            &["Content-Type: application/json"],
            "{}"
        )
        .await
        .status,
        204
    );
}

#[tokio::test]
async fn head_answers_as_get_without_the_body() {
    let (get, head) = (
        call(api(), "GET", "/things/1", &[], "").await,
        call(api(), "HEAD", "/things/1", &[], "").await,
    );
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.headers, get.headers);
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    assert_eq!(head.header("etag"), "\"1\"");
}

#[tokio::test]
async fn options_names_the_methods() {
    let answer = call(api(), "OPTIONS", "/things", &[], "").await;
    assert_eq!(
        (answer.status, answer.header("allow"), answer.body.len()),
        (204, "GET, HEAD, POST, OPTIONS", 0)
    );
    assert_eq!(call(api(), "OPTIONS", "/nothing", &[], "").await.status, 404);
}

#[tokio::test]
async fn queries_are_read_in_every_spelling() {
    for (query, expected) in [
        ("", json!({})),
        ("&&", json!({})),
        ("name=a&name=b", json!({"name": ["a", "b"]})),
        ("name=a,b", json!({"name": ["a", "b"]})),
        ("name=a%2Cb&name=c", json!({"name": ["a,b", "c"]})),
        ("name=", json!({"name": [""]})),
        ("number=1,2", json!({"number": [1, 2]})),
        ("number=1%2C2", json!({"number": [1, 2]})),
        ("number=1&number=-2", json!({"number": [1, -2]})),
        ("limit=5&is_local=true", json!({"limit": 5, "is_local": true})),
        ("text=a+b%20c%2Bd,e", json!({"text": "a b c+d,e"})),
        ("te%78t=%C3%A9", json!({"text": "é"})),
        ("text", json!({"text": ""})),
        ("text=a=b", json!({"text": "a=b"})),
        (
            "point[x]=1.5&point[labels]=a,b",
            json!({"point": {"x": 1.5, "labels": ["a", "b"]}}),
        ),
        (
            "point%5Bx%5D=2&point%5Bother%5D=true",
            json!({"point": {"x": 2, "other": true}}),
        ),
        ("point={\"x\":3}", json!({"point": {"x": 3}})),
        ("area=radius,4", json!({"area": {"radius": 4}})),
        ("radius=5", json!({"area": {"radius": 5}})),
        ("pipes=a|b%7Cc,d", json!({"pipes": ["a", "b", "c,d"]})),
        ("tags=a%2Cb", json!({"tags": ["a", "b"]})),
        // Where separators stand as they are, those that are encoded are data.
        ("tags=a,b%2Cc", json!({"tags": ["a", "b,c"]})),
        ("any=12", json!({"any": 12})),
        ("any=twelve", json!({"any": "twelve"})),
        (
            "json=%7B%22x%22%3A1%2C%22labels%22%3A%5B%22a%22%5D%7D",
            json!({"json": {"x": 1, "labels": ["a"]}}),
        ),
    ] {
        let query = query
            .replace('{', "%7B")
            .replace('}', "%7D")
            .replace('"', "%22")
            .replace('|', "%7C");
        check(
            &call(api(), "GET", &format!("/things?{query}"), &[], "").await,
            200,
            expected,
        );
    }
}

#[tokio::test]
async fn headers_and_cookies_are_read() {
    let headers = ["X-Numbers: 1, 2", "Cookie: a=b; session=abc", "Cookie: c=d"];
    let expected = json!({"X-Numbers": [1, 2], "session": "abc"});
    check(&call(api(), "GET", "/things", &headers, "").await, 200, expected);
    let repeated = ["x-numbers: 1", "X-Numbers: 2"];
    check(
        &call(api(), "GET", "/things", &repeated, "").await,
        200,
        json!({"X-Numbers": [1, 2]}),
    );
}

#[tokio::test]
async fn bodies_of_all_declared_types_are_read() {
    let json = call(
        api(),
        "POST",
        "/things",
        &["Content-Type: application/json; charset=\"UTF-8\""],
        "{\"name\":\"a\"}",
    )
    .await;
    check(&json, 201, json!({"name": "a"}));
    let form = ["Content-Type: application/x-www-form-urlencoded"];
    let answer = call(
        api(),
        "POST",
        "/things",
        &form,
        "name=a+b&sizes=1&sizes=2&other=x",
    )
    .await;
    check(
        &answer,
        201,
        json!({"name": "a b", "sizes": [1, 2], "other": "x"}),
    );
    let multipart = ["Content-Type: multipart/form-data; boundary=\"x y\""];
    let body = "preamble\r\n--x y\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\na\r\nb\r\n--x y\r\n\
        content-disposition: form-data; name=sizes\r\n\r\n7\r\n--x y\r\nContent-Disposition: form-data; name=point\r\n\
        Content-Type: application/json\r\n\r\n{\"x\": 1}\r\n--x y--\r\n";
    check(
        &call(api(), "POST", "/things", &multipart, body).await,
        201,
        json!({"name": "a\r\nb", "sizes": [7], "point": {"x": 1}}),
    );
}

#[tokio::test]
async fn optional_bodies_may_be_absent_and_undeclared_ones_are_ignored() {
    assert_eq!(call(api(), "PUT", "/things/1", &[], "").await.status, 200);
    assert_eq!(
        call(api(), "PUT", "/things/1", &["Content-Type: application/json"], "")
            .await
            .status,
        200
    );
    assert_eq!(
        call(
            api(),
            "PUT",
            "/things/1",
            &["Content-Type: application/json"],
            "{}"
        )
        .await
        .status,
        204
    );
    assert_eq!(
        call(
            api(),
            "GET",
            "/things/1",
            &["Content-Type: image/png"],
            "not json"
        )
        .await
        .status,
        200
    );
}

#[tokio::test]
async fn bodies_in_several_pieces_are_joined() {
    let pieces = ["{\"na", "me\":", "\"a\"}"].map(Ok::<_, std::convert::Infallible>);
    let body = Body::from_stream(futures_like::iter(pieces));
    let answer = call(
        api(),
        "POST",
        "/things",
        &["Content-Type: application/json"],
        body,
    )
    .await;
    check(&answer, 201, json!({"name": "a"}));
}

#[tokio::test]
async fn links_are_absolute() {
    let headers = ["Content-Type: application/json", "Host: mep.example.com:8080"];
    let nested = axum::Router::new().nest("/base/v1", api());
    let answer = call(
        nested.clone(),
        "POST",
        "/base/v1/things",
        &headers,
        "{\"name\":\"a\"}",
    )
    .await;
    assert_eq!(
        answer.header("location"),
        "http://mep.example.com:8080/base/v1/things/a%2Fb"
    );
    let public = nested.layer(axum::Extension(mecforge_runtime::server::PublicUrl::new(
        "https://mep/x/",
    )));
    let answer = call(public, "GET", "/base/v1", &headers, "").await;
    assert_eq!(answer.json(), json!("https://mep/x/base/v1/things/1"));
    // What is no authority does not get into links.
    let answer = call(api(), "GET", "/", &["Host: evil/path"], "").await;
    assert_eq!(answer.json(), json!("/things/1"));
}

#[tokio::test]
async fn accept_is_honoured() {
    for accept in [
        "*/*",
        "application/*",
        "application/json",
        "APPLICATION/JSON;charset=utf-8",
        "text/plain, application/json;q=0.1",
        "application/json;q=0.001, */*;q=0",
        "",
        "nonsense",
    ] {
        let answer = call(api(), "GET", "/things/1", &[&format!("Accept: {accept}")], "").await;
        assert_eq!(answer.status, 200, "{accept}");
    }
}

/// A stream from an iterator, so that the tests need no crate for it.
mod futures_like {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    pub(super) struct Iter<I>(I);

    pub(super) fn iter<I: IntoIterator>(items: I) -> Iter<I::IntoIter> {
        Iter(items.into_iter())
    }

    impl<I: Iterator + Unpin> futures_core::Stream for Iter<I> {
        type Item = I::Item;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
            Poll::Ready(self.0.next())
        }
    }
}
