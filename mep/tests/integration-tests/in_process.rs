//! A whole platform in this process: requests go straight to it, without sockets.

use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use mecforge_store::{Embedded, Store};
use mep::config::{DataPlaneBackend, Settings};
use mep::platform::Platform;
use serde_json::{Value, json};

pub(crate) const SERVICES: &str = "/mec_service_mgmt/v1";
pub(crate) const SUPPORT: &str = "/mec_app_support/v1";

/// A platform, its store and its directory.
pub(crate) struct InProcess {
    pub(crate) platform: Platform,
    pub(crate) store: Arc<dyn Store>,
    _directory: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

impl InProcess {
    pub(crate) async fn new(settings: Settings) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Embedded::open(directory.path()).unwrap());
        let address = "127.0.0.1:8080".parse().unwrap();
        let platform = Platform::with_store(store.clone(), &settings, address)
            .await
            .unwrap();
        Self {
            platform,
            store,
            _directory: directory,
        }
    }

    /// A quiet platform on which the application instance `app` has registered.
    pub(crate) async fn with_application() -> Self {
        Self::with(quiet()).await
    }

    /// The same with other settings.
    pub(crate) async fn with(settings: Settings) -> Self {
        let platform = Self::new(settings).await;
        platform
            .json("POST", &format!("{SUPPORT}/registrations"), registration("app"))
            .await
            .expect(201);
        platform
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let (parts, body) = self.platform.answer(request).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "mep.test");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn json(&self, method: &str, path: &str, body: Value) -> Reply {
        self.call(
            method,
            path,
            &[("content-type", "application/json")],
            Body::from(body.to_string()),
        )
        .await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &[], Body::empty()).await
    }
}

/// Settings without an access line for each request.
pub(crate) fn quiet() -> Settings {
    let mut settings = Settings::default();
    settings.log.access = false;
    settings.dns.listen = "off".to_owned();
    settings.dataplane.backend = DataPlaneBackend::Disabled;
    settings
}

pub(crate) fn registration(id: &str) -> Value {
    json!({"appName": "test", "appInstanceId": id, "endpoint": {"uris": ["http://10.0.0.1"]}})
}

pub(crate) fn service(name: &str) -> Value {
    json!({"serName": name, "version": "1", "state": "ACTIVE", "serializer": "JSON", "transportId": "rest-http"})
}
