//! Requests to a router, without a socket.

use axum::body::Body;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use mecforge_administration::BASE_PATH;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::world::World;

impl World {
    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        let router = axum::Router::new().nest(BASE_PATH, self.administration.router());
        router.oneshot(request).await.unwrap()
    }

    /// What `GET` answers below the base path, which must be `200`.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = request(Method::GET, path).body(Body::empty()).unwrap();
        let response = self.send(request).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers().get("access-control-allow-origin"), None);
        body(response).await
    }

    /// What a change without members answers, which must be `200`.
    pub(crate) async fn change(&self, method: Method, path: &str) -> Value {
        let request = request(method, path)
            .header("content-type", "application/json")
            .body(Body::from("{}"))
            .unwrap();
        let response = self.send(request).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        body(response).await
    }

    /// The problem that a request is answered with.
    pub(crate) async fn refusal(&self, request: Request<Body>, status: u16) -> Value {
        let path = request.uri().path().to_owned();
        let response = self.send(request).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let problem = body(response).await;
        assert_eq!(problem["status"], status);
        assert_eq!(problem["instance"], path);
        assert!(
            problem["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty())
        );
        problem
    }
}

/// A request below the base path.
pub(crate) fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(format!("{BASE_PATH}{path}"))
        .header("host", "127.0.0.1:8080")
}

async fn body(response: Response<Body>) -> Value {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}
