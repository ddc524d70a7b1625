//! What the client does below the API: retries, redirects, tokens, time-outs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::response::IntoResponse;
use http::{StatusCode, header};
use mecforge_runtime::EntityTag;
use mecforge_runtime::client::{ClientBuilder, Error, RetryPolicy, TokenFuture, TokenProvider};
use serde_json::json;

use crate::client::{Client, Outcome, builder, json_text, scripted};
use crate::support::serve;

#[tokio::test]
async fn idempotent_calls_are_tried_again() {
    let flaky = |count, _: Request| match count {
        1 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        2 => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "0")]).into_response(),
        _ => json_text("done"),
    };
    let (base, count) = scripted(flaky).await;
    let client = builder(&base).build().unwrap();
    let got = client
        .http
        .request::<Outcome>(&crate::support::GET)
        .path("thingId", "1")
        .await
        .unwrap();
    assert_eq!(
        (got, count.load(Ordering::SeqCst)),
        (
            Outcome::Ok {
                body: json!("done"),
                etag: None
            },
            3
        )
    );
    for (conditional, expected) in [(false, 2), (true, 1)] {
        let (base, count) = scripted(move |count, request| {
            if count == 1 {
                StatusCode::BAD_GATEWAY.into_response()
            } else {
                flaky(3, request)
            }
        })
        .await;
        let client = builder(&base).build().unwrap();
        let put = client
            .http
            .request::<Outcome>(&crate::support::PUT)
            .path("thingId", "1");
        let put = if conditional {
            put.if_match(&EntityTag::strong("1"))
        } else {
            put
        };
        assert_eq!(put.await.is_ok(), !conditional);
        assert_eq!(count.load(Ordering::SeqCst), expected);
    }
}

#[tokio::test]
async fn other_calls_are_made_once() {
    let (base, count) = scripted(|_, _| StatusCode::SERVICE_UNAVAILABLE.into_response()).await;
    let client = builder(&base).build().unwrap();
    let error = client
        .http
        .request::<Outcome>(&crate::support::CREATE)
        .await
        .unwrap_err();
    assert!(error.is_temporary());
    assert_eq!(count.load(Ordering::SeqCst), 1);
    let never = ClientBuilder::<Client>::new(&base)
        .retry(RetryPolicy::NEVER)
        .build()
        .unwrap();
    assert!(
        never
            .http
            .request::<Outcome>(&crate::support::LIST)
            .await
            .is_err()
    );
    assert_eq!(count.load(Ordering::SeqCst), 2);
    let (base, count) =
        scripted(|_, _| (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "3600")]).into_response())
            .await;
    let client = builder(&base).build().unwrap();
    assert!(
        client
            .http
            .request::<Outcome>(&crate::support::LIST)
            .await
            .is_err()
    );
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn redirects_are_followed_on_the_same_origin_only() {
    let other = serve(axum::Router::new().fallback(async || "leaked")).await;
    let (base, _) = scripted(move |_, request: Request| {
        let to = |status: StatusCode, location: &str| {
            (status, [(header::LOCATION, location.to_owned())]).into_response()
        };
        match request.uri().path() {
            "/base/v1/things/same" => to(StatusCode::FOUND, "/moved"),
            "/base/v1/things/loop" => to(StatusCode::FOUND, "loop"),
            "/base/v1/things/other" => to(StatusCode::PERMANENT_REDIRECT, &other),
            "/base/v1/things" => to(StatusCode::FOUND, "/moved"),
            _ => json_text("moved"),
        }
    })
    .await;
    let client = builder(&base).build().unwrap();
    let get = |id: &'static str| {
        client
            .http
            .request::<Outcome>(&crate::support::GET)
            .path("thingId", id)
    };
    assert!(matches!(get("same").await.unwrap(), Outcome::Ok { body, .. } if body == "moved"));
    assert_eq!(get("loop").await.unwrap_err().status(), Some(StatusCode::FOUND));
    assert_eq!(
        get("other").await.unwrap_err().status(),
        Some(StatusCode::PERMANENT_REDIRECT)
    );
    // A POST is not turned into a GET.
    let create = client
        .http
        .request::<Outcome>(&crate::support::CREATE)
        .await
        .unwrap_err();
    assert_eq!(create.status(), Some(StatusCode::FOUND));
}

struct Tokens(AtomicUsize);

impl TokenProvider for Tokens {
    fn token<'provider>(&'provider self, refused: Option<&'provider str>) -> TokenFuture<'provider> {
        Box::pin(async move {
            if refused.is_some() {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
            match self.0.load(Ordering::SeqCst) {
                2.. => Err("no more tokens".into()),
                number => Ok(format!("token{number}")),
            }
        })
    }
}

#[tokio::test]
async fn tokens_are_sent_and_renewed_once() {
    let wanted = |token: &'static str| {
        move |_, request: Request| match request.headers().get(header::AUTHORIZATION) {
            Some(value) if value == token => json_text("in"),
            _ => StatusCode::UNAUTHORIZED.into_response(),
        }
    };
    let (base, count) = scripted(wanted("Bearer token1")).await;
    let client = builder(&base)
        .token_provider(Tokens(AtomicUsize::new(0)))
        .build()
        .unwrap();
    assert!(
        client
            .http
            .request::<Outcome>(&crate::support::CREATE)
            .await
            .is_ok()
    );
    assert_eq!(count.load(Ordering::SeqCst), 2);
    let (base, count) = scripted(wanted("Bearer other")).await;
    let client = builder(&base).token_provider("fixed").build().unwrap();
    let error = client
        .http
        .request::<Outcome>(&crate::support::CREATE)
        .await
        .unwrap_err();
    assert_eq!(
        (error.status(), count.load(Ordering::SeqCst)),
        (Some(StatusCode::UNAUTHORIZED), 1)
    );
    let client = builder(&base)
        .token_provider(Tokens(AtomicUsize::new(2)))
        .build()
        .unwrap();
    let error = client
        .http
        .request::<Outcome>(&crate::support::CREATE)
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::Token(_)), "{error:?}");
}

#[tokio::test]
async fn time_outs_and_dead_servers_are_told_apart() {
    let slow =
        serve(axum::Router::new().fallback(async || tokio::time::sleep(Duration::from_secs(60)).await)).await;
    let client = builder(&slow).retry(RetryPolicy::NEVER).build().unwrap();
    let call = client
        .http
        .request::<Outcome>(&crate::support::LIST)
        .timeout(Duration::from_millis(50));
    assert!(matches!(call.await.unwrap_err(), Error::Timeout(_)));
    let client = builder("http://127.0.0.1:1").build().unwrap();
    assert!(matches!(
        client
            .http
            .request::<Outcome>(&crate::support::LIST)
            .await
            .unwrap_err(),
        Error::Transport(_)
    ));
}
