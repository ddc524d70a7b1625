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
        let operation = operation(&path, request.method());
        let response = self.send(request).await;
        assert_eq!(response.status().as_u16(), status, "{path}");
        if let Some(operation) = operation {
            let declared = &operation["responses"][status.to_string()]["content"]["application/problem+json"];
            assert!(!declared.is_null(), "{path} does not declare {status}");
        }
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

/// What the document says of an operation; `None` if it has none at this path.
fn operation(path: &str, method: &Method) -> Option<Value> {
    let document = serde_json::to_value(mecforge_administration::document()).unwrap();
    let segments: Vec<&str> = path.strip_prefix(BASE_PATH)?.split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        let mut pairs = template.iter().zip(&segments);
        template.len() == segments.len() && pairs.all(|(one, other)| one.starts_with('{') || one == other)
    };
    let items = document["paths"].as_object()?.iter();
    // What has no parameters is meant rather than what has.
    let found = items
        .filter(|(template, _)| fits(template))
        .min_by_key(|(template, _)| template.matches('{').count());
    found?.1.get(method.as_str().to_lowercase()).cloned()
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
