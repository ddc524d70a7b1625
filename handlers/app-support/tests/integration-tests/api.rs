//! The API under test, and a short way to call it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use mec011_app_support::{BASE_PATH, DnsRule, TrafficRule};
use mecforge_app_support::{AppSupport, Instances, Options, Parts, TERMINATION};
use mecforge_clock::Machine;
use mecforge_contracts::lifecycle::{Life, Lifecycle};
use mecforge_contracts::rules::{DnsRules, RuleChange, TrafficRules};
use mecforge_contracts::{Applications, Presence, keys};
use mecforge_runtime::server::{ApiService, Mount, Principal};
use mecforge_store::{Embedded, Store, Transaction};
use mecforge_subscriptions::{Limits, Running, Subscriptions};
use serde_json::{Value, json};

use crate::parts::{Names, Policy, REMOVED, Services, Traffic};

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

/// The API on a store of its own; `declared` is declared, `app` has registered.
pub(crate) struct Api {
    service: ApiService,
    pub(crate) support: Arc<AppSupport>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) instances: Arc<Instances>,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) names: Arc<Names>,
    pub(crate) principal: Principal,
    declared: Vec<String>,
    directory: Arc<tempfile::TempDir>,
}

impl Api {
    /// The API, with `app` registered.
    pub(crate) async fn new() -> Self {
        let api = Self::empty();
        api.register("app").await;
        api
    }

    pub(crate) fn empty() -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        Self::open(directory, vec!["declared".to_owned()], Machine::default())
    }

    pub(crate) fn with_clock(clock: Machine) -> Self {
        Self::open(Arc::new(tempfile::tempdir().unwrap()), Vec::new(), clock)
    }

    fn open(directory: Arc<tempfile::TempDir>, declared: Vec<String>, clock: Machine) -> Self {
        let store: Arc<dyn Store> = Arc::new(Embedded::open(directory.path()).unwrap());
        let instances = Arc::new(Instances::new(store.clone(), declared.iter().cloned().collect()));
        let traffic = Arc::new(Traffic::new(store.clone()));
        let names = Arc::new(Names(store.clone()));
        let limits = Limits {
            per_application: Some(3),
        };
        let policy = Arc::new(Policy(["forbidden.example"].into()));
        let support = Arc::new(AppSupport::new(Parts {
            store: store.clone(),
            instances: instances.clone(),
            traffic_rules: traffic.clone(),
            dns_rules: names.clone(),
            belongings: vec![Arc::new(Services(store.clone()))],
            subscriptions: Arc::new(Subscriptions::new(store.clone(), TERMINATION, policy, limits)),
            clock: Arc::new(clock),
            options: Options {
                retry_end_after: Duration::from_millis(50),
            },
        }));
        Self {
            service: mec011_app_support::server::service(support.clone()),
            support,
            store,
            instances,
            traffic,
            names,
            principal: Principal::Anonymous,
            declared,
            directory,
        }
    }

    /// The same API after a restart.
    pub(crate) fn restarted(self) -> Self {
        let declared = self.declared.clone();
        self.restarted_declaring(declared)
    }

    /// The same API after a restart with another configuration.
    pub(crate) fn restarted_declaring(self, declared: Vec<String>) -> Self {
        let directory = self.directory.clone();
        drop(self);
        Self::open(directory, declared, Machine::default())
    }

    pub(crate) fn start(&self) -> Running {
        self.support.start()
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

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, &[], body).await
    }

    pub(crate) async fn put(&self, path: &str, if_match: &str, body: Value) -> Answer {
        let condition = [("if-match", if_match)];
        let headers: &[(&str, &str)] = if if_match.is_empty() { &[] } else { &condition };
        self.call("PUT", path, headers, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, &[], Value::Null).await
    }

    /// Registers an application instance.
    pub(crate) async fn register(&self, app: &str) {
        let body =
            json!({"appName": "test", "appInstanceId": app, "endpoint": {"uris": ["http://app.test"]}});
        self.post("/registrations", body).await.expect(201);
    }

    /// Subscribes an application instance to the news of its end; returns the identifier.
    pub(crate) async fn subscribe(&self, app: &str) -> String {
        let path = format!("/applications/{app}/subscriptions");
        let answer = self.post(&path, subscription(app)).await.expect(201);
        let location = answer.header("location");
        location.rsplit('/').next().unwrap().to_owned()
    }

    pub(crate) async fn confirm(&self, app: &str, action: &str) -> Answer {
        let path = format!("/applications/{app}/confirm_termination");
        self.post(&path, json!({"operationAction": action})).await
    }

    pub(crate) async fn confirm_ready(&self, app: &str) -> Answer {
        let path = format!("/applications/{app}/confirm_ready");
        self.post(&path, json!({"indication": "READY"})).await
    }

    /// Puts values into the store, as other handlers would.
    pub(crate) async fn put_value(&self, key: String, value: &str) {
        let transaction = Transaction::new().put(key, value.to_owned());
        self.store.commit(transaction).await.unwrap();
    }

    pub(crate) async fn add_service(&self, app: &str, id: &str) {
        self.put_value(keys::service(app, id), "{}").await;
    }

    pub(crate) async fn configure(&self, app: &str) {
        self.put_value(keys::configuration(app), "{}").await;
    }

    pub(crate) async fn add_dns_rule(&self, app: &str, rule: Value) {
        let rule: DnsRule = mecforge_runtime::from_slice(rule.to_string().as_bytes()).unwrap();
        let change = RuleChange::Set(rule);
        let transaction = self.names.stage(app, change, Transaction::new()).unwrap();
        self.store.commit(transaction).await.unwrap();
    }

    pub(crate) async fn add_traffic_rule(&self, app: &str, rule: Value) {
        let rule: TrafficRule = mecforge_runtime::from_slice(rule.to_string().as_bytes()).unwrap();
        let change = RuleChange::Set(rule);
        self.traffic
            .commit(app, change, Transaction::new())
            .await
            .unwrap();
    }

    /// Gives an application instance one of everything: a service, an active rule of each kind, a subscription.
    pub(crate) async fn equip(&self, app: &str) {
        self.add_service(app, "service").await;
        self.add_dns_rule(app, dns_rule("name", "ACTIVE")).await;
        self.add_traffic_rule(app, traffic_rule("way", "ACTIVE")).await;
        self.subscribe(app).await;
    }

    pub(crate) fn life(&self, app: &str) -> Life {
        self.support.life(app)
    }

    pub(crate) fn count(&self, prefix: &str) -> usize {
        self.store.range(prefix, None, usize::MAX).entries.len()
    }

    /// The bodies of all notifications that wait.
    pub(crate) fn outbox(&self) -> Vec<Value> {
        let entries = self.store.range(keys::OUTBOX, None, usize::MAX).entries;
        let read = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap();
        entries.iter().map(|(_, entry)| read(&entry.value)).collect()
    }

    /// How often a removal of a service was told.
    pub(crate) fn removals(&self) -> usize {
        self.count(REMOVED)
    }

    /// Nothing is left of an application instance, neither in the store nor in the kernel.
    #[track_caller]
    pub(crate) fn expect_gone(&self, app: &str) {
        self.expect_bare(app);
        assert_eq!(self.instances.presence(app), Presence::Absent);
        let rules = self.count(&keys::dns_rules_of(app)) + self.count(&keys::traffic_rules_of(app));
        assert_eq!(rules, 0);
    }

    /// Nothing is left of what an application instance has made, and nothing of it runs.
    #[track_caller]
    pub(crate) fn expect_bare(&self, app: &str) {
        assert_eq!(self.count(&keys::services_of(app)), 0);
        assert_eq!(self.count(&keys::subscriptions_of(TERMINATION, app)), 0);
        assert_eq!(self.traffic.in_kernel(app), [] as [&str; 0]);
        assert_eq!(self.names.active(app), [] as [&str; 0]);
        assert_eq!(self.life(app), Life::default());
    }

    /// Waits until an application instance is gone, for at most ten seconds.
    pub(crate) async fn wait_until_gone(&self, app: &str) {
        for _ in 0..1000 {
            if self.instances.presence(app) == Presence::Absent {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{app} is still there: {:?}", self.life(app));
    }
}

/// A subscription as an application asks for it.
pub(crate) fn subscription(app: &str) -> Value {
    json!({
        "subscriptionType": "AppTerminationNotificationSubscription",
        "callbackReference": "http://app.test/callback",
        "appInstanceId": app,
    })
}

/// A DNS rule for `<id>.test`.
pub(crate) fn dns_rule(id: &str, state: &str) -> Value {
    json!({
        "dnsRuleId": id, "domainName": format!("{id}.test"), "ipAddressType": "IP_V6",
        "ipAddress": "2001:db8::1", "state": state,
    })
}

/// A traffic rule.
pub(crate) fn traffic_rule(id: &str, state: &str) -> Value {
    json!({
        "trafficRuleId": id, "filterType": "FLOW", "priority": 1, "action": "FORWARD_DECAPSULATED",
        "trafficFilter": [{"dstAddress": ["192.0.2.0/24"], "dstPort": ["80"], "protocol": ["tcp"]}],
        "dstInterface": {"interfaceType": "IP", "dstIpAddress": "2001:db8::1"}, "state": state,
    })
}
