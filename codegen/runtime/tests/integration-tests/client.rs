//! The client against real sockets: outcomes, redirects, retries, tokens, limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use mecforge_runtime::client::{
    Answer, ApiClient, ClientBuilder, Error, HttpClient, Responses, RetryPolicy, Unexpected,
};
use mecforge_runtime::operation::{Kind, Operation, Parameter, Place, RequestBody, Style};
use mecforge_runtime::rules::StringRules;
use mecforge_runtime::{Decode, EntityTag, Location, ProblemDetails, decode};
use serde_json::{Value, json};

use crate::support::{api, serve};

pub(crate) struct Client {
    pub(crate) http: HttpClient,
}

impl ApiClient for Client {
    const BASE_PATH: &'static str = "/base/v1";

    fn from_http_client(http: HttpClient) -> Self {
        Self { http }
    }
}

#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Ok { body: Value, etag: Option<EntityTag> },
    Created { body: Value, location: Location },
    NoContent,
    NotFound { body: Value },
}

impl Responses for Outcome {
    type Success = Outcome;

    fn from_answer(answer: &Answer) -> Result<Self, Unexpected> {
        Ok(match answer.status().as_u16() {
            200 => Self::Ok {
                body: answer.json(Value::decode)?,
                etag: answer.etag(),
            },
            201 => Self::Created {
                body: answer.json(Value::decode)?,
                location: answer.required_location()?,
            },
            204 => Self::NoContent,
            404 => Self::NotFound {
                body: answer.json(Value::decode)?,
            },
            _ => return Err(Unexpected::Status),
        })
    }

    fn into_success(self) -> Result<Self::Success, Self> {
        match self {
            Self::NotFound { .. } => Err(self),
            success => Ok(success),
        }
    }
}

pub(crate) fn builder(base: &str) -> ClientBuilder<Client> {
    let quick = RetryPolicy {
        first_delay: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    ClientBuilder::new(base)
        .retry(quick)
        .timeout(Duration::from_secs(5))
}

/// Serves an answer that depends on how often it was asked, below the client's base path.
pub(crate) async fn scripted(
    answers: impl Fn(usize, Request) -> Response + Clone + Send + Sync + 'static,
) -> (String, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let handler = move |request: Request| {
        let answer = answers(counter.fetch_add(1, Ordering::SeqCst) + 1, request);
        async move { answer }
    };
    (
        serve(axum::Router::new().fallback(axum::routing::any(handler))).await,
        count,
    )
}

#[tokio::test]
async fn outcomes_are_typed() {
    let base = serve(axum::Router::new().nest("/base/v1", api())).await;
    let client = builder(&format!("{base}/")).build().unwrap();
    let got = client
        .http
        .request::<Outcome>(&crate::support::GET)
        .path("thingId", "a/ü b")
        .await
        .unwrap();
    assert_eq!(
        got,
        Outcome::Ok {
            body: json!({"id": "a/ü b"}),
            etag: Some(EntityTag::strong("1"))
        }
    );
    let create = client.http.request::<Outcome>(&crate::support::CREATE);
    let created = create
        .json("application/json", &json!({"name": "a"}), decode::any)
        .await
        .unwrap();
    let location = Location::new(format!("{base}/base/v1/things/a%2Fb"));
    assert_eq!(location.last_segment().as_deref(), Some("a/b"));
    assert_eq!(
        created,
        Outcome::Created {
            body: json!({"name": "a"}),
            location
        }
    );
    let error = client
        .http
        .request::<Outcome>(&crate::support::GET)
        .path("thingId", "absent")
        .await
        .unwrap_err();
    assert!(
        matches!(error.response(), Some(Outcome::NotFound { body }) if body["status"] == 404),
        "{error:?}"
    );
    let problem: ProblemDetails = error.problem().unwrap();
    assert_eq!(
        (problem.status, problem.detail.as_deref()),
        (Some(404), Some("there is no such thing"))
    );
    assert_eq!(
        error.to_string(),
        "the server answered 404 Not Found: there is no such thing"
    );
    let error = client
        .http
        .request::<Outcome>(&crate::support::CREATE)
        .await
        .unwrap_err();
    assert!(
        matches!(
            &error,
            Error::Unexpected {
                reason: Unexpected::Status,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST));
    assert_eq!(error.problem().unwrap().extension("rule"), Some("required"));
}

#[tokio::test]
async fn conditions_travel() {
    let base = serve(axum::Router::new().nest("/base/v1", api())).await;
    let client = builder(&base).build().unwrap();
    let put = || {
        client
            .http
            .request::<Outcome>(&crate::support::PUT)
            .path("thingId", "1")
    };
    let send = |tag: &'static str| {
        put()
            .json("application/json", &json!({}), decode::any)
            .if_match(&EntityTag::strong(tag))
    };
    assert_eq!(send("1").await.unwrap(), Outcome::NoContent);
    assert_eq!(
        send("0").await.unwrap_err().status(),
        Some(StatusCode::PRECONDITION_FAILED)
    );
    let get = client
        .http
        .request::<Outcome>(&crate::support::GET)
        .path("thingId", "1");
    let error = get.if_none_match(&EntityTag::strong("1")).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_MODIFIED));
}

#[tokio::test]
async fn queries_are_written_as_servers_read_them() {
    let base = serve(axum::Router::new().nest("/base/v1", api())).await;
    let client = builder(&base).build().unwrap();
    let request = client.http.request::<Outcome>(&crate::support::LIST);
    let request = request
        .query("name", &["a,b", "c d&e+f%"])
        .query("number", &[1, -2])
        .query("limit", &Some(5))
        .query("is_local", &None::<bool>)
        .query("text", "ü=/?#")
        .query("point", &json!({"x": 1.5, "labels": ["a", "b"]}))
        .query("area", &json!({"radius": 4}))
        .query("pipes", &["a", "b,c"])
        .query("json", &json!({"x": 1, "labels": ["a"]}))
        .header("X-Numbers", &[1, 2])
        .cookie("session", "abc");
    let Outcome::Ok { body, .. } = request.await.unwrap() else {
        panic!("a list is a success")
    };
    let expected = json!({
        "name": ["a,b", "c d&e+f%"], "number": [1, -2], "limit": 5, "text": "ü=/?#",
        "point": {"x": 1.5, "labels": ["a", "b"]}, "area": {"radius": 4}, "pipes": ["a", "b,c"],
        "json": {"x": 1, "labels": ["a"]}, "X-Numbers": [1, 2], "session": "abc",
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn forms_are_written_as_servers_read_them() {
    let base = serve(axum::Router::new().nest("/base/v1", api())).await;
    let client = builder(&base).build().unwrap();
    let value = json!({"name": "a\"+ü", "sizes": [1, 2]});
    let create = || client.http.request::<Outcome>(&crate::support::CREATE);
    for outcome in [
        create().form(&value, decode::any).await,
        create().multipart(&value, decode::any).await,
    ] {
        assert!(matches!(outcome.unwrap(), Outcome::Created { body, .. } if body == value));
    }
    let nested = json!({"name": "a", "point": {"x": 1, "labels": ["a"]}});
    let outcome = create().multipart(&nested, decode::any).await.unwrap();
    assert!(matches!(outcome, Outcome::Created { body, .. } if body == nested));
}

#[tokio::test]
async fn what_breaks_a_rule_is_not_sent() {
    let (base, count) = scripted(|_, _| StatusCode::NO_CONTENT.into_response()).await;
    let client = builder(&base).build().unwrap();
    let rules = StringRules {
        max_length: Some(3),
        ..StringRules::NONE
    };
    let create = client.http.request::<Outcome>(&crate::support::CREATE);
    let error = create
        .json("application/json", "long", |json| {
            decode::string_with(json, &rules)
        })
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::InvalidRequest { parameter: None, invalid } if invalid.rule() == "maxLength")
    );
    for id in ["", ".", ".."] {
        let error = client
            .http
            .request::<Outcome>(&crate::support::GET)
            .path("thingId", id)
            .await
            .unwrap_err();
        assert!(
            matches!(
                &error,
                Error::InvalidRequest {
                    parameter: Some("thingId"),
                    ..
                }
            ),
            "{error:?}"
        );
    }
    let error = client
        .http
        .request::<Outcome>(&crate::support::LIST)
        .header("X-Numbers", "a\nb")
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::InvalidRequest { .. }), "{error:?}");
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn answers_that_are_not_as_declared_are_unexpected() {
    let (base, _) = scripted(
        |_, request: Request| match request.uri().path().rsplit('/').next().unwrap() {
            "html" => axum::response::Html("<p>").into_response(),
            "broken" => ([(header::CONTENT_TYPE, "application/json")], "{").into_response(),
            "long" => ([(header::CONTENT_TYPE, "application/json")], "1".repeat(2000)).into_response(),
            _ => (StatusCode::CREATED, json_text("x")).into_response(),
        },
    )
    .await;
    let client = builder(&base).response_limit(1000).build().unwrap();
    let get = async |id: &'static str| match client
        .http
        .request::<Outcome>(&crate::support::GET)
        .path("thingId", id)
        .await
        .unwrap_err()
    {
        Error::Unexpected { reason, .. } => reason,
        other => panic!("{other:?}"),
    };
    assert!(matches!(get("html").await, Unexpected::MediaType));
    assert!(matches!(get("broken").await, Unexpected::Body(invalid) if invalid.rule() == "json"));
    assert!(matches!(get("long").await, Unexpected::TooLong(1000)));
    assert!(matches!(get("created").await, Unexpected::Header("Location", _)));
}

#[test]
fn base_urls_are_checked() {
    for url in [
        "",
        "127.0.0.1:8080",
        "/base",
        "ftp://host",
        "http://",
        "http://host?a=b",
        "http://host#a",
    ] {
        assert!(ClientBuilder::<Client>::new(url).build().is_err(), "{url}");
    }
    let client = ClientBuilder::<Client>::new("http://host/sandbox/")
        .build()
        .unwrap();
    assert_eq!(client.http.root(), "http://host/sandbox/base/v1");
    let client = ClientBuilder::<Client>::new("http://host/all/of/it")
        .base_path("")
        .build()
        .unwrap();
    assert_eq!(client.http.root(), "http://host/all/of/it");
    assert!(
        ClientBuilder::<Client>::new("http://host")
            .header("a b", "c")
            .build()
            .is_err()
    );
    assert!(
        ClientBuilder::<Client>::new("http://host")
            .root_certificate("no PEM")
            .build()
            .is_err()
    );
}

#[test]
fn parameters_without_lists_are_left_out_when_empty() {
    static EMPTY: Parameter = Parameter {
        name: "a",
        place: Place::Query,
        kind: Kind::List(&Kind::Text),
        style: Style::Comma,
    };
    assert!(mecforge_runtime::parameter::query_pairs(&EMPTY, &Vec::<String>::new()).is_empty());
    static OPERATION: Operation = Operation {
        name: "get",
        method: "GET",
        path: "/a/{b}/c/{d}.json",
        parameters: &[],
        body: RequestBody::None,
        produces: &[],
    };
    assert_eq!(
        OPERATION.path_with(&["x/y?", "é%"]),
        "/a/x%2Fy%3F/c/%C3%A9%25.json"
    );
    assert_eq!(OPERATION.path_with(&["x"]), "/a/x/c/{d}.json");
}

/// An answer of JSON text.
pub(crate) fn json_text(text: &str) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        json!(text).to_string(),
    )
        .into_response()
}
