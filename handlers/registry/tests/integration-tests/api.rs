//! The API under test, and a short way to call it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use mec011_service_management::BASE_PATH;
use mecforge_contracts::{Applications, Presence};
use mecforge_registry::{Limits, Registry, Transports};
use mecforge_runtime::server::{ApiService, Mount, Principal, PublicUrl};
use mecforge_store::{Embedded, Store};
use serde_json::{Value, json};

/// Application instances that exist because the test says so.
#[derive(Default)]
pub(crate) struct Declared(pub(crate) Mutex<BTreeSet<String>>);

impl Applications for Declared {
    fn presence(&self, app_instance_id: &str) -> Presence {
        match self.0.lock().unwrap().contains(app_instance_id) {
            true => Presence::Declared,
            false => Presence::Absent,
        }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// A problem that names this parameter.
    #[track_caller]
    pub(crate) fn expect_parameter(self, status: u16, parameter: &str) {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        let answer = self.expect(status);
        assert_eq!(answer.body["parameter"], parameter, "{answer:?}");
    }

    /// A problem that names this place in the body and this rule.
    #[track_caller]
    pub(crate) fn expect_pointer(self, status: u16, pointer: &str, rule: &str) {
        let answer = self.expect(status);
        assert_eq!(
            (&answer.body["pointer"], &answer.body["rule"]),
            (&json!(pointer), &json!(rule)),
            "{answer:?}"
        );
    }
}

/// The API on a store of its own, with the applications `a` and `b`.
pub(crate) struct Api {
    service: ApiService,
    pub(crate) registry: Arc<Registry>,
    pub(crate) applications: Arc<Declared>,
    pub(crate) principal: Principal,
    pub(crate) public_url: Option<PublicUrl>,
    directory: Arc<tempfile::TempDir>,
}

impl Api {
    pub(crate) fn new() -> Self {
        Self::limited(Limits::default())
    }

    pub(crate) fn limited(limits: Limits) -> Self {
        Self::open(Arc::new(tempfile::tempdir().unwrap()), limits)
    }

    fn open(directory: Arc<tempfile::TempDir>, limits: Limits) -> Self {
        let store: Arc<dyn Store> = Arc::new(Embedded::open(directory.path()).unwrap());
        let applications = Arc::new(Declared::default());
        applications
            .0
            .lock()
            .unwrap()
            .extend(["a".to_owned(), "b".to_owned()]);
        let transports = Transports::standard("http://mep.example");
        let registry = Arc::new(Registry::new(store, applications.clone(), transports, limits));
        let service = mec011_service_management::server::service(registry.clone());
        Self {
            service,
            registry,
            applications,
            principal: Principal::Anonymous,
            public_url: None,
            directory,
        }
    }

    /// The same API after a restart.
    pub(crate) fn restarted(self) -> Self {
        let directory = self.directory.clone();
        drop(self);
        Self::open(directory, Limits::default())
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "mep.test:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Value::Null => Body::empty(),
            body => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
        };
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(self.principal.clone());
        request.extensions_mut().insert(Mount::new(BASE_PATH));
        if let Some(public_url) = &self.public_url {
            request.extensions_mut().insert(public_url.clone());
        }
        let (parts, body) = self.service.answer(request).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap()
        };
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[], Value::Null).await
    }

    pub(crate) async fn post(&self, application: &str, body: Value) -> Answer {
        self.call(
            "POST",
            &format!("/applications/{application}/services"),
            &[],
            body,
        )
        .await
    }

    /// Registers a service and returns its identifier.
    pub(crate) async fn register(&self, application: &str, body: Value) -> String {
        let answer = self.post(application, body).await.expect(201);
        answer.body["serInstanceId"].as_str().unwrap().to_owned()
    }
}

/// A service as an application offers it, with some properties of its own.
pub(crate) fn service(changes: Value) -> Value {
    let mut service = json!({
        "serName": "weather", "version": "1.0", "state": "ACTIVE", "serializer": "JSON", "transportId": "rest-http",
    });
    merge(&mut service, changes);
    service
}

/// A transport as an application brings it.
pub(crate) fn transport() -> Value {
    json!({
        "id": "mine", "name": "mine", "type": "REST_HTTP", "protocol": "HTTP", "version": "2.0",
        "endpoint": {"addresses": [{"host": "10.0.0.1", "port": 8080}]}, "security": {},
    })
}

/// Sets members; `null` removes one.
pub(crate) fn merge(value: &mut Value, changes: Value) {
    let members = value.as_object_mut().unwrap();
    for (name, change) in changes.as_object().unwrap() {
        if change.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), change.clone());
        }
    }
}
