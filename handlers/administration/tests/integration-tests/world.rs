//! A platform that is small but real: everything that it shows is in a store, and what an operator does changes that.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mec011_app_support::{DnsRule, TrafficRule};
use mecforge_administration::{Administration, Listener, Options, Platform};
use mecforge_contracts::deliveries::{DeadLetter, Deliveries, DeliveryState};
use mecforge_contracts::keys;
use mecforge_contracts::lifecycle::{EndAction, Life, Lifecycle};
use mecforge_contracts::outbox::{Outgoing, Target};
use mecforge_contracts::outcome;
use mecforge_contracts::rules::{
    DataPlaneCapabilities, DnsRules, Kept, Later, RuleChange, RuleCounters, RuleError, TrafficRules,
};
use mecforge_runtime::server::Problem;
use mecforge_store::{Embedded, Entry, Revision, Store, Transaction};
use serde_json::{Value, json};

/// A platform and where it keeps everything.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) administration: Administration,
    pub(crate) lives: Arc<Lives>,
    pub(crate) _directory: tempfile::TempDir,
}

impl World {
    pub(crate) fn new(options: Options) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the store");
        let store: Arc<dyn Store> = Arc::new(Embedded::open(directory.path()).expect("a store"));
        let lives = Arc::new(Lives::default());
        let platform = Platform {
            store: store.clone(),
            deliveries: queues(&store),
            dns_rules: rules(&store),
            traffic_rules: rules(&store),
            lifecycle: lives.clone(),
        };
        Self {
            store,
            administration: Administration::new(platform, options),
            lives,
            _directory: directory,
        }
    }

    pub(crate) fn with_defaults() -> Self {
        Self::new(Options {
            declared: vec!["declared".to_owned()],
            listeners: vec![Listener {
                name: "HTTP".to_owned(),
                address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            }],
            event_interval: Duration::from_millis(5),
            ..Options::default()
        })
    }

    pub(crate) async fn put(&self, key: &str, value: Value) -> Revision {
        let transaction = Transaction::new().put(key, value.to_string());
        self.store.commit(transaction).await.expect("a commit")
    }

    pub(crate) async fn delete(&self, key: &str) -> Revision {
        let transaction = Transaction::new().delete(key);
        self.store.commit(transaction).await.expect("a commit")
    }

    /// Puts a notification into the queue of a subscription.
    pub(crate) async fn queue(&self, subscription: &str, id: &str) -> Revision {
        let outgoing = Outgoing {
            subscription: subscription.into(),
            target: callback(),
            notification: "ServiceAvailabilityNotification".into(),
            happened: 1_800_000_000_000,
            body: serde_json::value::to_raw_value(&json!({"a": 1})).expect("a body"),
        };
        let value = serde_json::to_value(outgoing).expect("an entry");
        self.put(&keys::outgoing(subscription, id), value).await
    }

    /// Keeps a notification of a subscription as given up.
    pub(crate) async fn give_up(&self, subscription: &str, id: &str, given_up: u64) -> Revision {
        let letter = DeadLetter {
            id: id.to_owned(),
            subscription: subscription.to_owned(),
            target: callback(),
            notification: "ServiceAvailabilityNotification".to_owned(),
            happened: given_up - 60_000,
            given_up,
            attempts: 12,
            reason: "the subscriber answered 404".to_owned(),
            body: serde_json::value::to_raw_value(&json!({"a": 1})).expect("a body"),
        };
        let value = serde_json::to_value(letter).expect("a letter");
        self.put(&keys::dead_letter(subscription, id), value).await
    }
}

fn callback() -> Target {
    Target::Callback("http://192.0.2.7:9000/notify?token=<b>&x".into())
}

/// What a store says of deliveries.
pub(crate) fn queues(store: &Arc<dyn Store>) -> Arc<dyn Deliveries> {
    Arc::new(Queues(store.clone()))
}

/// What a store says of rules.
pub(crate) fn rules(store: &Arc<dyn Store>) -> Arc<Rules> {
    Arc::new(Rules(store.clone()))
}

/// Queues of notifications that nobody delivers.
struct Queues(Arc<dyn Store>);

impl Queues {
    fn letters(&self, prefix: &str) -> Vec<DeadLetter> {
        let entries = self.0.range(keys::DEAD_LETTERS, None, usize::MAX).entries;
        let letters = entries.iter().map(|(_, entry)| {
            serde_json::from_slice::<DeadLetter>(&entry.value).expect("a letter that was written here")
        });
        letters
            .filter(|letter| letter.subscription.starts_with(prefix))
            .collect()
    }

    fn chosen(&self, subscription: &str, id: Option<&str>) -> Result<Vec<DeadLetter>, Problem> {
        let mut letters = self.letters(subscription);
        letters.retain(|letter| letter.subscription == subscription && id.is_none_or(|id| letter.id == id));
        match letters.is_empty() {
            true => Err(Problem::not_found(format!(
                "nothing of {subscription:?} has been given up"
            ))),
            false => Ok(letters),
        }
    }

    async fn commit(&self, transaction: Transaction, count: usize) -> Result<usize, Problem> {
        self.0.commit(transaction).await.map_err(outcome::problem)?;
        Ok(count)
    }
}

impl Deliveries for Queues {
    fn states(&self, prefix: &str) -> Vec<DeliveryState> {
        let mut states: BTreeMap<String, DeliveryState> = BTreeMap::new();
        for (key, _) in self.0.range(keys::OUTBOX, None, usize::MAX).entries {
            let (subscription, _) = keys::outgoing_at(&key).expect("a key of the outbox");
            states.entry(subscription).or_default().queued += 1;
        }
        for letter in self.letters(prefix) {
            let state = states.entry(letter.subscription).or_default();
            state.dead += 1;
            state.failures += u64::from(letter.attempts);
            state.last_failure = Some(letter.given_up);
            state.last_error = Some(letter.reason);
        }
        let named = states.into_iter().map(|(subscription, state)| DeliveryState {
            subscription,
            target: Some(callback()),
            ..state
        });
        named
            .filter(|state| state.subscription.starts_with(prefix))
            .collect()
    }

    fn dead_letters(&self, prefix: &str) -> Vec<DeadLetter> {
        self.letters(prefix)
    }

    fn replay(&self, subscription: &str, id: Option<&str>) -> Later<'_, Result<usize, Problem>> {
        let (subscription, id) = (subscription.to_owned(), id.map(str::to_owned));
        Box::pin(async move {
            let letters = self.chosen(&subscription, id.as_deref())?;
            let count = letters.len();
            let mut transaction = Transaction::new();
            for letter in letters {
                let key = keys::outgoing(&letter.subscription, &letter.id);
                transaction = transaction
                    .delete(keys::dead_letter(&letter.subscription, &letter.id))
                    .put(key, serde_json::to_vec(&letter).map_err(Problem::internal)?);
            }
            self.commit(transaction, count).await
        })
    }

    fn discard(&self, subscription: &str, id: Option<&str>) -> Later<'_, Result<usize, Problem>> {
        let (subscription, id) = (subscription.to_owned(), id.map(str::to_owned));
        Box::pin(async move {
            let letters = self.chosen(&subscription, id.as_deref())?;
            let count = letters.len();
            let transaction = letters.iter().fold(Transaction::new(), |transaction, letter| {
                transaction.delete(keys::dead_letter(&letter.subscription, &letter.id))
            });
            self.commit(transaction, count).await
        })
    }
}

/// Rules as the store has them.
pub(crate) struct Rules(Arc<dyn Store>);

fn kept<R: mecforge_runtime::decode::Decode>(app: &str, entry: &Entry) -> Option<Kept<R>> {
    Some(Kept {
        app_instance_id: app.to_owned(),
        rule: mecforge_runtime::from_slice(&entry.value).ok()?,
        modified: entry.modified,
    })
}

impl DnsRules for Rules {
    fn list(&self, app_instance_id: &str) -> Vec<Kept<DnsRule>> {
        let entries = self
            .0
            .range(&keys::dns_rules_of(app_instance_id), None, usize::MAX)
            .entries;
        entries
            .iter()
            .filter_map(|(_, entry)| kept(app_instance_id, entry))
            .collect()
    }

    fn get(&self, app_instance_id: &str, dns_rule_id: &str) -> Option<Kept<DnsRule>> {
        kept(
            app_instance_id,
            &self.0.get(&keys::dns_rule(app_instance_id, dns_rule_id))?,
        )
    }

    fn stage(
        &self,
        _: &str,
        _: RuleChange<DnsRule>,
        transaction: Transaction,
    ) -> Result<Transaction, Problem> {
        Ok(transaction)
    }

    fn listens_on(&self) -> Vec<SocketAddr> {
        vec![SocketAddr::from(([127, 0, 0, 1], 5300))]
    }
}

impl TrafficRules for Rules {
    fn list(&self, app_instance_id: &str) -> Vec<Kept<TrafficRule>> {
        let entries = self
            .0
            .range(&keys::traffic_rules_of(app_instance_id), None, usize::MAX)
            .entries;
        entries
            .iter()
            .filter_map(|(_, entry)| kept(app_instance_id, entry))
            .collect()
    }

    fn get(&self, app_instance_id: &str, traffic_rule_id: &str) -> Option<Kept<TrafficRule>> {
        kept(
            app_instance_id,
            &self
                .0
                .get(&keys::traffic_rule(app_instance_id, traffic_rule_id))?,
        )
    }

    fn check(&self, _: &TrafficRule) -> Result<(), Problem> {
        Ok(())
    }

    fn commit(
        &self,
        _: &str,
        _: RuleChange<TrafficRule>,
        transaction: Transaction,
    ) -> Later<'_, Result<Revision, RuleError>> {
        Box::pin(async move { self.0.commit(transaction).await.map_err(RuleError::Commit) })
    }

    fn capabilities(&self) -> DataPlaneCapabilities {
        DataPlaneCapabilities {
            backend: "nftables".to_owned(),
            available: true,
            remarks: vec!["this kernel has no GTP-U".to_owned()],
            actions: [
                "DROP",
                "PASSTHROUGH",
                "FORWARD_DECAPSULATED",
                "DUPLICATE_DECAPSULATED",
            ]
            .map(str::to_owned)
            .to_vec(),
            tunnel_types: vec!["VXLAN".to_owned()],
        }
    }

    /// Every active rule has matched something.
    fn counters(&self) -> Later<'_, Vec<RuleCounters>> {
        let entries = self.0.range(keys::TRAFFIC_RULES, None, usize::MAX).entries;
        let counters = entries.iter().filter_map(|(key, entry)| {
            let (app_instance_id, traffic_rule_id) = keys::traffic_rule_at(key)?;
            let value: Value = serde_json::from_slice(&entry.value).ok()?;
            (value["state"] == "ACTIVE").then_some(RuleCounters {
                app_instance_id,
                traffic_rule_id,
                packets: 1_234_567,
                bytes: 987_654_321,
            })
        });
        let counters = counters.collect();
        Box::pin(async move { counters })
    }
}

/// How far lives are.
#[derive(Default)]
pub(crate) struct Lives(Mutex<BTreeMap<String, Life>>);

impl Lives {
    pub(crate) fn set(&self, app_instance_id: &str, life: Life) {
        self.0
            .lock()
            .expect("nobody panics with it")
            .insert(app_instance_id.to_owned(), life);
    }
}

impl Lifecycle for Lives {
    fn life(&self, app_instance_id: &str) -> Life {
        let lives = self.0.lock().expect("nobody panics with it");
        lives.get(app_instance_id).copied().unwrap_or_default()
    }

    fn end(&self, _: &str, _: EndAction, _: Duration) -> Later<'_, Result<(), Problem>> {
        Box::pin(async { Err(Problem::not_implemented("nothing ends here")) })
    }

    fn remove(&self, _: &str) -> Later<'_, Result<(), Problem>> {
        Box::pin(async { Err(Problem::not_implemented("nothing is removed here")) })
    }
}

/// A service as the registry keeps it.
pub(crate) fn service(name: &str, state: &str) -> Value {
    json!({
        "serName": name,
        "serCategory": {"href": "http://example.com/catalogue", "id": "id1", "name": "RNI", "version": "v1"},
        "version": "2.1.0",
        "state": state,
        "serializer": "JSON",
        "transportInfo": {
            "id": "t1", "name": "REST", "type": "REST_HTTP", "protocol": "HTTP", "version": "2.0",
            "endpoint": {"uris": ["http://192.0.2.10:8080/rni"]}, "security": {},
        },
    })
}

/// A DNS rule as it is kept.
pub(crate) fn dns_rule(id: &str, name: &str, state: &str) -> Value {
    json!({
        "dnsRuleId": id, "domainName": name, "ipAddressType": "IP_V4", "ipAddress": "192.0.2.10",
        "ttl": 300, "state": state,
    })
}

/// A traffic rule as it is kept.
pub(crate) fn traffic_rule(id: &str, priority: u8, state: &str) -> Value {
    json!({
        "trafficRuleId": id, "filterType": "FLOW", "priority": priority,
        "trafficFilter": [{"srcAddress": ["192.0.2.0/24"], "dstPort": ["8080"], "protocol": ["TCP"]}],
        "action": "DROP", "state": state,
    })
}
