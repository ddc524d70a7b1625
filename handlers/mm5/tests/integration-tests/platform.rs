//! A platform around Mm5: rules and lives that are kept in the store, and faults that a test asks for.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use mec011_app_support::{DnsRule, TrafficRule};
use mecforge_contracts::lifecycle::{EndAction, Life, Lifecycle, PendingEnd};
use mecforge_contracts::outbox::{CallbackPolicy, Outgoing};
use mecforge_contracts::rules::{
    DataPlaneCapabilities, DnsRules, Kept, Later, RuleChange, RuleCounters, RuleError, TrafficRules,
};
use mecforge_contracts::{Applications, Presence, keys};
use mecforge_mm5::{BASE_PATH, Mm5, Options, Running};
use mecforge_runtime::Decode;
use mecforge_runtime::server::{Principal, Problem, PublicUrl};
use mecforge_store::{Embedded, Revision, Store, Transaction};
use serde::Serialize;
use serde_json::{Value, json};
use tower::ServiceExt;

/// What a test wants to go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    #[default]
    None,
    /// The data plane refuses rules when they are put in force.
    Refuse,
    /// The data plane never answers, as if the platform were stopped in its middle.
    Hang,
    /// The data plane panics.
    Panic,
}

/// All that Mm5 asks for, on a store.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) fault: Mutex<Fault>,
    pub(crate) commits: AtomicUsize,
}

fn list<R: Decode>(
    store: &dyn Store,
    prefix: &str,
    at: fn(&str) -> Option<(String, String)>,
) -> Vec<Kept<R>> {
    let entries = store.range(prefix, None, usize::MAX).entries;
    let kept = entries.iter().map(|(key, entry)| Kept {
        app_instance_id: at(key).unwrap().0,
        rule: mecforge_runtime::from_slice(&entry.value).unwrap(),
        modified: entry.modified,
    });
    kept.collect()
}

fn change<R: Serialize>(
    prefix: String,
    change: RuleChange<R>,
    key: impl Fn(&R) -> String,
    transaction: Transaction,
) -> Transaction {
    let put =
        |transaction: Transaction, rule: &R| transaction.put(key(rule), serde_json::to_vec(rule).unwrap());
    match change {
        RuleChange::Set(rule) => put(transaction, &rule),
        RuleChange::ReplaceAll(rules) => rules.iter().fold(transaction.delete_prefix(prefix), put),
        RuleChange::RemoveAll => transaction.delete_prefix(prefix),
    }
}

impl DnsRules for World {
    fn list(&self, app: &str) -> Vec<Kept<DnsRule>> {
        list(&*self.store, &keys::dns_rules_of(app), keys::dns_rule_at)
    }

    fn get(&self, app: &str, id: &str) -> Option<Kept<DnsRule>> {
        DnsRules::list(self, app)
            .into_iter()
            .find(|kept| kept.rule.dns_rule_id == id)
    }

    fn stage(
        &self,
        app: &str,
        wanted: RuleChange<DnsRule>,
        transaction: Transaction,
    ) -> Result<Transaction, Problem> {
        let rules: &[DnsRule] = match &wanted {
            RuleChange::ReplaceAll(rules) => rules,
            _ => &[],
        };
        if let Some(index) = rules.iter().position(|rule| rule.domain_name == "taken.example") {
            let detail = "the name belongs to a rule of another application instance";
            return Err(Problem::conflict(detail).with_pointer(format!("/{index}/domainName")));
        }
        let key = |rule: &DnsRule| keys::dns_rule(app, &rule.dns_rule_id);
        Ok(change(keys::dns_rules_of(app), wanted, key, transaction))
    }

    fn listens_on(&self) -> Vec<SocketAddr> {
        vec!["127.0.0.1:5300".parse().unwrap()]
    }
}

const FULL: &str = "the kernel takes no more rules";

impl TrafficRules for World {
    fn list(&self, app: &str) -> Vec<Kept<TrafficRule>> {
        list(&*self.store, &keys::traffic_rules_of(app), keys::traffic_rule_at)
    }

    fn get(&self, app: &str, id: &str) -> Option<Kept<TrafficRule>> {
        TrafficRules::list(self, app)
            .into_iter()
            .find(|kept| kept.rule.traffic_rule_id == id)
    }

    fn check(&self, rule: &TrafficRule) -> Result<(), Problem> {
        match rule.priority {
            13 => Err(Problem::unprocessable("this machine has no GTP-U").with_pointer("/dstInterface")),
            _ => Ok(()),
        }
    }

    fn commit(
        &self,
        app: &str,
        wanted: RuleChange<TrafficRule>,
        transaction: Transaction,
    ) -> Later<'_, Result<Revision, RuleError>> {
        let key = |rule: &TrafficRule| keys::traffic_rule(app, &rule.traffic_rule_id);
        let kept = TrafficRules::list(self, app);
        let transaction = match wanted {
            RuleChange::ReplaceAll(rules) if kept.iter().map(|kept| &kept.rule).eq(&rules) => transaction,
            wanted => change(keys::traffic_rules_of(app), wanted, key, transaction),
        };
        let fault = *self.fault.lock().unwrap();
        Box::pin(async move {
            self.commits.fetch_add(1, Ordering::SeqCst);
            match fault {
                Fault::None => {}
                Fault::Refuse => return Err(RuleError::Refused(Problem::service_unavailable(FULL))),
                Fault::Hang => std::future::pending().await,
                Fault::Panic => panic!("as the test asked for"),
            }
            self.store.commit(transaction).await.map_err(RuleError::Commit)
        })
    }

    fn capabilities(&self) -> DataPlaneCapabilities {
        DataPlaneCapabilities {
            backend: "test".to_owned(),
            available: true,
            ..DataPlaneCapabilities::default()
        }
    }

    fn counters(&self) -> Later<'_, Vec<RuleCounters>> {
        Box::pin(async { Vec::new() })
    }
}

impl Applications for World {
    fn presence(&self, app: &str) -> Presence {
        if self.store.get(&keys::configuration(app)).is_some() {
            Presence::Configured
        } else if self.store.get(&keys::application(app)).is_some() {
            Presence::Registered
        } else {
            Presence::Absent
        }
    }
}

impl World {
    pub(crate) async fn set_life(&self, app: &str, life: Life) {
        let value = serde_json::to_vec(&life).unwrap();
        self.put(&keys::life(app), value).await;
    }

    pub(crate) async fn put(&self, key: &str, value: Vec<u8>) {
        self.store
            .commit(Transaction::new().put(key, value))
            .await
            .unwrap();
    }

    async fn removed(&self, app: &str) -> Result<(), Problem> {
        if self.presence(app) == Presence::Absent {
            return Err(Problem::not_found("no such application instance"));
        }
        let transaction = Transaction::new()
            .delete(keys::configuration(app))
            .delete(keys::application(app))
            .delete(keys::life(app))
            .delete_prefix(keys::services_of(app))
            .delete_prefix(keys::dns_rules_of(app))
            .delete_prefix(keys::traffic_rules_of(app));
        self.store.commit(transaction).await.unwrap();
        Ok(())
    }
}

impl Lifecycle for World {
    fn life(&self, app: &str) -> Life {
        let entry = self.store.get(&keys::life(app));
        entry.map_or_else(Life::default, |entry| {
            serde_json::from_slice(&entry.value).unwrap()
        })
    }

    fn end(&self, app: &str, action: EndAction, grace: Duration) -> Later<'_, Result<(), Problem>> {
        let app = app.to_owned();
        Box::pin(async move {
            if self.presence(&app) == Presence::Absent {
                return Err(Problem::not_found("no such application instance"));
            }
            let deadline = u64::try_from(grace.as_millis()).unwrap();
            let pending = Some(PendingEnd { action, deadline });
            self.set_life(&app, Life { pending, ready: true }).await;
            Ok(())
        })
    }

    fn remove(&self, app: &str) -> Later<'_, Result<(), Problem>> {
        let app = app.to_owned();
        Box::pin(async move { self.removed(&app).await })
    }
}

impl CallbackPolicy for World {
    fn check(&self, url: &str) -> Result<(), String> {
        match url.contains("metadata") {
            true => Err("it is the network's own".to_owned()),
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
        if status >= 400 {
            assert_eq!(
                self.header("content-type"),
                "application/problem+json",
                "{self:?}"
            );
            assert_eq!(self.body["status"], status, "{self:?}");
        }
        self
    }

    /// A problem with this place in the body and this rule.
    #[track_caller]
    pub(crate) fn expect_pointer(self, status: u16, pointer: &str, rule: &str) {
        let answer = self.expect(status);
        assert_eq!(
            (&answer.body["pointer"], &answer.body["rule"]),
            (&json!(pointer), &json!(rule)),
            "{answer:?}"
        );
    }

    #[track_caller]
    pub(crate) fn expect_parameter(self, status: u16, parameter: &str) {
        let answer = self.expect(status);
        assert_eq!(answer.body["parameter"], parameter, "{answer:?}");
    }

    pub(crate) fn task_id(&self) -> String {
        self.body["taskId"].as_str().unwrap().to_owned()
    }
}

/// Mm5 on a store of its own.
pub(crate) struct Platform {
    pub(crate) world: Arc<World>,
    pub(crate) mm5: Arc<Mm5>,
    running: Option<Running>,
    directory: Arc<tempfile::TempDir>,
    pub(crate) options: Options,
    pub(crate) principal: Principal,
}

impl Platform {
    pub(crate) fn new() -> Self {
        Self::with(Options {
            patience: Duration::from_millis(200),
            ..Options::default()
        })
    }

    pub(crate) fn with(options: Options) -> Self {
        let mut platform = Self::idle(options);
        platform.start();
        platform
    }

    /// Without background work.
    pub(crate) fn idle(options: Options) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        Self::open(directory, options)
    }

    fn open(directory: Arc<tempfile::TempDir>, options: Options) -> Self {
        let store: Arc<dyn Store> = Arc::new(open_store(directory.path()));
        let world = Arc::new(World {
            store: store.clone(),
            fault: Mutex::default(),
            commits: AtomicUsize::new(0),
        });
        let w = &world;
        let mm5 = Mm5::new(
            store,
            w.clone(),
            w.clone(),
            w.clone(),
            w.clone(),
            w.clone(),
            options.clone(),
        );
        Self {
            world,
            mm5,
            running: None,
            directory,
            options,
            principal: Principal::Anonymous,
        }
    }

    pub(crate) fn start(&mut self) {
        self.running = Some(self.mm5.start());
    }

    pub(crate) fn stop(&mut self) {
        self.running = None;
    }

    /// The same platform after its process has died and begun anew, without background work yet.
    pub(crate) async fn restart(self) -> Self {
        let Self {
            running,
            directory,
            options,
            mm5,
            world,
            ..
        } = self;
        drop(running);
        drop(mm5);
        let store = Arc::downgrade(&world.store);
        drop(world);
        // What was cut off lets go of the store when it is dropped.
        while store.upgrade().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self::open(directory, options)
    }

    pub(crate) fn fail_with(&self, fault: Fault) {
        *self.world.fault.lock().unwrap() = fault;
    }

    pub(crate) async fn ask(
        &self,
        router: axum::Router,
        request: http::request::Builder,
        body: Body,
    ) -> Answer {
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(self.principal.clone());
        request
            .extensions_mut()
            .insert(PublicUrl::new("http://mep.example"));
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: match bytes.is_empty() {
                true => Value::Null,
                false => serde_json::from_slice(&bytes).unwrap(),
            },
        }
    }

    /// A request to our own API.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.send_with(method, path, body, &[]).await
    }

    pub(crate) async fn send_with(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let router = axum::Router::new().nest(BASE_PATH, self.mm5.router());
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{BASE_PATH}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let answer = self.ask(router, request, body).await;
        crate::document::judge_answer(method, path, answer.status, &answer.body);
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// Sends a configuration by PUT and waits for its task.
    pub(crate) async fn configure(&self, app: &str, body: &Value) -> Value {
        let answer = self
            .send("PUT", &configuration(app), Some(body))
            .await
            .expect(202);
        self.finished(&answer.task_id()).await
    }

    /// The task, once it is finished.
    pub(crate) async fn finished(&self, task_id: &str) -> Value {
        for _ in 0..1000 {
            let task = self.get(&format!("/tasks/{task_id}")).await.expect(200).body;
            if ["SUCCEEDED", "FAILED"].contains(&task["state"].as_str().unwrap()) {
                return task;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the task {task_id} does not finish");
    }

    /// The notifications that wait, oldest first.
    pub(crate) fn outbox(&self) -> Vec<Outgoing> {
        let mut entries = self.world.store.range(keys::OUTBOX, None, usize::MAX).entries;
        entries.sort_by_key(|(key, entry)| (entry.created, key.clone()));
        let outgoing = entries
            .iter()
            .map(|(_, entry)| serde_json::from_slice(&entry.value).unwrap());
        outgoing.collect()
    }
}

fn open_store(directory: &Path) -> Embedded {
    Embedded::open(directory).unwrap()
}

/// Where the configuration of an application instance is.
pub(crate) fn configuration(app: &str) -> String {
    format!("/applications/{app}/configuration")
}

pub(crate) fn dns(id: &str, name: &str) -> Value {
    json!({
        "dnsRuleId": id,
        "domainName": name,
        "ipAddressType": "IP_V4",
        "ipAddress": "10.0.0.1",
        "state": "ACTIVE",
    })
}

pub(crate) fn traffic(id: &str, priority: u64) -> Value {
    json!({
        "trafficRuleId": id,
        "filterType": "FLOW",
        "priority": priority,
        "trafficFilter": [{"srcAddress": ["10.1.0.0/16"]}],
        "action": "DROP",
        "state": "ACTIVE",
    })
}
