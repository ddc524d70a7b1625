//! The API under test, and a short way to call it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use mec011_service_management::BASE_PATH;
use mecforge_contracts::outbox::CallbackPolicy;
use mecforge_contracts::{Applications, Presence, keys};
use mecforge_registry::{Options, Registry, SUBSCRIPTION_KIND, Transports, accept_other_methods};
use mecforge_runtime::server::{ApiService, Mount, Principal, PublicUrl};
use mecforge_store::{Embedded, Entry, Store, Transaction};
use serde_json::{Value, json};

use crate::meddling::Meddling;

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

/// Every callback address but those of `forbidden.example`.
struct Policy;

impl CallbackPolicy for Policy {
    fn check(&self, url: &str) -> Result<(), String> {
        match url.contains("forbidden.example") {
            true => Err("the host is not allowed".to_owned()),
            false => Ok(()),
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
    pub(crate) store: Arc<Meddling>,
    options: Options,
    pub(crate) registry: Arc<Registry>,
    pub(crate) applications: Arc<Declared>,
    pub(crate) principal: Principal,
    pub(crate) public_url: Option<PublicUrl>,
    directory: Arc<tempfile::TempDir>,
}

impl Api {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        Self::open(Arc::new(tempfile::tempdir().unwrap()), options)
    }

    fn open(directory: Arc<tempfile::TempDir>, options: Options) -> Self {
        let store = Arc::new(Meddling::new(Embedded::open(directory.path()).unwrap()));
        let applications = Arc::new(Declared::default());
        applications
            .0
            .lock()
            .unwrap()
            .extend(["a".to_owned(), "b".to_owned()]);
        let transports = Transports::standard("http://mep.example");
        let registry = Arc::new(Registry::new(
            store.clone(),
            applications.clone(),
            transports,
            Arc::new(Policy),
            options,
        ));
        let service = mec011_service_management::server::service(registry.clone());
        Self {
            service,
            store,
            options,
            registry,
            applications,
            principal: Principal::Anonymous,
            public_url: None,
            directory,
        }
    }

    /// The same API after a restart.
    pub(crate) fn restarted(self) -> Self {
        let (directory, options) = (self.directory.clone(), self.options);
        drop(self);
        Self::open(directory, options)
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
        accept_other_methods(&mut request);
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

impl Api {
    /// Subscribes to services that meet criteria; returns the subscription's identifier.
    pub(crate) async fn subscribe(&self, application: &str, criteria: Value) -> String {
        let path = format!("/applications/{application}/subscriptions");
        let answer = self
            .call("POST", &path, &[], subscription(criteria))
            .await
            .expect(201);
        answer.header("location").rsplit('/').next().unwrap().to_owned()
    }

    /// The notifications that wait for a subscription, oldest first.
    pub(crate) fn told(&self, application: &str, subscription: &str) -> Vec<Value> {
        let key = keys::subscription(SUBSCRIPTION_KIND, application, subscription);
        let waiting = self.store.range(&keys::outgoing_of(&key), None, usize::MAX);
        let mut entries: Vec<_> = waiting.entries.into_iter().map(|(_, entry)| entry).collect();
        entries.sort_by_key(|entry| entry.created);
        let body = |entry: Entry| {
            let outgoing: Value = serde_json::from_slice(&entry.value).unwrap();
            assert_eq!(outgoing["notification"], "ServiceAvailabilityNotification");
            assert_eq!(outgoing["subscription"], key);
            outgoing["body"].clone()
        };
        entries.into_iter().map(body).collect()
    }

    /// What a subscription was told, in short: `CHANGE name STATE`, notifications apart by `|`, services by `,`.
    pub(crate) fn heard(&self, application: &str, subscription: &str) -> String {
        let in_short = |reference: &Value| {
            let of = |name: &str| reference[name].as_str().unwrap().to_owned();
            format!("{} {} {}", of("changeType"), of("serName"), of("state"))
        };
        let told = self.told(application, subscription);
        let notifications = told.iter().map(|body| {
            let mut references: Vec<_> = body["serviceReferences"]
                .as_array()
                .unwrap()
                .iter()
                .map(in_short)
                .collect();
            references.sort();
            references.join(",")
        });
        notifications.collect::<Vec<_>>().join("|")
    }

    pub(crate) async fn put(&self, application: &str, id: &str, body: Value) -> Answer {
        let path = format!("/applications/{application}/services/{id}");
        self.call("PUT", &path, &[], body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, &[], Value::Null).await
    }

    /// Sends a heartbeat.
    pub(crate) async fn heartbeat(&self, application: &str, id: &str) -> Answer {
        let path = format!("/applications/{application}/services/{id}/liveness");
        self.call("PATCH", &path, &[], json!({"state": "ACTIVE"})).await
    }

    /// The transaction by which somebody else sets the state of a service.
    pub(crate) fn set_state(&self, application: &str, id: &str, state: &str) -> Transaction {
        let key = keys::service(application, id);
        let mut value: Value = serde_json::from_slice(&self.store.get(&key).unwrap().value).unwrap();
        value["state"] = json!(state);
        Transaction::new().put(key, value.to_string())
    }

    /// The state in which a service is shown.
    pub(crate) async fn state(&self, id: &str) -> String {
        let found = self.get(&format!("/services/{id}")).await.expect(200);
        found.body["state"].as_str().unwrap().to_owned()
    }
}

/// A subscription to services that meet criteria; all services for `null`.
pub(crate) fn subscription(criteria: Value) -> Value {
    let mut subscription = json!({
        "subscriptionType": "SerAvailabilityNotificationSubscription",
        "callbackReference": "http://app.example/cb", "filteringCriteria": criteria,
    });
    if subscription["filteringCriteria"].is_null() {
        merge(&mut subscription, json!({"filteringCriteria": null}));
    }
    subscription
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
